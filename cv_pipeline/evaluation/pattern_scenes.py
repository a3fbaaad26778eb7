"""Simulated scenes for judging patterns alone: images, maps of a network or of an oracle, and the truth of each strike.

A scene is a folder of plain files, so that a long run can be taken up again and the same scenes be measured twice.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from cv_pipeline.config import AssessConfig
from cv_pipeline.imagery.pair import open_pair
from cv_pipeline.segmentation.raster import SegmentationWriter
from cv_pipeline.simulation.config import SimulationConfig, StrikeConfig
from cv_pipeline.simulation.ground import Material, Patch, patch_around
from cv_pipeline.simulation.pair import SimulatedPair, simulate_pair
from cv_pipeline.simulation.pattern import LAYERS
from cv_pipeline.simulation.strike import Strike, StrikeStatus, azimuth_difference_rad, pattern_extent_m
from cv_pipeline.simulation.truth import axis_vector
from cv_pipeline.simulation.visibility import FLOOR_DN, TO_TONES
from cv_pipeline.types import (
    AlignedPair,
    Channel,
    Float32Array,
    Float64Array,
    Gate,
    ModelInfo,
    Registration,
    Segmentation,
    Window,
)

if TYPE_CHECKING:
    from cv_pipeline.segmentation.backend import Backend
    from cv_pipeline.simulation.background import Backgrounds

SIDE_M = 240.0
"""Side of a scene on the ground, whatever its GSD."""

GSD_RANGE_M = (0.25, 1.0)

CONFIG = SimulationConfig(
    strikes=StrikeConfig(cone_share=1.0, cone_strength=(2.0, 6.0), empty_share=0.0, salvos_per_ha=0.2)
)
"""About one salvo a scene and more cones than elsewhere: enough directional strikes, at real spacings.

The cones are ones that a person can see; of the default strength hardly any is, looked at in blind order.
"""

_UNMOVED = Registration(
    np.array([[1.0, 0, 0], [0, 1.0, 0]]), 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0, 0, Gate.PASS, "simulated on one grid"
)

_EDGE_M = 12.0
"""Strikes nearer to the scene's edge are not scored: the edge hides much of the pattern."""


@dataclass(frozen=True, slots=True)
class TruthPattern:
    """What is exactly known of one strike's pattern, in pixels of the after image; azimuths from image up.

    ``blast_radius_m`` and ``secondary_radius_m`` are None where no such pattern is visible. ``axis_deg`` is the
    side to which the pattern extends and ``axis_length`` (0..1] how one-sided it is; None and 0 for round ones.
    ``pattern_sd`` says by how much the ground between crater and edge was changed on average, ``axis_sd`` by how much
    more on the extended side than on the opposite one, both in robust SDs of the surroundings in the after image as in
    :mod:`cv_pipeline.simulation.visibility`; 0 where there is none.
    """

    row_px: float
    col_px: float
    crater_radius_m: float
    blast_radius_m: float | None
    secondary_radius_m: float | None
    axis_deg: float | None
    axis_length: float
    is_cone: bool
    pattern_sd: float
    axis_sd: float
    family: str
    material: str
    dark: bool


@dataclass(frozen=True, slots=True)
class PatternScene:
    """A scene's folder read back: the after image on its working grid, maps, and the strikes that can be scored."""

    aligned: AlignedPair
    segmentation: Segmentation
    truth: tuple[TruthPattern, ...]
    sun_azimuth_deg: float


def draw_gsd_m(seed: tuple[int, ...]) -> float:
    """A scene's GSD, log-uniform over :data:`GSD_RANGE_M`."""
    low, high = np.log(GSD_RANGE_M)
    return float(np.exp(np.random.default_rng((*seed, 17)).uniform(low, high)))


def simulate_scene(backgrounds: Backgrounds, seed: tuple[int, ...], config: SimulationConfig = CONFIG) -> SimulatedPair:
    """The pair of a seed: ``SIDE_M`` a side at its own GSD."""
    gsd_m = draw_gsd_m(seed)
    side = round(SIDE_M / gsd_m)
    return simulate_pair(backgrounds, seed, (side, side), gsd_m, config)


def truth_patterns(pair: SimulatedPair) -> tuple[TruthPattern, ...]:
    """Strikes that somebody could see, away from the scene's edge; none for GONE ones and for hits on roofs.

    What a hit on a roof throws about is not drawn from the strike's own pattern, so there is nothing to compare with.
    """
    height, width = pair.after.shape[:2]
    kept = []
    for strike in pair.strikes:
        if strike.status is StrikeStatus.GONE or strike.material is Material.ROOF:
            continue
        edge_m = min(strike.row_px, strike.col_px, height - strike.row_px, width - strike.col_px) * pair.gsd_m
        if edge_m >= _EDGE_M and pair.truth.visible[int(strike.row_px), int(strike.col_px)]:
            kept.append(pattern_truth(strike, pair))
    return tuple(kept)


