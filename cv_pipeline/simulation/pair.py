"""A whole simulated pair: before, after and exact truth, from one seed.

Both dates start as the same ground. What changed, and the strikes, are drawn onto each date's own copy;
then each date is lit, photographed through its weather and brought to its product.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cv_pipeline.simulation.acquisition import Acquisition, draw_acquisitions, take
from cv_pipeline.simulation.ageing import on_after, on_before
from cv_pipeline.simulation.alignment import Misalignment, displacement_px, draw_misalignment, misaligned
from cv_pipeline.simulation.background import Backgrounds
from cv_pipeline.simulation.buildings import Building
from cv_pipeline.simulation.change import ChangeRecord, change_between
from cv_pipeline.simulation.config import BuiltConfig, SimulationConfig, stream
from cv_pipeline.simulation.debris import draw_rubble
from cv_pipeline.simulation.ground import PAVED, Ground, Material, patch_around
from cv_pipeline.simulation.light import View, lean_offset_px
from cv_pipeline.simulation.lookalikes import Lookalike, draw_disorder, draw_lookalikes
from cv_pipeline.simulation.pavement_hit import draw_pavement_repair
from cv_pipeline.simulation.render import draw_strike
from cv_pipeline.simulation.salvo import plan_strikes
from cv_pipeline.simulation.setting import Setting, draw_setting
from cv_pipeline.simulation.strike import Strike, StrikeStatus
from cv_pipeline.simulation.truth import TruthRasters, truth_rasters
from cv_pipeline.simulation.upheaval import draw_upheaval
from cv_pipeline.simulation.vehicle_groups import draw_tents, draw_vehicles
from cv_pipeline.simulation.visibility import LEAST_CONSPICUITY, conspicuity
from cv_pipeline.simulation.windrows import draw_windrows
from cv_pipeline.types import BoolArray, UInt8Array

MARGIN_PX = 8
"""Drawn around the pair and cut off: optics, shadows and misregistration need something beyond the edge."""


_BROKEN_M = 0.25
"""A roof that lies this much lower or higher after the strikes is broken there."""


@dataclass(frozen=True, slots=True)
class SimulatedPair:
    """Two images (height, width, 3) and everything that is known about them, in pixels of the after image.

    ``strikes`` lists all, those that are GONE from the after image too; one on a roof stands where the after
    image shows it, as roofs lean, and ``ground_px`` (row, col) says where each truly is. ``conspicuity`` says of
    each how far it stands out in the after image; where one does not, ``truth.visible`` is False: nobody could
    tell, so nothing is asked there. ``places`` are the places that real imagery in the background comes from.
    """

    before: UInt8Array
    after: UInt8Array
    truth: TruthRasters
    strikes: tuple[Strike, ...]
    ground_px: tuple[tuple[float, float], ...]
    conspicuity: tuple[float, ...]
    buildings: tuple[Building, ...]
    lookalikes: tuple[Lookalike, ...]
    changes: ChangeRecord
    before_acquisition: Acquisition
    after_acquisition: Acquisition
    misalignment: Misalignment
    places: tuple[str, ...]
    gsd_m: float


_DEFAULT = SimulationConfig()


def simulate_pair(
    backgrounds: Backgrounds,
    seed: tuple[int, ...],
    shape: tuple[int, int],
    gsd_m: float,
    config: SimulationConfig = _DEFAULT,
) -> SimulatedPair:
    """A before/after pair with truth, the same for the same arguments.

    Args:
        backgrounds: Real imagery to draw on.
        seed: Any non-negative integers, for instance (run seed, sample number).
        shape: (height, width) in pixels.
        gsd_m: Metres per pixel.
        config: What is drawn, how often and how.
    """
    full = (shape[0] + 2 * MARGIN_PX, shape[1] + 2 * MARGIN_PX)
    setting = draw_setting(backgrounds, config.ground, config.built, full, gsd_m, stream(seed, "setting"))
    before = setting.ground
    permanent = draw_lookalikes(before, config.lookalikes, stream(seed, "lookalikes"), transient=False)
    _draw_standing(before, config.built, stream(seed, "standing"))
    structure = before.material == Material.ROOF
    after = before.copy()
    changes = change_between(before, after, config.change, config.built, stream(seed, "change"), setting)
    draw_upheaval(before, after, config.change, stream(seed, "upheaval"))
    passing = [
        thing
        for date, ground in (("before", before), ("after", after))
        for thing in draw_lookalikes(ground, config.lookalikes, stream(seed, f"passing {date}"), transient=True)
    ]
    passing += draw_disorder(before, after, config.change, config.lookalikes.most, stream(seed, "disorder"))
    acquisitions = draw_acquisitions(seed, gsd_m, config)
    planned = plan_strikes(
        after, config.strikes, acquisitions[1].sun, stream(seed, "strikes"), buildings=setting.buildings
    )
    draw_windrows(before, after, setting, planned, config.change, stream(seed, "windrows"))
    intact_m = after.height_m.copy()
    strikes = [_strike_both(before, after, strike, acquisitions[1].view) for strike in planned]
    damage = structure & (np.abs(after.height_m - intact_m) > _BROKEN_M)
    before_image, _ = take(before, acquisitions[0])
    after_image, hidden = take(after, acquisitions[1])
    misalignment = draw_misalignment(stream(seed, "misalignment"), gsd_m, config.sensor)
    before_image = misaligned(before_image, displacement_px(misalignment, full))
    crop = (slice(MARGIN_PX, MARGIN_PX + shape[0]), slice(MARGIN_PX, MARGIN_PX + shape[1]))
    shown = tuple(s.at(s.row_px - MARGIN_PX, s.col_px - MARGIN_PX) for s in strikes)
    after_image = after_image[crop]
    stands_out = tuple(conspicuity(after_image, strike, gsd_m) for strike in shown)
    truth = truth_rasters(
        shown,
        gsd_m,
        structure=structure[crop],
        damage=damage[crop],
        structure_known=_buildings_known(setting)[crop],
        visible=_told(~hidden[crop], shown, stands_out, gsd_m),
    )
    return SimulatedPair(
        before_image[crop],
        after_image,
        truth,
        shown,
        tuple((strike.row_px - MARGIN_PX, strike.col_px - MARGIN_PX) for strike in planned),
        stands_out,
        tuple(_moved(building) for building in setting.buildings),
        tuple(
            thing._replace(row_px=thing.row_px - MARGIN_PX, col_px=thing.col_px - MARGIN_PX)
            for thing in (*permanent, *passing)
        ),
        changes,
        *acquisitions,
        misalignment,
        tuple(sorted({parcel.place for parcel in setting.parcels if parcel.place})),
        gsd_m,
    )


def _draw_standing(ground: Ground, config: BuiltConfig, rng: np.random.Generator) -> None:
    """Vehicles, tents and rubble that are there on both dates."""
    vehicles, tents, rubble = rng.random(3) < (config.vehicles_share, config.tents_share, config.rubble_share)
    if vehicles:
        draw_vehicles(ground, config, rng)
    if tents:
        draw_tents(ground, rng)
    if rubble:
        row_px, col_px = rng.uniform(0, 1, 2) * ground.shape
        draw_rubble(ground, float(row_px), float(col_px), float(rng.uniform(4.0, 18.0)), rng)


def _strike_both(before: Ground, after: Ground, strike: Strike, view: View) -> Strike:
    """Draw a strike on the dates that show it; returned where the after image shows its centre."""
    row, col = int(strike.row_px), int(strike.col_px)
    inside = 0 <= row < after.shape[0] and 0 <= col < after.shape[1]
    on_roof = inside and after.material[row, col] == Material.ROOF
    height_m = float(after.height_m[row, col]) if on_roof else 0.0
    on_pavement = inside and after.material[row, col] in PAVED
    repaired = on_pavement and strike.status == StrikeStatus.GONE
    for ground, shown in ((before, on_before(strike)), (after, None if repaired else on_after(strike))):
        if shown is not None:
            draw_strike(ground, shown)
    if repaired:
        draw_pavement_repair(after, strike)
    down_px, right_px = lean_offset_px(height_m, view, after.gsd_m)
    return strike.at(strike.row_px + down_px, strike.col_px + right_px)


_WITHOUT_BUILDINGS = frozenset({"agricultural", "beach", "chaparral", "forest", "river", "runway"})
"""Classes of real tiles on which nothing is built; on others stand buildings that nobody mapped."""


def _told(visible: BoolArray, strikes: tuple[Strike, ...], stands_out: tuple[float, ...], gsd_m: float) -> BoolArray:
    """``visible`` without the strikes that nobody could see; where craters overlap, the visible one prevails."""
    told = visible.copy()
    for hide in (True, False):
        for strike, amount in zip(strikes, stands_out, strict=True):
            if strike.status == StrikeStatus.GONE or (amount < LEAST_CONSPICUITY) is not hide:
                continue
            reach_m = 1.3 * strike.crater_radius_m + 1.0
            patch = patch_around(visible.shape, strike.row_px, strike.col_px, reach_m, gsd_m)
            if patch is not None:
                near = patch.radius_m <= reach_m
                told[patch.rows, patch.cols][near] = False if hide else visible[patch.rows, patch.cols][near]
    return told


def _buildings_known(setting: Setting) -> BoolArray:
    """True (height, width) where every building of the ground is one that was drawn."""
    unknown = [p.label for p in setting.parcels if p.place and p.kind not in _WITHOUT_BUILDINGS]
    return ~np.isin(setting.parcel_of, unknown)


def _moved(building: Building) -> Building:
    corners = tuple((row - MARGIN_PX, col - MARGIN_PX) for row, col in building.corners_px)
    return replace(building, corners_px=corners)
