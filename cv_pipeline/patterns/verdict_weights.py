"""Written by scripts/fit_verdicts.py; do not edit."""

from cv_pipeline.patterns.verdict import NEW_TERMS, SCORE_TERMS, Weights

SCORE = Weights((0.0,) * len(SCORE_TERMS), (1.0,) * len(SCORE_TERMS), (1.0,) + (0.0,) * (len(SCORE_TERMS) - 1), 0.0)
NEW = Weights((0.0,) * len(NEW_TERMS), (1.0,) * len(NEW_TERMS), (1.0,) + (0.0,) * (len(NEW_TERMS) - 1), 0.0)
