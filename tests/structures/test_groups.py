import math

import numpy as np
import pytest
import shapely
from shapely import affinity

from cv_pipeline.structures.groups import MAX_MEMBERS, find_groups
from cv_pipeline.types import LandmarkKind, Structure, StructureKind


def buildings(*shapes, kind=StructureKind.BUILDING):
    return [Structure(f"S{k}", kind, shape) for k, shape in enumerate(shapes)]


def row(count, gap_m=6.0, width_m=12.0, depth_m=20.0):
    return [shapely.box(x, 0, x + width_m, depth_m) for x in np.arange(count) * (width_m + gap_m)]


@pytest.mark.parametrize("turn_deg", [0, 40])
@pytest.mark.parametrize("count", [2, 5, MAX_MEMBERS])
def test_a_row_of_shelters_is_one_group_with_its_centre_in_the_middle(count, turn_deg):
    shapes = [affinity.rotate(shape, turn_deg, origin=(0, 0)) for shape in row(count)]
    (group,) = find_groups(buildings(*shapes))
    assert group.kind is LandmarkKind.GROUP
    assert group.structure_ids == tuple(f"S{k}" for k in range(count))
    middle = affinity.rotate(shapely.Point((count * 18 - 6) / 2, 10), turn_deg, origin=(0, 0))
    assert group.geometry_m.centroid.distance(middle) < 1e-6
    assert group.centre_sd_m < 1e-6  # every definition of its centre agrees
    assert group.footprint_share == pytest.approx(1 / math.sqrt(count))


def test_five_round_tents():
    tents = [shapely.Point(9 * math.cos(a), 9 * math.sin(a)).buffer(3) for a in np.arange(5) * 2 * math.pi / 5]
    (group,) = find_groups(buildings(*tents))
    assert group.geometry_m.centroid.distance(shapely.Point(0, 0)) < 1e-6


@pytest.mark.parametrize(
    "shapes",
    [
        [],
        row(1),
        row(2, gap_m=17.0),  # farther apart than the side of the equal square, 15.5 m
        [shapely.box(0, 0, 12, 20), shapely.box(16, 0, 36, 20)],  # areas 1 : 1.67
        [shapely.box(0, 0, 8, 24), affinity.rotate(shapely.box(12, 0, 20, 24), 35)],  # turned
        [shapely.box(0, 0, 8, 24), shapely.box(12, 8, 36, 16)],  # across
        row(MAX_MEMBERS + 1),  # a street
        [shapely.Point(0, 0), shapely.Point(1, 0)],
    ],
)
def test_no_group(shapes):
    assert find_groups(buildings(*shapes)) == ()


def test_only_buildings_are_grouped():
    assert find_groups(buildings(*row(3), kind=StructureKind.PAVEMENT)) == ()


def test_a_chain_of_slowly_growing_houses_is_no_group():
    sides = 10 * 1.15 ** np.arange(6)  # neighbours differ by a third in area, the ends fourfold
    starts = np.concatenate([[0], np.cumsum(sides[:-1] + 4)])
    assert find_groups(buildings(*[shapely.box(x, 0, x + s, s) for x, s in zip(starts, sides, strict=True)])) == ()


def test_an_uneven_group_states_how_open_its_centre_is():
    (group,) = find_groups(buildings(shapely.box(0, 0, 10, 10), shapely.box(14, 0, 24, 10), shapely.box(0, 14, 10, 24)))
    assert 0.5 < group.centre_sd_m < 3
