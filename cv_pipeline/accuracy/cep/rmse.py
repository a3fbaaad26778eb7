"""The radial RMS error scaled to a level, as GNSS practice has it (van Diggelen 2007, GPS World 18(1))."""

from __future__ import annotations

import math

import numpy as np

from cv_pipeline.accuracy.cep.sample import About, Sample, need_spread


def rmse(sample: Sample, level: float, about: About) -> float:
    """Per-axis RMS times ``sqrt(-2 ln(1 - level))``; any level in (0, 1); n >= 2.

    About the mean the squares are divided by n - 1, about the aim point by n and taken from the aim
    point, so a bias counts as dispersion: far too long at 90 % when the group is tight and off.
    """
    need_spread(sample, 2)
    squares = (
        sample.sum_of_squares / (sample.n - 1) if about is About.MEAN else float(np.mean(sample.radii(about) ** 2))
    )
    return math.sqrt(squares / 2) * math.sqrt(-2 * math.log1p(-level))
