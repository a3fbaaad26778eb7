"""Figures show what the statistics count, and files of equal figures are equal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from defusedxml import ElementTree

from cv_pipeline.accuracy.matched import CENTRE, FIXED, LESS_LIKELY, LIKELY
from cv_pipeline.report.figures import (
    assumed_offsets,
    counted_impacts,
    distance_figure,
    histogram_figure,
    save_figure,
    share_below,
)
from cv_pipeline.types import Assessment, Decision, Interval, NullModel, ReviewMark, Status

from .factories import make_accuracy
from .test_landmarks import with_landmarks


def all_new(folder: Path) -> Assessment:
    made = with_landmarks(folder)
    return replace(made, impacts=tuple(replace(impact, status=Status.NEW) for impact in made.impacts))


def test_old_impacts_are_not_among_those_shown(tmp_path: Path) -> None:
    made = all_new(tmp_path)
    old = replace(made, impacts=(replace(made.impacts[0], status=Status.OLD), *made.impacts[1:]))
    assert [i.impact_id for i in counted_impacts(old, LIKELY)] == [i.impact_id for i in made.impacts[1:]]
    assert len(assumed_offsets(old, LIKELY)[0]) == len(made.impacts) - 1


@pytest.mark.parametrize("hypothesis", [LIKELY, LESS_LIKELY, CENTRE])
def test_impacts_lie_where_they_lie_from_the_aim_point(tmp_path: Path, hypothesis: str) -> None:
    made = all_new(tmp_path)
    distances_m, bearings = assumed_offsets(made, hypothesis)
    matches = {match.impact_id: match for match in made.matches}
    for impact, distance_m, bearing in zip(made.impacts, distances_m, bearings, strict=True):
        aims = [h.aim_m for h in matches[impact.impact_id].hypotheses if h.distance_m == pytest.approx(distance_m)]
        found = (impact.x_m - distance_m * np.sin(bearing), impact.y_m - distance_m * np.cos(bearing))
        assert any(found == pytest.approx(aim, abs=1e-6) for aim in aims)


def test_an_aim_point_that_a_person_picked_is_the_one_shown(tmp_path: Path) -> None:
    made = all_new(tmp_path)
    picked = made.matches[0].hypotheses[2]
    mark = ReviewMark(Decision.ACCEPTED, aim=picked.hypothesis_id)
    decided = replace(made, impacts=(replace(made.impacts[0], review=mark), *made.impacts[1:]))
    distances_m, _ = assumed_offsets(decided, f"{FIXED} for 1 of 3 impacts, the likely one elsewhere")
    assert distances_m[0] == picked.distance_m
    assert list(distances_m[1:]) == [match.hypotheses[0].distance_m for match in made.matches[1:]]


def test_shares_of_a_known_distribution() -> None:
    """A third at 0, the rest even between 0 and 30."""
    quantiles = np.quantile(np.concatenate([np.zeros(5000), np.linspace(0, 30, 10_000)]), np.linspace(0, 1, 101))
    at = np.array([0.0, 6.0, 15.0, 30.0, 40.0])
    assert share_below(quantiles.tolist(), at) == pytest.approx([0, 1 / 3 + 2 / 15, 2 / 3, 1, 1], abs=0.02)


def test_histogram_holds_the_impacts_and_what_chance_would_give() -> None:
    distances_m = np.random.default_rng(0).gamma(2.0, 6.0, 50)
    quantiles = tuple(np.linspace(0, 1.05 * distances_m.max(), 101))
    null = NullModel(1000, 20.0, 19.0, Interval(17.0, 23.0), 0.01, quantiles)
    figure = histogram_figure(replace(make_accuracy(list(distances_m)), null_model=null), distances_m)
    (axes,) = figure.axes
    (steps,) = [patch for patch in axes.patches if hasattr(patch, "get_data")]
    expected = steps.get_data().values
    assert expected.sum() == pytest.approx(50)
    assert expected == pytest.approx(np.full(len(expected), 50 / len(expected)), rel=0.05)
    bars = [patch.get_height() for patch in axes.containers[0]]
    assert sum(bars) == 50


def test_blast_circles_are_to_scale() -> None:
    summary = replace(make_accuracy([3.0, 4.0]), mean_blast_radius_m=5.5)
    figure = distance_figure(summary, np.array([3.0, 4.0]), np.array([0.0, np.pi / 2]), [5.0, None])
    (axes,) = figure.axes
    (circle,) = axes.collections[0].get_segments()
    assert np.hypot(circle[:, 0] - 0.0, circle[:, 1] - 3.0) == pytest.approx(np.full(len(circle), 5.0))
    radii = {line.get_label(): np.hypot(*line.get_data()) for line in axes.lines}
    assert radii["mean blast radius 5.5 m"] == pytest.approx(np.full(181, 5.5))
    assert np.abs(axes.get_xlim()).max() >= 8.0


def test_equal_figures_are_equal_files(tmp_path: Path) -> None:
    for name in "ab":
        figure = distance_figure(make_accuracy([3.0, 4.0]), np.array([3.0, 4.0]), np.array([0.0, 1.0]), [5.0, None])
        save_figure(figure, tmp_path / name)
    for suffix in ("png", "svg"):
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()
    assert ElementTree.parse(tmp_path / "a.svg").getroot().tag == "{http://www.w3.org/2000/svg}svg"
