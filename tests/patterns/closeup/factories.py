"""Scenes with bright dots planted at known places on the ground, and the pictures and networks that look at them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
import torch
from affine import Affine
from pyproj import Geod, Transformer
from rasterio.crs import CRS

from cv_pipeline.config import AssessConfig
from cv_pipeline.frame import LocalFrame
from cv_pipeline.imagery.pair import open_pair
from cv_pipeline.patterns.closeup.network import CloseUpNet
from cv_pipeline.patterns.closeup.pictures import CHANNELS, SIDE
from cv_pipeline.types import AlignedPair, Float64Array, Gate, Grid, Registration, Segmentation, UInt8Array
from tests.patterns.planted import Plant, source_grid, working_grid, write_scene

GROUND_DN, DOT_DN = 60.0, 150.0
AFTER, BEFORE, MAPS, SEEN = slice(0, 3), slice(3, 6), slice(6, 9), slice(9, 11)
"""Channels of a picture; of the maps the first is the centres'."""


@dataclass(frozen=True)
class Scene:
    """What :func:`read_pictures` needs. All positions are pixels (row, col) of the after image."""

    aligned: AlignedPair
    segmentation: Segmentation
    frame: LocalFrame

    @property
    def grid(self) -> Grid:
        return self.aligned.pair.after.grid

    def metres(self, *at_px: tuple[float, float]) -> Float64Array:
        rows, cols = np.array(at_px, dtype=float).reshape(-1, 2).T
        return self.frame.pixel_to_metres(rows, cols)


def grid_of(kind: str, gsd_m: float, side_m: float = 66.0) -> Grid:
    """A square after image: 'none', 'utm' or 'rotated' as elsewhere, 'lonlat' (degrees) or 'mirrored' (south up)."""
    side = round(side_m / gsd_m)
    if kind in ("none", "utm", "rotated"):
        return source_grid(kind, side, side, gsd_m)
    if kind == "mirrored":
        return Grid(side, side, Affine(gsd_m, 0, 450000.0, 0, gsd_m, 5300000.0), CRS.from_epsg(32636), gsd_m)
    lon, lat = 32.4, 47.8
    east, north = (Geod(ellps="WGS84").fwd(lon, lat, way, gsd_m)[k] for k, way in enumerate((90, 0)))
    return Grid(side, side, Affine(east - lon, 0, lon, 0, lat - north, lat), CRS.from_epsg(4326), gsd_m)


def away(grid: Grid, at_px: tuple[float, float], east_m: float, north_m: float) -> tuple[float, float]:
    """The pixel so many metres east and north of another, by geodesics and not by the package's own frame."""
    row, col = at_px
    if grid.crs is None:
        return row - north_m / grid.gsd_m, col + east_m / grid.gsd_m
    to_lonlat = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    lon, lat = to_lonlat.transform(*(grid.transform @ (col, row)))
    azimuth, reach_m = np.rad2deg(np.arctan2(east_m, north_m)), np.hypot(east_m, north_m)
    x, y = to_lonlat.transform(*Geod(ellps="WGS84").fwd(lon, lat, azimuth, reach_m)[:2], direction="INVERSE")
    col, row = ~grid.transform @ (x, y)
    return row, col


def dotted(grid: Grid, *dots_px: tuple[float, float], sd_m: float = 0.8) -> UInt8Array:
    """Dark ground with soft bright dots."""
    rows, cols = np.indices((grid.height, grid.width)) + 0.5
    image = np.full((grid.height, grid.width), GROUND_DN)
    for row, col in dots_px:
        sd_px = max(sd_m / grid.gsd_m, 0.7)
        image += DOT_DN * np.exp(-0.5 * ((rows - row) ** 2 + (cols - col) ** 2) / sd_px**2)
    return np.repeat(image[..., None].clip(0, 255), 3, axis=2).astype(np.uint8)


def make_scene(
    folder: Path,
    grid: Grid,
    after: UInt8Array,
    before: UInt8Array | None = None,
    *,
    peaks_px: tuple[tuple[float, float], ...] = (),
    matrix: Float64Array | None = None,
    nodata: int | None = None,
) -> Scene:
    """Files of both images and of maps with a peak at each of ``peaks_px``; ``matrix`` registers the before image."""
    paths = {name: _write(folder / f"{name}.tif", image, grid, nodata) for name, image in
             (("after", after), ("before", before)) if image is not None}  # fmt: skip
    pair = open_pair(paths.get("before"), paths["after"], AssessConfig(gsd_m=grid.gsd_m if grid.crs is None else None))
    plants = [Plant(row, col, score=0.9) for row, col in peaks_px]
    segmentation, frame = write_scene(folder / "maps.tif", pair.after.grid, plants)
    known = np.eye(2, 3) if matrix is None else matrix
    found = Registration(known, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0, 0, Gate.PASS, "planted")
    aligned = AlignedPair(pair, working_grid(pair.after.grid, 0.5), None if before is None else found)
    return Scene(aligned, segmentation, frame)


def _write(path: Path, image: UInt8Array, grid: Grid, nodata: int | None) -> Path:
    profile = {"driver": "GTiff", "height": grid.height, "width": grid.width, "count": 3, "dtype": "uint8"}
    if grid.crs is not None:
        profile |= {"crs": grid.crs, "transform": grid.transform}
    with rasterio.open(path, "w", **profile, nodata=nodata) as file:
        file.write(np.moveaxis(image, -1, 0))
    return path


def random_pictures(count: int, seed: int = 0) -> tuple[UInt8Array, UInt8Array]:
    """Near and wide pictures (count, CHANNELS, SIDE, SIDE) of noise, both dates seen everywhere."""
    both = np.random.default_rng(seed).integers(40, 200, (2, count, CHANNELS, SIDE, SIDE)).astype(np.uint8)
    both[:, :, SEEN] = 255
    return both[0], both[1]


def lively_net(seed: int = 0) -> CloseUpNet:
    """An untrained network whose running statistics are not those of its birth, ready for inference."""
    torch.manual_seed(seed)
    net = CloseUpNet()
    for part in net.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(part.running_mean, 0, 0.3)
            torch.nn.init.uniform_(part.running_var, 0.5, 2.0)
            torch.nn.init.uniform_(part.weight, 0.5, 1.5)
            torch.nn.init.normal_(part.bias, 0, 0.3)
    for part in net.join:
        if isinstance(part, torch.nn.Linear):  # loud enough that answers differ from picture to picture
            torch.nn.init.normal_(part.weight, 0, 3 * part.in_features**-0.5)
    return net.eval()
