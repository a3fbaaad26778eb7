"""Ground that changed nearly everywhere between the dates, as after a tornado, a flood or a fire: no strike is near.

Without such pairs a network learns that whatever is new and dark is a strike.
"""

from __future__ import annotations

import numpy as np

from cv_pipeline.simulation.config import ChangeConfig
from cv_pipeline.simulation.debris import RUBBLE_COLOURS, scatter
from cv_pipeline.simulation.ground import OPEN, Ground
from cv_pipeline.simulation.lookalikes.lawns import tint
from cv_pipeline.simulation.noise import mottle
from cv_pipeline.types import Float32Array

_DIRT = np.array([[112, 98, 82], [96, 84, 74], [134, 118, 96], [88, 88, 84], [120, 112, 104]], np.float32)
_LUMINANCE = np.array([0.30, 0.59, 0.11], np.float32)
_LITTER_SHARE = 0.7
_MOST_STAINS = 400
_MOST_LITTER = 60_000


def draw_upheaval(before: Ground, after: Ground, config: ChangeConfig, rng: np.random.Generator) -> bool:
    """By its share, lay dirt, stains and litter over all natural ground of one date, in place; True if it was done.

    All of it lies flat: stains of every size, ragged or round, keep the ground's own texture and have neither
    relief nor a rim.
    """
    if rng.random() >= config.upheaval_share:
        return False
    ground = after if rng.random() < config.disorder_after_share else before
    natural = np.isin(ground.material, OPEN).astype(np.float32)
    _lay_dirt(ground, natural, rng)
    for _ in range(int(rng.integers(1, 4))):
        _ragged_stains(ground, natural, rng)
    _round_stains(ground, rng)
    if rng.random() < _LITTER_SHARE:
        _litter(ground, rng)
    np.clip(ground.colour, 0, 255, out=ground.colour)
    return True


def _lay_dirt(ground: Ground, natural: Float32Array, rng: np.random.Generator) -> None:
    """Pull natural ground towards the colour of mud or ash, patchily, keeping its texture."""
    dirt = _DIRT[rng.integers(len(_DIRT))] * np.float32(rng.uniform(0.8, 1.2))
    patchy = 1.0 + 0.5 * mottle(ground.shape, ground.gsd_m, rng.uniform(20.0, 80.0), 3.0, 0.7, rng)
    alpha = np.clip(np.float32(rng.uniform(0.1, 0.7)) * natural * patchy, 0, 0.9)
    light = ground.colour @ _LUMINANCE
    level = float((light * natural).sum()) / max(float(natural.sum()), 1.0)
    textured = (light / max(level, 10.0))[..., None] * dirt
    ground.colour += alpha[..., None] * (textured - ground.colour)


def _ragged_stains(ground: Ground, natural: Float32Array, rng: np.random.Generator) -> None:
    """Darker or paler blots of one size and strength all over, from under a crater's size to a field's."""
    size_m = float(np.exp(rng.uniform(np.log(2.0), np.log(16.0))))
    field = mottle(ground.shape, ground.gsd_m, size_m, max(size_m / 6, 0.5), 1.0, rng)
    edge = float(rng.uniform(0.15, 0.8))
    cover = np.clip((field - np.float32(rng.uniform(0.6, 1.8))) / edge, 0, 1) * natural
    tone = rng.uniform(-0.35, -0.05) if rng.random() < 0.75 else rng.uniform(0.05, 0.3)
    hue = np.exp(rng.normal(0, 0.04, 3))
    ground.colour *= 1 + cover[..., None] * (np.float32(1 + tone) * hue - 1).astype(np.float32)


def _round_stains(ground: Ground, rng: np.random.Generator) -> None:
    """Single roundish blots, where things lay, stood or leaked."""
    hectares = ground.shape[0] * ground.shape[1] * ground.gsd_m**2 / 1e4
    count = int(rng.poisson(np.exp(rng.uniform(np.log(3.0), np.log(40.0))) * hectares))
    for _ in range(min(count, _MOST_STAINS)):
        row, col = (float(value) for value in rng.uniform(0, 1, 2) * ground.shape)
        if ground.material[int(row), int(col)] not in OPEN:
            continue
        tone = rng.uniform(-0.4, -0.05) if rng.random() < 0.75 else rng.uniform(0.05, 0.25)
        factor = (1 + tone) * np.exp(rng.normal(0, 0.03, 3))
        radius_m = float(np.exp(rng.uniform(np.log(0.8), np.log(8.0))))
        tint(
            ground, row, col, radius_m, factor, rng, softness=rng.uniform(0.3, 1.2), squash=float(rng.uniform(0.4, 1.0))
        )


def _litter(ground: Ground, rng: np.random.Generator) -> None:
    """Boards, sheets and paper thrown over everything, thicker here than there."""
    area_m2 = ground.shape[0] * ground.shape[1] * ground.gsd_m**2
    per_m2 = float(np.exp(rng.uniform(np.log(0.003), np.log(0.12))))
    count = min(int(rng.poisson(per_m2 * area_m2)), _MOST_LITTER)
    rows, cols = rng.uniform(0, 1, (2, count)) * np.array(ground.shape)[:, None]
    dense = mottle(ground.shape, ground.gsd_m, 30.0, 4.0, 0.7, rng)[rows.astype(int), cols.astype(int)]
    kept = rng.random(count) < np.clip(0.5 + 0.5 * dense, 0, 1)
    size_m = np.minimum(0.2 + rng.exponential(0.3, count), 1.6)
    colours = RUBBLE_COLOURS[rng.integers(len(RUBBLE_COLOURS), size=count)]
    scatter(ground, rows[kept], cols[kept], size_m[kept], colours[kept])
