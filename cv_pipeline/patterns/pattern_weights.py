"""Written by scripts/check_patterns.py; do not edit."""

from cv_pipeline.patterns.weights import DirectionWeights, RadiusWeights

FITTED_FOR = "weights 49e46b831f51, 31 scenes, network maps"
RADIUS = RadiusWeights(
    head_bias=-0.02144,
    mask_bias=-0.004442,
    edge_bias=0.03365,
    head_variance=0.01939,
    mask_variance=0.08927,
    edge_variance=0.02154,
    edge_noise=0.09998,
    disagreement=1,
    sd_scale=1.228,
)
DIRECTION = DirectionWeights(
    mask_exponent=0.2635,
    ring_exponent=0.1852,
    core_exponent=0.01843,
    head_concentration=1.063,
    intercept=-4.384,
    mask_weight=0.4535,
    ring_weight=0.3783,
    core_weight=0.2072,
    head_weight=1.724,
    least_probability=0.1632,
    sd_scale=0.8938,
)
