"""Written by scripts/fit_verdicts.py; do not edit.

Fitted with weights 49e46b831f51463f on simulated scenes 612/0 to 57.
"""

# ruff: noqa: E501
from cv_pipeline.patterns.verdict import PeakErrors, Weights

SCORE = Weights(
    (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
    (1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    0,
)  # fmt: skip
NEW = Weights(
    # network, before, before_core, present, faint
    (0, 0, 0, 0, 0),
    (1, 1, 1, 1, 1),
    (1, 0, 0, 0, 0),
    0,
)  # fmt: skip
PEAK = PeakErrors(1.826, 1.743)
