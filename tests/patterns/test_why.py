"""The why-figure draws whatever an impact has and says what it has not."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest

from cv_pipeline.patterns.measure import measure_patterns
from cv_pipeline.patterns.why import why_figure
from cv_pipeline.types import Impact, PatternKind, Status
from tests.patterns import painted
from tests.patterns.painted import inside, maps, picture, sites, window


@pytest.fixture
def impact() -> Impact:
    at = painted.ground(1)
    image = picture(90.0, 40 * inside(at, 9.0) - 30 * inside(at, 2.5), 8 * at.texture)
    (pattern,) = measure_patterns(
        window(maps(at, 2.5, 9.0), image), sites(bounds_m=30.0), np.array([2.5]), np.array([0.1])
    )
    assert pattern.blast is not None
    return Impact(
        "I007", 80.0, 80.0, 0.0, 0.0, None, None, 0.9, Status.NEW, 0.9, 0.1, 2.5, 0.1, pattern.blast.radius_m, None,
        pattern.kind, None, None, blast_radius_sd_m=pattern.blast.sd_m,
        directional_probability=pattern.directional_probability, evidence=pattern.evidence,
    )  # fmt: skip


def texts(impact: Impact) -> str:
    figure = why_figure(impact, np.full((64, 64, 3), 90, np.uint8), 20.0)
    figure.savefig(io.BytesIO(), dpi=50)
    found = [text.get_text() for axes in figure.axes for text in (axes.title, *axes.texts)]
    legends = [axes.get_legend() for axes in figure.axes]
    return " | ".join(found + [t.get_text() for legend in legends if legend for t in legend.get_texts()])


def test_all_parts_are_named(impact: Impact) -> None:
    words = texts(impact)
    assert impact.blast_radius_m is not None
    for part in ("I007: circle", "used (", "mask 9", "colours", f"all {impact.blast_radius_m:.1f} ±", "no direction"):
        assert part in words


def test_a_direction_is_drawn_with_its_spread(impact: Impact) -> None:
    assert "extends to 40 ± 7°" in texts(replace(impact, direction_deg=40.0, direction_sd_deg=7.0))


def test_an_impact_without_a_pattern(impact: Impact) -> None:
    bare = replace(impact, blast_radius_m=None, evidence=None, pattern=PatternKind.NONE)
    assert "no pattern, no axis" in texts(bare)
