import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from rasterio.crs import CRS

from cv_pipeline.accuracy.assessed import assessed_region
from cv_pipeline.accuracy.null import random_points
from cv_pipeline.frame import local_frame
from cv_pipeline.segmentation.raster import SegmentationWriter
from cv_pipeline.types import Channel, Grid, ModelInfo, Segmentation, Window


def segmentation(tmp_path, valid, crs, transform):
    height, width = valid.shape
    grid = Grid(height, width, transform, crs, 0.5)
    path = tmp_path / "segmentation.tif"
    with SegmentationWriter.create(path, grid) as writer:
        values = {channel: np.zeros(valid.shape, dtype=np.float32) for channel in Channel}
        writer.write(Window(0, 0, height, width), values, valid)
    return Segmentation(path, grid, ModelInfo("m", "0", 0.5, 0.1, 1.0, 0.5), False, float(valid.mean()))


@pytest.mark.parametrize(
    ("crs", "transform"),
    [
        (None, Affine(0.5, 0, 0, 0, -0.5, 0)),
        (CRS.from_epsg(32633), Affine(0.5, 0, 500_000, 0, -0.5, 5_300_000)),
        (CRS.from_epsg(3857), Affine(0.8, 0, 20_037_000, 0, -0.8, -5_300_000)),  # up to the antimeridian
    ],
)
def test_masked_ground_is_left_out(tmp_path, crs, transform):
    valid = np.ones((200, 300), dtype=bool)
    valid[50:150, 100:200] = False
    found = segmentation(tmp_path, valid, crs, transform)
    frame = local_frame(found.grid)
    region = assessed_region(found, frame)
    corners = frame.pixel_to_metres(np.array([0.0, 0, 200, 200]), np.array([0.0, 300, 300, 0]))
    assert region.area / shapely.Polygon(corners).area == pytest.approx(5 / 6, rel=1e-3)
    rows, cols = frame.metres_to_pixel(random_points(region, 500, np.random.default_rng(0))).T
    assert valid[rows.astype(int).clip(0, 199), cols.astype(int).clip(0, 299)].all()


def test_no_imagery_is_no_ground(tmp_path):
    found = segmentation(tmp_path, np.zeros((40, 40), dtype=bool), None, Affine(1, 0, 0, 0, -1, 0))
    assert assessed_region(found, local_frame(found.grid)).is_empty


def test_a_large_raster_is_thinned(tmp_path):
    valid = np.zeros((3000, 16), dtype=bool)
    valid[:1500] = True
    found = segmentation(tmp_path, valid, None, Affine(0.5, 0, 0, 0, -0.5, 0))
    region = assessed_region(found, local_frame(found.grid))
    assert region.area == pytest.approx(1500 * 16 * 0.25, rel=0.01)
    with rasterio.open(found.path) as file:
        assert file.height == 3000
