from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS
from shapely import LineString, Point, Polygon

from cv_pipeline.errors import LabelsError
from cv_pipeline.training.labels import Label, label_planes, read_area, read_labels
from cv_pipeline.training.planes import Plane
from cv_pipeline.types import Float32Array, Grid, Window

UTM = Grid(200, 300, Affine(0.6, 0, 500_000, 0, -0.6, 5_300_000), CRS.from_epsg(32633), 0.6)
PLAIN = Grid(200, 300, Affine(0.6, 0, 0, 0, -0.6, 0), None, 0.6)
IMAGE = Path("scene.tif")
WINDOW = Window(10, 20, 64, 64)
Write = Callable[..., Path]

pytestmark = pytest.mark.filterwarnings("ignore:'crs' was not provided")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(
        geometries: list[object], crs: str | None = "EPSG:32633", name: str = "labels.gpkg", **columns: list
    ) -> Path:
        gpd.GeoDataFrame(columns, geometry=geometries, crs=crs).to_file(tmp_path / name)
        return tmp_path / name

    return write


def at(row_px: float, col_px: float) -> tuple[float, float]:
    """Map coordinates of a working pixel."""
    return 500_000 + 0.6 * col_px, 5_300_000 - 0.6 * row_px


def circle(row_px: float, col_px: float, radius_m: float) -> Polygon:
    return Point(at(row_px, col_px)).buffer(radius_m, quad_segs=64)


def test_points_and_outlines_of_another_crs_come_to_their_pixels(write: Write, tmp_path: Path) -> None:
    path = write([Point(at(40.5, 60.25)), circle(100, 200, 4.0)], crater_radius_m=[2.5, None], status=["new", "old"])
    other = tmp_path / "labels.geojson"
    gpd.read_file(path).to_crs("EPSG:4326").to_file(other)
    for file in (path, other):
        point, outline = read_labels(file, UTM, IMAGE)
        assert (point.row_px, point.col_px) == pytest.approx((40.5, 60.25), abs=1e-3)
        assert (point.radius_m, point.is_new, len(point.outline_px)) == (2.5, True, 0)
        assert (outline.row_px, outline.col_px) == pytest.approx((100, 200), abs=1e-3)
        assert outline.radius_m == pytest.approx(4.0, rel=1e-3)
        assert outline.is_new is False


def test_an_image_without_a_crs_takes_metres_from_its_corner(write: Write) -> None:
    path = write([Point(60.0, -30.0)], crs=None)
    (label,) = read_labels(path, PLAIN, IMAGE)
    assert (label.row_px, label.col_px) == pytest.approx((50, 100), abs=1e-6)
    assert label.radius_m is None


@pytest.mark.parametrize(
    ("geometries", "crs", "grid", "columns", "told"),
    [
        (
            [Point(at(40, 60)), Point(at(40, 400))],
            "EPSG:32633",
            UTM,
            {},
            r"1 of 2 labels lie outside scene\.tif.*column 400",
        ),
        ([Point(60, 40)], "EPSG:4326", UTM, {}, "none of its 1 labels"),
        ([Point(at(40, 60))], None, UTM, {}, "carries no CRS"),
        ([Point(60, -30)], "EPSG:32633", PLAIN, {}, "has no CRS"),
        ([LineString([at(1, 1), at(5, 5)])], "EPSG:32633", UTM, {}, "LineString"),
        ([Point(at(40, 60))], "EPSG:32633", UTM, {"radius_m": [-2.0]}, "radius of -2"),
        ([Point(at(40, 60))], "EPSG:32633", UTM, {"radius_m": [900.0]}, "radius of 900"),
        ([Point(at(40, 60))], "EPSG:32633", UTM, {"radius_m": ["big"]}, "no number"),
        ([Point(at(40, 60)), None], "EPSG:32633", UTM, {}, "feature 2 has no geometry"),
    ],
)
def test_labels_that_cannot_be_are_refused(
    write: Write, geometries: list[object], crs: str | None, grid: Grid, columns: dict[str, list], told: str
) -> None:
    with pytest.raises(LabelsError, match=told) as error:
        read_labels(write(geometries, crs, **columns), grid, IMAGE)
    assert "labels.gpkg" in str(error.value)


