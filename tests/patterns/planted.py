"""Segmentations with planted craters, written to disk as the network would."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from affine import Affine
from rasterio.crs import CRS

from cv_pipeline.frame import LocalFrame, local_frame
from cv_pipeline.patterns.ground import GroundMap
from cv_pipeline.segmentation.raster import SegmentationWriter
from cv_pipeline.types import Channel, Grid, ModelInfo, Segmentation, Window

MODEL = ModelInfo("test", "0" * 64, 0.5, 0.2, 1.1, 0.3)
ORIGIN_UTM = (450000.0, 5300000.0)


@dataclass(frozen=True)
class Plant:
    """One impact. A cone adds a fan of ``cone_length_m`` and half width 35 degrees, and ``axis`` to the axis maps."""

    row_px: float
    col_px: float
    crater_m: float = 3.0
    blast_m: float = 0.0
    azimuth_deg: float | None = None
    cone_length_m: float = 0.0
    axis: float = 0.7
    score: float = 0.9
    new: float = 0.9


def source_grid(kind: str, height: int = 600, width: int = 700, gsd_m: float = 0.3) -> Grid:
    """The after image's grid: 'none' (no CRS), 'utm', or 'rotated' (UTM, rows 30 degrees off)."""
    if kind == "none":
        return Grid(height, width, Affine(gsd_m, 0, 0, 0, -gsd_m, 0), None, gsd_m)
    angle = np.deg2rad(30 if kind == "rotated" else 0)
    c, s = gsd_m * np.cos(angle), gsd_m * np.sin(angle)
    return Grid(height, width, Affine(c, s, ORIGIN_UTM[0], s, -c, ORIGIN_UTM[1]), CRS.from_epsg(32636), gsd_m)


def working_grid(source: Grid, gsd_m: float) -> Grid:
    """The same extent and origin at another GSD."""
    scale = gsd_m / source.gsd_m
    height, width = int(np.ceil(source.height / scale)), int(np.ceil(source.width / scale))
    return Grid(height, width, source.transform @ Affine.scale(scale), source.crs, gsd_m)


def write_scene(
    path: Path,
    source: Grid,
    plants: list[Plant],
    *,
    gsd_m: float = 0.5,
    invalid: Window | None = None,
    before: bool = True,
) -> tuple[Segmentation, LocalFrame]:
    """Draw ``plants`` (after-image pixels) on the working grid, exactly, and write the file."""
    working = working_grid(source, gsd_m)
    ground = GroundMap(working, source, local_frame(source))
    shape = (working.height, working.width)
    layers = {channel: np.zeros(shape, dtype=np.float32) for channel in Channel}
    centres_m = ground.frame.pixel_to_metres(
        np.array([p.row_px for p in plants] or [0.0]), np.array([p.col_px for p in plants] or [0.0])
    )
    rows, cols = np.indices(shape)
    at_m = ground.working_to_metres(np.column_stack([rows.ravel() + 0.5, cols.ravel() + 0.5])).reshape(*shape, 2)
    for plant, centre in zip(plants, centres_m, strict=False):
        _draw(layers, at_m - centre, plant, gsd_m)
    valid = np.ones(shape, dtype=bool)
    if invalid is not None:
        valid[invalid.row : invalid.row + invalid.height, invalid.col : invalid.col + invalid.width] = False
    with SegmentationWriter.create(path, working) as writer:
        writer.write(Window(0, 0, *shape), layers, valid)
    return Segmentation(path, working, MODEL, before, float(valid.mean())), ground.frame


def _draw(layers: dict[Channel, np.ndarray], offset_m: np.ndarray, plant: Plant, gsd_m: float) -> None:
    distance = np.hypot(offset_m[..., 0], offset_m[..., 1])
    azimuth = np.arctan2(offset_m[..., 0], offset_m[..., 1])
    reach = np.full(distance.shape, plant.blast_m)
    if plant.azimuth_deg is not None:
        off_axis = np.angle(np.exp(1j * (azimuth - np.deg2rad(plant.azimuth_deg))))
        reach = np.where(np.abs(off_axis) <= np.deg2rad(35), plant.cone_length_m, reach)
    for channel, edge in ((Channel.CRATER, np.full(distance.shape, plant.crater_m)), (Channel.BLAST, reach)):
        # Area sampling softens an edge over one pixel.
        soft = np.where(edge > 0, np.clip(0.5 + (edge - distance) / gsd_m, 0, 1), 0)
        np.maximum(layers[channel], soft, out=layers[channel])
    np.maximum(layers[Channel.CENTRE], plant.score * np.exp(-0.5 * distance**2), out=layers[Channel.CENTRE])
    near = distance <= max(plant.crater_m, 1.5)
    layers[Channel.NEW][near] = plant.new
    layers[Channel.CRATER_RADIUS_M][near] = plant.crater_m
    layers[Channel.BLAST_RADIUS_M][near] = plant.blast_m
    if plant.azimuth_deg is not None:
        turn = np.deg2rad(plant.azimuth_deg)
        right, up = offset_m[0, 1] - offset_m[0, 0], offset_m[0, 0] - offset_m[1, 0]
        for channel, axis in ((Channel.AXIS_RIGHT, right), (Channel.AXIS_UP, up)):
            layers[channel][near] = plant.axis * (axis @ [np.sin(turn), np.cos(turn)]) / np.hypot(*axis)
