"""What is fitted for one model, and weighs what maps and images say; read from its folder by :mod:`weights_file`.

:data:`PLAIN` is for a model that nothing was fitted for: peaks keep their own score, and blast patterns are weighed as
exact maps would be, so that stated SDs are too small for a poor network.
"""

from __future__ import annotations

from typing import NamedTuple

from cv_pipeline.patterns.closeup.weights import CloseUpFile
from cv_pipeline.patterns.verdict import PeakErrors, Weights


class RadiusWeights(NamedTuple):
    """Log-biases and log-variances of the three estimates of a blast radius, and the scale of their joint SD.

    The edge's variance is ``edge_variance + edge_noise / strength ** 2``, the network's ``head_variance`` plus what the
    close-up network states, if it was that one. ``disagreement`` is the share of the estimates' weighted scatter that
    is added to the variance.
    """

    head_bias: float
    mask_bias: float
    edge_bias: float
    head_variance: float
    mask_variance: float
    edge_variance: float
    edge_noise: float
    disagreement: float
    sd_scale: float


class DirectionWeights(NamedTuple):
    """Exponents of the densities of an axis, what makes a pattern directional, and the scale of the axis' SD.

    The probability is logistic: ``intercept`` plus the weights times
    :func:`cv_pipeline.patterns.one_sided.direction_terms`. A direction is given from ``least_probability`` on.
    """

    mask_exponent: float
    ring_exponent: float
    core_exponent: float
    head_concentration: float
    intercept: float
    evidence_weight: float
    reach_weight: float
    colour_weight: float
    head_weight: float
    odds_weight: float
    least_probability: float
    sd_scale: float


class PatternWeights(NamedTuple):
    """All that is fitted for a model.

    ``peaks`` says how far its peaks are off, ``score`` and ``new`` are the verdicts' weights (None: the network's own
    score and status stand), ``radius`` and ``direction`` weigh blast patterns. ``closeup`` is its close-up network,
    None where it has none.
    """

    peaks: PeakErrors
    score: Weights | None
    new: Weights | None
    radius: RadiusWeights
    direction: DirectionWeights
    closeup: CloseUpFile | None = None


# Radii and directions are what `scripts/check_patterns.py fit --maps oracle` gives on simulation, rounded; an oracle's
# maps hold no axis, so that the head's two weights are judgements.
PLAIN = PatternWeights(
    PeakErrors(1.8, 1.7),  # of the first model that was fitted
    None,
    None,
    RadiusWeights(-0.03, 0.01, 0.01, 0.005, 0.023, 0.017, 0.2, 0.03, 1.35),
    DirectionWeights(0.90, 0.13, 0.05, 5.0, -4.77, 1.86, 0.90, 0.0, 4.0, 0.0, 0.39, 1.04),
)
