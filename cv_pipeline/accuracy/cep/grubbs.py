"""Chi-square approximations to the squared radius of a normal group.

Grubbs 1964 (doi:10.1287/opre.12.1.51) matches two moments (after Patnaik 1949, doi:10.1093/biomet/36.1-2.202)
or three (after Pearson 1959, doi:10.1093/biomet/46.3-4.364). Liu, Tang and Zhang 2009
(doi:10.1016/j.csda.2008.11.025) match four where they can; Grubbs did not propose that one.

With principal variances ``l`` and mean offsets ``m`` along them, the squared radius is a sum of
``l * chi2(1, m^2 / l)``; its k-th cumulant is proportional to ``sum(l^k + k l^(k-1) m^2)``, which stays
finite for collinear points.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from cv_pipeline.accuracy.cep.sample import About, Sample, UndefinedError, need_spread
from cv_pipeline.types import Float64Array

Cumulants = Float64Array
"""(4,) sums c1 ... c4, so that mean = c1, variance = 2 c2, third central moment = 8 c3."""


def grubbs_patnaik(sample: Sample, level: float, about: About) -> float:
    """Two moments; any level in (0, 1); n >= 3. Collinear points give the exact half-normal about the mean."""
    return _radius(sample, about, lambda c: _patnaik(c, level))


def grubbs_pearson(sample: Sample, level: float, about: About) -> float:
    """Three moments; any level at which the square stays positive; n >= 3."""
    return _radius(sample, about, lambda c: _pearson(c, level))


def grubbs_liu(sample: Sample, level: float, about: About) -> float:
    """Three or four moments; n >= 3. About the mean it is Grubbs-Pearson, since two axes never allow the fourth."""
    return _radius(sample, about, lambda c: _liu(c, level))


def cumulants(sample: Sample, about: About) -> Cumulants:
    """The four sums of the module's text, in units of the greater variance to the k-th power."""
    unit = sample.variances[0]
    variances = sample.variances / unit
    squares = sample.mean_on_axes**2 / unit if about is About.AIM else np.zeros(2)
    return np.array([np.sum(variances**k + k * variances ** (k - 1) * squares) for k in (1, 2, 3, 4)])


def _radius(sample: Sample, about: About, squared: Callable[[Cumulants], float]) -> float:
    need_spread(sample, 3)
    square = squared(cumulants(sample, about))
    if not square > 0:
        raise UndefinedError("the approximated squared radius is not positive at so low a level")
    return math.sqrt(square * sample.variances[0])


def _patnaik(c: Cumulants, level: float) -> float:
    from scipy.stats import chi2

    return float(c[1] / c[0] * chi2.ppf(level, c[0] ** 2 / c[1]))


def _pearson(c: Cumulants, level: float) -> float:
    from scipy.stats import chi2

    freedom = c[1] ** 3 / c[2] ** 2
    return float(c[0] + math.sqrt(c[1] / freedom) * (chi2.ppf(level, freedom) - freedom))


def _liu(c: Cumulants, level: float) -> float:
    from scipy.stats import ncx2

    skewness, kurtosis = c[2] / c[1] ** 1.5, c[3] / c[1] ** 2
    # Equal in theory for a circle about its mean; rounding must not decide which form is taken.
    if skewness**2 <= kurtosis * (1 + 1e-12):
        return _pearson(c, level)
    a = 1 / (skewness - math.sqrt(skewness**2 - kurtosis))
    shift = skewness * a**3 - a**2
    freedom = a**2 - 2 * shift
    standard = (float(ncx2.ppf(level, freedom, shift)) - freedom - shift) / (math.sqrt(2) * a)
    return float(standard * math.sqrt(2 * c[1]) + c[0])
