import math

import numpy as np
import pytest
import shapely

from cv_pipeline.matching import index_structures, match_points
from cv_pipeline.matching.aims import PRIOR, halves, wind
from cv_pipeline.matching.hypotheses import ITSELF, MIN_SPREAD_M, RAYLEIGH_MEDIAN, spread_m, spread_of_others_m
from cv_pipeline.structures.centreline import centreline
from cv_pipeline.types import ErrorBudget, Structure, StructureKind


def building(structure_id, *bounds):
    return Structure(structure_id, StructureKind.BUILDING, shapely.box(*bounds))


def match(point, structures, spread=8.0, sd=0.5):
    (found,) = match_points(["I1"], np.array([point], float), [sd], index_structures(structures), scene_spread_m=spread)
    return found


def by_id(found):
    return {hypothesis.hypothesis_id: hypothesis for hypothesis in found.hypotheses}


def test_weights_follow_the_stated_formula():
    structures = [building("A", 10, -5, 20, 5), building("B", -60, -5, -40, 5)]
    found = by_id(match((0, 0), structures, spread=8.0, sd=0.5))
    variance = 8.0**2 + 0.5**2
    sizes = np.sqrt(np.array([100, 200]) / 150)
    planted = {
        "structure_centre:A": PRIOR["structure_centre"] * sizes[0] * math.exp(-(15**2) / (2 * variance)),
        "structure_centre:B": PRIOR["structure_centre"] * sizes[1] * math.exp(-(50**2) / (2 * variance)),
        "structure_half:B:east": PRIOR["structure_half"] * sizes[1] * math.exp(-(45**2) / (2 * variance)),
        "structure_half:B:west": PRIOR["structure_half"] * sizes[1] * math.exp(-(55**2) / (2 * variance)),
    }
    assert set(found) - {ITSELF} == set(planted)
    first = found["structure_centre:A"].weight / planted["structure_centre:A"]
    for name, weight in planted.items():
        assert found[name].weight == pytest.approx(weight * first)
    assert sum(hypothesis.weight for hypothesis in found.values()) == pytest.approx(1)


def test_the_published_sites_come_out_as_the_analyst_ranked_them():
    """Sites 6 to 9 of datasets/al_asad_2020 as geometry with the published distances; spread about 8 m."""
    # Site 6: a long roof, 51 m from its centre, in the western half (5 m from that half's centre).
    found = match((-51, 0), [building("6", -112, -10, 112, 10)])
    assert found.hypotheses[0].hypothesis_id == "structure_half:6:west"
    assert found.hypotheses[0].distance_m == pytest.approx(5)
    assert by_id(found)["structure_centre:6"].distance_m == pytest.approx(51)
    # Site 7: between four shelters, 7 m from the group's centre and 18 m from the second shelter's.
    shelters = [building(f"7{i}", x - 15, -20, x + 15, 20) for i, x in enumerate((-75, -25, 25, 75))]
    found = match((-7, 0), shelters)
    assert found.hypotheses[0].kind == "group_centre"
    assert found.hypotheses[0].distance_m == pytest.approx(7)
    assert found.hypotheses[1].hypothesis_id == "structure_centre:71"
    assert found.hypotheses[1].distance_m == pytest.approx(18)
    # Site 8: beside a taxiway, 23 m from its centreline.
    taxiway = shapely.box(-500, -11.5, 500, 11.5)
    found = match((40, 23), [Structure("8", StructureKind.PAVEMENT, taxiway, centreline_m=centreline(taxiway))])
    assert found.hypotheses[0].kind == "centreline"
    assert found.hypotheses[0].distance_m == pytest.approx(23, abs=0.05)
    assert found.hypotheses[0].aim_m == pytest.approx((40, 0), abs=0.1)
    # Site 9: at a T-junction, 2 m from its corner and 11 m from its centre.
    tee = shapely.union(shapely.box(-300, -9, 300, 9), shapely.box(-9, -200, 9, 0))
    found = by_id(match((8.2, -7.4), [Structure("9", StructureKind.PAVEMENT, tee, centreline_m=centreline(tee))]))
    assert found["junction_centre:J001"].distance_m == pytest.approx(11.05, abs=0.1)
    assert found["corner:J001.1"].distance_m == pytest.approx(1.8, abs=0.1)
    assert {h.kind for h in sorted(found.values(), key=lambda h: -h.weight)[:3]} >= {"centreline", "junction_centre"}


def test_spread_of_others_leaves_each_one_out():
    rng = np.random.default_rng(0)
    for n in (2, 3, 4, 7, 10):
        distances = rng.uniform(5, 60, n)
        planted = [spread_m(np.delete(distances, k)) for k in range(n)]
        assert spread_of_others_m(distances) == pytest.approx(planted)