def pattern_truth(strike: Strike, pair: SimulatedPair) -> TruthPattern:
    """What is known of one strike of a pair that is there in the after image."""
    right, up = axis_vector(strike)
    length = float(np.hypot(right, up))
    if strike.cone_azimuth_deg is not None and not strike.has_pattern:
        length = 0.0
    turn_deg = float(np.rad2deg(np.arctan2(right, up)) % 360) if length > 0 else None
    pattern_sd, axis_sd = _stands_out(strike, turn_deg, pair)
    return TruthPattern(
        strike.row_px,
        strike.col_px,
        strike.crater_radius_m,
        strike.blast_radius_m if strike.has_pattern else None,
        strike.secondary_radius_m if strike.secondary_radius_m > 0 else None,
        turn_deg,
        length,
        strike.cone_azimuth_deg is not None and bool(strike.has_pattern),
        pattern_sd,
        axis_sd,
        strike.family,
        Material(strike.material).name,
        bool(sum(strike.ring_delta) + sum(strike.soot_delta) < 0),
    )


def _stands_out(strike: Strike, axis_deg: float | None, pair: SimulatedPair) -> tuple[float, float]:
    """``pattern_sd`` and ``axis_sd`` of a strike: what was drawn, against the texture of the after image around it.

    Not the picture's own difference of two sides, for that is as great where a road runs past one of them.
    """
    patch = patch_around(pair.after.shape[:2], strike.row_px, strike.col_px, 2.5 * strike.reach_m, pair.gsd_m)
    if patch is None:
        return 0.0, 0.0
    tones = pair.after[patch.rows, patch.cols].astype(np.float32) @ TO_TONES.T
    beyond = tones[(patch.radius_m > 1.2 * max(strike.reach_m / 1.3, 2.5 * strike.crater_radius_m))]
    if not len(beyond):
        return 0.0, 0.0
    spread = 1.4826 * np.median(np.abs(beyond - np.median(beyond, axis=0)), axis=0) + FLOOR_DN
    drawn = _drawn_dn(strike, patch) @ TO_TONES.T
    outside = patch.radius_m > 1.3 * strike.crater_radius_m
    reach_m = np.maximum(pattern_extent_m(strike, patch.azimuth_rad), 1e-6)
    inside = drawn[outside & (patch.radius_m <= 0.95 * reach_m)]
    pattern_sd = float(np.abs(inside.mean(axis=0) / spread).max()) if len(inside) else 0.0
    if axis_deg is None:
        return pattern_sd, 0.0
    is_cone = strike.cone_azimuth_deg is not None
    half_deg, length_m = (strike.cone_half_width_deg, strike.cone_length_m) if is_cone else (15.0, strike.wing_length_m)
    sides = []
    for azimuth_deg in (axis_deg, axis_deg + 180.0):
        near = np.abs(azimuth_difference_rad(patch.azimuth_rad, azimuth_deg)) <= np.deg2rad(half_deg)
        sides.append(drawn[near & outside & (patch.radius_m <= 0.95 * length_m)])
    if not all(len(side) for side in sides):
        return pattern_sd, 0.0
    return pattern_sd, float(np.abs((sides[0].mean(axis=0) - sides[1].mean(axis=0)) / spread).max())


def _drawn_dn(strike: Strike, patch: Patch) -> Float64Array:
    """What a strike's pattern changes in each pixel of a patch, (h, w, 3) DN, before light, weather and sensor."""
    total = np.zeros((*patch.radius_m.shape, 3))
    for make in LAYERS:
        layer = make(strike, patch)
        if layer is not None:
            total += layer.strength[..., None] * np.asarray(layer.delta)
    return total


