"""What a model's training imagery looks like, measured on what training draws, and how often that rule is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from scipy.stats import beta

from cv_pipeline.segmentation.domain import WINDOW_PX, Domain, FalseNotices, Statistics, spread, window_statistics
from cv_pipeline.simulation.background import Backgrounds, Tile, list_tiles, read_rgb
from cv_pipeline.simulation.pair import simulate_pair
from cv_pipeline.training.config import TrainConfig
from cv_pipeline.training.data import GSD_JITTER, PairedAugmentation
from cv_pipeline.training.planes import Plane
from cv_pipeline.types import Float64Array, UInt8Array

PAIRS = 400
"""Simulated training pairs whose two dates are measured."""
HELD_OUT_SCENES = 80
HELD_OUT_PX = 256
TAIL = 0.002
"""Share of windows that each limit leaves outside, of simulated and of real ground apart."""
MARGIN = 1.1
"""How far beyond a quantile its limit lies, as a ratio: two samples of the same kind of ground differ by as much."""
ENLARGED_GSD_FACTORS = (1.0, 1.3, 1.6, 2.0, 2.5, 3.0, 4.0)
_SEED = 880_001

_ONLY_HIGH = frozenset({"noise_dn", "noise_share", "saturated_share", "colourfulness", "edge_share", "flat_share"})
"""Statistics that are nothing to worry about where they are low."""


def fit_domain(
    config: TrainConfig, data_root: Path, *, pairs: int = PAIRS, held_out_scenes: int = HELD_OUT_SCENES
) -> Domain:
    """The domain of a training run: limits from simulated samples and the real tiles they are drawn on.

    A limit is the outer of the two sources' quantiles, a tenth farther out, so that what either holds is not
    outside. The share of false notices is then counted on scenes and tiles of held-out places.

    Raises:
        ImageError: ``data_root`` holds no background tiles.
    """
    gsd_m = config.working_gsd_m
    simulated = _table(_training_windows(config, data_root, pairs))
    tiles = [tile for tile in list_tiles(data_root, "train") if tile.kind]
    real = _table(window for tile in tiles for window in windows_of(_read(tile, gsd_m)))
    limits = {}
    for number, name in enumerate(Statistics._fields):
        low = min(float(np.quantile(source[:, number], TAIL)) for source in (simulated, real))
        high = max(float(np.quantile(source[:, number], 1 - TAIL)) for source in (simulated, real))
        limits[name] = _widened(name, low, high)
    domain = Domain(
        working_gsd_m=gsd_m,
        tail=TAIL,
        simulated_windows=len(simulated),
        real_windows=len(real),
        limits=limits,
        typical=dict(zip(Statistics._fields, np.median(simulated, axis=0).tolist(), strict=True)),
        enlarged=_enlarged(tiles[:: max(len(tiles) // 200, 1)], gsd_m),
    )
    validate = list_tiles(data_root, "validate")
    scenes = _held_out(config, validate, held_out_scenes)
    return domain.model_copy(
        update={
            "false_notices": (
                count_notices(domain, scenes, f"simulated scenes of {HELD_OUT_PX} px, held-out places"),
                count_notices(domain, (_read(tile, gsd_m) for tile in validate), "real tiles, held-out places"),
            )
        }
    )


def _widened(name: str, low: float, high: float) -> tuple[float | None, float]:
    if name.endswith("_db"):
        step = 10 * np.log10(MARGIN)
        return low - step, high + step
    return None if name in _ONLY_HIGH else low / MARGIN, high * MARGIN


def windows_of(image: UInt8Array) -> Iterator[UInt8Array]:
    """Windows of an image (height, width, 3), spread as a run spreads them."""
    height, width = (min(WINDOW_PX, side) for side in image.shape[:2])
    for row, col in spread(image.shape[0] - height + 1, image.shape[1] - width + 1):
        yield np.ascontiguousarray(image[row : row + height, col : col + width])


def count_notices(domain: Domain, images: Iterable[UInt8Array], what: str) -> FalseNotices:
    """How many images get a notice, with the Clopper-Pearson interval of their share, doi:10.1093/biomet/26.4.404."""
    verdicts = [domain.is_outside(_table(windows_of(image))) for image in images]
    hits, count = sum(verdicts), len(verdicts)
    low = 0.0 if hits == 0 else float(beta.ppf(0.025, hits, count - hits + 1))
    high = 1.0 if hits == count else float(beta.ppf(0.975, hits + 1, count - hits))
    return FalseNotices(what=what, notices=hits, images=count, share_interval_95=(round(low, 4), round(high, 4)))


def _table(windows: Iterable[UInt8Array]) -> Float64Array:
    return np.array([window_statistics(window) for window in windows], dtype=np.float64)


def _read(tile: Tile, gsd_m: float) -> UInt8Array:
    return rescaled(read_rgb(tile.path), tile.gsd_m / gsd_m)


def rescaled(image: UInt8Array, factor: float) -> UInt8Array:
    """An image with ``factor`` times as many pixels a side."""
    interpolation = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return cv2.resize(image, None, fx=factor, fy=factor, interpolation=interpolation).astype(np.uint8, copy=False)


def _training_windows(config: TrainConfig, data_root: Path, pairs: int) -> Iterator[UInt8Array]:
    """Both dates of simulated pairs as the network sees them in training, radiometric augmentation included."""
    backgrounds = Backgrounds(list_tiles(data_root, "train"))
    nothing = np.zeros((WINDOW_PX, WINDOW_PX, len(Plane)), np.float32)
    for number in range(pairs):
        rng = np.random.default_rng((_SEED, number))
        gsd_m = config.working_gsd_m * GSD_JITTER ** rng.uniform(-1, 1)
        pair = simulate_pair(
            backgrounds, (config.seed, _SEED, number), (WINDOW_PX, WINDOW_PX), gsd_m, config.simulation
        )
        before, after, _ = PairedAugmentation(int(rng.integers(2**31)))(pair.before, pair.after, nothing)
        yield before
        yield after


def _held_out(config: TrainConfig, tiles: Sequence[Tile], scenes: int) -> Iterator[UInt8Array]:
    backgrounds = Backgrounds(tiles)
    for number in range(scenes):
        shape = HELD_OUT_PX, HELD_OUT_PX
        yield simulate_pair(backgrounds, (_SEED, number), shape, config.working_gsd_m).after


def _enlarged(tiles: Sequence[Tile], gsd_m: float) -> tuple[tuple[float, float], ...]:
    """Median sharpness of real tiles that were enlarged to ``gsd_m`` from ever coarser pixels, falling."""
    images = [_read(tile, gsd_m) for tile in tiles]
    curve: list[tuple[float, float]] = []
    for factor in ENLARGED_GSD_FACTORS:
        soft = [image if factor == 1 else rescaled(rescaled(image, 1 / factor), factor) for image in images]
        median = float(np.median([window_statistics(w).sharpness_db for image in soft for w in windows_of(image)]))
        curve.append((round(factor * gsd_m, 3), median if not curve else min(median, curve[-1][1])))
    return tuple(curve)
