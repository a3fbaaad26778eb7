"""Simulated scenes for judging craters alone: pairs on disk, maps of a network or of an oracle, and what lies where.

The oracle stands in for a good network whose errors are known, so that what the images add can be told from what the
network knew: its peaks are off by ``CENTRE_SD_M`` per axis, its radii by ``RADIUS_SD``, its status odds are noisy.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from cv_pipeline.config import AssessConfig
from cv_pipeline.imagery.grid import working_grid
from cv_pipeline.imagery.pair import open_pair
from cv_pipeline.patterns.verdict import PeakErrors
from cv_pipeline.segmentation.raster import SegmentationWriter
from cv_pipeline.simulation.acquisition import take
from cv_pipeline.simulation.config import SimulationConfig, stream
from cv_pipeline.simulation.light import SKY_SHARE_RGB
from cv_pipeline.simulation.pair import MARGIN_PX, SimulatedPair, simulate_pair
from cv_pipeline.simulation.render import draw_strike
from cv_pipeline.simulation.setting import draw_setting
from cv_pipeline.simulation.strike import Strike, StrikeStatus
from cv_pipeline.simulation.truth import CENTRE_SIGMA_M
from cv_pipeline.types import (
    AlignedPair,
    Channel,
    Float32Array,
    Float64Array,
    Gate,
    Grid,
    ModelInfo,
    Registration,
    Segmentation,
    Window,
)

if TYPE_CHECKING:
    from cv_pipeline.segmentation.backend import Backend
    from cv_pipeline.simulation.background import Backgrounds

GSD_RANGE_M = (0.25, 1.0)
EXTENT_M = 200.0
_SIDE_PX = (288, 640)
EDGE_M = 2.0
"""Craters nearer to the border than this are neither demanded nor counted as false; nor those that nobody can see."""

CENTRE_SD_M, RADIUS_SD, STATUS_SD = 0.35, 0.12, 2.0
"""The oracle's errors: metres per axis, of the logarithm of radius, of log odds of new about +-3."""
ORACLE_PEAKS = PeakErrors(1.7, 0.93)
"""The same relative to what a run takes peaks for, as ``scripts/fit_verdicts.py`` fits it for a model."""


@dataclass(frozen=True, slots=True)
class CraterScene:
    """A scene's images and maps, ready for :func:`cv_pipeline.patterns.extract_impacts`."""

    aligned: AlignedPair
    segmentation: Segmentation


def simulated_pairs(
    backgrounds: Backgrounds, seed: int, numbers: Sequence[int], cache: Path | None = None
) -> Iterator[SimulatedPair]:
    """Pairs of a seed, their GSD log-uniform over :data:`GSD_RANGE_M`; kept in ``cache`` where one is given."""
    for number in numbers:
        kept = None if cache is None else cache / f"{seed}_{number}.pkl"
        if kept is not None and kept.exists():
            yield pickle.loads(kept.read_bytes())  # our own file, in a folder that the caller names
            continue
        pair = simulate(backgrounds, (seed, number))
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(pickle.dumps(pair))
        yield pair


def simulate(backgrounds: Backgrounds, seed: tuple[int, ...], config: SimulationConfig | None = None) -> SimulatedPair:
    """One pair, about :data:`EXTENT_M` a side."""
    low, high = np.log(GSD_RANGE_M)
    gsd_m = float(np.exp(stream(seed, "gsd").uniform(low, high)))
    side = int(np.clip(EXTENT_M / gsd_m, *_SIDE_PX))
    return simulate_pair(backgrounds, seed, (side, side), gsd_m, config or SimulationConfig())


def shown(pair: SimulatedPair) -> list[Strike]:
    """The craters that can be demanded: in the after image, visible, not at the border."""
    return [
        strike
        for strike in pair.strikes
        if strike.status is not StrikeStatus.GONE and counts(pair, strike.row_px, strike.col_px)
    ]


def counts(pair: SimulatedPair, row_px: float, col_px: float) -> bool:
    """Whether a find at this place is scored at all."""
    height, width = pair.after.shape[:2]
    inside = min(row_px, col_px, height - row_px, width - col_px) >= EDGE_M / pair.gsd_m
    return inside and bool(pair.truth.visible[int(row_px), int(col_px)])


