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
from cv_pipeline.simulation.scene import AlignmentError, scene_truth
from cv_pipeline.simulation.scene_files import read_recipe, truth_features, write_features, write_rgb
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
    truth = scene_truth(recipe.strikes, grid, AlignmentError(0, 0, 0).matrix((606, 916)), ())
    write_features(tmp_path / "truth.geojson", truth_features(truth))
    read = read_truth(tmp_path / "truth.geojson")
    assert [(t.truth_id, t.row_px, t.status) for t in read] == [
        (p.strike_id, pytest.approx(p.strike.row_px), p.strike.status) for p in recipe.strikes
    ]
    assert read[0].distance_edge_m is None


def test_a_bad_recipe_is_named(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("strikes: []\n")
    with pytest.raises(CvPipelineError, match=r"r\.yaml.*before_sun"):
        read_recipe(tmp_path / "r.yaml", 7)


def test_rgb_is_lossless_and_placed(tmp_path: Path) -> None:
    grid = Grid(30, 40, Affine(0.5, 0, 500_000, 0, -0.5, 10_000), CRS.from_epsg(32636), 0.5)
    image = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    write_rgb(tmp_path / "a.tif", image, grid)
    with rasterio.open(tmp_path / "a.tif") as file:
        np.testing.assert_array_equal(file.read().transpose(1, 2, 0), image)
        assert file.transform == grid.transform and file.crs == grid.crs


def test_the_shipped_data_set_belongs_to_its_recipe() -> None:
    grid = shipped_grid("after.tif")
    assert shipped_grid("before.tif") == grid
    recipe = read_recipe(RECIPE, 7)
    structures = read_structures(DATASET / "structures.geojson", local_frame(grid)).structures
    expected = scene_truth(recipe.strikes, grid, recipe.alignment.matrix((grid.height, grid.width)), structures)
    shipped = read_truth(DATASET / "truth.geojson")
    assert [(t.truth_id, t.row_px, t.col_px, t.distance_edge_m) for t in shipped] == [
        (t.strike_id, *(pytest.approx(v, abs=1e-3) for v in (t.row_px, t.col_px, t.distance_edge_m))) for t in expected
    ]
    assert [t.truth_id for t in shipped if t.status is Status.OLD] == ["T09"]
    assert sum(t.direction_deg is not None for t in shipped) == 2
    assert (
        (DATASET / "README.md").read_text().splitlines()[0].startswith("**The strikes in this data set are simulated")
    )
