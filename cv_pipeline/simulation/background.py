"""Ground to draw strikes on: real open-licence imagery, and synthetic fields that it lacks."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from cv_pipeline.errors import ImageError
from cv_pipeline.simulation.ground import Ground, Material
from cv_pipeline.types import Float32Array, UInt8Array

UCMERCED_GSD_M = 0.3
TRAIN_BELOW, VALIDATE_FROM = 85, 90
"""UC Merced tiles of a class are numbered along the image they were cut from: neighbours share ground.

So the split is by blocks of numbers with a gap, not by random tile."""


class Tile(NamedTuple):
    """A background image file, its ground sample distance, and how often it is drawn.

    ``kind`` is its class where one is known ("" otherwise). Tiles of one ``place`` show the same or
    neighbouring ground: they lie on one side of the split and may be joined into a larger ground.
    """

    path: Path
    gsd_m: float
    weight: float
    kind: str = ""
    place: str = ""


_NEIGHBOURS = 6
"""UC Merced tiles whose numbers share this block are taken as one place."""

_OPEN_GROUND = {
    "agricultural": 4.0,
    "chaparral": 2.5,
    "golfcourse": 1.5,
    "runway": 1.5,
    "river": 1.0,
    "baseballdiamond": 0.8,
}


def list_tiles(root: Path, split: str) -> list[Tile]:
    """Tiles of ``root/ucmerced`` and ``root/kampala`` in ``split`` ("train" or "validate").

    Open ground is drawn more often than towns, harbours and car parks. Of Kampala only the small
    western block is used, for training: the large block is the demo's ground and is never trained on.

    Raises:
        ImageError: ``root`` holds no UC Merced tiles.
    """
    tiles = []
    for path in sorted((root / "ucmerced").glob("*/*.webp")):
        number = int(path.stem[-2:])
        wanted = number < TRAIN_BELOW if split == "train" else number >= VALIDATE_FROM
        if wanted:
            kind = path.parent.name
            place = f"ucmerced/{kind}/{number // _NEIGHBOURS}"
            tiles.append(Tile(path, UCMERCED_GSD_M, _OPEN_GROUND.get(kind, 0.5), kind, place))
    if not tiles:
        raise ImageError(f"{root}: no background tiles in ucmerced/*/*.webp; give the data folder with --backgrounds")
    if split == "train":
        for pattern, gsd_m, weight in (("OAM-309606-*-19.png", 0.298, 4.0), ("OAM-61921?-*-20.png", 0.149, 2.0)):
            tiles += [Tile(p, gsd_m, weight, "", "kampala/west") for p in sorted((root / "kampala").glob(pattern))]
    return tiles


_ENLARGE = 1.25
_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")
_VALIDATE_SHARE = 0.12


def list_folder(folder: Path, split: str, gsd_m: float | None = None) -> list[Tile]:
    """Images of any folder, subfolders too, in ``split`` ("train" or "validate").

    The GSD comes from a GeoTIFF's georeference or else is ``gsd_m``. A place is a subfolder, or the file name up
    to its last number; whole places go to one split by a hash of their name, so that a split never changes.

    Raises:
        ImageError: no image in the folder, or one without a GSD.
    """
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in _SUFFIXES)
    if not paths:
        raise ImageError(f"{folder}: no PNG, JPEG, WebP or TIFF images; give a folder of background images")
    tiles = []
    for path in paths:
        place = _place_of(path, folder)
        validate = zlib.crc32(place.encode()) % 1000 < 1000 * _VALIDATE_SHARE
        if validate == (split == "validate"):
            tiles.append(Tile(path, _file_gsd_m(path, gsd_m), 1.0, "", place))
    return tiles


def _place_of(path: Path, folder: Path) -> str:
    """The place that an image shows: its subfolder, or its name without the trailing number."""
    inside = path.parent.relative_to(folder)
    return f"{inside.as_posix()}/{path.stem.rstrip('0123456789').rstrip('-_. ') or path.stem}"


def _file_gsd_m(path: Path, gsd_m: float | None) -> float:
    """The GSD from a file's georeference, or else ``gsd_m``. Raises ImageError where there is neither."""
    from cv_pipeline.imagery.source import has_crs, open_source

    return open_source(path, gsd_m=None if has_crs(path) else gsd_m).grid.gsd_m


