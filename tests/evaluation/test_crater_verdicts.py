"""Planted errors of peaks and fits give back the factors on the SDs that were stated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from cv_pipeline.evaluation.crater_table import Table
from cv_pipeline.evaluation.crater_verdicts import fit_fits, fit_peaks
from cv_pipeline.patterns.evidence import Evidence, no_evidence
from cv_pipeline.patterns.verdict import PeakErrors

COUNT = 4000
Make = Callable[..., Table]


@pytest.fixture
def make() -> Make:
    def build(peak: tuple[float, float], fit: tuple[float, float]) -> Table:
        """Candidates whose centres and radii are off by these factors times the stated SDs; a tenth are no craters."""
        rng = np.random.default_rng(5)
        true_m, radius_m = rng.uniform(0, 1000, (COUNT, 2)), rng.uniform(1.5, 5, COUNT)

        def off(factors: tuple[float, float]) -> Evidence:
            centre_sd_m, share = rng.uniform(0.1, 0.5, COUNT), rng.uniform(0.03, 0.1, COUNT)
            centre_m = true_m + factors[0] * centre_sd_m[:, None] * rng.standard_normal((COUNT, 2))
            found_m = radius_m * np.exp(factors[1] * share * rng.standard_normal(COUNT))
            return no_evidence(centre_m, centre_sd_m, found_m, found_m * share)

        is_crater = rng.random(COUNT) > 0.1
        usable = rng.random(COUNT) > 0.2
        nowhere = np.where(is_crater[:, None], true_m, np.nan)
        fitted, nothing = off(fit), np.zeros(COUNT)
        # What could not be fitted is far off and must not count.
        fitted = replace(fitted, usable=usable, centre_m=fitted.centre_m + np.where(usable, 0.0, 9.0)[:, None])
        radius = np.where(is_crater, radius_m, np.nan)
        return Table(
            nothing, off(peak), fitted, nothing, is_crater, nowhere, radius, is_crater, nothing + 0.5, ("",) * COUNT
        )

    return build


def test_factors_are_those_planted(make: Make) -> None:
    peaks = fit_peaks(make(peak=(1.6, 0.8), fit=(1.0, 1.0)))
    assert list(peaks) == [pytest.approx(1.6, rel=0.04), pytest.approx(0.8, rel=0.04), 1.0, 1.0, 1.0, 1.0]
    both = fit_fits(make(peak=(1.6, 0.8), fit=(0.7, 2.1)), PeakErrors(1.6, 0.8))
    assert list(both) == [1.6, 0.8, pytest.approx(0.7, rel=0.04), pytest.approx(2.1, rel=0.04), 1.0, 1.0]
