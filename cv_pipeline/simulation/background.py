"""Real open-licence imagery to draw strikes on: its tiles, their places and splits."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from cv_pipeline.errors import ImageError
from cv_pipeline.types import UInt8Array

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
def cached_rgb(path: Path) -> UInt8Array:
    """As :func:`read_rgb`; kept, and not to be written into."""
    return read_rgb(path)


_JOINABLE = ("", "agricultural", "chaparral", "forest", "golfcourse", "denseresidential", "mobilehomepark")
_JOIN_FROM = 1.6


def fits(tile: Tile, shape: tuple[int, int], gsd_m: float) -> bool:
    """Whether a tile may fill ``shape``: classes with single large objects would show that they repeat."""
    side_px = min(cached_rgb(tile.path).shape[:2]) * tile.gsd_m / gsd_m
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
