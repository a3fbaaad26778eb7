"""How fine an image really is: enlarged images have pixels, but no detail in them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import scipy.fft
from rasterio.windows import Window as RasterioWindow

from cv_pipeline.imagery.radiometry import valid_mask
from cv_pipeline.imagery.source import open_dataset
from cv_pipeline.types import Float64Array, ImageSource

_SIDE_PX = 64
_WINDOWS_PER_AXIS = 8
_EMPTY_DB = -25.0
"""Power at the finest detail of images that nobody enlarged is above this; of UC Merced, Kampala and Joplin tiles
all are, and all of them enlarged twice by cubic convolution are below."""
_ROLL_OFF_DB = -18.0
_REPEATED = 0.4


class Sharpness(NamedTuple):
    """How fine an image is.

    ``effective_px`` is the side of the finest detail in pixels: 1 where it uses its resolution, 2 where it was
    enlarged twice, good to about a third; of linear enlargement, which fades out slowly, down to half of that.
    ``detail_db`` is the least power of detail finer than 3 pixels,
    relative to a natural image's fall with frequency, in decibels. ``repeated`` is True where pixels were copied.
    None, None and False where there is no window to look at.
    """

    effective_px: float | None
    detail_db: float | None
    repeated: bool


def sharpness(source: ImageSource) -> Sharpness:
    """Measure the roll-off of the power spectrum at the file's own resolution, in up to 64 windows of 64 px.

    Natural images lose power with the square of the frequency (Field 1987, doi:10.1364/JOSAA.4.002379); where an image
    was enlarged its spectrum ends early instead. Optics, noise and compression bend it too, so that only a
    clear end counts.
    """
    spectra, repeats = [], []
    with open_dataset(source.path) as dataset:
        for row in _starts(source.grid.height):
            for col in _starts(source.grid.width):
                window = RasterioWindow(col, row, _SIDE_PX, _SIDE_PX)
                values = dataset.read(source.bands, window=window).astype(np.float64)
                if not (valid_mask(dataset, source.bands, window).all() and np.isfinite(values).all()):
                    continue
                light = values.mean(axis=0)
                if np.ptp(light) > 0:
                    spectra.append(radial_power(light))
                    repeats.append(_repeated_share(values))
    if not spectra:
        return Sharpness(None, None, False)
    return judge(np.mean(spectra, axis=0), float(np.median(repeats)))


def judge(power: Float64Array, repeated_share: float) -> Sharpness:
    """Sharpness from a radial power spectrum by cycles per window, and the share of repeated pixels."""
    cycles = np.arange(1, len(power))
    level_db = 10 * np.log10(np.maximum(power[1:], 1e-12) * cycles**2)
    level_db -= level_db[2:6].mean()
    nyquist = len(power) - 1
    finest = float(level_db[nyquist * 2 // 3 :].min())
    if repeated_share > _REPEATED:
        return Sharpness(2.0, finest, True)
    if finest > _EMPTY_DB:
        return Sharpness(1.0, finest, False)
    end = cycles[level_db < _ROLL_OFF_DB].min()
    return Sharpness(max(1.0, nyquist / float(end)), finest, False)


def radial_power(light: Float64Array) -> Float64Array:
    """Mean power of a square window (side, side) by whole cycles per window, from 0 to side / 2."""
    side = len(light)
    taper = np.hanning(side)
    power = np.abs(scipy.fft.fft2((light - light.mean()) * taper * taper[:, None])) ** 2
    cycles = np.rint(np.hypot(*np.meshgrid(*(np.fft.fftfreq(side, 1 / side),) * 2))).astype(int).ravel()
    total = np.bincount(cycles, power.ravel())
    return np.asarray((total / np.bincount(cycles))[: side // 2 + 1])


def _repeated_share(values: Float64Array) -> float:
    """Share of pixels (3, h, w) equal to their left or upper neighbour in all bands, the lesser of the two."""
    across = (values[:, :, 1:] == values[:, :, :-1]).all(axis=0).mean()
    down = (values[:, 1:] == values[:, :-1]).all(axis=0).mean()
    return float(min(across, down))


def _starts(size_px: int) -> list[int]:
    if size_px < _SIDE_PX:
        return []
    number = min(_WINDOWS_PER_AXIS, math.ceil(size_px / _SIDE_PX))
    return sorted({int(start) for start in np.linspace(0, size_px - _SIDE_PX, number)})