def read_rgb(path: Path) -> UInt8Array:
    """An image file as (height, width, 3) RGB, the long side at most 4096 px; 16-bit TIFF is stretched to 8 bits.

    Raises:
        ImageError: the file cannot be decoded.
    """
    image = None if path.suffix.lower() in (".tif", ".tiff") else cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is not None:
        return np.ascontiguousarray(image[..., ::-1])
    if path.suffix.lower() not in (".tif", ".tiff"):
        raise ImageError(f"{path}: cannot be read as an image; restore it or remove it from the background folder")
    from cv_pipeline.imagery.source import has_crs, open_source
    from cv_pipeline.imagery.view import overview

    rgb, valid, _ = overview(open_source(path, gsd_m=None if has_crs(path) else 1.0), 4096)
    rgb = rgb.copy()
    rgb[~valid] = rgb[valid].mean(axis=0).astype(np.uint8)
    return rgb


@lru_cache(maxsize=2500)
def _cached_rgb(path: Path) -> UInt8Array:
    return read_rgb(path)


_JOINABLE = ("", "agricultural", "chaparral", "forest", "golfcourse", "denseresidential", "mobilehomepark")
_JOIN_FROM = 1.6


def fits(tile: Tile, shape: tuple[int, int], gsd_m: float) -> bool:
    """Whether a tile may fill ``shape``: classes with single large objects would show that they repeat."""
    side_px = min(_cached_rgb(tile.path).shape[:2]) * tile.gsd_m / gsd_m
    return tile.kind in _JOINABLE or max(shape) <= _JOIN_FROM * side_px


class Backgrounds:
    """Tiles to draw from, by weight and by place; made once and used for many samples. May be empty."""

    def __init__(self, tiles: Sequence[Tile]) -> None:
        self.tiles = tuple(tiles)
        self._cumulative = np.cumsum([t.weight for t in self.tiles])
        self._places: dict[str, list[Tile]] = {}
        for tile in self.tiles:
            self._places.setdefault(tile.place or str(tile.path), []).append(tile)

    def draw(self, rng: np.random.Generator) -> Tile:
        """One tile, as often as its weight says."""
        value = rng.random() * self._cumulative[-1]
        return self.tiles[int(np.searchsorted(self._cumulative, value, side="right"))]

    def neighbours(self, tile: Tile) -> list[Tile]:
        """All tiles of a tile's place, itself included."""
        return self._places[tile.place or str(tile.path)]


@lru_cache(maxsize=2500)
def _look(path: Path) -> Float32Array:
    """Mean colour of a tile and the SD of its fine texture, (4,) DN."""
    small = cv2.resize(_cached_rgb(path), (64, 64), interpolation=cv2.INTER_AREA).astype(np.float32)
    fine = small - cv2.GaussianBlur(small, (0, 0), 6)
    return np.append(small.mean(axis=(0, 1)), fine.std()).astype(np.float32)


def _alike(first: Tile, other: Tile) -> bool:
    """Whether two tiles could be one field: a tile is alike itself."""
    one, two = _look(first.path), _look(other.path)
    return bool(np.abs(one[:3] - two[:3]).max() < 18 and abs(np.log((one[3] + 1) / (two[3] + 1))) < 0.35)


def tile_ground(
    backgrounds: Backgrounds, tile: Tile, shape: tuple[int, int], gsd_m: float, rng: np.random.Generator
) -> Ground:
    """A ground of ``shape`` from ``tile``, joined from tiles of its place where one is too small."""
    colour = _quilt(backgrounds.neighbours(tile), tile, shape, gsd_m, rng)
    material = guess_material(colour, tile.kind, gsd_m)
    return Ground(colour, np.zeros(shape, np.float32), material, gsd_m)


def _resampled(tile: Tile, gsd_m: float, turns: int, flip: int, crop_px: tuple[int, int]) -> Float32Array:
    """A tile at ``gsd_m``, turned by quarter turns and perhaps mirrored."""
    pixels = _cached_rgb(tile.path)
    scale = tile.gsd_m / gsd_m
    # Of a large scene only a part is needed, so that resampling does not touch all of it.
    keep_px = int(2 * max(crop_px) / scale) + 8
    pixels = pixels[:keep_px, :keep_px]
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=interpolation)
    turned: Float32Array = np.rot90(resized, turns)[::flip].astype(np.float32, order="C")
    return turned


def _quilt(
    tiles: Sequence[Tile], first: Tile, shape: tuple[int, int], gsd_m: float, rng: np.random.Generator
) -> Float32Array:
    """Tiles laid over each other with ragged soft seams; rows keep their heading, brightness follows the first tile."""
    turns, flip = int(rng.integers(4)), 1 - 2 * int(rng.integers(2))
    sides = sorted(_cached_rgb(first.path).shape[:2])
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
