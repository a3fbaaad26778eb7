"""The on-disk form of a segmentation: a tiled 16-bit GeoTIFF, one band per :class:`Channel`.

A digital number of 0 means "no imagery here" in every band; 1..65535 is a value, recovered as
``dn * scale + offset`` with the scale and offset stored in the file, so that GDAL and QGIS show the
same figures as this module. Probabilities run from 0 to 1, axes from -1 to 1; radii go up from 0 m in
steps of 2 mm.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window as RasterioWindow

from cv_pipeline.errors import OutputError
from cv_pipeline.segmentation.channels import AXES, RADII_M
from cv_pipeline.segmentation.tiles import BLOCK_PX
from cv_pipeline.types import BoolArray, Channel, Float32Array, Grid, Segmentation, Window

UInt16Array = npt.NDArray[np.uint16]

MAX_DN = 65535
RADIUS_STEP_M = 0.002
MAX_RADIUS_M = (MAX_DN - 1) * RADIUS_STEP_M
"""131.068 m: larger radii are stored as this one."""


def scale_offset(channel: Channel) -> tuple[float, float]:
    """Scale and offset of a channel: ``value = dn * scale + offset`` for dn >= 1."""
    if channel in AXES:
        step = 2.0 / (MAX_DN - 1)
        return step, -1.0 - step
    step = RADIUS_STEP_M if channel in RADII_M else 1.0 / (MAX_DN - 1)
    return step, -step


def encode(values: Float32Array, channel: Channel, valid: BoolArray) -> UInt16Array:
    """Digital numbers of a channel's values.

    Args:
        values: (h, w) probabilities, radii in metres or axes; clipped to what the channel can hold.
        channel: which channel the values belong to.
        valid: (h, w) True where there is imagery.

    Returns:
        (h, w) with 0 where ``valid`` is False or the value is not a number, else 1..65535.
    """
    scale, offset = scale_offset(channel)
    known = valid
    if not np.isfinite(values.sum()):  # seldom, and one sum is cheaper than a test of each value
        known = valid & ~np.isnan(values)
        values = np.nan_to_num(values, nan=0.0, posinf=MAX_RADIUS_M, neginf=0.0)
    # One pass, rounded and clipped to 0..65535: this runs over every channel of every pixel.
    dn = cv2.addWeighted(np.asarray(values, np.float32), 1 / scale, values, 0.0, -offset / scale, dtype=cv2.CV_16U)
    np.maximum(dn, 1, out=dn)
    if not known.all():
        dn[~known] = 0
    return np.asarray(dn, np.uint16)


def decode(dn: UInt16Array, channel: Channel) -> tuple[Float32Array, BoolArray]:
    """Values (h, w) and validity (h, w) of digital numbers (h, w); invalid pixels hold 0.0."""
    return _decoded(dn, *scale_offset(channel)), dn > 0


def _decoded(dn: UInt16Array, scale: float, offset: float) -> Float32Array:
    values = np.multiply(dn, np.float32(scale), dtype=np.float32)
    values += np.float32(offset)
    if not dn.all():
        values[dn == 0] = 0.0
    return values


def _profile(grid: Grid) -> dict[str, Any]:
    return {
        "driver": "GTiff",
        "height": grid.height,
        "width": grid.width,
        "count": len(Channel),
        "dtype": "uint16",
        "nodata": 0,
        "crs": grid.crs,
        "transform": grid.transform,
        "tiled": True,
        "blockxsize": BLOCK_PX,
        "blockysize": BLOCK_PX,
        "interleave": "band",
        "compress": "zstd",  # as small as deflate and a third of its time, which counts beside the network's
        "predictor": 2,
        "zstd_level": 1,
        "BIGTIFF": "IF_SAFER",
    }


class SegmentationWriter:
    """Writes a segmentation window by window; use as a context manager.

    >>> with SegmentationWriter.create(path, grid) as writer:  # doctest: +SKIP
    ...     writer.write(Window(0, 0, 512, 512), values, valid)

    Windows that start on multiples of :data:`~cv_pipeline.segmentation.tiles.BLOCK_PX` are compressed once; others are
    merged by GDAL, correct but larger. Pixels never written stay invalid.
    """

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset

    @classmethod
    def create(cls, path: Path, grid: Grid) -> SegmentationWriter:
        """Open ``path`` for writing on ``grid``, replacing what is there.

        Raises:
            OutputError: if the file cannot be created.
        """
        try:
            with warnings.catch_warnings():
                # 1 m pixels without a CRS have a transform that rasterio takes for a missing one.
                warnings.simplefilter("ignore", NotGeoreferencedWarning)
                dataset = rasterio.open(path, "w", **_profile(grid))
        except (OSError, RasterioError) as error:
            raise OutputError(f"{path}: cannot be written ({error}); check that the folder exists") from error
        dataset.scales = [scale_offset(channel)[0] for channel in Channel]
        dataset.offsets = [scale_offset(channel)[1] for channel in Channel]
        dataset.descriptions = tuple(channel.value for channel in Channel)
        return cls(dataset)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._dataset.close()

    def write(self, window: Window, values: Mapping[Channel, Float32Array], valid: BoolArray) -> None:
        """Write all channels of one window.

        Args:
            window: inside the grid.
            values: (h, w) of every channel; give zeros for one that means nothing.
            valid: (h, w) True where there is imagery.

        Raises:
            ValueError: if a channel is missing or a shape differs from the window's.
        """
        shape = (window.height, window.width)
        missing = [channel.value for channel in Channel if channel not in values]
        if missing:
            raise ValueError(f"channels missing from the values: {', '.join(missing)}")
        if valid.shape != shape or any(values[channel].shape != shape for channel in Channel):
            raise ValueError(f"values and validity must have the window's shape {shape}")
        dn = np.stack([encode(values[channel], channel, valid) for channel in Channel])
        self._dataset.write(dn, window=RasterioWindow(window.col, window.row, window.width, window.height))

    def write_maps(self, window: Window, maps: Float32Array, valid: BoolArray) -> None:
        """Write maps (channels, h, w) as a backend gives them: radii as natural logarithms."""
        values = {
            channel: np.exp(band) if channel in RADII_M else band for channel, band in zip(Channel, maps, strict=True)
        }
        self.write(window, values, valid)


class MapReader:
    """Windows of a segmentation's maps; a context manager that keeps the file open.

    GDAL then holds the blocks that windows share: each is decoded once where windows follow each other.
    """

    def __init__(self, segmentation: Segmentation) -> None:
        self.grid = segmentation.grid
        self._path = segmentation.path
        self._dataset: Any = None
        self._band: dict[str, int] = {}

    def __enter__(self) -> Self:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            self._dataset = rasterio.open(self._path)
        self._band = {name: number for number, name in enumerate(self._dataset.descriptions)}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._dataset.close()

    def read(self, window: Window, channels: Sequence[Channel]) -> tuple[Mapping[Channel, Float32Array], BoolArray]:
        """As :func:`read_channels`."""
        dn = self._numbers(window, channels)
        scales, offsets = self._dataset.scales, self._dataset.offsets
        values = {
            channel: _decoded(numbers, scales[self._band[channel]], offsets[self._band[channel]])
            for channel, numbers in zip(channels, dn, strict=True)
        }
        return values, np.asarray((dn > 0).all(axis=0))

    def reaching(self, window: Window, channel: Channel, least: float) -> Window | None:
        """The smallest part of a window that holds all values of at least ``least``; None where there is none."""
        (dn,) = self._numbers(window, (channel,))
        band = self._band[channel]
        # Rounded values may lie half a step below: what is a little too large a part does no harm.
        lowest = max((least - self._dataset.offsets[band]) / self._dataset.scales[band] - 1, 1)
        if dn.max(initial=0) < lowest:
            return None
        rows, cols = (np.nonzero((dn >= lowest).any(axis=axis))[0] for axis in (1, 0))
        top, left = int(rows[0]), int(cols[0])
        return Window(window.row + top, window.col + left, int(rows[-1]) - top + 1, int(cols[-1]) - left + 1)

    def _numbers(self, window: Window, channels: Sequence[Channel]) -> UInt16Array:
        """Digital numbers (channels, h, w), 0 outside the grid."""
        missing = [channel.value for channel in channels if channel not in self._band]
        if missing:
            raise ValueError(f"{self._path}: holds no {', '.join(missing)}")
        top, left = max(window.row, 0), max(window.col, 0)
        bottom = min(window.row + window.height, self.grid.height)
        right = min(window.col + window.width, self.grid.width)
        if bottom <= top or right <= left:
            return np.zeros((len(channels), window.height, window.width), dtype=np.uint16)
        part = RasterioWindow(left, top, right - left, bottom - top)
        numbers = self._dataset.read([self._band[channel] + 1 for channel in channels], window=part)
        if numbers.shape[1:] == window[2:]:
            return np.asarray(numbers)
        dn = np.zeros((len(channels), window.height, window.width), dtype=np.uint16)
        dn[:, top - window.row : bottom - window.row, left - window.col : right - window.col] = numbers
        return dn


def read_channels(
    segmentation: Segmentation, window: Window, channels: Sequence[Channel] = tuple(Channel)
) -> tuple[Mapping[Channel, Float32Array], BoolArray]:
    """Read one window of a segmentation; for many of them a :class:`MapReader` is quicker.

    Args:
        segmentation: what to read from.
        window: may reach past the grid's edge, or lie outside it.
        channels: which channels to read; at least one.

    Returns:
        A mapping of channel to values (h, w), and validity (h, w): True where every channel asked for
        has a value. Invalid pixels and those outside the grid hold 0.0.

    Raises:
        ValueError: the file lacks a channel: the 8-bit ``probabilities.tif`` of a result holds no radii and axes.
    """
    with MapReader(segmentation) as maps:
        return maps.read(window, channels)
