"""Bringing the before image's levels to those of the after image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from rasterio.errors import RasterioError

from cv_pipeline.errors import ImageError
from cv_pipeline.imagery.grid import overlap
from cv_pipeline.imagery.radiometry import as_limits, sample
from cv_pipeline.imagery.source import open_dataset
from cv_pipeline.types import Float64Array, Grid, ImageSource

_PERCENTILES = (10, 90)
_MAX_GAIN = 2.5
_ALIKE_DN = 4.0
_MIN_SPAN_DN = 4.0


def match_levels(before: ImageSource, after: ImageSource) -> ImageSource:
    """The before image with limits by which it is as bright and as contrasty, per band, as the after image.

    The 10th and 90th percentiles of the common ground (by georeference; clouds left out) become those of the after
    image, so up to a tenth of the ground may have turned black or white without effect. It makes pictures
    comparable side by side and takes a constant difference out of the network's luminance map; its colour maps and the
    registration look at local contrast and hardly notice. The after image is never touched, nor is a before image
    that is within 4 DN, has no contrast there or would need a gain beyond 2.5 (another season, not another exposure).

    Raises:
        ImageError: a file is damaged.
    """
    early, late = _levels(before, after.grid), _levels(after, before.grid)
    if early is None or late is None:
        return before
    now, wanted = _scaled(early, before), _scaled(late, after)
    spans = np.diff(now, axis=0)[0], np.diff(wanted, axis=0)[0]
    if min(map(np.min, spans)) < _MIN_SPAN_DN or np.abs(now - wanted).max() < _ALIKE_DN:
        return before
    gain = spans[1] / spans[0]
    if max(gain.max(), 1 / gain.min()) > _MAX_GAIN:
        return before
    per_dn = (np.array(before.scale_high) - before.scale_low) / 255 / gain  # in the file's own unit
    low = early[0] - wanted[0] * per_dn
    new_low, new_high = as_limits(low, low + 255 * per_dn)
    return replace(before, scale_low=new_low, scale_high=new_high)


def _levels(source: ImageSource, other: Grid) -> Float64Array | None:
    """The low and high percentile (2, 3) of an image's valid pixels on the ground of ``other``; None without any."""
    window = overlap(source.grid, other)
    if window is None:
        return None
    try:
        with open_dataset(source.path) as dataset:
            pixels = sample(dataset, source.bands, window, source.obscured)
    except RasterioError as error:
        raise ImageError(f"{source.path}: the file is damaged ({error}); fetch it again") from error
    if not pixels.valid.any():
        return None
    return np.asarray(np.percentile(pixels.values[:, pixels.valid], _PERCENTILES, axis=1))


def _scaled(values: Float64Array, source: ImageSource) -> Float64Array:
    """Samples (n, 3) on the scale of 0 to 255."""
    low, high = np.array(source.scale_low), np.array(source.scale_high)
    return np.asarray((values - low) * 255 / (high - low))
