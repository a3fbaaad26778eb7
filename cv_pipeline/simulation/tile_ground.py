"""Ground made of tiles of real imagery: resampled, turned, joined where one is too small, its material guessed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from cv_pipeline.simulation.background import Backgrounds, Tile, cached_rgb
from cv_pipeline.simulation.ground import Ground, Material
from cv_pipeline.types import Float32Array, UInt8Array

_ENLARGE = 1.25


def tile_ground(
    backgrounds: Backgrounds, tile: Tile, shape: tuple[int, int], gsd_m: float, rng: np.random.Generator
) -> Ground:
    """A ground of ``shape`` from ``tile``, joined from tiles of its place where one is too small."""
    colour = _quilt(backgrounds.neighbours(tile), tile, shape, gsd_m, rng)
    material = guess_material(colour, tile.kind, gsd_m)
    return Ground(colour, np.zeros(shape, np.float32), material, gsd_m)


def _resampled(tile: Tile, gsd_m: float, turns: int, flip: int, crop_px: tuple[int, int]) -> Float32Array:
    """A tile at ``gsd_m``, turned by quarter turns and perhaps mirrored."""
    pixels = cached_rgb(tile.path)
    scale = tile.gsd_m / gsd_m
    # Of a large scene only a part is needed, so that resampling does not touch all of it.
    keep_px = int(2 * max(crop_px) / scale) + 8
    pixels = pixels[:keep_px, :keep_px]
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=interpolation)
    turned: Float32Array = np.rot90(resized, turns)[::flip].astype(np.float32, order="C")
    return turned


@lru_cache(maxsize=2500)
def _look(path: Path) -> Float32Array:
    """Mean colour of a tile and the SD of its fine texture, (4,) DN."""
    small = cv2.resize(cached_rgb(path), (64, 64), interpolation=cv2.INTER_AREA).astype(np.float32)
    fine = small - cv2.GaussianBlur(small, (0, 0), 6)
    return np.append(small.mean(axis=(0, 1)), fine.std()).astype(np.float32)


def _alike(first: Tile, other: Tile) -> bool:
    """Whether two tiles could be one field: a tile is alike itself."""
    one, two = _look(first.path), _look(other.path)
    return bool(np.abs(one[:3] - two[:3]).max() < 18 and abs(np.log((one[3] + 1) / (two[3] + 1))) < 0.35)


def _quilt(
    tiles: Sequence[Tile], first: Tile, shape: tuple[int, int], gsd_m: float, rng: np.random.Generator
) -> Float32Array:
    """Tiles laid over each other with ragged soft seams; rows keep their heading, brightness follows the first tile."""
    turns, flip = int(rng.integers(4)), 1 - 2 * int(rng.integers(2))
    sides = sorted(cached_rgb(first.path).shape[:2])
    # A tile that is a little too small is enlarged rather than joined.
    enlarge = (max(shape) + 0.5) * gsd_m / (sides[0] * first.gsd_m)
    scale = enlarge if 1 < enlarge <= _ENLARGE else 1.0
    base = _resampled(first._replace(gsd_m=first.gsd_m * scale), gsd_m, turns, flip, shape)
    if base.shape[0] >= shape[0] and base.shape[1] >= shape[1]:
        top, left = (int(rng.integers(have - need + 1)) for have, need in zip(base.shape[:2], shape, strict=True))
        return np.ascontiguousarray(base[top : top + shape[0], left : left + shape[1]])
    alike = [tile for tile in tiles if _alike(first, tile)]
    canvas = np.empty((*shape, 3), np.float32)
    level = base.mean(axis=(0, 1))
    canvas[:] = level
    size = base.shape[:2]
    step = [max(int(0.7 * side), 8) for side in size]
    start = [-int(rng.integers(0, int(0.3 * side) + 1)) for side in size]
    for row in range(start[0], shape[0], step[0]):
        for col in range(start[1], shape[1], step[1]):
            patch = base
            if (row, col) != (start[0], start[1]):
                other = alike[int(rng.integers(len(alike)))]
                patch = _resampled(other, gsd_m, turns + 2 * int(rng.integers(2)), flip, size)[: size[0], : size[1]]
                patch = patch + 0.8 * (level - patch.mean(axis=(0, 1)))
            _lay(canvas, patch, row, col, (row > start[0], col > start[1]), rng)
    return np.clip(canvas, 0, 255, out=canvas)


def _lay(
    canvas: Float32Array, patch: Float32Array, row: int, col: int, joins: tuple[bool, bool], rng: np.random.Generator
) -> None:
    """Lay a patch with its corner at (row, col); its upper and left edge join what lies there raggedly."""
    height, width = patch.shape[:2]
    r0, c0 = max(row, 0), max(col, 0)
    r1, c1 = min(row + height, canvas.shape[0]), min(col + width, canvas.shape[1])
    if r0 >= r1 or c0 >= c1:
        return
    down = np.arange(r0 - row, r1 - row, dtype=np.float32) / (0.3 * height)
    right = np.arange(c0 - col, c1 - col, dtype=np.float32) / (0.3 * width)
    if not joins[0]:
        down[:] = 2
    if not joins[1]:
        right[:] = 2
    inward = np.minimum(down[:, None], right[None, :])
    coarse = rng.standard_normal((8, 8), dtype=np.float32)
    ragged = cv2.resize(coarse, inward.shape[::-1], interpolation=cv2.INTER_CUBIC)
    alpha = np.clip((inward - 0.5 - 0.15 * ragged) * 6 + 0.5, 0, 1)
    if any(joins):
        alpha[inward < 0.02] = 0
    window = canvas[r0:r1, c0:c1]
    window += alpha[..., None] * (patch[r0 - row : r1 - row, c0 - col : c1 - col] - window)


_PAVED = {
    "runway": Material.CONCRETE,
    "airplane": Material.CONCRETE,
    "freeway": Material.ASPHALT,
    "intersection": Material.ASPHALT,
    "overpass": Material.ASPHALT,
    "parkinglot": Material.ASPHALT,
    "storagetanks": Material.CONCRETE,
    "harbor": Material.CONCRETE,
    "buildings": Material.CONCRETE,
    "denseresidential": Material.ASPHALT,
    "mediumresidential": Material.ASPHALT,
    "sparseresidential": Material.ASPHALT,
    "mobilehomepark": Material.ASPHALT,
    "tenniscourt": Material.ASPHALT,
}
_WATERSIDE = ("beach", "harbor", "river")


def guess_material(colour: Float32Array, kind: str, gsd_m: float) -> UInt8Array:
    """Material (h, w) of real imagery from its colour (averaged over about 1.5 m) and its class, where known.

    Green is grass (crop on farmland, tree where dark), the rest soil; grey is paved in classes of pavements,
    bluish or black is water in classes at the waterside.
    """
    height, width = colour.shape[:2]
    factor = min(1.0, gsd_m / 1.5)
    small = cv2.resize(
        colour, (max(int(width * factor), 1), max(int(height * factor), 1)), interpolation=cv2.INTER_AREA
    )
    red, green, blue = (small[..., k] for k in range(3))
    level = small.mean(axis=-1)
    is_green = green > np.maximum(red, blue) * 1.03
    guess = np.full(level.shape, Material.SAND if kind == "beach" else Material.SOIL, np.uint8)
    guess[is_green] = Material.CROP if kind == "agricultural" else Material.GRASS
    if kind not in ("agricultural", "chaparral"):
        guess[is_green & (level < (95 if kind == "forest" else 62))] = Material.TREE
    if kind in _PAVED:
        chroma = small.max(axis=-1) - small.min(axis=-1)
        guess[(chroma < 0.14 * level + 4) & (level > 60)] = _PAVED[kind]
    if kind in _WATERSIDE:
        guess[(blue > red * 1.08) & (blue > green * 0.93)] = Material.WATER
        guess[(level < 48) & ~is_green] = Material.WATER
    return cv2.resize(guess, (width, height), interpolation=cv2.INTER_NEAREST).astype(np.uint8, copy=False)
