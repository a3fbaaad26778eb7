"""Sheets of simulated pictures for the documentation: each shows one element of the simulation, always from a seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np

from cv_pipeline.simulation.acquisition import Acquisition, draw_acquisitions, take
from cv_pipeline.simulation.ageing import PROCESSES, aged
from cv_pipeline.simulation.background import Backgrounds
from cv_pipeline.simulation.buildings import draw_building, make_building
from cv_pipeline.simulation.config import SimulationConfig, StrikeConfig, stream
from cv_pipeline.simulation.contrast import look_at
from cv_pipeline.simulation.families import FAMILIES, Family
from cv_pipeline.simulation.fields import FARMLAND
from cv_pipeline.simulation.ground import Ground, Material
from cv_pipeline.simulation.light import NADIR, Sun
from cv_pipeline.simulation.lookalikes import KINDS
from cv_pipeline.simulation.natural_strike import draw_natural_strike
from cv_pipeline.simulation.openland import DESERT, MEADOW, SNOW, STEPPE
from cv_pipeline.simulation.pair import SimulatedPair, simulate_pair
from cv_pipeline.simulation.pavement import draw_apron
from cv_pipeline.simulation.render import draw_strike
from cv_pipeline.simulation.salvo import plan_strikes
from cv_pipeline.simulation.salvo_style import draw_salvo_style
from cv_pipeline.simulation.sensor import Sensor
from cv_pipeline.simulation.strike import Strike
from cv_pipeline.simulation.weather import CLEAR
from cv_pipeline.types import UInt8Array

SUN = Sun(150.0, 42.0)
PLAIN = Sensor((1.0, 1.0, 1.0), (0.0, 0.0, 0.0), 1.0, 1.0, 0.7, 0.2, 1.2, None, 5, level_dn=108.0)
"""One plain satellite product for all chips, so that they differ by what is drawn alone."""
_GSD_M = 0.3
_GAP = 3
_STRIP = 15


class Chip(NamedTuple):
    """A picture (height, width, 3) and what is written under it."""

    image: UInt8Array
    label: str = ""


def sheet(chips: Sequence[Chip], columns: int) -> UInt8Array:
    """Chips of one size side by side, ``columns`` to a row, each over its label; white where there is none."""
    height, width = chips[0].image.shape[:2]
    strip = _STRIP if any(chip.label for chip in chips) else 0
    rows = -(-len(chips) // columns)
    canvas = np.full((rows * (height + strip + _GAP), columns * (width + _GAP), 3), 255, np.uint8)
    for number, chip in enumerate(chips):
        top, left = number // columns * (height + strip + _GAP), number % columns * (width + _GAP)
        canvas[top : top + height, left : left + width] = chip.image
        place = (left + 1, top + height + 11)
        cv2.putText(canvas, chip.label, place, cv2.FONT_HERSHEY_SIMPLEX, 0.36, (30, 30, 30), 1, cv2.LINE_AA)
    return canvas


def seen(ground: Ground, sun: Sun = SUN) -> UInt8Array:
    """The ground through the plain sensor."""
    image, _ = take(ground, Acquisition(sun, NADIR, CLEAR, PLAIN))
    return image


_SHELLS = StrikeConfig(large_share=0)
_LARGE = StrikeConfig(large_share=0, size_factor=1.6, contrast_factor=2.0)
_FIELDS = {kind.name: kind.draw for kind in (*FARMLAND, MEADOW, STEPPE, DESERT, SNOW)}


def _field(name: str, size_px: int, seed: int, gsd_m: float = _GSD_M) -> Ground:
    rng = np.random.default_rng((seed, 1))
    return _FIELDS[name]((size_px, size_px), gsd_m, float(rng.uniform(0, np.pi)), rng)


def _strike(ground: Ground, family: Family, seed: int, config: StrikeConfig = _SHELLS) -> Strike:
    """A strike of ``family`` in the middle of the ground, a standard deviation clearer than the average one."""
    rng = np.random.default_rng((seed, 2))
    row_px, col_px = ground.shape[0] / 2, ground.shape[1] / 2
    material = Material(int(ground.material[int(row_px), int(col_px)]))
    style = replace(draw_salvo_style(config, rng), contrast_z=1.0, ring_z=1.0)
    look = look_at(ground, row_px, col_px)
    return draw_natural_strike(row_px, col_px, family, look, material, style, SUN, config, rng)


_GROUND_OF = {
    Material.SOIL: ("harrowed", "ploughed"),
    Material.CROP: ("cereal", "row crop"),
    Material.GRASS: ("meadow", "steppe"),
    Material.SAND: ("desert",),
    Material.SNOW: ("snow",),
}


def families(seed: int, each: int = 4, size_px: int = 120) -> UInt8Array:
    """Every family of strikes, ``each`` times, on grounds where it occurs."""
    chips = []
    for family in FAMILIES.values():
        # Some families lie on one ground only; the others are shown on soil and in crops.
        best = max(dict(family.where), key=family.weight_on, default=Material.SOIL)
        names = _GROUND_OF[best] if family.weight_on(best) > 1 or best is Material.SNOW else ("harrowed", "cereal")
        for number in range(each):
            ground = _field(names[number % len(names)], size_px, seed + number)
            draw_strike(ground, _strike(ground, family, seed + 10 * number))
            chips.append(Chip(seen(ground), family.name.replace("_", " ") if number == 0 else ""))
    return sheet(chips, 2 * each)


def materials(seed: int, size_px: int = 150) -> UInt8Array:
    """Shells and a large charge on everything that can be hit."""
    chips = []
    clear = {"contrast_factor": 1.5}
    configs = {
        "shell": StrikeConfig(large_share=0, **clear),
        "large": StrikeConfig(large_share=1, large_charge_max_kg=120, **clear),
    }
    for name, config in configs.items():
        for what, make in _SURFACES.items():
            ground = make(size_px, seed)
            strikes = _planned_centre(ground, config, seed)
            for strike in strikes:
                draw_strike(ground, strike)
            chips.append(Chip(seen(ground), f"{what}, {name}"))
    return sheet(chips, len(_SURFACES))


def _planned_centre(ground: Ground, config: StrikeConfig, seed: int) -> list[Strike]:
    """One strike as it would be planned for this ground, moved to its middle."""
    single = config.model_copy(
        update={
            "empty_share": 0.0,
            "field_share": 0.0,
            "line_share": 0.0,
            "ellipse_share": 0.0,
            "single_share": 1.0,
            "ageing_share": 0.0,
            "old_share": 0.0,
            "gone_share": 0.0,
        }
    )
    middle = ground.shape[0] / 2, ground.shape[1] / 2
    wanted = ground.material[int(middle[0]), int(middle[1])]
    for attempt in range(60):
        planned = plan_strikes(ground, single, SUN, np.random.default_rng((seed, attempt)))
        if planned and planned[0].material == wanted:
            return [planned[0].at(*middle)]
    return []


def _apron(surface: Material) -> Callable[[int, int], Ground]:
    def make(size_px: int, seed: int) -> Ground:
        ground = _field("meadow", size_px, seed)
        edge = -20.0, size_px + 20.0
        corners = np.array([(edge[0], edge[0]), (edge[0], edge[1]), (edge[1], edge[1]), (edge[1], edge[0])])
        draw_apron(ground, corners, 25.0, surface, np.random.default_rng((seed, 3)))  # type: ignore[arg-type]
        return ground

    return make


def _house(size_px: int, seed: int) -> Ground:
    ground = _field("meadow", size_px, seed)
    rng = np.random.default_rng((seed, 4))
    draw_building(ground, make_building(1, size_px / 2, size_px / 2, 35.0, (26.0, 13.0), _GSD_M, rng))
    return ground


_SURFACES: dict[str, Callable[[int, int], Ground]] = {
    "soil": lambda size_px, seed: _field("harrowed", size_px, seed),
    "crop": lambda size_px, seed: _field("cereal", size_px, seed),
    "grass": lambda size_px, seed: _field("meadow", size_px, seed),
    "sand": lambda size_px, seed: _field("desert", size_px, seed),
    "snow": lambda size_px, seed: _field("snow", size_px, seed),
    "asphalt": _apron(Material.ASPHALT),
    "concrete": _apron(Material.CONCRETE),
    "roof": _house,
}


def salvos(seed: int, size_px: int = 640, attempts: int = 20) -> UInt8Array:
    """One salvo of each layout on open ground, the one with the most strikes of some tries."""
    layouts = ("field_share", "line_share", "ellipse_share", "single_share")
    chips = []
    for layout in layouts:
        shares = {name: float(name == layout) for name in layouts}
        config = StrikeConfig(
            empty_share=0,
            ageing_share=0,
            old_share=0,
            gone_share=0,
            large_share=0,
            salvos_per_ha=0.001,
            contrast_factor=1.5,
            **shares,
        )
        ground = _field("harrowed", size_px, seed, 0.5)
        planned = [plan_strikes(ground, config, SUN, np.random.default_rng((seed, n))) for n in range(attempts)]
        for strike in max(planned, key=len):
            draw_strike(ground, strike)
        small = cv2.resize(seen(ground), (size_px // 2, size_px // 2), interpolation=cv2.INTER_AREA)
        chips.append(Chip(np.asarray(small, np.uint8), layout.removesuffix("_share")))
    return sheet(chips, 2)


def ageing(seed: int, size_px: int = 120) -> UInt8Array:
    """One strike, aged by each process from not at all to wholly."""
    chips = []
    for process in PROCESSES:
        for amount in (0.0, 0.25, 0.5, 0.75, 1.0):
            ground = _field("meadow", size_px, seed)
            strike = _strike(ground, FAMILIES["star_in_annulus"], seed, _LARGE)
            draw_strike(ground, aged(strike, process, amount))
            chips.append(Chip(seen(ground), f"{process} {amount:.2f}"))
    return sheet(chips, 5)


def lookalikes(seed: int, size_px: int = 112) -> UInt8Array:
    """Every kind of look-alike, on ground where it occurs."""
    chips = []
    open_ground = ("stubble", "cereal", "meadow", "harrowed", "steppe")
    for number, kind in enumerate(KINDS):
        if kind.needs == "paved":
            ground = _apron(Material.CONCRETE if number % 2 else Material.ASPHALT)(size_px, seed + number)
        elif kind.needs == "roof":
            ground = _house(size_px, seed + number)
        else:
            name = "meadow" if kind.needs == "grass" else open_ground[number % len(open_ground)]
            ground = _field(name, size_px, seed + number)
        kind.draw(ground, size_px / 2, size_px / 2, np.random.default_rng((seed, number)))
        chips.append(Chip(seen(ground), kind.name.replace("_", " ")))
    return sheet(chips, 9)


def acquisitions(backgrounds: Backgrounds, seed: int, size_px: int = 240) -> UInt8Array:
    """One ground as eight acquisitions see it."""
    pair_seed, gsd_m = (seed, 0), 0.5
    from cv_pipeline.simulation.setting import draw_setting

    config = SimulationConfig()
    built = config.built.model_copy(update={"village_share": 1.0})
    shape = size_px, size_px
    ground = draw_setting(backgrounds, config.ground, built, shape, gsd_m, stream(pair_seed, "setting")).ground
    busy = StrikeConfig(empty_share=0, density_per_ha=8, ageing_share=0)
    for strike in plan_strikes(ground, busy, SUN, stream(pair_seed, "strikes")):
        draw_strike(ground, strike)
    chips = []
    for number in range(8):
        acquisition = draw_acquisitions((seed, number), gsd_m, config)[1]
        image, _ = take(ground, acquisition)
        sensor = acquisition.sensor
        label = f"sun {acquisition.sun.elevation_deg:.0f}, off nadir {acquisition.view.off_nadir_deg:.0f}"
        label += f", {gsd_m * sensor.native_px:.1f} m"
        label += f", q{sensor.jpeg_quality}" if sensor.jpeg_quality else ""
        chips.append(Chip(image, label))
    return sheet(chips, 4)


_OUTLINES = (
    ("structure", (80, 220, 255)),
    ("secondary", (255, 90, 255)),
    ("blast", (255, 225, 60)),
    ("cone", (255, 140, 40)),
    ("crater", (255, 50, 50)),
)


def outlined(pair: SimulatedPair) -> UInt8Array:
    """The after image with its truth drawn as outlines; what cannot be seen is darkened."""
    image = pair.after.copy()
    image[~pair.truth.visible] //= 2
    for name, colour in _OUTLINES:
        mask = getattr(pair.truth, name).astype(np.uint8)
        contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(image, contours, -1, colour, 1)
    return image


def pairs(backgrounds: Backgrounds, seeds: Sequence[int], size_px: int = 300, gsd_m: float = 0.5) -> UInt8Array:
    """Pairs, one a row: before, after, truth."""
    chips = []
    for seed in seeds:
        pair = simulate_pair(backgrounds, (seed, 0), (size_px, size_px), gsd_m)
        chips += [
            Chip(pair.before, f"before (seed {seed})"),
            Chip(pair.after, "after"),
            Chip(outlined(pair), "truth"),
        ]
    return sheet(chips, 3)


def scene(backgrounds: Backgrounds, seed: int, size_px: int = 1000, gsd_m: float = 0.5) -> UInt8Array:
    """The after image of a large scene."""
    return simulate_pair(backgrounds, (seed, 0), (size_px, size_px), gsd_m).after
