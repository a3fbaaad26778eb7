"""Scale, unit, rotation, reflection and translation must not matter more than rounding."""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cv_pipeline.accuracy.cep import About, cep_table

COORDINATES = st.integers(-2000, 2000).map(lambda k: k / 16)
GROUPS = st.integers(3, 12).flatmap(lambda n: arrays(np.float64, (n, 2), elements=COORDINATES))
ANGLES = st.floats(0, 2 * np.pi)
SCALES = st.sampled_from([1e-3, 0.3048, 1 / 0.3048, 1e3])
SETTINGS = settings(max_examples=15, deadline=None, derandomize=True)


def values(points):
    return {(e.estimator, e.about, e.level): e.radius_m for e in cep_table(points)}


def well_spread(points):
    """Away from the corners where a rule changes (collinear, coinciding, a point in a centre)."""
    variances = np.linalg.eigvalsh(np.cov(points.T))
    radii = [np.hypot(*(points - centre).T) for centre in (points.mean(axis=0), np.zeros(2))]
    return variances[0] > 1e-4 * variances[1] > 0 and min(r.min() for r in radii) > 1e-3 and np.ptp(radii[0]) > 1e-2


def assert_close(first, second):
    for key, value in first.items():
        if value is None or second[key] is None:
            # A bias of exactly the allowed 2.2 CEP may fall on either side after rounding.
            assert value is second[key] is None, key
            continue
        assert np.isclose(value, second[key], rtol=1e-6, atol=1e-9), (key, value, second[key])


@SETTINGS
@given(GROUPS, SCALES)
def test_scale_and_unit(points, factor):
    assume(well_spread(points))
    scaled = {key: value and value / factor for key, value in values(points * factor).items()}
    assert_close(values(points), scaled)


@SETTINGS
@given(GROUPS, ANGLES, st.booleans())
def test_rotation_and_reflection_about_the_aim_point(points, angle, mirrored):
    assume(well_spread(points))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    if mirrored:
        turn = turn @ np.diag([1, -1])
    assert_close(values(points), values(points @ turn.T))


@SETTINGS
@given(GROUPS, arrays(np.float64, 2, elements=COORDINATES))
def test_translation_leaves_the_dispersion(points, shift):
    assume(well_spread(points))
    moved = values(points + shift)
    here = values(points)
    about_mean = [key for key in here if key[1] == About.MEAN]
    assert_close({key: here[key] for key in about_mean}, moved)


@SETTINGS
@given(GROUPS, st.randoms(use_true_random=False))
def test_order_of_impacts(points, random):
    assume(well_spread(points))
    order = list(range(len(points)))
    random.shuffle(order)
    assert_close(values(points), values(points[order]))
