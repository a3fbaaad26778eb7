"""Ground to draw strikes on: real open-licence imagery, and synthetic fields that it lacks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from cv_pipeline.errors import ImageError
from cv_pipeline.types import Float32Array, UInt8Array

UCMERCED_GSD_M = 0.3
TRAIN_BELOW, VALIDATE_FROM = 85, 90
"""UC Merced tiles of a class are numbered along the image they were cut from: neighbours share ground.

So the split is by blocks of numbers with a gap, not by random tile."""


class Tile(NamedTuple):
    """A background image file and its ground sample distance."""

    path: Path
    gsd_m: float
    weight: float


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
            tiles.append(Tile(path, UCMERCED_GSD_M, _OPEN_GROUND.get(path.parent.name, 0.5)))
    if not tiles:
        raise ImageError(f"{root}: no background tiles in ucmerced/*/*.webp; give the data folder with --backgrounds")
    if split == "train":
        tiles += [Tile(p, 0.298, 4.0) for p in sorted((root / "kampala").glob("OAM-309606-*-19.png"))]
        tiles += [Tile(p, 0.149, 2.0) for p in sorted((root / "kampala").glob("OAM-61921?-*-20.png"))]
    return tiles


def read_rgb(path: Path) -> UInt8Array:
    """An image file as (height, width, 3) RGB.

    Raises:
        ImageError: the file cannot be decoded.
    """
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise ImageError(f"{path}: cannot be read as an image; restore it or remove it from the background folder")
    return np.ascontiguousarray(image[..., ::-1])


def real_ground(
    tile: UInt8Array, tile_gsd_m: float, size_px: int, gsd_m: float, rng: np.random.Generator
) -> Float32Array:
    """A square of ``size_px`` at ``gsd_m`` from ``tile``: turned, flipped, mirrored where it is too small."""
    scale = tile_gsd_m / gsd_m
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    ground = cv2.resize(tile.astype(np.float32), None, fx=scale, fy=scale, interpolation=interpolation)
    ground = np.rot90(ground, int(rng.integers(4)))[:: int(rng.choice([1, -1]))]
    missing = [max(size_px - side, 0) for side in ground.shape[:2]]
    while any(missing):
        pad = [min(m, s - 1) for m, s in zip(missing, ground.shape[:2], strict=True)]
        ground = np.pad(ground, ((0, pad[0]), (0, pad[1]), (0, 0)), mode="reflect")
        missing = [max(size_px - side, 0) for side in ground.shape[:2]]
    top, left = (int(rng.integers(side - size_px + 1)) for side in ground.shape[:2])
    return np.clip(np.ascontiguousarray(ground[top : top + size_px, left : left + size_px]), 0, 255).astype(np.float32)


def fractal_noise(size_px: int, rng: np.random.Generator, slope: float) -> Float32Array:
    """Noise (size_px, size_px) with unit SD whose amplitude falls as frequency ** -slope."""
    frequency = np.hypot(np.fft.fftfreq(size_px)[:, None], np.fft.rfftfreq(size_px)[None, :])
    frequency[0, 0] = np.inf
    shape = (size_px, size_px // 2 + 1)
    spectrum = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) * frequency**-slope
    noise = np.fft.irfft2(spectrum, (size_px, size_px))
    unit: Float32Array = (noise / (noise.std() + 1e-9)).astype(np.float32)
    return unit


_FIELD_COLOURS = (
    (92, 82, 88),
    (110, 100, 96),
    (84, 98, 74),
    (70, 92, 66),
    (140, 128, 104),
    (120, 96, 72),
    (165, 150, 125),
    (100, 112, 84),
)


def synthetic_field(size_px: int, gsd_m: float, rng: np.random.Generator) -> Float32Array:
    """A field of crop, stubble or bare soil: soft mottling, rows and tramlines at one heading."""
    colour = np.array(_FIELD_COLOURS[rng.integers(len(_FIELD_COLOURS))], np.float32)
    colour = colour * rng.uniform(0.75, 1.3) + rng.normal(0, 6, 3).astype(np.float32)
    sd_dn = float(np.exp(rng.uniform(np.log(2.5), np.log(12.0))))
    grain = fractal_noise(size_px, rng, rng.uniform(0.2, 0.9))
    mottle = fractal_noise(size_px, rng, rng.uniform(1.3, 2.2))
    heading = rng.uniform(0, np.pi)
    rows, cols = np.mgrid[:size_px, :size_px] * gsd_m
    across = rows * np.cos(heading) + cols * np.sin(heading)
    drill = np.sin(2 * np.pi * across / rng.uniform(1.3, 6.0) + 0.8 * mottle)
    tramline = np.exp(-(((across % rng.uniform(12, 30)) - 3.0) ** 2) / 0.5)
    pattern = rng.uniform(0.2, 0.9) * grain + rng.uniform(0.2, 1.0) * mottle
    pattern = pattern + rng.choice([0.0, 0.5, 1.0]) * drill + rng.choice([0.0, -1.0, 1.2]) * tramline
    tint = 1 + rng.normal(0, 0.08, 3)
    field: Float32Array = np.clip(colour + (sd_dn * pattern)[..., None] * tint, 0, 255).astype(np.float32)
    return field


def parcels(grounds: Sequence[Float32Array], rng: np.random.Generator, gsd_m: float) -> Float32Array:
    """Grounds of equal shape side by side, parted by straight borders, some with a pale or green verge."""
    result = grounds[0].copy()
    size = result.shape[0]
    rows, cols = np.mgrid[:size, :size]
    for ground in grounds[1:]:
        heading = rng.uniform(0, 2 * np.pi)
        side = (rows - rng.uniform(0.2, 0.8) * size) * np.cos(heading) + (cols - rng.uniform(0.2, 0.8) * size) * np.sin(
            heading
        )
        share = np.clip(side / 1.5 + 0.5, 0, 1)[..., None].astype(np.float32)
        result = result * (1 - share) + ground * share
        if rng.random() < 0.5:
            verge = np.exp(-((side * gsd_m / rng.uniform(0.6, 2.5)) ** 2))[..., None].astype(np.float32) * rng.uniform(
                0.3, 0.9
            )
            tone = np.array([[150, 140, 115], [60, 80, 50], [100, 90, 80]][rng.integers(3)], np.float32)
            result = result * (1 - verge) + tone * verge
    return result
