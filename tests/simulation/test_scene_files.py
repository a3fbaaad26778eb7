from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS

from cv_pipeline.errors import CvPipelineError
from cv_pipeline.evaluation.truth import read_truth
from cv_pipeline.frame import local_frame
from cv_pipeline.simulation.ground import Material
from cv_pipeline.simulation.lookalikes.base import Lookalike
from cv_pipeline.simulation.recipe import read_recipe
from cv_pipeline.simulation.scene import AlignmentError, placed_strikes
from cv_pipeline.simulation.scene_files import (
    lookalike_features,
    polygon_feature,
    truth_features,
    write_features,
    write_image,
)
from cv_pipeline.simulation.scene_truth import scene_truth
from cv_pipeline.structures.file import read_structures
from cv_pipeline.types import Grid, Status

ROOT = Path(__file__).parents[2]
RECIPE, DATASET = ROOT / "scripts" / "kampala_strikes.yaml", ROOT / "datasets" / "kampala_strikes"


def shipped_grid(name: str) -> Grid:
    with rasterio.open(DATASET / name) as image:
        return Grid(image.height, image.width, image.transform, image.crs, image.res[0])


def test_written_truth_is_read_back(tmp_path: Path) -> None:
    grid = Grid(606, 916, Affine(0.25, 0, 454_788.25, 0, -0.25, 38_858.75), CRS.from_epsg(32636), 0.25)
    recipe = read_recipe(RECIPE, 7)
    strikes = placed_strikes(recipe.strikes, AlignmentError(0, 0, 0).matrix((606, 916)))
    truth = scene_truth(strikes, grid, ())
    write_features(tmp_path / "truth.geojson", truth_features(truth))
    read = read_truth(tmp_path / "truth.geojson")
    assert [(t.truth_id, t.row_px, t.status) for t in read] == [
        (p.strike_id, pytest.approx(p.strike.row_px), p.strike.status) for p in recipe.strikes
    ]
    assert read[0].distance_edge_m is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"strikes: []\n", "not a usable scene recipe .*sun"),
        (b"strikes: [\n", "is no YAML .*line 2"),
        (b"\xff\xfe\x00", "is no YAML"),
        (b"", "not a usable scene recipe"),
        (b"- 1\n", "not a usable scene recipe"),
        (b"strikes: [1]\n", "not a usable scene recipe"),
        (None, "cannot be read .*No such file"),
    ],
)
def test_a_bad_recipe_is_named(content: bytes | None, said: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "r.yaml").write_bytes(content)
    with pytest.raises(CvPipelineError, match=rf"r\.yaml: {said}"):
        read_recipe(tmp_path / "r.yaml", 7)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_images_are_lossless_and_placed(tmp_path: Path, dtype: type) -> None:
    grid = Grid(30, 40, Affine(0.5, 0, 500_000, 0, -0.5, 10_000), CRS.from_epsg(32636), 0.5)
    image = np.random.default_rng(0).integers(0, 256, (30, 40, 3)).astype(dtype)
    write_image(tmp_path / "a.tif", image, grid)
    with rasterio.open(tmp_path / "a.tif") as file:
        np.testing.assert_array_equal(file.read().transpose(1, 2, 0), image)
        assert file.transform == grid.transform and file.crs == grid.crs


def test_the_shipped_data_set_belongs_to_its_recipe() -> None:
    grid = shipped_grid("after.tif")
    assert shipped_grid("before.tif") == grid
    recipe = read_recipe(RECIPE, 7)
    structures = read_structures(DATASET / "structures.geojson", local_frame(grid)).structures
    strikes = placed_strikes(recipe.strikes, recipe.alignment.matrix((grid.height, grid.width)))
    expected = scene_truth(strikes, grid, structures)
    shipped = read_truth(DATASET / "truth.geojson")
    assert [(t.truth_id, t.row_px, t.col_px, t.distance_edge_m) for t in shipped] == [
        (t.strike_id, *(pytest.approx(v, abs=1e-3) for v in (t.row_px, t.col_px, t.distance_edge_m))) for t in expected
    ]
    assert [t.truth_id for t in shipped if t.status is Status.OLD] == ["T09"]
    assert sum(t.direction_deg is not None for t in shipped) == 2
    assert [p.strike_id for p in recipe.strikes if p.strike.material is Material.ROOF] == ["T02", "T06", "T10", "T12"]
    assert (
        (DATASET / "README.md").read_text().splitlines()[0].startswith("**The strikes in this data set are simulated")
    )


def test_vectors_lie_where_the_pixels_are() -> None:
    grid = Grid(30, 40, Affine(0.5, 0, 500_000, 0, -0.5, 10_000), CRS.from_epsg(32636), 0.5)
    corners = [(0.0, 0.0), (0.0, 40.0), (30.0, 40.0), (30.0, 0.0)]
    outline = polygon_feature(corners, grid, {"structure_id": "B1"})
    (thing,) = lookalike_features([Lookalike("pond", 15.0, 20.0, 3.0)], grid)
    ring = np.array(outline["geometry"]["coordinates"][0])
    assert np.ptp(ring, axis=0) * 111_300 == pytest.approx([20, 15], rel=0.01)
    np.testing.assert_allclose(thing["geometry"]["coordinates"], (ring[:-1].min(0) + ring[:-1].max(0)) / 2, atol=1e-7)
    assert lookalike_features([], grid) == []
