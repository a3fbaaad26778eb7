import math

import numpy as np
import pytest
import shapely

from cv_pipeline.matching import index_structures, match_impacts, match_points
from cv_pipeline.matching.match import ambiguity
from cv_pipeline.matching.uncertainty import CE90_PER_SD, error_budget
from cv_pipeline.types import Impact, PatternKind, Status, Structure, StructureKind


def impact_at(x_m, y_m, centre_sd_m=0.5, impact_id="I1"):
    return Impact(
        impact_id=impact_id, row_px=0, col_px=0, x_m=x_m, y_m=y_m, lon_deg=None, lat_deg=None, score=0.9,
        status=Status.NEW, status_probability=None, centre_sd_m=centre_sd_m, crater_radius_m=2.0,
        crater_radius_sd_m=0.2, blast_radius_m=None, secondary_radius_m=None, pattern=PatternKind.NONE,
        direction_deg=None, direction_sd_deg=None,
    )  # fmt: skip


def building(structure_id, *bounds, kind=StructureKind.BUILDING):
    return Structure(structure_id, kind, shapely.box(*bounds))


def test_distances_and_ids():
    near, far = building("A", 10, -5, 20, 5), building("B", -60, -5, -40, 5)
    (match,) = match_impacts([impact_at(0.0, 0.0)], [far, near])
    assert (match.structure_id, match.distance_edge_m, match.distance_centre_m) == ("A", 10.0, 15.0)
    assert (match.second_structure_id, match.second_distance_edge_m) == ("B", 40.0)
    assert match.ambiguity == pytest.approx(10.5 / 40.5)


def test_no_structures_gives_nones():
    (match,) = match_impacts([impact_at(0.0, 0.0)], [])
    assert match.structure_id is match.distance_edge_m is match.ambiguity is None
    assert match.hypotheses == ()
    assert match_impacts([], [building("A", 0, 0, 1, 1)]) == ()


@pytest.mark.parametrize(
    ("first", "second", "sd", "expected"),
    [(0, 0, 0, 1), (0, 0, 2, 1), (5, 5, 0, 1), (0, 10, 0, 0), (0, 10, 1, 1 / 11), (3, 6, 0, 0.5)],
)
def test_ambiguity(first, second, sd, expected):
    assert ambiguity(first, second, sd) == pytest.approx(expected)


def test_distance_sd_matches_monte_carlo():
    rng = np.random.default_rng(0)
    n, per_axis = 200_000, (0.6, 0.8)
    error = sum(rng.normal(0, sd, (n, 2)) for sd in (*per_axis, 3.0 / CE90_PER_SD))
    error = error + np.column_stack([rng.uniform(-0.25, 0.25, n), np.zeros(n)])
    measured = np.std(np.hypot(error[:, 0] + 500.0, error[:, 1]))
    stated = error_budget(0.6, registration_sd_m=0.8, gsd_m=0.5, geolocation_ce90_m=3.0).total_sd_m
    assert measured == pytest.approx(stated, rel=0.01)


def test_ce90_holds_ninety_percent():
    rng = np.random.default_rng(1)
    radii = np.hypot(*rng.normal(0, 1 / CE90_PER_SD, (2, 200_000)))
    assert np.mean(radii <= 1) == pytest.approx(0.9, abs=0.003)


def test_between_four_shelters_the_group_is_a_hypothesis():
    shelters = [
        building(f"S{i}", x, y, x + 10, y + 10) for i, (x, y) in enumerate([(0, 0), (16, 0), (0, 16), (16, 16)])
    ]
    (match,) = match_impacts([impact_at(14.0, 12.0)], [*shelters, building("far", 300, 300, 340, 360)])
    group = next(h for h in match.hypotheses if h.kind == "group_centre")
    assert match.hypotheses[0] == group
    assert group.structure_id == "S0+S1+S2+S3"
    assert group.distance_m == pytest.approx(math.hypot(1, 1))
    assert sum(h.weight for h in match.hypotheses) == pytest.approx(1)


def test_point_itself_is_offered_in_the_open_but_never_first():
    structures = [building("A", 0, 0, 10, 10), building("B", 40, 0, 50, 10)]
    impacts = [impact_at(5, 6, impact_id="in"), impact_at(6, 5, impact_id="in2"), impact_at(4000, 0, impact_id="out")]
    inside, _, outside = match_impacts(impacts, structures)
    assert "point_itself" not in {h.kind for h in inside.hypotheses}
    assert "point_itself" in {h.kind for h in outside.hypotheses}
    assert outside.hypotheses[0].distance_m > 3900


def test_lines_are_measured_to_the_line():
    taxiway = Structure("T", StructureKind.PAVEMENT, shapely.LineString([(-500, 0), (500, 0)]))
    (match,) = match_impacts([impact_at(300, 23)], [taxiway])
    assert match.distance_centre_m == match.distance_edge_m == 23
    assert match.hypotheses[0].kind == "centreline"
    assert match.ambiguity == 0


def test_turning_and_shifting_the_plane_changes_nothing():
    rng = np.random.default_rng(2)
    boxes = [shapely.box(x, y, x + 9, y + 7) for x, y in rng.uniform(0, 400, (40, 2))]
    points = rng.uniform(0, 400, (20, 2))
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])

    def move(p):
        return p @ turn.T + [1000.0, -2000.0]

    def run(geometries, positions):
        index = index_structures([Structure(str(i), StructureKind.BUILDING, g) for i, g in enumerate(geometries)])
        return match_points([str(i) for i in range(20)], positions, [1.0] * 20, index)

    before, after = run(boxes, points), run(list(shapely.transform(boxes, move)), move(points))
    for a, b in zip(before, after, strict=True):
        assert a.structure_id == b.structure_id
        assert a.distance_centre_m == pytest.approx(b.distance_centre_m)
        assert a.hypotheses[0].weight == pytest.approx(b.hypotheses[0].weight)
