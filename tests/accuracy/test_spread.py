import numpy as np
import pytest

from cv_pipeline.accuracy.spread import sd_interval

NINE = np.array([28.0, 3, 3, 6, 14, 5, 7, 23, 11])


@pytest.mark.parametrize(
    ("draw", "truth"),
    [
        (lambda rng, n: rng.rayleigh(1, n), np.sqrt(2 - np.pi / 2)),
        (lambda rng, n: np.abs(rng.normal(size=n)), np.sqrt(1 - 2 / np.pi)),
    ],
    ids=["rayleigh", "half-normal"],
)
def test_coverage_at_20(draw, truth):
    """800 samples, standard error 0.8 points."""
    rng = np.random.default_rng(3)
    found = [sd_interval(draw(rng, 20), confidence=0.95) for _ in range(800)]
    assert 0.92 <= np.mean([low <= truth <= high for low, high in found]) <= 0.98


def test_scale_and_shift():
    here, scaled = sd_interval(NINE, confidence=0.9), sd_interval(1000 - NINE * 3.28, confidence=0.9)
    assert np.array(scaled) == pytest.approx(3.28 * np.array(here))
    assert 0 < here.low < NINE.std(ddof=1) < here.high


@pytest.mark.parametrize("values", [[], [1.0, 2, 3, 4, 5, 6, 7, 8], [4.0] * 12, [0.0] * 12])
def test_none_where_it_would_mislead(values):
    assert sd_interval(np.array(values), confidence=0.95) is None


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_finite_at_every_level(confidence):
    interval = sd_interval(np.array([0.0] * 8 + [1.0]), confidence=confidence)
    assert np.isfinite(interval).all()
