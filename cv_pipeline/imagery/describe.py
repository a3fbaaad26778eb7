"""What an image file is, as facts and in words."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from rasterio.enums import MaskFlags
from rasterio.io import DatasetReader

from cv_pipeline.imagery.ground import axis_gsd_m
from cv_pipeline.imagery.masked import MaskedShares, masked_shares
from cv_pipeline.imagery.radiometry import sample
from cv_pipeline.imagery.sharpness import Sharpness, sharpness
from cv_pipeline.imagery.source import open_dataset
from cv_pipeline.types import Float64Array, ImageSource


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What an image file is.

    ``effective_bits`` is what the values use of their sample type: 12 for 12 bits stored in 16. None for floats
    with more than 65,536 different values. ``gsd_col_m`` and ``gsd_row_m`` are metres on the ground per pixel along
    columns and rows. ``nodata`` says in words what marks empty pixels. ``overviews`` are their factors.
    ``block_mib`` is the memory that the smallest piece GDAL can decode takes.
    """

    format: str
    width: int
    height: int
    band_count: int
    band_names: tuple[str, ...]
    bands: tuple[int, int, int]
    dtype: str
    effective_bits: int | None
    scale_low: tuple[float, float, float]
    scale_high: tuple[float, float, float]
    crs: str | None
    gsd_m: float
    gsd_col_m: float
    gsd_row_m: float
    nodata: str
    masked: MaskedShares
    sharpness: Sharpness
    overviews: tuple[int, ...]
    block_mib: float
    notes: tuple[str, ...]


def describe(source: ImageSource) -> ImageFacts:
    """Look into an opened image; reads samples only. RasterioError where the file is damaged."""
    with open_dataset(source.path) as dataset:
        pixels = sample(dataset, source.bands)
        rows, cols = dataset.block_shapes[source.bands[0] - 1]
        grid = source.grid
        axes = (
            (grid.gsd_m, grid.gsd_m)
            if grid.crs is None
            else axis_gsd_m(grid.transform, grid.crs, grid.height, grid.width)
        )
        obscured = (source.obscured.note,) if source.obscured is not None and source.obscured.note else ()
        return ImageFacts(
            format=dataset.driver,
            width=grid.width,
            height=grid.height,
            band_count=dataset.count,
            band_names=tuple(
                name or kind.name for name, kind in zip(dataset.descriptions, dataset.colorinterp, strict=True)
            ),
            bands=source.bands,
            dtype=source.dtype,
            effective_bits=effective_bits(pixels.values[:, pixels.valid]),
            scale_low=source.scale_low,
            scale_high=source.scale_high,
            crs=None if grid.crs is None else grid.crs.to_string(),
            gsd_m=grid.gsd_m,
            gsd_col_m=axes[0],
            gsd_row_m=axes[1],
            nodata=_nodata_words(dataset, source),
            masked=masked_shares(source),
            sharpness=sharpness(source),
            overviews=tuple(dataset.overviews(source.bands[0])),
            block_mib=rows * cols * np.dtype(source.dtype).itemsize * dataset.count / 2**20,
            notes=(*source.notes, *obscured),
        )


def effective_bits(values: Float64Array) -> int | None:
    """Bits that samples of any shape need: of whole multiples of a common step, from 0 or the least, to the greatest.

    8-bit imagery stored as multiples of 257 has 8. A constant has 0. None where the values are not on such a ladder
    of at most 65,536 steps, as most floats.
    """
    different = np.unique(values)
    if len(different) > 2**16 or len(different) == 0:
        return None
    if len(different) == 1:
        return 0
    steps = np.diff(different)
    step = float(steps.min())
    if not np.allclose(steps / step, np.rint(steps / step), atol=1e-3):
        step = float(np.gcd.reduce(steps.astype(np.int64))) if (steps == np.rint(steps)).all() else math.nan
    if not step > 0:
        return None
    start = min(float(different[0]), 0.0)
    return math.ceil(math.log2(round((float(different[-1]) - start) / step) + 1))


def _nodata_words(dataset: DatasetReader, source: ImageSource) -> str:
    flags = dataset.mask_flag_enums[source.bands[0] - 1]
    if MaskFlags.alpha in flags:
        return "an alpha band"
    if MaskFlags.per_dataset in flags:
        return "a mask"
    if source.nodata is not None:
        return f"nodata value {source.nodata:g}"
    return "NaN, where there is any" if source.dtype.startswith("float") else "nothing"


def image_lines(facts: ImageFacts) -> list[str]:
    """The facts in plain sentences."""
    f = facts
    size = f"{f.gsd_m:.3g} m"
    if not math.isclose(f.gsd_col_m, f.gsd_row_m, rel_tol=0.02):
        size += f" ({f.gsd_col_m:.3g} by {f.gsd_row_m:.3g} m)"
    place = "no place on earth; the stated pixel size counts" if f.crs is None else f.crs
    shares = {"nodata": f.masked.nodata, "cloud": f.masked.cloud, "blank or saturated": f.masked.blank}
    return [
        f"{f.format}, {f.width} by {f.height} px, {f.width * f.gsd_m / 1000:.3g} by {f.height * f.gsd_m / 1000:.3g} km",
        f"bands: {f.band_count} ({', '.join(f.band_names)}); "
        f"{','.join(map(str, f.bands))} are read as red, green, blue",
        f"samples: {f.dtype}{_bits_words(f)}; {_scale_words(f)}",
        f"pixel on the ground: {size}",
        f"CRS: {place}",
        f"empty pixels are marked by {f.nodata}; masked: "
        + ", ".join(f"{share:.1%} {name}" for name, share in shares.items()),
        f"sharpness: {sharpness_words(f)}",
        f"overviews: {', '.join(map(str, f.overviews)) or 'none'}",
    ]


def sharpness_words(facts: ImageFacts) -> str:
    """What the spectrum says of the true resolution."""
    found = facts.sharpness
    if found.effective_px is None:
        return "could not be measured, no window of 64 px is free of nodata"
    if found.repeated:
        return "pixels are repeated; the image was enlarged without interpolation"
    if found.effective_px <= 1.0:
        return "detail down to the pixel"
    return (
        f"no detail finer than about {found.effective_px:.1f} px ({found.effective_px * facts.gsd_m:.2g} m); "
        "the image was enlarged or blurred"
    )


def _bits_words(facts: ImageFacts) -> str:
    if facts.effective_bits is None:
        return ""
    return f", of which {facts.effective_bits} bits are used"


def _scale_words(facts: ImageFacts) -> str:
    if facts.scale_low == (0, 0, 0) and facts.scale_high == (255, 255, 255):
        return "read as they are"
    pairs = (f"{low:.4g} to {high:.4g}" for low, high in zip(facts.scale_low, facts.scale_high, strict=True))
    return f"scaled to 8 bits from {'; '.join(pairs)}"
