"""What weighs the evidence for a blast radius and a direction against each other, and makes their SDs hold.

The figures themselves are in :mod:`cv_pipeline.patterns.pattern_weights`; they were fitted on simulated scenes for one
set of network weights and are fitted again when the network changes (``python scripts/check_patterns.py fit``).
"""

from __future__ import annotations

from typing import NamedTuple


class RadiusWeights(NamedTuple):
    """Log-biases and log-variances of the three estimates of a blast radius, and the scale of their joint SD.

    The edge's variance is ``edge_variance + edge_noise / strength ** 2``. ``disagreement`` is the share of the
    estimates' weighted scatter that is added to the variance.
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

    The probability is logistic: ``intercept`` plus the weights times the logarithm of 1 plus each density's greatest
    value (for the head: times the vector's length). A direction is given from ``least_probability`` on.
    """

    mask_exponent: float
    ring_exponent: float
    core_exponent: float
    head_concentration: float
    intercept: float
    mask_weight: float
    ring_weight: float
    core_weight: float
    head_weight: float
    least_probability: float
    sd_scale: float
