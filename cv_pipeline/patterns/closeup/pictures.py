"""Two pictures of each candidate, one near and one wide, north up and in metres, of both dates and of the maps.

Segmentation sees the ground at one GSD; the near picture keeps what a finer image shows, and the wide one holds a whole
blast pattern. Their scales are metric and the same for all candidates, because craters have a physical size.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

import numpy as np
import rasterio

from cv_pipeline.defaults import WIDE_CACHE_BYTES
from cv_pipeline.frame import LocalFrame
from cv_pipeline.imagery.grid import working_grid
from cv_pipeline.imagery.view import GridView
from cv_pipeline.patterns.ground import GroundMap
from cv_pipeline.patterns.sampling import cells, interpolate, points_around, window_of
from cv_pipeline.patterns.share import ALL, Share
from cv_pipeline.registration.register import before_view
from cv_pipeline.segmentation.raster import MapReader
from cv_pipeline.types import AlignedPair, Channel, Float64Array, Segmentation, UInt8Array

SIDE = 64
NEAR_M, WIDE_M = 0.3, 1.0
"""Metres per sample: the near picture is 19 m wide, the wide one 64 m."""

MAPS = (Channel.CENTRE, Channel.CRATER, Channel.BLAST)
CHANNELS = 11
"""After image (3), before image (3), ``MAPS`` (3), where the after and the before image are seen (2)."""
BEFORE = slice(3, 6)
AFTER_SEEN, BEFORE_SEEN = 9, 10
"""Numbers of some of them."""

_CELL_M = 300.0
_BATCH = 64


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures (n, CHANNELS, SIDE, SIDE) of 0 to 255 of the candidates ``index`` (n,); 0 where nothing is seen."""

    index: np.ndarray
    near: UInt8Array
    wide: UInt8Array


def offsets_m(step_m: float) -> Float64Array:
    """(SIDE * SIDE, 2) metres east and north of a picture's samples from its middle; the first row is its north."""
    axis = (np.arange(SIDE) - (SIDE - 1) / 2) * step_m
    return np.stack(np.meshgrid(axis, -axis), axis=-1).reshape(-1, 2)


def read_pictures(
    aligned: AlignedPair,
    segmentation: Segmentation,
    frame: LocalFrame,
    centres_m: Float64Array,
    *,
    use_before: bool,
    share: Share = ALL,
) -> Iterator[Pictures]:
    """Pictures around centres (n, 2) in local metres, batch by batch; each centre comes once.

    Args:
        aligned: the images.
        segmentation: their maps.
        frame: the after image's local frame.
        centres_m: may be empty, which gives nothing.
        use_before: False leaves the before image out.
        share: which of the batches to read.

    Raises:
        ImageError: a file is damaged or has gone.
    """
    if not len(centres_m):
        return
    use_before = use_before and aligned.pair.before is not None
    with ExitStack() as stack:
        readers = [_Reader(aligned, segmentation, frame, step_m, use_before, stack) for step_m in (NEAR_M, WIDE_M)]
        parts = cells(centres_m, _CELL_M)
        batches = [part[start : start + _BATCH] for part in parts for start in range(0, len(part), _BATCH)]
        for some in share.of(batches):
            with rasterio.Env(
                GDAL_CACHEMAX=WIDE_CACHE_BYTES
            ):  # both scales of both dates; not held while the caller works
                near, wide = (reader.read(centres_m[some]) for reader in readers)
            yield Pictures(some, near, wide)


class _Reader:
    """Pictures of one scale. Imagery coarser than it is read at its own GSD, and interpolated once."""

    def __init__(
        self,
        aligned: AlignedPair,
        segmentation: Segmentation,
        frame: LocalFrame,
        step_m: float,
        use_before: bool,
        stack: ExitStack,
    ) -> None:
        source = aligned.pair.after.grid
        grid = working_grid(source, max(step_m, source.gsd_m))
        self._ground = GroundMap(grid, source, frame)
        self._after = stack.enter_context(GridView(aligned.pair.after, grid))
        self._before = stack.enter_context(before_view(replace(aligned, working_grid=grid))) if use_before else None
        self._maps_ground = GroundMap(segmentation.grid, source, frame)
        self._maps = stack.enter_context(MapReader(segmentation))
        self._offsets = offsets_m(step_m)

    def read(self, centres_m: Float64Array) -> UInt8Array:
        """Pictures (n, CHANNELS, SIDE, SIDE)."""
        where = self._where(self._ground, centres_m)
        window = window_of(where)
        after, after_seen = interpolate(*self._after.read(window), window, where)
        before, before_seen = np.zeros_like(after), np.zeros_like(after_seen)
        if self._before is not None:
            before, before_seen = interpolate(*self._before.read(window), window, where)
        where = self._where(self._maps_ground, centres_m)
        window = window_of(where)
        found, valid = self._maps.read(window, MAPS)
        maps, _ = interpolate(np.dstack([found[channel] * 255 for channel in MAPS]), valid, window, where)
        dn = np.zeros((len(centres_m), CHANNELS, SIDE * SIDE), np.uint8)
        for first, values in ((0, after * after_seen[..., None]), (3, before * before_seen[..., None]), (6, maps)):
            dn[:, first : first + 3] = np.rint(np.clip(values, 0, 255)).transpose(0, 2, 1)
        dn[:, AFTER_SEEN], dn[:, BEFORE_SEEN] = 255 * after_seen, 255 * before_seen
        return dn.reshape(-1, CHANNELS, SIDE, SIDE)

    def _where(self, ground: GroundMap, centres_m: Float64Array) -> Float64Array:
        return points_around(ground.metres_to_working(centres_m), ground.pixels_per_metre(centres_m), self._offsets)