def test_missing_empty_and_ambiguous_files_are_refused(write: Write, tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match="no such file"):
        read_labels(tmp_path / "none.gpkg", UTM, IMAGE)
    (tmp_path / "empty.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    with pytest.raises(LabelsError, match=r"empty\.geojson"):
        read_labels(tmp_path / "empty.geojson", UTM, IMAGE)
    path = write([Point(at(40, 60))])
    gpd.GeoDataFrame(geometry=[circle(9, 9, 3)], crs="EPSG:32633").to_file(path, layer="other")
    with pytest.raises(LabelsError, match="name the one with the labels"):
        read_labels(path, UTM, IMAGE)
    (label,) = read_labels(Path(f"{path}:labels"), UTM, IMAGE)
    assert label.row_px == pytest.approx(40)


def test_an_area_is_polygons(write: Write) -> None:
    (ring,) = read_area(write([circle(50, 60, 6)]), UTM, IMAGE)
    np.testing.assert_allclose(ring.mean(axis=0), (50, 60), atol=0.5)
    with pytest.raises(LabelsError, match="polygons"):
        read_area(write([Point(at(1, 1))], name="points.gpkg"), UTM, IMAGE)


def planes_of(labels: list[Label], window: Window = WINDOW) -> dict[Plane, Float32Array]:
    known = np.ones((window.height, window.width), bool)
    known[:, -4:] = False
    truth = label_planes(labels, window, 0.6, known)
    return dict(zip(Plane, np.moveaxis(truth, -1, 0), strict=True))


def square(row_px: float, col_px: float, half_px: float) -> Label:
    corners = np.array([(-1, -1), (-1, 1), (1, 1), (1, -1)]) * half_px + (row_px, col_px)
    return Label(row_px, col_px, 2 * half_px * 0.6 / math.sqrt(math.pi), None, corners)


def test_an_outline_gives_mask_and_radius_where_it_was_drawn() -> None:
    found = planes_of([square(42, 52, 5)])
    expected = np.zeros((64, 64))
    expected[27:37, 27:37] = 1
    np.testing.assert_array_equal(found[Plane.CRATER], expected)
    assert np.unravel_index(found[Plane.CENTRE].argmax(), (64, 64)) in {(31, 31), (31, 32), (32, 31), (32, 32)}
    assert set(np.unique(found[Plane.CRATER_RADIUS_M])) == {np.float32(0), np.float32(6 / math.sqrt(math.pi))}
    assert np.isnan(found[Plane.NEW]).all()
    assert (found[Plane.VISIBLE][:, -4:] == 0).all()
    assert (found[Plane.VISIBLE][:, :-4] == 1).all()


def test_a_point_with_a_radius_is_a_disc_and_tells_its_age() -> None:
    found = planes_of([Label(42, 52, 3.0, True, np.zeros((0, 2)))])
    assert found[Plane.CRATER].sum() * 0.36 == pytest.approx(math.pi * 9, rel=0.05)
    assert (found[Plane.NEW][found[Plane.CRATER] == 1] == 1).all()
    assert np.isnan(found[Plane.NEW][found[Plane.CRATER] == 0]).all()


def test_a_point_without_a_radius_trains_its_centre_and_leaves_the_mask_open() -> None:
    found = planes_of([Label(42, 52, None, None, np.zeros((0, 2))), Label(42, 60, 2.0, None, np.zeros((0, 2)))])
    rows, cols = np.mgrid[10:74, 20:84] + 0.5
    open_px = np.isnan(found[Plane.CRATER])
    far = np.hypot(rows - 42, cols - 52) * 0.6 > 10
    known_crater = np.hypot(rows - 42, cols - 60) * 0.6 <= 2
    np.testing.assert_array_equal(open_px, ~far & ~known_crater)
    assert (found[Plane.CRATER][known_crater] == 1).all()
    assert not found[Plane.CRATER_RADIUS_M][np.hypot(rows - 42, cols - 52) < 3].any()
    assert (found[Plane.CENTRE] >= 0.86).sum() >= 2


def test_what_labels_do_not_tell_is_never_trained() -> None:
    found = planes_of([square(42, 52, 5)])
    for plane in (Plane.BLAST, Plane.SECONDARY, Plane.STRUCTURE, Plane.AXIS_RIGHT, Plane.AXIS_UP):
        assert np.isnan(found[plane]).all()
    for plane in (Plane.BLAST_RADIUS_M, Plane.STRUCTURE_KNOWN):
        assert not found[plane].any()


def test_a_crater_beyond_the_border_reaches_in_and_a_far_one_does_not() -> None:
    near, far = Label(5, 52, 6.0, None, np.zeros((0, 2))), Label(300, 300, 6.0, None, np.zeros((0, 2)))
    found = planes_of([near, far])
    rows, cols = np.mgrid[10:74, 20:84] + 0.5
    np.testing.assert_array_equal(found[Plane.CRATER] == 1, np.hypot(rows - 5, cols - 52) * 0.6 <= 6)
    assert found[Plane.CRATER].any()
    assert not np.concatenate([planes_of([far])[Plane.CRATER], planes_of([far])[Plane.CENTRE]]).any()
