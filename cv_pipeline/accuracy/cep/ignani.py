"""Ignani's cubics in the ratio of the principal SDs (2010, J. Guid. Control Dyn. 33(4), 1301-1304)."""

from __future__ import annotations

import numpy as np

from cv_pipeline.accuracy.cep.sample import About, Sample, UndefinedError, need_spread

CUBICS = {
    0.5: (0.6754, -0.0208, 1.1009, -0.5821),
    0.9: (1.6494, -0.0588, 0.3996, 0.1636),
    0.95: (1.9626, 0.0100, 0.0700, 0.4092),
}
"""Coefficients by rising power. The 99 % row of the table is not offered: nothing here checks it."""


def ignani(sample: Sample, level: float, about: About) -> float:
    """The greater SD times a cubic; 50, 90 and 95 % about the mean only; n >= 3."""
    if level not in CUBICS:
        raise UndefinedError("published for the 50, 90 and 95 % levels only")
    if about is About.AIM:
        raise UndefinedError("published for circles about the mean only")
    need_spread(sample, 3)
    greater, lesser = np.sqrt(sample.variances)
    return float(greater * np.polynomial.polynomial.polyval(lesser / greater, CUBICS[level]))