def write_scene(folder: Path, pair: SimulatedPair, working_gsd_m: float, *, paired: bool = True) -> AlignedPair:
    """Write the images as PNG and open them as an aligned pair; the simulation left what registration would leave."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, image in (("before", pair.before), ("after", pair.after)):
        cv2.imwrite(str(folder / f"{name}.png"), image[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])
    before = folder / "before.png" if paired else None
    opened = open_pair(before, folder / "after.png", AssessConfig(gsd_m=pair.gsd_m))
    exact = Registration(np.eye(2, 3), 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0, 0, Gate.PASS, "simulated")
    return AlignedPair(opened, working_grid(opened.after.grid, working_gsd_m), exact if paired else None)


def network_scene(aligned: AlignedPair, backend: Backend, model: ModelInfo, path: Path) -> CraterScene:
    """The scene with the maps of a network, written to ``path`` unless they are there already."""
    from cv_pipeline.segmentation.predict import segment

    grid = aligned.working_grid
    if path.exists():
        return CraterScene(aligned, Segmentation(path, grid, model, aligned.pair.before is not None, 1.0))
    # One tile for a small scene costs less than the usual size, of which most would be padding.
    tile_px = int(np.clip(-(-max(grid.height, grid.width) // 16) * 16, 128, 512))
    return CraterScene(aligned, segment(aligned, backend, model, path, tile_px=tile_px))


def oracle_scene(
    aligned: AlignedPair, pair: SimulatedPair, strikes: Sequence[Strike], model: ModelInfo, path: Path, seed: int
) -> CraterScene:
    """The scene with the oracle's maps of these strikes, written to ``path``; nothing else is found in it."""
    grid = aligned.working_grid
    values = {channel: np.zeros((grid.height, grid.width), np.float32) for channel in Channel}
    rng = np.random.default_rng((seed, 29))
    for strike in strikes:
        _draw(values, grid, pair.gsd_m, strike, rng)
    with SegmentationWriter.create(path, grid) as writer:
        whole = Window(0, 0, grid.height, grid.width)
        writer.write(whole, values, np.ones((grid.height, grid.width), bool))
    has_before = aligned.pair.before is not None
    return CraterScene(aligned, Segmentation(path, grid, model, has_before, 1.0))


def _draw(
    values: dict[Channel, Float32Array], grid: Grid, gsd_m: float, strike: Strike, rng: np.random.Generator
) -> None:
    """One strike as a network with the stated errors would show it."""
    error_m, radius_m = rng.normal(0, CENTRE_SD_M, 2), strike.crater_radius_m * float(np.exp(rng.normal(0, RADIUS_SD)))
    score, odds = float(rng.uniform(0.6, 0.95)), float(rng.normal(3.0, STATUS_SD))
    row, col = np.array([strike.row_px, strike.col_px]) * gsd_m / grid.gsd_m + error_m / grid.gsd_m
    rows, cols = np.indices((grid.height, grid.width)) + 0.5
    distance_m = np.hypot(rows - row, cols - col) * grid.gsd_m
    peak = (score * np.exp(-0.5 * (distance_m / CENTRE_SIGMA_M) ** 2)).astype(np.float32)
    nearest = peak > values[Channel.CENTRE]
    values[Channel.CENTRE] = np.maximum(values[Channel.CENTRE], peak)
    inside = np.clip(0.5 + (radius_m - distance_m) / grid.gsd_m, 0, 1).astype(np.float32)
    values[Channel.CRATER] = np.maximum(values[Channel.CRATER], inside)
    blast = np.clip(0.5 + (max(strike.blast_radius_m, radius_m) - distance_m) / grid.gsd_m, 0, 1).astype(np.float32)
    values[Channel.BLAST] = np.maximum(values[Channel.BLAST], blast)
    near = nearest & (distance_m <= max(radius_m, 1.5))
    new = strike.status is StrikeStatus.NEW
    values[Channel.NEW][near] = 1 / (1 + np.exp(-odds if new else odds))
    values[Channel.CRATER_RADIUS_M][near] = radius_m
    values[Channel.BLAST_RADIUS_M][near] = max(strike.blast_radius_m, radius_m)


