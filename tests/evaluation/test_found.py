"""Detections of any tool: what may stand in the file, and what is said of one that cannot be used."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cv_pipeline.datasets.scene import DataScene
from cv_pipeline.errors import ConfigError
from cv_pipeline.evaluation.found import Found, edges_px, read_found, write_found
from tests.datasets.factories import image

SCENES = [DataScene("a", "a", "", Path("a.tif"), gsd_m=0.5), DataScene("b", "b", "", Path("b.tif"), gsd_m=0.5)]


def test_written_and_read_back(tmp_path: Path) -> None:
    numbers = {"crater_radius_m": np.array([2.0, np.nan]), "direction_deg": np.array([np.nan, 90.0])}
    found = {
        "a": Found(
            np.array([[3.0, 4.5], [1.0, 2.0]]), np.array([0.5, 0.25]), numbers, {"status": np.array(["new", ""])}
        )
    }
    write_found(tmp_path / "d.csv", found)
    back = read_found(tmp_path / "d.csv", SCENES)
    assert set(back) == {"a"}
    np.testing.assert_allclose(back["a"].at_px, found["a"].at_px)
    np.testing.assert_allclose(back["a"].number("crater_radius_m"), [2.0, np.nan])
    assert back["a"].texts["status"].tolist() == ["new", ""]
    assert np.isnan(back["a"].number("blast_radius_m")).all()


def test_old_column_name_and_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_bytes(b"\xef\xbb\xbffield,col_px,row_px,score\r\nb,1,2,0.5\r\n")
    assert read_found(tmp_path / "d.csv", SCENES)["b"].at_px.tolist() == [[2.0, 1.0]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("scene,col_px,score\na,1,1\n", "row_px"),
        ("scene,col_px,row_px,score\na,x,1,1\n", "numbers"),
        ("scene,col_px,row_px,score\na,nan,1,1\n", "finite"),
        ("scene,col_px,row_px,score\nz,1,1,1\n", "'z'"),
        ("col_px,row_px,score\n1,1,1\n", "no scene"),
    ],
)
def test_bad_files(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_found(tmp_path / "d.csv", SCENES)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_found(tmp_path / "nothing.csv", SCENES)


def test_geojson_in_degrees(tmp_path: Path) -> None:
    from pyproj import Transformer

    scene = DataScene("a", "a", "", image(tmp_path / "a.tif", 3, "EPSG:32648", (700_000.0, 1_850_000.0)))
    to_degrees = Transformer.from_crs("EPSG:32648", "EPSG:4326", always_xy=True).transform
    corners = [
        to_degrees(700_000.0 + x, 1_850_000.0 - y) for x, y in ((20, 30), (28, 30), (28, 40), (20, 40), (20, 30))
    ]
    features = [
        {
            "type": "Feature",
            "properties": {"scene": "a", "score": 0.9},
            "geometry": {"type": "Polygon", "coordinates": [corners]},
        },
        {
            "type": "Feature",
            "properties": {"scene": "a", "score": 0.8},
            "geometry": {"type": "Point", "coordinates": corners[0]},
        },
    ]
    (tmp_path / "d.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    found = read_found(tmp_path / "d.geojson", [scene])["a"]
    np.testing.assert_allclose(found.at_px, [[35, 24], [30, 20]], atol=0.01)
    edges = edges_px(found, 1.0)
    assert edges[1] is None
    np.testing.assert_allclose(edges[0].min(axis=0), [30, 20], atol=0.01)  # type: ignore[union-attr]


def test_outline_is_the_best_that_is_stated() -> None:
    numbers = {
        "crater_radius_m": np.array([2.0, 2.0, np.nan, np.nan]),
        "crater_semi_major_m": np.array([3.0, np.nan, np.nan, np.nan]),
        "crater_semi_minor_m": np.array([1.0, np.nan, np.nan, np.nan]),
        "crater_axis_deg": np.array([90.0, np.nan, np.nan, np.nan]),
        "width_px": np.array([9.0, 9.0, 12.0, np.nan]),
        "height_px": np.array([9.0, 9.0, 4.0, np.nan]),
    }
    edges = edges_px(Found(np.full((4, 2), 50.0), np.ones(4), numbers), 0.5)
    sizes = [None if edge is None else np.ptp(edge, axis=0) for edge in edges]  # (rows, cols)
    np.testing.assert_allclose(sizes[0], [4, 12], rtol=1e-3)  # the ellipse: its long axis lies east to west
    np.testing.assert_allclose(sizes[1], [8, 8], rtol=1e-3)
    np.testing.assert_allclose(sizes[2], [4, 12], rtol=1e-3)
    assert sizes[3] is None
