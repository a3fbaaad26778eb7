import numpy as np
import pytest
import shapely
from shapely import affinity

from cv_pipeline.structures.centreline import centreline
from cv_pipeline.structures.junctions import axis_of, find_junctions
from cv_pipeline.types import LandmarkKind, Structure, StructureKind

HALF_M = 11.5
BAR = shapely.box(-300, -HALF_M, 300, HALF_M)
STEM = shapely.box(-10, -250, 10, -HALF_M)


def paved(structure_id, shape, width_m=None):
    if shape.geom_type == "LineString" and width_m is not None:
        strip = shape.buffer(width_m / 2, cap_style="flat")
        return Structure(structure_id, StructureKind.PAVEMENT, strip, centreline_m=shape, width_m=width_m)
    return Structure(structure_id, StructureKind.PAVEMENT, shape, centreline_m=centreline(shape))


def places(landmarks, kind):
    return [shapely.get_coordinates(mark.geometry_m)[0] for mark in landmarks if mark.kind is kind]


@pytest.mark.parametrize("turn_deg", [0, 31, 100])
def test_a_t_junction_of_two_areas_with_its_two_corners(turn_deg):
    bar, stem = (affinity.rotate(shape, turn_deg, origin=(0, 0)) for shape in (BAR, STEM))
    found = find_junctions([paved("bar", bar), paved("stem", stem)])
    corners = affinity.rotate(shapely.MultiPoint([(10, -HALF_M), (-10, -HALF_M)]), turn_deg, origin=(0, 0))
    assert [mark.landmark_id for mark in found] == ["J001", "J001.1", "J001.2"]
    assert found[0].structure_ids in {("bar", "stem"), ("stem", "bar")}
    assert places(found, LandmarkKind.JUNCTION)[0] == pytest.approx([0, 0], abs=0.05)
    assert shapely.MultiPoint(places(found, LandmarkKind.CORNER)).hausdorff_distance(corners) < 0.05


def test_one_area_with_a_crossing_has_four_corners_clockwise():
    cross = shapely.union(BAR, shapely.box(-HALF_M, -200, HALF_M, 200))
    found = find_junctions([paved("X", cross)])
    assert places(found, LandmarkKind.JUNCTION)[0] == pytest.approx([0, 0], abs=0.05)
    corners = np.array(places(found, LandmarkKind.CORNER))
    assert corners == pytest.approx(HALF_M * np.array([(1, 1), (1, -1), (-1, -1), (-1, 1)]), abs=0.05)


def test_a_rounded_corner_is_the_middle_of_its_curve():
    rounded = shapely.union(BAR, shapely.box(-HALF_M, -250, HALF_M, 0)).buffer(15).buffer(-15)
    corners = places(find_junctions([paved("T", rounded)]), LandmarkKind.CORNER)
    # A fillet of 15 m leaves its middle 15 (1 - 1/sqrt 2) = 4.39 m from each edge's line.
    assert np.abs(corners) == pytest.approx(HALF_M + 15 * (1 - 2**-0.5), abs=0.1)


def test_lines_with_a_width_have_corners_and_lines_without_have_none():
    lines = [shapely.LineString([(-90, 0), (90, 0)]), shapely.LineString([(0, 0), (0, 80)])]
    found = find_junctions([paved("a", lines[0], 20.0), paved("b", lines[1], 10.0)])
    assert places(found, LandmarkKind.JUNCTION) == [pytest.approx([0, 0])]
    assert sorted(map(tuple, places(found, LandmarkKind.CORNER))) == [pytest.approx((-5, 10)), pytest.approx((5, 10))]
    bare = find_junctions([Structure(str(k), StructureKind.PAVEMENT, line) for k, line in enumerate(lines)])
    assert [mark.kind for mark in bare] == [LandmarkKind.JUNCTION]


def test_lines_that_miss_by_less_than_a_metre_meet():
    ends = Structure("b", StructureKind.PAVEMENT, shapely.LineString([(50, 0.4), (50, 80)]))
    through = Structure("a", StructureKind.PAVEMENT, shapely.LineString([(0, 0), (100, 0)]))
    assert places(find_junctions([through, ends]), LandmarkKind.JUNCTION) == [pytest.approx([50, 0])]
    far = Structure("b", StructureKind.PAVEMENT, shapely.LineString([(50, 4), (50, 80)]))
    assert find_junctions([through, far]) == ()


@pytest.mark.parametrize(
    "shapes",
    [
        [],
        [shapely.LineString([(0, 0), (50, 0)]), shapely.LineString([(50, 0), (90, 40)])],  # a bend
        [shapely.LineString([(0, 0), (50, 0)]), shapely.LineString([(0, 30), (50, 30)])],  # side by side
        [BAR],
    ],
)
def test_no_junction_without_three_arms(shapes):
    structures = [paved(str(k), shape) for k, shape in enumerate(shapes)]
    assert find_junctions(structures) == ()


def test_buildings_have_no_axis():
    assert axis_of(Structure("b", StructureKind.BUILDING, BAR)) is None
    assert find_junctions([Structure("b", StructureKind.BUILDING, BAR)]) == ()
