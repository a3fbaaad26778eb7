"""Whether an image looks like what a model was trained on, by a few statistics that a person can check.

They are taken from windows of the image as the network reads it (8-bit colours at the working GSD), before
normalisation hides brightness and contrast.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cv_pipeline.errors import ModelError
from cv_pipeline.types import BoolArray, Float32Array, Float64Array, ImageSource, UInt8Array, Window

DOMAIN_FILE = "domain.json"
WINDOW_PX = 128
"""Side of a window: the size of the chips that training sees."""
WINDOWS = 64
"""How many windows of an image are looked at."""
WINDOW_SHARE = 0.25
"""An image gets a notice where at least this share of its windows lies outside what was seen in training."""
_LEAST_PX, _LEAST_VALID = 64, 0.9


class Statistics(NamedTuple):
    """What is measured in one window."""

    brightness_dn: float
    """Mean luminance, 0 to 255."""
    contrast_dn: float
    """Standard deviation of luminance."""
    noise_dn: float
    """Noise that no structure explains, as an SD: the median response to the mask of Immerkaer 1996,
    doi:10.1006/cviu.1996.0060."""
    noise_share: float
    """Noise against contrast."""
    sharpness_db: float
    """Power of detail of 2.5 to 4 pixels against that of 8 to 20 pixels, in decibels: low where an image is blurred
    or was enlarged."""
    detail_db: float
    """Power of detail of 4.5 to 8 pixels against that of 17 to 33 pixels, in decibels: low where it is so blurred
    that nothing finer is left to compare."""
    saturated_share: float
    """Share of pixels that are black or white in luminance (at most 2 or at least 253)."""
    colourfulness: float
    """Spread and mean of the opponent colours, Hasler and Suesstrunk 2003, doi:10.1117/12.477378."""
    edge_share: float
    """Share of pixels whose luminance changes by more than 16 per pixel."""
    flat_share: float
    """Share of pixels whose colour is exactly that of the pixels to the right and below, as in drawings."""


_ROUNDING = 1 / 36
"""The power that rounding three colours to 8 bits alone puts at every frequency of their mean."""
_Band = tuple[float, float]
_BANDS: tuple[tuple[_Band, _Band], ...] = (((0.25, 0.4), (0.05, 0.125)), ((0.13, 0.22), (0.03, 0.06)))
"""In cycles per pixel, the finer band first."""
_NOISE_MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


def window_statistics(rgb: UInt8Array, valid: BoolArray | None = None) -> Statistics:
    """Statistics of a window (height, width, 3), at least 64 pixels a side.

    Pixels that are not ``valid`` (None: all are) take no part, nor do those beside them. Without any valid
    pixel all statistics are NaN.
    """
    light = rgb.astype(np.float32).mean(axis=2)
    inside = np.ones(light.shape, bool) if valid is None else valid
    deep = cv2.erode(inside.astype(np.uint8), np.ones((5, 5), np.uint8), borderValue=1) > 0
    if not deep.any():
        return Statistics(*[float("nan")] * len(Statistics._fields))
    if not inside.all():
        light = np.where(inside, light, light[inside].mean()).astype(np.float32)
    shown, colours = light[deep], rgb[deep].astype(np.float32)
    noise = np.median(np.abs(cv2.filter2D(light, -1, _NOISE_MASK)[deep])) / (6 * 0.6745)
    sharpness_db, detail_db = _ratios_db(light, _BANDS)
    gradient = np.hypot(cv2.Sobel(light, -1, 1, 0) / 8, cv2.Sobel(light, -1, 0, 1) / 8)
    same = (rgb[:-1, :-1] == rgb[1:, :-1]).all(axis=2) & (rgb[:-1, :-1] == rgb[:-1, 1:]).all(axis=2)
    return Statistics(
        brightness_dn=float(shown.mean()),
        contrast_dn=float(shown.std()),
        noise_dn=float(noise),
        noise_share=float(noise / (shown.std() + 1)),
        sharpness_db=sharpness_db,
        detail_db=detail_db,
        saturated_share=float(((shown <= 2) | (shown >= 253)).mean()),
        colourfulness=_colourfulness(colours),
        edge_share=float((gradient[deep] > 16).mean()),
        flat_share=float(same[deep[:-1, :-1]].mean()),
    )


def _ratios_db(light: Float32Array, bands: tuple[tuple[_Band, _Band], ...]) -> list[float]:
    """Mean spectral power of luminance (height, width) in one band against another, for each pair of bands."""
    taper, frequency = _spectrum_grid(*light.shape)
    power = np.abs(np.fft.rfft2((light - light.mean()) * taper)) ** 2 / (taper**2).sum()
    ratios = []
    for fine, coarse in bands:
        high, low = (power[(frequency >= least) & (frequency < most)].mean() for least, most in (fine, coarse))
        ratios.append(float(10 * np.log10((high + _ROUNDING) / (low + _ROUNDING))))
    return ratios


@lru_cache(maxsize=8)
def _spectrum_grid(height: int, width: int) -> tuple[Float64Array, Float64Array]:
    """Hann taper (height, width) and the frequencies of a real Fourier transform in cycles per pixel."""
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    return np.outer(np.hanning(height), np.hanning(width)), frequency


def _colourfulness(colours: Float32Array) -> float:
    """Of pixels (n, 3)."""
    red_green = colours[:, 0] - colours[:, 1]
    yellow_blue = 0.5 * (colours[:, 0] + colours[:, 1]) - colours[:, 2]
    spread = np.hypot(red_green.std(), yellow_blue.std())
    return float(spread + 0.3 * np.hypot(red_green.mean(), yellow_blue.mean()))


class FalseNotices(BaseModel):
    """How many images that should get no notice got one, with the exact 95 % interval of their share."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    what: str
    notices: int
    images: int
    share_interval_95: tuple[float, float]


