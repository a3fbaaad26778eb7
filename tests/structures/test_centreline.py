import math

import numpy as np
import pytest
import shapely
from shapely import affinity

from cv_pipeline.structures.centreline import centreline, strip_width_m

TAXIWAY_M = 23.0
HALF_M = TAXIWAY_M / 2


def strip(length_m=1000.0, width_m=TAXIWAY_M):
    return shapely.box(-length_m / 2, -width_m / 2, length_m / 2, width_m / 2)


def t_junction():
    return shapely.union(strip(600.0), shapely.box(-HALF_M, -250, HALF_M, 0))


@pytest.mark.parametrize("turn_deg", [0, 17, 45, 90, 133])
@pytest.mark.parametrize(("length_m", "width_m"), [(1000, 23), (4000, 60), (60, 20)])
def test_a_straight_pavement_runs_from_end_to_end_through_the_middle(turn_deg, length_m, width_m):
    planted = affinity.rotate(shapely.LineString([(-length_m / 2, 0), (length_m / 2, 0)]), turn_deg, origin=(0, 0))
    found = centreline(affinity.rotate(strip(length_m, width_m), turn_deg, origin=(0, 0)))
    assert found.hausdorff_distance(planted) < 0.01 * width_m


def test_a_curved_taxiway_is_followed():
    angles = np.linspace(0, 2, 60)
    planted = shapely.LineString(np.column_stack([200 * np.cos(angles), 200 * np.sin(angles)]))
    found = centreline(planted.buffer(HALF_M, cap_style="flat"))
    assert found.length == pytest.approx(planted.length, rel=0.002)
    assert found.hausdorff_distance(planted) < 0.1 * TAXIWAY_M


def test_a_width_that_changes_keeps_the_middle():
    wedge = shapely.Polygon([(0, -10), (500, -25), (500, 25), (0, 10)])
    found = centreline(wedge)
    assert found.hausdorff_distance(shapely.LineString([(0, 0), (500, 0)])) < 1.0


@pytest.mark.parametrize("turn_deg", [0, 31])
def test_arms_of_a_t_meet_where_straight_lines_cross(turn_deg):
    # The plain medial axis would meet an eighth of the width (2.9 m) lower.
    arms = [shapely.LineString([(0, 0), end]) for end in ((300, 0), (-300, 0), (0, -250))]
    planted = affinity.rotate(shapely.MultiLineString(arms), turn_deg, origin=(0, 0))
    found = centreline(affinity.rotate(t_junction(), turn_deg, origin=(0, 0)))
    assert len(found.geoms) == 3
    assert found.hausdorff_distance(planted) < 0.1


def test_rounded_corners_do_not_move_the_meeting_point():
    rounded = t_junction().buffer(15).buffer(-15)
    ends = [shapely.get_coordinates(line)[[0, -1]] for line in centreline(rounded).geoms]
    assert min(math.hypot(*point) for pair in ends for point in pair) < 0.05


def test_a_ring_road_is_a_ring():
    ring = shapely.Point(0, 0).buffer(100, 64).difference(shapely.Point(0, 0).buffer(80, 64))
    assert centreline(ring).length == pytest.approx(2 * math.pi * 90, rel=0.005)


@pytest.mark.parametrize(
    "shape",
    [shapely.box(0, 0, 50, 40), shapely.Point(0, 0).buffer(30), shapely.Point(0, 0), shapely.Polygon(),
     shapely.LineString([(0, 0), (9, 0)]), shapely.MultiPolygon([shapely.box(0, 0, 90, 5), shapely.box(0, 9, 90, 14)])],
)  # fmt: skip
def test_what_has_no_centreline(shape):
    assert centreline(shape) is None


def test_size_does_not_matter():
    one, ten = centreline(t_junction()), centreline(affinity.scale(t_junction(), 10, 10, origin=(0, 0)))
    assert ten.hausdorff_distance(affinity.scale(one, 10, 10, origin=(0, 0))) < 0.5


@pytest.mark.parametrize(
    ("shape", "width"), [(strip(1000, 23), 23), (shapely.box(0, 0, 30, 30), 30), (strip(50, 2), 2)]
)
def test_strip_width(shape, width):
    assert strip_width_m(shape) == pytest.approx(width)


def test_a_sliver_has_no_centreline():
    assert centreline(shapely.box(0, 0, 3000, 0.5)) is None
    assert centreline(shapely.box(0, 0, 3000, 20)) is not None
