"""All estimators at all levels, each with its value or the reason why it has none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from cv_pipeline.accuracy.cep.empirical import empirical
from cv_pipeline.accuracy.cep.ethridge import ethridge
from cv_pipeline.accuracy.cep.grubbs import grubbs_liu, grubbs_patnaik, grubbs_pearson
from cv_pipeline.accuracy.cep.ignani import ignani
from cv_pipeline.accuracy.cep.krempasky import krempasky
from cv_pipeline.accuracy.cep.normal import correlated_normal
from cv_pipeline.accuracy.cep.rand import rand
from cv_pipeline.accuracy.cep.rayleigh import rayleigh
from cv_pipeline.accuracy.cep.rmse import rmse
from cv_pipeline.accuracy.cep.sample import About, Sample, UndefinedError
from cv_pipeline.accuracy.cep.valstar import valstar
from cv_pipeline.types import CepEstimate, Float64Array

LEVELS = (0.5, 0.9, 0.95)

ESTIMATORS: Mapping[str, Callable[[Sample, float, About], float]] = {
    "sample": empirical,
    "rayleigh": rayleigh,
    "correlated_normal": correlated_normal,
    "grubbs_pearson": grubbs_pearson,
    "grubbs_patnaik": grubbs_patnaik,
    "grubbs_liu": grubbs_liu,
    "rmse": rmse,
    "ethridge": ethridge,
    "rand": rand,
    "valstar": valstar,
    "krempasky": krempasky,
    "ignani": ignani,
}


def cep(offsets: Float64Array, level: float, estimator: str, about: About = About.MEAN) -> CepEstimate:
    """The radius of the circle that holds ``level`` of the impacts, by one estimator.

    Args:
        offsets: (n, 2) impacts relative to their aim points, in any one unit.
        level: share of the impacts, in (0, 1).
        estimator: a key of ``ESTIMATORS``.
        about: circle about the sample's mean or about the aim point.

    Returns:
        The radius in the unit of the offsets; None with a reason where the estimator has no value:
        too few points, all in one place, a level or centre it was not published for.

    Raises:
        ValueError: the level is not in (0, 1), the offsets are not finite (n, 2).
        KeyError: there is no such estimator.
    """
    if not 0 < level < 1:
        raise ValueError(f"the level must lie between 0 and 1, got {level}")
    estimate = ESTIMATORS[estimator]
    try:
        radius = estimate(Sample(np.asarray(offsets, dtype=np.float64)), level, about)
    except UndefinedError as error:
        return CepEstimate(estimator, level, about.value, None, str(error))
    return CepEstimate(estimator, level, about.value, radius)


def cep_table(offsets: Float64Array, levels: Sequence[float] = LEVELS) -> tuple[CepEstimate, ...]:
    """Every estimator about both centres at every level, in the order of ``ESTIMATORS``."""
    return tuple(
        cep(offsets, level, estimator, about) for estimator in ESTIMATORS for about in About for level in levels
    )
