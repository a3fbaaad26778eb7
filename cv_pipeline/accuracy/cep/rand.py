"""RAND's linear formula for the median radius (RAND Corporation 1952, report RAND-234)."""

from __future__ import annotations

import math

import numpy as np

from cv_pipeline.accuracy.cep.sample import About, Sample, UndefinedError, need_median, need_spread

GREATEST_BIAS = 2.2
"""The polynomial for a bias holds up to this many centred CEPs; at 22 it gives a negative radius."""


def linear_cep(sample: Sample) -> float:
    """0.5620 of the greater principal SD and 0.6152 of the lesser, about the mean."""
    greater, lesser = np.sqrt(sample.variances)
    return float(0.5620 * greater + 0.6152 * lesser)


def rand(sample: Sample, level: float, about: About) -> float:
    """50 % level only; n >= 3. About the aim point times a cubic in bias / CEP, refused beyond 2.2.

    Up to 17 % too short for collinear points; at no bias the cubic still adds 0.39 %.
    """
    need_median(level)
    need_spread(sample, 3)
    cep = linear_cep(sample)
    if about is About.MEAN:
        return cep
    bias = math.hypot(*sample.mean) / cep
    if bias > GREATEST_BIAS:
        raise UndefinedError(f"the bias is {bias:.1f} times the CEP; the formula holds to {GREATEST_BIAS} times")
    return cep * (1.0039 - 0.0528 * bias + 0.4786 * bias**2 - 0.0793 * bias**3)
