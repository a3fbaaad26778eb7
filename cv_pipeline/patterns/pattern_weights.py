"""Written by scripts/check_patterns.py; do not edit."""

from cv_pipeline.patterns.weights import DirectionWeights, RadiusWeights

FITTED_FOR = "none: set by hand"
RADIUS = RadiusWeights(
    head_bias=0.0,
    mask_bias=0.03,
    edge_bias=0.05,
    head_variance=0.02,
    mask_variance=0.02,
    edge_variance=0.02,
    edge_noise=0.05,
    disagreement=0.5,
    sd_scale=1.0,
)
DIRECTION = DirectionWeights(
    mask_exponent=1.0,
    ring_exponent=0.5,
    core_exponent=0.3,
    head_concentration=5.0,
    intercept=-4.0,
    mask_weight=1.5,
    ring_weight=0.5,
    core_weight=0.2,
    head_weight=4.0,
    least_probability=0.5,
    sd_scale=1.0,
)