class Domain(BaseModel):
    """The content of ``domain.json``: what a model was trained on, statistic by statistic.

    ``limits`` hold the lowest and highest value by statistic, None where that side says nothing; ``typical`` its
    median. ``enlarged`` lists the median ``sharpness_db`` of sharp real imagery enlarged from pixels of so many metres.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    working_gsd_m: float = Field(gt=0)
    tail: float
    simulated_windows: int
    real_windows: int
    limits: Mapping[str, tuple[float | None, float | None]]
    typical: Mapping[str, float]
    enlarged: tuple[tuple[float, float], ...]
    false_notices: tuple[FalseNotices, ...] = ()

    def outside(self, windows: Float64Array) -> BoolArray:
        """Which statistics of windows (n, statistics) are too low or too high, (n, statistics, 2)."""
        low, high = (
            np.array([fallback if (limit := self.limits[name][side]) is None else limit for name in Statistics._fields])
            for side, fallback in ((0, -np.inf), (1, np.inf))
        )
        return np.stack([windows < low, windows > high], axis=2)

    def is_outside(self, windows: Float64Array) -> bool:
        """Whether an image with these windows (n, statistics) gets a notice; False without windows."""
        return len(windows) > 0 and float(self.outside(windows).any(axis=(1, 2)).mean()) >= WINDOW_SHARE

    def looks_enlarged_from_m(self, sharpness_db: float) -> float | None:
        """Metres per pixel that sharp imagery of this sharpness was enlarged from, at most the coarsest tried.

        None where it is as sharp as imagery of the working GSD.
        """
        gsd_m, sharpness = np.array(self.enlarged).T
        if sharpness_db >= sharpness[0]:
            return None
        return float(np.interp(-sharpness_db, -sharpness, gsd_m))


def read_domain(folder: Path) -> Domain | None:
    """The domain of a model folder; None where it has none.

    Raises:
        ModelError: the file is malformed or lacks a statistic.
    """
    path = folder / DOMAIN_FILE
    if not path.is_file():
        return None
    try:
        domain = Domain.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise ModelError(f"{path}: not a valid domain: {error}; write it again with scripts/fit_domain.py") from error
    if set(domain.limits) != set(Statistics._fields) or len(domain.enlarged) < 2:
        raise ModelError(f"{path}: is of another version of the statistics; write it again with scripts/fit_domain.py")
    return domain


def save_domain(domain: Domain, folder: Path) -> None:
    """Write ``domain.json``."""
    (folder / DOMAIN_FILE).write_text(json.dumps(domain.model_dump(mode="json"), indent=2) + "\n", encoding="utf-8")


def sample_windows(source: ImageSource, gsd_m: float) -> Float64Array:
    """Statistics (n, statistics) of up to :data:`WINDOWS` windows spread over an image, read at ``gsd_m``.

    The same windows in every run. Windows with more than a tenth of nodata are left out; n is 0 where all are, or
    where the image is smaller than 64 pixels.

    Raises:
        ImageError: the file is damaged.
    """
    from cv_pipeline.imagery.grid import working_grid
    from cv_pipeline.imagery.view import GridView

    grid = working_grid(source.grid, gsd_m)
    height, width = min(WINDOW_PX, grid.height), min(WINDOW_PX, grid.width)
    found = []
    if min(height, width) >= _LEAST_PX:
        with GridView(source, grid) as view:
            # From top to bottom, since some formats can only be read in that order.
            for row, col in spread(grid.height - height + 1, grid.width - width + 1):
                rgb, valid = view.read(Window(row, col, height, width))
                if valid.mean() >= _LEAST_VALID:
                    found.append(window_statistics(rgb, valid))
    return np.array(found, dtype=np.float64).reshape(-1, len(Statistics._fields))


def spread(rows: int, cols: int) -> list[tuple[int, int]]:
    """Up to :data:`WINDOWS` different (row, col) evenly over ``rows`` x ``cols``, sorted.

    Points of the R2 sequence (Roberts 2018): no two are close, and no pattern of fields is met in step.
    """
    steps = np.arange(1, WINDOWS + 1)[:, None] * (1 / 1.32471795724474602596 ** np.array([1, 2]))
    places = np.floor((0.5 + steps) % 1 * (rows, cols)).astype(int)
    return sorted({(int(row), int(col)) for row, col in places})
