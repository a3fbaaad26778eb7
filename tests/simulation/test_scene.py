from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from affine import Affine
from rasterio.crs import CRS

from cv_pipeline.frame import local_frame
from cv_pipeline.simulation.ground import Material
from cv_pipeline.simulation.light import Sun
from cv_pipeline.simulation.scene import AlignmentError, PlannedStrike, SceneRecipe, simulate_scene
from cv_pipeline.simulation.scene_files import Scene
from cv_pipeline.simulation.sensor import Sensor
from cv_pipeline.simulation.strike import ColourDelta, Strike, StrikeStatus
from cv_pipeline.simulation.vehicles import Vehicle
from cv_pipeline.types import Grid, Structure, StructureKind
from tests.conftest import texture

GSD_M = 0.25
GRID = Grid(160, 200, Affine(GSD_M, 0, 454_788.25, 0, -GSD_M, 38_858.75), CRS.from_epsg(32636), GSD_M)
SENSOR = Sensor((1.0, 1.0, 1.0), (0.0, 0.0, 0.0), 1.0, 1.0, 0.2, 0.0, 0.0, None, 1)
CORE = ColourDelta(-70, -70, -70)
NEW = PlannedStrike("T01", Strike(40.5, 150.5, 2.0, CORE, depth_ratio=0, rim_ratio=0, raggedness=0))
OLD = PlannedStrike("T02", replace(NEW.strike, row_px=110.0, col_px=60.0, status=StrikeStatus.OLD))
RECIPE = SceneRecipe((NEW, OLD), Sun(320, 60), SENSOR, SENSOR, AlignmentError(-2.4, 3.6, 1.5), ground_change=0.0)
STILL = AlignmentError(0, 0, 0)


def flat() -> np.ndarray:
    return np.full((160, 200, 3), 150, np.float32)


def simulate(recipe: SceneRecipe = RECIPE, seed: int = 7, structures: tuple[Structure, ...] = ()) -> Scene:
    return simulate_scene(flat(), GRID, recipe, structures, seed)


def dark_centroid_px(image: np.ndarray, row: float, col: float) -> tuple[float, float]:
    top, left = int(row) - 20, int(col) - 20
    weight = np.clip(150 - image[top : top + 40, left : left + 40].mean(axis=2) - 2, 0, None)
    rows, cols = np.indices(weight.shape) + 0.5
    return float((rows * weight).sum() / weight.sum() + top), float((cols * weight).sum() / weight.sum() + left)


def test_the_same_seed_gives_the_same_arrays() -> None:
    background = texture(160, 200).astype(np.float32)
    recipe = replace(RECIPE, ground_change=0.03)
    first, second, other = (simulate_scene(background, GRID, recipe, (), seed) for seed in (7, 7, 8))
    np.testing.assert_array_equal(first.before, second.before)
    np.testing.assert_array_equal(first.after, second.after)
    assert first.strikes == second.strikes == other.strikes
    assert not np.array_equal(first.after, other.after)
    np.testing.assert_array_equal(background, texture(160, 200).astype(np.float32))  # the input is left alone


def test_truth_pixels_are_where_the_after_image_shows_the_strikes() -> None:
    scene = simulate()
    old = scene.strikes[1]  # without debris, so its centroid is exact
    assert dark_centroid_px(scene.after, old.row_px, old.col_px) == pytest.approx((old.row_px, old.col_px), abs=0.1)
    assert np.hypot(old.row_px - 110.0, old.col_px - 60.0) > 2.0


def test_old_strikes_are_in_both_images_and_new_ones_in_one() -> None:
    scene = simulate()
    assert scene.before[110, 60].mean() < 100 and scene.before[40, 150].mean() > 145
    new = scene.strikes[0]
    assert scene.after[int(new.row_px), int(new.col_px)].mean() < 100
    assert [row.status for row in scene.strikes] == [StrikeStatus.NEW, StrikeStatus.OLD]


