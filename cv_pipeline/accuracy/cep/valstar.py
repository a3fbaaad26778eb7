"""Valstar's formula for the median radius, as given by Williams 1997 (thesis AFIT/GOA/ENS/97M-14)."""

from __future__ import annotations

import math

import numpy as np

from cv_pipeline.accuracy.cep.rand import linear_cep
from cv_pipeline.accuracy.cep.sample import About, Sample, need_median, need_spread

ELONGATED = 0.369
"""Ratio of the lesser to the greater SD up to which the second branch holds."""


def valstar(sample: Sample, level: float, about: About) -> float:
    """50 % level only; n >= 3. About the aim point the bias is added in quadrature.

    For elongated groups ``0.675 s1 + s2^2 / (1.2 s1)``. shotGroups has ``s2 / (1.2 s1)`` there, which
    adds a number without a unit to a length, leaves a step of the formula at the ratio 0.369 and is
    up to 9 % short; with the square the branches meet and the result is within 0.4 % of the exact
    one. The square is used here, and differs from shotGroups for such groups.
    """
    need_median(level)
    need_spread(sample, 3)
    greater, lesser = np.sqrt(sample.variances)
    is_elongated = lesser <= ELONGATED * greater
    cep = 0.675 * greater + lesser**2 / (1.2 * greater) if is_elongated else linear_cep(sample)
    return float(cep) if about is About.MEAN else math.hypot(cep, *sample.mean)