def test_spread_of_few_and_of_ties():
    assert len(spread_of_others_m(np.zeros(0))) == 0
    assert spread_of_others_m(np.array([20.0])) == pytest.approx([20 / RAYLEIGH_MEDIAN])
    assert spread_of_others_m(np.array([4.0, 4, 4])) == pytest.approx([4 / RAYLEIGH_MEDIAN] * 3)
    assert spread_of_others_m(np.zeros(3)) == pytest.approx([MIN_SPREAD_M] * 3)


def test_one_wild_impact_does_not_vouch_for_itself():
    structures = [building("A", -5, -5, 5, 5), building("B", 80, -6, 92, 6)]
    points = np.array([(3, 1), (-2, 4), (1, -5), (44, 0)], float)
    matches = match_points(list("abcd"), points, [0.5] * 4, index_structures(structures))
    own = [h.weight for h in matches[3].hypotheses if h.kind == ITSELF]
    assert own[0] > 0.3  # with a spread of 4 m, 40 m is far from every structure


def test_ids_do_not_depend_on_order_of_impacts_or_on_which_structure_is_nearest():
    structures = [building("A", 0, 0, 10, 10), building("B", 14, 0, 24, 10), building("C", 60, 0, 100, 12)]
    left, right = match((9, 5), structures), match((15, 5), structures)
    shared = set(by_id(left)) & set(by_id(right))
    assert {"structure_centre:A", "structure_centre:B", "group_centre:A+B"} <= shared
    assert len(by_id(left)) == len(left.hypotheses)


def test_a_group_is_listed_once_though_two_members_are_near():
    found = match((12, 5), [building("A", 0, 0, 10, 10), building("B", 14, 0, 24, 10)])
    assert [h.kind for h in found.hypotheses].count("group_centre") == 1


def test_group_geometry_and_averaged_drawing_errors_are_in_the_groups_error():
    shapes = [building("A", 0, 0, 10, 10), building("B", 14, 0, 24, 10), building("C", 0, 14, 10, 24)]
    error = ErrorBudget(centre_sd_m=0.3, footprint_sd_m=1.2)
    (found,) = match_points(["I"], np.array([[30.0, 30.0]]), [error], index_structures(shapes), scene_spread_m=9.0)
    group = by_id(found)["group_centre:A+B+C"].error
    assert group.footprint_sd_m == pytest.approx(1.2 / math.sqrt(3))
    assert group.geometry_sd_m > 0.5
    assert by_id(found)["structure_centre:B"].error == found.error == error
    assert by_id(found)["group_centre:A+B+C"].distance_sd_m == pytest.approx(group.total_sd_m)


@pytest.mark.parametrize(
    ("turn_deg", "sides"), [(0, ["east", "west"]), (90, ["north", "south"]), (45, ["north-east", "south-west"])]
)
def test_halves_are_named_by_where_they_lie(turn_deg, sides):
    shape = shapely.affinity.rotate(shapely.box(-50, -10, 50, 10), turn_deg, origin=(0, 0))
    found = dict(halves(shape))
    assert sorted(found) == sides
    for side, centre in found.items():
        assert math.hypot(centre.x, centre.y) == pytest.approx(25)
        assert wind(np.array([centre.x, centre.y])) == side


@pytest.mark.parametrize(
    "shape", [shapely.box(0, 0, 19, 10), shapely.Point(0, 0), shapely.Polygon([(0, 0), (9, 0), (4, 0)])]
)
def test_short_and_flat_shapes_have_no_halves(shape):
    assert halves(shape) == ()


def test_far_impacts_are_matched_and_told_by_their_ambiguity():
    structures = [building("A", 0, 0, 10, 10), building("B", 40, 0, 50, 10)]
    found = match((100_000, 5), structures)
    assert found.structure_id == "B"
    assert found.distance_edge_m == pytest.approx(99_950)
    assert found.ambiguity == pytest.approx(1, abs=0.001)
    assert found.hypotheses[0].kind != ITSELF
    assert all(math.isfinite(h.weight) for h in found.hypotheses)


def test_nearest_by_centre_may_be_another_than_by_edge():
    found = match((105, 5), [building("long", 0, 0, 100, 10), building("small", 120, 0, 130, 10)])
    assert (found.structure_id, found.distance_edge_m, found.distance_centre_m) == ("long", 5, 55)
    assert (found.centre_structure_id, found.nearest_centre_m) == ("small", 20)


def test_an_impact_on_the_axis_of_a_pavement_is_at_its_centre():
    runway = shapely.box(-2000, -30, 2000, 30)
    found = match((1500, 4), [Structure("R", StructureKind.PAVEMENT, runway, centreline_m=centreline(runway))])
    assert found.distance_edge_m == 0
    assert found.distance_centre_m == pytest.approx(4, abs=0.05)