def test_places_and_distances_belong_to_the_planned_place() -> None:
    frame = local_frame(GRID)
    x_m, y_m = frame.pixel_to_metres(np.array([40.5]), np.array([150.5]))[0]
    near = Structure("K001", StructureKind.BUILDING, shapely.box(x_m + 5, y_m - 2, x_m + 9, y_m + 2))
    far = Structure("K002", StructureKind.BUILDING, shapely.box(x_m - 30, y_m - 2, x_m - 20, y_m + 2))
    row = simulate(structures=(far, near)).strikes[0]
    assert (row.x, row.y) == pytest.approx((454_788.25 + 150.5 * GSD_M, 38_858.75 - 40.5 * GSD_M))
    assert (row.structure_id, row.distance_edge_m, row.distance_centre_m) == (
        "K001",
        pytest.approx(5),
        pytest.approx(7),
    )
    assert (row.lon_deg, row.lat_deg) == pytest.approx((32.594, 0.3515), abs=2e-3)


def test_direction_is_from_true_north() -> None:
    cone = replace(NEW.strike, blast_radius_m=4, cone_azimuth_deg=90.0, cone_length_m=9)
    north = Grid(160, 200, Affine(GSD_M, 0, 700_000, 0, -GSD_M, 5_500_000), CRS.from_epsg(32636), GSD_M)
    recipe = replace(RECIPE, strikes=(replace(NEW, strike=cone),))
    direction = simulate_scene(flat(), north, recipe, (), 7).strikes[0].direction_deg
    assert direction == pytest.approx(
        90 + 2.8 * np.sin(np.deg2rad(49.6)), abs=0.1
    )  # convergence at 2.8 deg from the meridian
    assert simulate().strikes[0].direction_deg is None and simulate().strikes[0].blast_radius_m is None


def test_vehicles_are_on_the_after_image_only_and_listed() -> None:
    still = replace(RECIPE, strikes=(), alignment=STILL)
    scene = simulate(replace(still, vehicles=(Vehicle("van", 80, 100, 90, 4.4, 1.8, 1.5, (250, 20, 20)),)))
    assert scene.after[80, 97, 0] > 200 and scene.after[80, 97, 1] < 40
    assert (scene.before == 150).all()
    assert [(thing.kind, thing.row_px, thing.col_px) for thing in scene.lookalikes] == [("van", 80, 100)]


def house(row_px: float, col_px: float, half_m: float = 6.0) -> Structure:
    x_m, y_m = local_frame(GRID).pixel_to_metres(np.array([row_px]), np.array([col_px]))[0]
    outline = shapely.box(x_m - half_m, y_m - half_m, x_m + half_m, y_m + half_m)
    return Structure("K001", StructureKind.BUILDING, outline)


def test_a_hit_roof_breaks_and_stays_as_it_was_elsewhere() -> None:
    hit = PlannedStrike("T01", replace(NEW.strike, row_px=80.5, col_px=100.5, material=Material.ROOF, ray_seed=807))
    recipe = replace(RECIPE, strikes=(hit,), alignment=STILL)
    scene = simulate(recipe, structures=(house(80.5, 100.5),))
    assert (scene.before == 150).all()  # a house that stands brings no second shadow to real imagery
    changed = np.abs(scene.after.astype(int) - 150).max(axis=2) > 60
    rows, cols = np.nonzero(changed)
    assert np.hypot(rows.mean() + 0.5 - 80.5, cols.mean() + 0.5 - 100.5) < 8
    assert scene.strikes[0].distance_edge_m == 0 and scene.strikes[0].surface == "roof"


def test_pavement_breaks_where_the_recipe_says_it_is_one() -> None:
    paved = replace(NEW, strike=replace(NEW.strike, material=Material.ASPHALT))
    scenes = [simulate(replace(RECIPE, strikes=(planned,), alignment=STILL)).after for planned in (NEW, paved)]
    assert not np.array_equal(*scenes)


def test_without_structures_or_crs_the_unknown_is_none() -> None:
    plain = Grid(160, 200, Affine(GSD_M, 0, 0, 0, -GSD_M, 0), None, GSD_M)
    row = simulate_scene(flat(), plain, RECIPE, (), 7).strikes[0]
    assert row.lon_deg is row.lat_deg is row.structure_id is row.distance_edge_m is None


def test_misfits_are_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        simulate_scene(flat()[:100], GRID, RECIPE, (), 7)
    outside = replace(NEW, strike=NEW.strike.at(-1.0, 5.0))
    with pytest.raises(ValueError, match="T01 lies outside"):
        simulate(replace(RECIPE, strikes=(outside,)))
