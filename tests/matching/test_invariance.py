"""Turning, shifting and scaling the plane changes no match; distances scale with it."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from cv_pipeline.matching import index_structures, match_points
from cv_pipeline.matching.nearest import nearest
from cv_pipeline.structures.landmarks import find_landmarks
from cv_pipeline.types import Structure, StructureKind

turns = st.floats(0, 360)
shifts = st.tuples(st.floats(-50_000, 50_000), st.floats(-50_000, 50_000))
scales = st.floats(0.5, 20)
seeds = st.integers(0, 10_000)


def scene(seed):
    """Houses in rows and alone, a T of pavement as lines with width, and impacts among them."""
    rng = np.random.default_rng(seed)
    houses = [shapely.box(x, y, x + w, y + h) for x, y, w, h in rng.uniform((0, 0, 6, 6), (300, 300, 30, 15), (25, 4))]
    bar, stem = shapely.LineString([(0, 150), (300, 150)]), shapely.LineString([(140, 150), (140, 0)])
    return houses, [bar, stem], rng.uniform(-20, 320, (15, 2))


def structures_of(houses, lines, width_m):
    return [
        *(Structure(f"H{k}", StructureKind.BUILDING, shape) for k, shape in enumerate(houses)),
        *(
            Structure(f"P{k}", StructureKind.PAVEMENT, line.buffer(width_m / 2, cap_style="flat"), None, line, width_m)
            for k, line in enumerate(lines)
        ),
    ]


@settings(max_examples=25, deadline=None)
@given(seed=seeds, turn=turns, shift=shifts, scale=scales)
def test_nearest_and_hypotheses_move_with_the_plane(seed, turn, shift, scale):
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    matrix = scale * np.array([[cos, sin], [-sin, cos]])

    def move(points):
        return points @ matrix + np.array(shift)

    houses, lines, points = scene(seed)
    spread_m, sd_m = 12.0, 0.8
    before = match_points(
        [str(k) for k in range(15)], points, [sd_m] * 15, index_structures(structures_of(houses, lines, 12.0)),
        scene_spread_m=spread_m,
    )  # fmt: skip
    moved = structures_of(list(shapely.transform(houses, move)), list(shapely.transform(lines, move)), 12.0 * scale)
    after = match_points(
        [str(k) for k in range(15)], move(points), [sd_m * scale] * 15, index_structures(moved),
        scene_spread_m=spread_m * scale,
    )  # fmt: skip
    close = {"rel": 1e-6, "abs": 1e-6 * scale}
    for a, b in zip(before, after, strict=True):
        assert a.structure_id == b.structure_id
        assert b.distance_edge_m == pytest.approx(scale * a.distance_edge_m, **close)
        assert b.distance_centre_m == pytest.approx(scale * a.distance_centre_m, **close)
        assert b.nearest_centre_m == pytest.approx(scale * a.nearest_centre_m, **close)
        assert b.ambiguity == pytest.approx(a.ambiguity, abs=1e-6)
        # Names by compass and the number of a corner turn with the plane; sorted figures do not.
        kinds = {h.kind for h in a.hypotheses}
        assert kinds == {h.kind for h in b.hypotheses}
        for kind in kinds - {"corner", "junction_centre"}:
            mine = sorted((h.distance_m, h.weight) for h in a.hypotheses if h.kind == kind)
            its = sorted((h.distance_m, h.weight) for h in b.hypotheses if h.kind == kind)
            assert np.array(its) == pytest.approx(np.array(mine) * (scale, 1), rel=0.02, abs=1e-3 * scale)


@settings(max_examples=25, deadline=None)
@given(seed=seeds, order=st.randoms(use_true_random=False))
def test_order_of_structures_decides_nothing_but_exact_ties(seed, order):
    houses, lines, points = scene(seed)
    structures = structures_of(houses, lines, 12.0)
    shuffled = list(structures)
    order.shuffle(shuffled)
    one, other = nearest(points, index_structures(structures)), nearest(points, index_structures(shuffled))
    assert one.first_edge_m == pytest.approx(other.first_edge_m)
    assert one.second_edge_m == pytest.approx(other.second_edge_m)
    assert one.by_centre_m == pytest.approx(other.by_centre_m)
    groups = {frozenset(mark.structure_ids) for mark in find_landmarks(structures) if mark.kind == "group"}
    assert groups == {frozenset(mark.structure_ids) for mark in find_landmarks(shuffled) if mark.kind == "group"}


@settings(max_examples=50, deadline=None)
@given(seed=seeds)
def test_edge_is_never_farther_than_centre_and_first_never_farther_than_second(seed):
    houses, lines, points = scene(seed)
    found = nearest(points, index_structures(structures_of(houses, lines, 12.0)))
    assert (found.first_edge_m <= found.first_centre_m + 1e-9).all()
    assert (found.first_edge_m <= found.second_edge_m).all()
    assert (found.by_centre_m <= found.first_centre_m + 1e-9).all()
