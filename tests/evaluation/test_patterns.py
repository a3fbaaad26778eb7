"""Fits and figures of directions on planted evidence: what is fitted holds on fresh cases, correlation with the sun."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from cv_pipeline.evaluation.pattern_cases import Case, angle_deg, fit_direction
from cv_pipeline.evaluation.pattern_scenes import TruthPattern
from cv_pipeline.evaluation.pattern_scores import LABELS, lines, planted_figures
from cv_pipeline.evaluation.pattern_sun import following
from cv_pipeline.evaluation.pattern_text import SIGMAS_90, auroc
from cv_pipeline.evaluation.pattern_witnesses import bootstrap_axis, witness_table
from cv_pipeline.evaluation.plain import Figure, write_part
from cv_pipeline.patterns.edge import Edge
from cv_pipeline.patterns.measure import Findings
from cv_pipeline.patterns.one_sided import sides, weigh_axis
from cv_pipeline.patterns.radii import NO_RADIUS, Head
from cv_pipeline.patterns.rays import AZIMUTHS_RAD, SECTORS
from cv_pipeline.patterns.weights import PLAIN
from cv_pipeline.types import SectorUse


def planted(rng: np.random.Generator, directional: bool) -> Case:
    """A ragged circle, perhaps with a fan, and a network's vector that is off by 20 degrees."""
    azimuth = rng.uniform(0, 2 * np.pi)
    lumps = sum(rng.normal(0, 0.04) * np.cos(k * AZIMUTHS_RAD + rng.uniform(0, 6.28)) for k in range(1, 8))
    lobe = np.exp(rng.uniform(2, 12) * (np.cos(AZIMUTHS_RAD - azimuth) - 1))
    reach = 1 + lumps + (rng.uniform(0.1, 0.7) if directional else 0) * lobe
    off, length = azimuth + rng.normal(0, 0.35), abs(rng.normal(0.4 if directional else 0.0, 0.12))
    use = np.full(SECTORS, SectorUse.USED, np.float64)
    witnesses = sides(reach, use, 0.02, None, (length * np.sin(off), length * np.cos(off)))
    edge = Edge(float("nan"), 0.0, 0.0, np.zeros(0))
    found = Findings(True, Head(9.0), 9.0, edge, NO_RADIUS, use, 9 * reach, witnesses, None, None)
    axis_deg = float(np.rad2deg(azimuth)) if directional else None
    rest = cast("Any", (0.5, True, 2.0, 2.0 if directional else 0.0, "x", "SOIL", True))
    return Case(TruthPattern(0.0, 0.0, 2.0, 9.0, None, axis_deg, *rest), found, 0.5, 0.0)


def cases(seed: int) -> list[Case]:
    rng = np.random.default_rng(seed)
    return [planted(rng, k % 2 == 0) for k in range(200)]


def test_what_is_fitted_holds_on_fresh_cases() -> None:
    weights = fit_direction(cases(1))
    fresh = cases(2)
    judged = [weigh_axis(c.found.sides, weights) for c in fresh]
    chance = np.array([p for _, p in judged])
    directional = np.array([c.is_directional for c in fresh])
    assert auroc(chance[directional], chance[~directional]) > 0.95
    assert (chance[~directional] >= weights.least_probability).mean() < 0.05
    told = directional & (chance >= weights.least_probability)
    error = np.array([abs(angle_deg(a.azimuth_deg, c.truth.axis_deg or 0)) for c, (a, _) in zip(fresh, judged)])  # noqa: B905
    sd = np.array([a.sd_deg for a, _ in judged]) * weights.sd_scale
    assert (error <= SIGMAS_90 * sd)[told].mean() == pytest.approx(0.9, abs=0.06)
    rows = witness_table(fresh, weights)
    assert any("bootstrap" in row and " 100 " in row for row in rows)
    assert "all, weighed" in rows[-1]


def test_bootstrap_axis_points_to_the_fan_and_is_unsure_of_a_circle() -> None:
    reach = 1 + np.exp(4 * (np.cos(AZIMUTHS_RAD - 1.0) - 1))
    told = bootstrap_axis(reach, np.ones(SECTORS))
    assert told.azimuth_deg == pytest.approx(np.rad2deg(1.0), abs=1)
    assert told.sd_deg < 60 < bootstrap_axis(np.ones(SECTORS), np.ones(SECTORS)).sd_deg
    assert bootstrap_axis(np.zeros(SECTORS), np.ones(SECTORS)).strength == 0


@pytest.mark.parametrize(("share", "low", "high"), [(1.0, 0.99, 1.0), (0.0, -0.15, 0.15), (-1.0, -1.0, -0.99)])
def test_correlation_with_the_sun(share: float, low: float, high: float) -> None:
    """Axes that turn with the sun, that do not, and that turn against it, each about an axis of its own."""
    rng = np.random.default_rng(4)
    suns = np.tile(np.arange(0, 360, 45.0), (80, 1))
    own = rng.uniform(0, 360, (80, 1))
    axes = own + share * suns + (0 if share else rng.normal(0, 25, suns.shape))
    value, least, most = following(axes, suns)
    assert low <= value <= high
    assert least <= value <= most


def test_an_axis_along_the_suns_line_is_seen_in_doubled_angles_only() -> None:
    rng = np.random.default_rng(5)
    suns = np.tile(np.arange(0, 360, 45.0), (60, 1))
    axes = suns + 180.0 * rng.integers(0, 2, suns.shape)
    assert abs(following(axes, suns, 1)[0]) < 0.2
    assert following(axes, suns, 2)[0] > 0.99


def test_figures_carry_n_and_interval_into_a_file(tmp_path: Path) -> None:
    weights, fresh = fit_direction(cases(1)), cases(2)
    figures = planted_figures(fresh, 0.6, PLAIN.radius, weights)
    judged = np.array([weigh_axis(c.found.sides, weights)[1] for c in fresh])
    directional = np.array([c.is_directional for c in fresh])
    told = figures["auroc"]
    assert told.value == pytest.approx(auroc(judged[directional], judged[~directional]))
    assert (told.n, told.low is not None and told.low < told.value <= (told.high or 0)) == (200, True)
    assert figures["given_of_round"].n == figures["given_of_seen"].n == 100
    assert figures["secondary_radius"] == Figure(None, None, None, 0)
    assert set(figures) <= set(LABELS)
    write_part(tmp_path / "p.json", "oracle", {"auroc": told.document()})
    write_part(tmp_path / "p.json", "network", {"auroc": None})
    write_part(tmp_path / "p.json", "network", {"secondary": figures["secondary_radius"].document()})
    kept = json.loads((tmp_path / "p.json").read_text())
    assert kept["oracle"]["auroc"]["n"] == 200
    assert kept["network"] == {"secondary": {"n": 0, "value": None, "interval_95": None}}
    assert any(line.startswith("secondary radius") and line.endswith("- (n=0)") for line in lines(figures))
