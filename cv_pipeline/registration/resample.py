"""The before image written onto the after image's grid: every band as it is, resampled once."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
import rasterio.shutil
from affine import Affine
from rasterio.enums import ColorInterp, Resampling
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window as RasterioWindow

from cv_pipeline.defaults import WIDE_CACHE_BYTES
from cv_pipeline.errors import ImageError, OutputError
from cv_pipeline.imagery.source import open_dataset
from cv_pipeline.imagery.warp import METRES, TOLERANCE_PX
from cv_pipeline.registration.bent import bend_pixels, pixel_centres, shift_at
from cv_pipeline.types import BoolArray, Float64Array, Gate, Grid, ImageSource, Registration, Window

_BLOCK_PX = 1024
_PAD_PX = 3
_COG: dict[str, Any] = {"driver": "COG", "compress": "DEFLATE", "blocksize": 512, "bigtiff": "IF_SAFER"}


def check_out_path(out: Path, inputs: tuple[Path, ...], overwrite: bool) -> None:
    """Raise OutputError unless ``out`` may be written; an input is never replaced."""
    if any(
        out.absolute() == path.absolute() or (out.exists() and path.exists() and out.samefile(path)) for path in inputs
    ):
        raise OutputError(f"{out}: is one of the images given; write to another file")
    if out.is_dir():
        raise OutputError(f"{out}: is a folder; give a file, for instance {out / 'aligned.tif'}")
    if out.exists() and not overwrite:
        raise OutputError(f"{out}: exists already; use --overwrite or give another --out")


def write_aligned(
    before: ImageSource, registration: Registration, after: Grid, out: Path, *, overwrite: bool = False
) -> Path:
    """Write the before image, registered, on the after image's grid, as a cloud-optimised GeoTIFF.

    All bands, their sample type, nodata value, names and colours stay; ground that the before image does not show is
    nodata, or masked where the file knows none. Cubic resampling, once; where a local correction was made, once more
    by that. Works block by block; ``out`` appears when it is complete and not before.

    Raises:
        OutputError: the file exists and is not to be replaced, or cannot be written.
        ImageError: the before image is damaged or has gone.
        ValueError: the registration's gate failed.
    """
    if registration.gate is Gate.FAIL:
        raise ValueError("a failed registration must not be written")
    check_out_path(out, (before.path,), overwrite)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".partial", dir=out.parent))
    except OSError as error:
        raise OutputError(f"{out}: cannot be written ({error.strerror}); give another --out") from error
    try:
        plain, finished = folder / "plain.tif", folder / "finished.tif"
        with rasterio.Env(GDAL_CACHEMAX=WIDE_CACHE_BYTES):
            _write_plain(before, registration, after, plain)
            rasterio.shutil.copy(str(plain), str(finished), overview_resampling="AVERAGE", **_COG)
        finished.replace(out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return out


def _write_plain(before: ImageSource, registration: Registration, after: Grid, path: Path) -> None:
    pad = _PAD_PX
    if registration.local is not None:
        pad += int(np.ceil(np.abs(registration.local.shift_px).max()))
    try:
        with open_dataset(before.path) as dataset:
            nodata = _nodata(before, dataset)
            with _warped(dataset, before, registration.matrix, after, nodata, pad) as view:
                _copy_blocks(dataset, view, registration, after, nodata, pad, path)
    except RasterioError as error:
        raise ImageError(
            f"{before.path}: cannot be resampled ({error}); is the file whole and the disk not full?"
        ) from error


def _nodata(before: ImageSource, dataset: DatasetReader) -> float | None:
    """What marks missing ground; NaN in floating-point files that name nothing, None where a mask has to."""
    if before.nodata is None and dataset.dtypes[0].startswith("float"):
        return float("nan")
    return before.nodata


def _warped(
    dataset: DatasetReader, before: ImageSource, matrix: Float64Array, after: Grid, nodata: float | None, pad: int
) -> WarpedVRT:
    """All bands on the after image's grid, ``pad`` pixels wider on every side, and an alpha band."""
    own = before.grid
    has_alpha = ColorInterp.alpha in dataset.colorinterp
    moved = after.transform @ ~Affine(*np.asarray(matrix, dtype=float).ravel()) @ Affine.translation(-pad, -pad)
    return WarpedVRT(
        dataset,
        src_crs=own.crs or METRES,
        src_transform=own.transform if own.crs is None else None,
        crs=after.crs or METRES,
        transform=moved,
        width=after.width + 2 * pad,
        height=after.height + 2 * pad,
        resampling=Resampling.cubic,
        src_nodata=before.nodata if has_alpha else nodata,
        add_alpha=not has_alpha,
        tolerance=TOLERANCE_PX,
        UNIFIED_SRC_NODATA="YES",
    )


def _copy_blocks(
    dataset: DatasetReader, view: WarpedVRT, registration: Registration, after: Grid, nodata: float | None, pad: int,
    path: Path,
) -> None:  # fmt: skip
    alpha = next((k for k, kind in enumerate(view.colorinterp, 1) if kind is ColorInterp.alpha), view.count)
    layout = {
        "driver": "GTiff", "tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "DEFLATE",
        "bigtiff": "IF_SAFER", "count": dataset.count, "dtype": dataset.dtypes[0], "nodata": nodata,
        "height": after.height, "width": after.width, "crs": after.crs, "transform": after.transform,
    }  # fmt: skip
    by_mask = nodata is None and ColorInterp.alpha not in dataset.colorinterp
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "w", **layout) as file:
        file.colorinterp, file.descriptions = dataset.colorinterp, dataset.descriptions
        for row in range(0, after.height, _BLOCK_PX):
            for col in range(0, after.width, _BLOCK_PX):
                height, width = min(_BLOCK_PX, after.height - row), min(_BLOCK_PX, after.width - col)
                wide = RasterioWindow(col, row, width + 2 * pad, height + 2 * pad)
                values = view.read(dataset.indexes, window=wide)
                seen = view.read(alpha, window=wide) > 0
                values, seen = _placed(values, seen, registration, (row, col), pad)
                values[:, ~seen] = 0 if nodata is None else nodata
                block = RasterioWindow(col, row, width, height)
                file.write(values, window=block)
                if by_mask:
                    file.write_mask(seen.astype(np.uint8) * np.uint8(255), window=block)


def _placed(
    values: npt.NDArray[Any], seen: BoolArray, registration: Registration, start: tuple[int, int], pad: int
) -> tuple[npt.NDArray[Any], BoolArray]:
    """The inner part of a padded block (bands, height, width), bent where a local correction was made."""
    height, width = (side - 2 * pad for side in seen.shape)
    if registration.local is None:
        inner = np.s_[pad : pad + height, pad : pad + width]
        return values[:, *inner].copy(), seen[inner]
    place = pixel_centres(Window(*start, height, width))
    return bend_pixels(values, seen, shift_at(registration.local, place), pad)
