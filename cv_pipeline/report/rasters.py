"""``probabilities.tif`` and ``labels.tif``: cloud-optimised GeoTIFFs of 8 bits, written window by window."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cv_pipeline.defaults import GDAL_CACHE_BYTES
from cv_pipeline.segmentation.channels import PROBABILITIES
from cv_pipeline.types import Channel, Segmentation, UInt8Array

if TYPE_CHECKING:
    import numpy.typing as npt

BACKGROUND, CRATER, BLAST, NO_IMAGERY = 0, 1, 2, 255
MAX_DN = 255
STEP = 1 / (MAX_DN - 1)
"""Of probabilities: value = (DN - 1) x STEP, DN 0 is no imagery."""
LABEL_DN = 128
"""A probability of one half."""
_COLOURS = {
    BACKGROUND: (0, 0, 0, 0),
    CRATER: (214, 39, 40, 255),
    BLAST: (255, 176, 0, 255),
    NO_IMAGERY: (128, 128, 128, 0),
}
_BLOCK_PX = 512
_PLAIN: dict[str, Any] = {
    "driver": "GTiff", "dtype": "uint8", "tiled": True, "blockxsize": _BLOCK_PX, "blockysize": _BLOCK_PX,
    "interleave": "band", "compress": "ZSTD", "zstd_level": 1, "predictor": 1, "bigtiff": "IF_SAFER",
}  # fmt: skip
"""Of the file that the COG is made of."""
_COG: dict[str, Any] = {
    "driver": "COG", "compress": "DEFLATE", "level": 1, "predictor": "YES", "blocksize": _BLOCK_PX,
    "bigtiff": "IF_SAFER", "num_threads": "ALL_CPUS",
}  # fmt: skip
"""Deflate, which every reader knows; higher levels take twice the time to save a twentieth."""
_GDAL: dict[str, Any] = {"GDAL_CACHEMAX": GDAL_CACHE_BYTES, "COG_TMP_COMPRESSION": "NONE"}
"""By default the cache is a share of the machine's memory, and the overviews are compressed once for a passing file."""
_Pixels = Callable[["npt.NDArray[np.uint8]"], "npt.NDArray[np.uint8]"]


def write_probabilities(segmentation: Segmentation, path: Path) -> Path:
    """Write the probabilities that the network gave as a COG of 8 bits with scales and band names.

    Value = DN x scale + offset of each band, in steps of 1/254; DN 0 is nodata. Radii and axes, which mean something at
    craters only, are left out: they are with the impacts. Memory does not grow with the image.
    """
    return _write(segmentation, path, PROBABILITIES, len(PROBABILITIES), lambda dn: dn, _name_bands, "AVERAGE")


def write_labels(segmentation: Segmentation, path: Path) -> Path:
    """Write the likeliest class of each pixel of the working grid as a COG with a colour table.

    0 background, 1 crater, 2 blast pattern (probability at least 0.5; crater wins over blast, as it lies
    inside it), 255 where there is no imagery. Made from the probabilities as :func:`write_probabilities` stores them.
    """
    of = (Channel.CRATER, Channel.BLAST)
    return _write(segmentation, path, of, 1, lambda dn: classify(dn)[None], _name_classes, "NEAREST", NO_IMAGERY)


def to_8_bits(dn: npt.NDArray[Any]) -> UInt8Array:
    """DNs of a segmentation (any shape) as those of the 8-bit file; what is of 8 bits already stays."""
    if dn.dtype == np.uint8:
        return np.asarray(dn, np.uint8)
    return np.asarray(_TO_8_BITS[dn], np.uint8)


def classify(dn: npt.NDArray[np.uint8]) -> UInt8Array:
    """Labels (h, w) of crater and blast DNs of 8 bits (2, h, w)."""
    labels = np.where(dn[0] >= LABEL_DN, CRATER, np.where(dn[1] >= LABEL_DN, BLAST, BACKGROUND))
    return np.where((dn == 0).all(axis=0), NO_IMAGERY, labels).astype(np.uint8)


def _table() -> UInt8Array:
    dn = np.arange(2**16)
    table = np.rint((dn - 1) / (dn[-1] - 1) * (MAX_DN - 1) + 1)
    table[0] = 0
    return np.asarray(table, np.uint8)


_TO_8_BITS = _table()


def _write(
    segmentation: Segmentation, path: Path, channels: tuple[Channel, ...], count: int, pixels: _Pixels,
    describe: Callable[[Any], None], resampling: str, nodata: int = 0,
) -> Path:  # fmt: skip
    """Make bands of the channels' 8-bit DNs, window by window, then a COG of them."""
    import rasterio
    import rasterio.shutil

    with tempfile.TemporaryDirectory(dir=path.parent) as folder, rasterio.Env(**_GDAL):
        plain = Path(folder) / path.name
        with rasterio.open(segmentation.path) as source:
            bands = [source.descriptions.index(channel.value) + 1 for channel in channels]
            place = {key: source.profile[key] for key in ("height", "width", "crs", "transform")}
            with rasterio.open(plain, "w", **_PLAIN, **place, count=count, nodata=nodata) as target:
                for _, window in target.block_windows(1):
                    target.write(pixels(to_8_bits(source.read(bands, window=window))), window=window)
                describe(target)
        rasterio.shutil.copy(str(plain), str(path), overview_resampling=resampling, **_COG)
    return path


def _name_bands(target: Any) -> None:
    target.descriptions = tuple(channel.value for channel in PROBABILITIES)
    target.scales = [STEP] * len(PROBABILITIES)
    target.offsets = [-STEP] * len(PROBABILITIES)


def _name_classes(target: Any) -> None:
    target.write_colormap(1, _COLOURS)
    target.set_band_description(1, "label")
    target.update_tags(1, CLASSES="0 background, 1 crater, 2 blast pattern, 255 no imagery")
