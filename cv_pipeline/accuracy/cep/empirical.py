"""The sample's own quantile of the radii: no model at all."""

from __future__ import annotations

import numpy as np

from cv_pipeline.accuracy.cep.sample import About, Sample, UndefinedError


def empirical(sample: Sample, level: float, about: About) -> float:
    """Type-7 quantile of the radii, in the numbering of Hyndman and Fan 1996, doi:10.1080/00031305.1996.10473566.

    Linear between order statistics, the default of R and numpy. About the sample mean it is too short at
    small n: at n = 9 the 50 % radius of a circular group by 5 %, the 90 % radius by 14 %.

    Undefined where less than one point is expected beyond the radius (n * (1 - level) < 1): with nine
    impacts nothing is known of the outermost 5 %, and interpolating towards the largest would pretend.
    """
    # The small number keeps n = 20 at 95 %, where 1 - 0.95 is a little below 0.05.
    if sample.n * (1 - level) < 1 - 1e-9:
        needed = int(np.ceil(1 / (1 - level) - 1e-9))
        raise UndefinedError(f"needs at least {needed} points, so that one is expected beyond; there are {sample.n}")
    if about is About.MEAN and sample.n < 2:
        raise UndefinedError("one point has no spread about its own mean")
    return float(np.quantile(sample.radii(about), level, method="linear"))
