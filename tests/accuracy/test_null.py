import numpy as np
import pytest
import shapely
from scipy import stats

from cv_pipeline.accuracy import null
from cv_pipeline.accuracy.matched import Settings, summarise_matches
from cv_pipeline.accuracy.null import null_model, random_points
from cv_pipeline.accuracy.region import assumed_region
from cv_pipeline.matching import index_structures, match_points, nearest
from cv_pipeline.types import Structure, StructureKind

REGION = shapely.Polygon([(0, 0), (400, 0), (400, 200), (200, 200), (200, 400), (0, 400)])


def town(spacing_m, side_m=400, house_m=10):
    corners = np.arange(0, side_m, spacing_m)
    boxes = [shapely.box(x, y, x + house_m, y + house_m) for x in corners for y in corners]
    return [Structure(f"S{i}", StructureKind.BUILDING, box) for i, box in enumerate(boxes)]


def edge_measure(structures):
    index = index_structures(structures)
    return lambda points: nearest(points, index).first_edge_m


def test_random_points_are_uniform_over_the_region():
    points = random_points(REGION, 6000, np.random.default_rng(0))
    assert shapely.contains_xy(REGION, points[:, 0], points[:, 1]).all()
    arm = (points[:, 0] > 200).mean()
    assert arm == pytest.approx(1 / 3, abs=0.02)


def test_rank_is_uniform_when_impacts_are_random(monkeypatch):
    monkeypatch.setattr(null, "POOL_SIZE", 1000)
    measure = edge_measure(town(40))
    rng = np.random.default_rng(3)
    ranks = [
        null_model(measure(random_points(REGION, 8, rng)), measure, REGION, draws=199, confidence=0.95, seed=s).rank
        for s in range(1000, 1150)
    ]
    assert stats.kstest(ranks, "uniform").pvalue > 0.01
    assert np.mean(np.array(ranks) <= 0.05) <= 0.09
    assert min(ranks) > 0


def test_rank_of_the_likely_aim_point_is_uniform_too(monkeypatch):
    """The choice among hypotheses favours short distances; its null makes the same choice."""
    monkeypatch.setattr(null, "POOL_SIZE", 400)
    structures = town(50, 400)
    rng = np.random.default_rng(4)
    ranks = []
    for seed in range(40):
        points = random_points(REGION, 6, rng)
        matches = match_points([str(i) for i in range(6)], points, [1.0] * 6, index_structures(structures))
        settings = Settings(bootstrap_draws=100, seed=seed)
        found = summarise_matches(matches, structures, region_m=REGION, settings=settings, null_draws=99)
        ranks.append(found[0].null_model.rank)
    assert stats.kstest(ranks, "uniform").pvalue > 0.01


def test_random_points_fill_scraps_evenly():
    """A clouded scene: two far scraps and a hole; the triangulation neither rejects nor favours."""
    holed = shapely.box(0, 0, 10, 10).difference(shapely.box(2, 2, 8, 8))
    region = shapely.union_all([holed, shapely.box(10_000, 10_000, 10_004, 10_004)])
    points = random_points(region, 20_000, np.random.default_rng(1))
    assert shapely.covers(region.buffer(1e-9), shapely.points(points)).all()
    assert (points[:, 0] > 5000).mean() == pytest.approx(16 / 80, abs=0.01)


def test_a_far_miss_in_a_town_is_not_told_from_chance():
    """Houses 40 m apart: aim at houses, miss by hundreds of metres, and the distance still looks small."""
    structures = town(40, 2000)
    rng = np.random.default_rng(5)
    points = np.array([805.0, 805.0]) + rng.normal(0, 300, (12, 2))
    summaries = matched(points, structures, shapely.box(0, 0, 2000, 2000))
    assert summaries[2].mean_m < 15
    assert "cannot be told from chance" in summaries[0].statement
    assert "cannot be told from chance" in summaries[2].statement


def test_hits_on_lone_houses_are_told_from_chance():
    structures = town(200, 2000)
    rng = np.random.default_rng(6)
    points = np.array([s.geometry_m.centroid.coords[0] for s in structures[:12]]) + rng.normal(0, 5, (12, 2))
    likely, less_likely, edge, centre = matched(points, structures, shapely.box(0, 0, 2000, 2000))
    assert less_likely.mean_m > 150  # the next house, not the impact's own spot
    for summary in (likely, edge, centre):
        assert summary.null_model.rank <= 0.05
        assert "nearer to the structures than chance" in summary.statement


def matched(points, structures, region):
    ids = [str(i) for i in range(len(points))]
    matches = match_points(ids, points, [1.0] * len(points), index_structures(structures))
    return summarise_matches(
        matches, structures, region_m=region, null_draws=400, settings=Settings(bootstrap_draws=200)
    )


def test_assumed_region_does_not_make_random_impacts_look_aimed():
    """A town in one corner of open ground; random impacts may rank below 5 % only about that often."""
    houses = [*town(40, 400), Structure("far", StructureKind.BUILDING, shapely.box(990, 990, 1000, 1000))]
    measure = edge_measure(houses)
    rng = np.random.default_rng(8)
    low = 0
    for trial in range(40):
        points = rng.uniform(0, 1000, (10, 2))
        distances = measure(points)
        region = assumed_region(points, houses, distances.max())
        low += null_model(distances, measure, region, draws=200, confidence=0.95, seed=trial).rank <= 0.05
    assert low <= 5


def test_nothing_to_compare():
    measure = edge_measure(town(40))
    flat = shapely.Polygon([(0, 0), (1, 0), (2, 0)])
    assert null_model(np.array([]), measure, REGION, draws=10, confidence=0.9, seed=0) is None
    assert null_model(np.array([1.0]), measure, flat, draws=10, confidence=0.9, seed=0) is None
    assert [s.n for s in summarise_matches((), (), region_m=REGION)] == [0, 0, 0, 0]
