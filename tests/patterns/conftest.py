"""Weights for exact maps: those that ship are fitted to the errors of one network, which painted maps do not have."""

from __future__ import annotations

import pytest

from cv_pipeline.patterns.weights import DirectionWeights, RadiusWeights

RADIUS = RadiusWeights(0.0, 0.03, 0.05, 0.02, 0.02, 0.02, 0.05, 0.5, 1.0)
DIRECTION = DirectionWeights(1.0, 0.5, 0.3, 5.0, -4.0, 1.5, 0.5, 0.2, 4.0, 0.5, 1.0)


@pytest.fixture(autouse=True)
def weights_for_exact_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patterns are weighed as a good network's are."""
    monkeypatch.setattr("cv_pipeline.patterns.measure.RADIUS", RADIUS)
    monkeypatch.setattr("cv_pipeline.patterns.measure.DIRECTION", DIRECTION)
