"""Written by scripts/check_patterns.py; do not edit."""

from cv_pipeline.patterns.weights import DirectionWeights, RadiusWeights

FITTED_FOR = "weights 4503eafbb3a9, 30 scenes, network maps"
RADIUS = RadiusWeights(
    head_bias=-0.03574,
    mask_bias=-0.001062,
    edge_bias=0.0009047,
    head_variance=0.02335,
    mask_variance=0.213,
    edge_variance=0.02376,
    edge_noise=0.06458,
    disagreement=0.6157,
    sd_scale=1.315,
)
DIRECTION = DirectionWeights(
    mask_exponent=0.3244,
    ring_exponent=0.1989,
    core_exponent=0.03387,
    head_concentration=1.14,
    intercept=-4.562,
    mask_weight=0.5779,
    ring_weight=0.3982,
    core_weight=0.2568,
    head_weight=2.876,
    least_probability=0.1779,
    sd_scale=1.009,
)
