"""Figures of craters: planted errors come back, with the intervals of an independent source."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from scipy.stats import binomtest

from cv_pipeline.evaluation.crater_figures import LABELS, Found, band_lines, geometry, lines, wilson
from cv_pipeline.simulation.strike import StrikeStatus
from cv_pipeline.types import Status


def found(off_px: float, radius_m: float, status: Status = Status.NEW, conspicuity: float = 2.0) -> Found:
    """A crater of 2 m at (50, 50) px of 0.5 m, found ``off_px`` to the right, with SDs of 0.5 m and 0.25 m."""
    impact = {
        "row_px": 50.0, "col_px": 50.0 + off_px, "centre_sd_m": 0.5, "crater_radius_m": radius_m,
        "crater_radius_sd_m": 0.25, "status": status, "status_probability": 0.9,
    }  # fmt: skip
    strike = {"row_px": 50.0, "col_px": 50.0, "crater_radius_m": 2.0, "status": StrikeStatus.NEW}
    return Found(cast("Any", SimpleNamespace(**impact)), cast("Any", SimpleNamespace(**strike)), conspicuity, 0.5)


def test_planted_errors_come_back() -> None:
    figures = geometry([found(off, 2.2) for off in (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0)])
    assert figures["centre_native_px"].value == pytest.approx(3.0)
    assert figures["centre_m"].value == pytest.approx(1.5)
    assert figures["centre_working_px"].value == pytest.approx(1.5 / 0.6)
    assert figures["centre_m_p95"].value == pytest.approx(np.quantile(np.arange(7) * 0.5, 0.95))
    assert figures["centre_within_1_sd"].value == pytest.approx(
        (7 + 1) / 14
    )  # none is off down; right below 1 SD: 0 px
    assert (figures["radius_error"].value, figures["radius_bias"].value) == pytest.approx((0.1, 0.1))
    assert (figures["radius_within_1_sd"].value, figures["radius_within_1_sd"].n) == (1.0, 7)
    assert figures["status_right"].value == 1.0
    assert set(figures) == set(LABELS)
    assert geometry([]) == {}
    assert lines({}) == ["  nothing found"]


def test_status_counts_where_it_is_told() -> None:
    figures = geometry([found(0, 2.0), found(0, 2.0, Status.OLD), found(0, 2.0, Status.UNKNOWN)])
    assert (figures["status_right"].value, figures["status_right"].n) == (0.5, 2)
    assert "status_right" not in geometry([found(0, 2.0, Status.UNKNOWN)])


def test_bands_of_conspicuity_part_the_finds() -> None:
    rows = band_lines([found(1, 2.0, conspicuity=1.0), found(4, 2.0, conspicuity=5.0), found(4, 2.0, conspicuity=9.0)])
    assert [row.split(":")[0].strip() for row in rows] == [
        "standing out by 0 to 1.5 SD, n 1",
        "standing out by 3 to inf SD, n 2",
    ]


@pytest.mark.parametrize(("hits", "n"), [(0, 8), (5, 8), (113, 120)])
def test_wilson_is_that_of_scipy(hits: int, n: int) -> None:
    figure, other = wilson(hits, n), binomtest(hits, n).proportion_ci(0.95, "wilson")
    assert (figure.value, figure.low, figure.high) == pytest.approx((hits / n, other.low, other.high), abs=1e-4)
    assert wilson(0, 0).value is None