def write_scene(folder: Path, pair: SimulatedPair) -> None:
    """Write the images and the truth of a pair; the maps are written by :func:`network_maps` or :func:`oracle_maps`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, image in (("before", pair.before), ("after", pair.after)):
        cv2.imwrite(str(folder / f"{name}.png"), image[..., ::-1])
    (folder / "truth.json").write_text(json.dumps(_content(pair)))


def _content(pair: SimulatedPair) -> dict[str, Any]:
    """What ``truth.json`` says of a pair."""
    return {
        "gsd_m": pair.gsd_m,
        "sun_azimuth_deg": pair.after_acquisition.sun.azimuth_deg,
        "truth": [asdict(t) for t in truth_patterns(pair)],
    }


def network_maps(folder: Path, backend: Backend, model: ModelInfo) -> None:
    """Segment a written scene as a run would; the maps come to lie in :func:`maps_name`.

    Nothing is registered: the simulation leaves the misalignment that registration leaves.
    """
    from cv_pipeline.segmentation.predict import segment

    part = folder / "unfinished.tif"
    segment(read_scene(folder, "network", model).aligned, backend, model, part)
    part.replace(folder / maps_name(model))  # a run that is killed leaves no half map behind


def oracle_maps(folder: Path, pair: SimulatedPair, working_gsd_m: float, seed: tuple[int, ...]) -> None:
    """Maps as a good network would make them: truth, blurred by a pixel, with noise; in ``oracle.tif``.

    Logits get noise that is correlated over two pixels; radii are off by 10 %. The axis maps are left at 0, because
    they would give the answer away.
    """
    from cv_pipeline.imagery.grid import working_grid

    rng = np.random.default_rng((*seed, 23))
    source = open_pair(None, folder / "after.png", AssessConfig(gsd_m=pair.gsd_m)).after
    grid = working_grid(source.grid, working_gsd_m)
    shape = (grid.height, grid.width)
    values: dict[Channel, Float32Array] = {}
    for channel in Channel:
        truth = getattr(pair.truth, channel.value).astype(np.float32)
        scale = pair.gsd_m / working_gsd_m
        matrix = np.array([[scale, 0, 0.5 * scale - 0.5], [0, scale, 0.5 * scale - 0.5]])
        if scale < 1:
            truth = cv2.GaussianBlur(truth, (0, 0), 0.4 / scale)
        on_grid = cv2.warpAffine(truth, matrix, shape[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        if channel in (Channel.AXIS_RIGHT, Channel.AXIS_UP):
            values[channel] = np.zeros(shape, np.float32)
        elif channel in (Channel.CRATER_RADIUS_M, Channel.BLAST_RADIUS_M):
            noise = cv2.GaussianBlur(rng.standard_normal(shape, np.float32), (0, 0), 6.0)
            values[channel] = (on_grid * np.exp(0.1 * noise / noise.std())).astype(np.float32)
        else:
            noise = cv2.GaussianBlur(rng.standard_normal(shape, np.float32), (0, 0), 2.0)
            soft = np.clip(cv2.GaussianBlur(on_grid, (0, 0), 1.0), 0.02, 0.98)
            logit = np.log(soft / (1 - soft)) + 0.7 * noise / noise.std()
            values[channel] = (
                on_grid.astype(np.float32)
                if channel is Channel.CENTRE
                else (1 / (1 + np.exp(-logit))).astype(np.float32)
            )
    with SegmentationWriter.create(folder / "oracle.tif", grid) as writer:
        writer.write(Window(0, 0, *shape), values, np.ones(shape, dtype=bool))


def maps_name(model: ModelInfo) -> str:
    """File of a network's maps, by its weights."""
    return f"network-{model.sha256[:12]}.tif"


def read_scene(folder: Path, maps: str, model: ModelInfo) -> PatternScene:
    """A written scene with the maps ``network`` or ``oracle``, which need not be there yet."""
    from cv_pipeline.imagery.grid import working_grid

    content = json.loads((folder / "truth.json").read_text())
    pair = open_pair(folder / "before.png", folder / "after.png", AssessConfig(gsd_m=content["gsd_m"]))
    grid = working_grid(pair.after.grid, model.working_gsd_m)
    name = maps_name(model) if maps == "network" else "oracle.tif"
    return PatternScene(
        AlignedPair(pair, grid, _UNMOVED),
        Segmentation(folder / name, grid, model, True, 1.0),
        tuple(TruthPattern(**t) for t in content["truth"]),
        content["sun_azimuth_deg"],
    )


def make_scenes(
    root: Path,
    backgrounds: Backgrounds,
    seeds: Sequence[tuple[int, ...]],
    backend: Backend | None,
    model: ModelInfo,
    *,
    seconds: float = float("inf"),
) -> list[Path]:
    """Folders of all scenes under ``root``, made where not there yet; ``backend`` None gives oracle maps only.

    Scenes that the simulator would no longer draw so are drawn again: the first is, each time, to see that.

    Returns:
        Those that are there after ``seconds``, in the order of ``seeds``; call again for the others.
    """
    folders: list[Path] = []
    end = time.monotonic() + seconds
    if seeds:
        _drop_stale(root, simulate_scene(backgrounds, seeds[0]), seeds)
    for seed in seeds:
        folder = _folder(root, seed)
        if not (folder / "oracle.tif").exists():
            if time.monotonic() > end:
                break
            pair = simulate_scene(backgrounds, seed)
            write_scene(folder, pair)
            oracle_maps(folder, pair, model.working_gsd_m, seed)
        if backend is not None and not (folder / maps_name(model)).exists():
            if time.monotonic() > end:
                break
            network_maps(folder, backend, model)
        folders.append(folder)
    return folders


def _folder(root: Path, seed: tuple[int, ...]) -> Path:
    return root / "_".join(map(str, seed))


def _drop_stale(root: Path, fresh: SimulatedPair, seeds: Sequence[tuple[int, ...]]) -> None:
    """Delete kept scenes if ``fresh``, the first drawn anew, differs from the one that was kept."""
    kept = _folder(root, seeds[0])
    if not (kept / "oracle.tif").exists():
        return
    image = cv2.imread(str(kept / "after.png"))
    same = image is not None and np.array_equal(image[..., ::-1], fresh.after)
    if same and json.loads((kept / "truth.json").read_text()) == json.loads(json.dumps(_content(fresh))):
        return
    for seed in seeds:
        for file in _folder(root, seed).glob("*.*"):
            file.unlink()
