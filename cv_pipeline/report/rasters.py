"""``probabilities.tif`` and ``labels.tif``: cloud-optimised GeoTIFFs, written window by window."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cv_pipeline.types import Channel, Segmentation, UInt8Array

if TYPE_CHECKING:
    import numpy.typing as npt

BACKGROUND, CRATER, BLAST, NO_IMAGERY = 0, 1, 2, 255
LABEL_THRESHOLD = 0.5
_COLOURS = {
    BACKGROUND: (0, 0, 0, 0),
    CRATER: (214, 39, 40, 255),
    BLAST: (255, 176, 0, 255),
    NO_IMAGERY: (128, 128, 128, 0),
}
_COG: dict[str, Any] = {"driver": "COG", "compress": "DEFLATE", "blocksize": 512, "bigtiff": "IF_SAFER"}


def write_probabilities(segmentation: Segmentation, path: Path) -> Path:
    """Copy the segmentation's raster to a COG, all channels, with scales and band names.

    Value = DN x scale + offset of each band; DN 0 is nodata. GDAL copies block by block, so memory
    does not grow with the image.
    """
    import rasterio.shutil

    rasterio.shutil.copy(str(segmentation.path), str(path), predictor="YES", overview_resampling="AVERAGE", **_COG)
    return path


def write_labels(segmentation: Segmentation, path: Path) -> Path:
    """Write the likeliest class of each pixel of the working grid as a COG with a colour table.

    0 background, 1 crater, 2 blast pattern (probability at least 0.5; crater wins over blast, as it lies
    inside it), 255 where there is no imagery.
    """
    import rasterio
    import rasterio.shutil

    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        plain = Path(folder) / "labels.tif"
        with rasterio.open(segmentation.path) as source:
            profile = dict(source.profile, driver="GTiff", count=1, dtype="uint8", nodata=NO_IMAGERY)
            profile |= {"tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "DEFLATE"}
            with rasterio.open(plain, "w", **{k: v for k, v in profile.items() if k != "photometric"}) as target:
                _write_windows(source, target)
                target.write_colormap(1, _COLOURS)
                target.set_band_description(1, "label")
                target.update_tags(1, CLASSES="0 background, 1 crater, 2 blast pattern, 255 no imagery")
        rasterio.shutil.copy(str(plain), str(path), overview_resampling="NEAREST", **_COG)
    return path


def _write_windows(source: Any, target: Any) -> None:
    bands = [list(Channel).index(channel) + 1 for channel in (Channel.CRATER, Channel.BLAST)]
    scales = [(source.scales[band - 1], source.offsets[band - 1]) for band in bands]
    for _, window in target.block_windows(1):
        target.write(classify(source.read(bands, window=window), scales), 1, window=window)


def classify(dn: npt.NDArray[np.uint16], scales: list[tuple[float, float]]) -> UInt8Array:
    """Labels (h, w) of crater and blast DNs (2, h, w) with their (scale, offset)."""
    crater, blast = (dn[i] * np.float32(s) + np.float32(o) >= LABEL_THRESHOLD for i, (s, o) in enumerate(scales))
    labels = np.where(crater & (dn[0] > 0), CRATER, np.where(blast & (dn[1] > 0), BLAST, BACKGROUND))
    return np.where((dn == 0).all(axis=0), NO_IMAGERY, labels).astype(np.uint8)
