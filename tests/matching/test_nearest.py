import numpy as np
import pytest
import shapely

from cv_pipeline.matching.nearest import NO_STRUCTURE, index_structures, nearest
from cv_pipeline.types import Structure, StructureKind


def structures_of(geometries):
    return [Structure(f"S{i:03d}", StructureKind.BUILDING, geometry) for i, geometry in enumerate(geometries)]


def random_geometries(rng, count, side_m):
    """Boxes on a half-metre lattice (so that exact ties and overlaps are common), lines, points, slivers."""
    geometries = []
    for kind in rng.integers(0, 6, count):
        x, y = np.round(rng.uniform(0, side_m, 2) * 2) / 2
        w, h = np.round(rng.uniform(1, 25, 2))
        shapes = (
            shapely.box(x, y, x + w, y + h),
            shapely.box(x, y, x + w, y + h),
            shapely.Polygon([(x, y), (x + w, y), (x + w, y + 1), (x + 1, y + 1), (x + 1, y + h), (x, y + h)]),
            shapely.LineString([(x, y), (x + 3 * w, y + h)]),
            shapely.Point(x, y),
            shapely.Polygon([(x, y), (x + w, y), (x + w, y)]),
        )
        geometries.append(shapes[kind])
    return geometries


def brute_force(point, geometries):
    """First, second and by-centre positions with plain Python sorting over all structures."""
    p = shapely.Point(point)
    edge = [g.distance(p) for g in geometries]
    centre = [(g if g.geom_type == "LineString" else g.centroid).distance(p) for g in geometries]
    by_edge = sorted(range(len(geometries)), key=lambda i: (edge[i], centre[i], i))
    by_centre = min(range(len(geometries)), key=lambda i: (centre[i], i))
    return by_edge[0], by_edge[1], by_centre, edge[by_edge[0]], edge[by_edge[1]], centre[by_edge[0]]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("side_m", [60.0, 800.0])
def test_equals_brute_force_with_ties_insides_and_degenerate_shapes(seed, side_m):
    rng = np.random.default_rng(seed)
    geometries = random_geometries(rng, 60, side_m)
    points = np.round(rng.uniform(-0.5 * side_m, 1.5 * side_m, (60, 2)) * 2) / 2
    points = np.vstack([points, points[:5] + 40 * side_m])
    found = nearest(points, index_structures(structures_of(geometries)))
    for row, point in enumerate(points):
        first, second, by_centre, first_m, second_m, centre_m = brute_force(point, geometries)
        assert (found.first[row], found.second[row], found.by_centre[row]) == (first, second, by_centre)
        assert found.first_edge_m[row] == first_m
        assert found.second_edge_m[row] == second_m
        assert found.first_centre_m[row] == centre_m


def test_lattice_really_holds_ties_and_insides():
    rng = np.random.default_rng(0)
    geometries = random_geometries(rng, 60, 60.0)
    points = np.round(rng.uniform(0, 60, (60, 2)) * 2) / 2
    found = nearest(points, index_structures(structures_of(geometries)))
    assert (found.first_edge_m == 0).sum() > 10
    assert (found.first_edge_m == found.second_edge_m).sum() > 5


def test_inside_two_overlapping_footprints_takes_the_nearer_centre():
    large, small = shapely.box(0, 0, 100, 100), shapely.box(5, 5, 15, 15)
    found = nearest(np.array([[10.0, 10.0]]), index_structures(structures_of([large, small])))
    assert (found.first[0], found.second[0], found.second_edge_m[0]) == (1, 0, 0.0)


def test_identical_structures_go_by_order():
    box = shapely.box(0, 0, 4, 4)
    found = nearest(np.array([[9.0, 2.0]]), index_structures(structures_of([box, box, box])))
    assert (found.first[0], found.second[0], found.by_centre[0]) == (0, 1, 0)


def test_none_and_one_structure():
    points = np.array([[0.0, 0.0], [5.0, 5.0]])
    none = nearest(points, index_structures([]))
    assert (none.first == NO_STRUCTURE).all()
    assert np.isnan(none.first_edge_m).all()
    one = nearest(points, index_structures(structures_of([shapely.Point(3, 4)])))
    assert one.first_edge_m[0] == 5
    assert (one.second == NO_STRUCTURE).all()
    assert len(nearest(np.zeros((0, 2)), index_structures(structures_of([shapely.Point(0, 0)]))).first) == 0