def positions_m(pair: SimulatedPair, strikes: Sequence[Strike]) -> Float64Array:
    """(n, 2) where strikes are shown, as (col, row) in metres from the upper-left corner."""
    return np.array([(s.col_px, s.row_px) for s in strikes], dtype=np.float64).reshape(-1, 2) * pair.gsd_m


TOUCHING_RADII = 1.2
"""Distance of touching craters' centres, in mean crater radii."""


def touching_pair(backgrounds: Backgrounds, seed: tuple[int, ...]) -> SimulatedPair:
    """A simulated pair whose craters each have a twin at :data:`TOUCHING_RADII`; strikes 0 and 1 are twins, 2 and 3 ...

    The planner of strikes keeps craters farther apart, so twins are drawn on: of the same salvo, alike in all but
    its irregularity and up to a tenth of its size, towards a random side.
    """
    first = simulate(backgrounds, seed)
    rng = np.random.default_rng((*seed, 31))
    twins: list[Strike] = []
    for strike in shown(first):
        apart_px = np.array([[s.row_px - strike.row_px, s.col_px - strike.col_px] for s in twins])
        near = 8 * strike.crater_radius_m / first.gsd_m
        if twins and (np.hypot(*apart_px.T) < near).any():
            continue
        size, turn = float(np.exp(rng.uniform(-0.1, 0.1))), float(rng.uniform(0, 2 * np.pi))
        reach_px = TOUCHING_RADII * strike.crater_radius_m * (1 + size) / 2 / first.gsd_m
        twin = replace(
            strike.at(strike.row_px + reach_px * np.cos(turn), strike.col_px + reach_px * np.sin(turn)),
            crater_radius_m=strike.crater_radius_m * size,
            ray_seed=int(rng.integers(2**31)),
        )
        twins += [strike, twin]
    return _with_strikes(backgrounds, seed, first, twins)


def _with_strikes(
    backgrounds: Backgrounds, seed: tuple[int, ...], like: SimulatedPair, strikes: Sequence[Strike]
) -> SimulatedPair:
    """The pair with other strikes on its bare ground, all of them new; its truth rasters stay those of the first."""
    config = SimulationConfig()
    height, width = like.after.shape[:2]
    full = (height + 2 * MARGIN_PX, width + 2 * MARGIN_PX)
    before = draw_setting(backgrounds, config.ground, config.built, full, like.gsd_m, stream(seed, "setting")).ground
    after = before.copy()
    for strike in strikes:
        draw_strike(after, strike.at(strike.row_px + MARGIN_PX, strike.col_px + MARGIN_PX))
    crop = (slice(MARGIN_PX, MARGIN_PX + height), slice(MARGIN_PX, MARGIN_PX + width))
    acquisitions = (like.before_acquisition, like.after_acquisition)
    images = [take(ground, how)[0][crop] for ground, how in zip((before, after), acquisitions, strict=True)]
    new = tuple(replace(strike, status=StrikeStatus.NEW) for strike in strikes)
    return replace(like, before=images[0], after=images[1], strikes=new)


def half_in_shadow(pair: SimulatedPair, strike: Strike, seed: int) -> SimulatedPair:
    """The pair with a shadow over half of a crater in the after image: a straight edge through its centre, any way."""
    turn = float(np.random.default_rng((seed, 37)).uniform(0, 2 * np.pi))
    rows, cols = np.indices(pair.after.shape[:2]) + 0.5
    across_m = ((rows - strike.row_px) * np.cos(turn) + (cols - strike.col_px) * np.sin(turn)) * pair.gsd_m
    shade = np.clip(across_m / pair.gsd_m + 0.5, 0, 1) * (across_m < 15.0)
    keep = 1 - shade[..., None] * (1 - np.array(SKY_SHARE_RGB))
    return replace(pair, after=np.asarray(np.clip(pair.after * keep, 0, 255), np.uint8))
