"""The why-figure draws whatever an impact has and says what it has not."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from cv_pipeline.patterns.measure import measure_patterns
from cv_pipeline.report.why import why_svg
from cv_pipeline.types import Impact, PatternKind, Status
from tests.patterns import painted
from tests.patterns.painted import inside, maps, picture, sites, window

SVG = "{http://www.w3.org/2000/svg}"


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


def drawn(impact: Impact) -> ElementTree.Element:
    return ElementTree.fromstring(why_svg(impact, np.full((64, 64, 3), 90, np.uint8), 20.0))


def texts(impact: Impact) -> str:
    return " | ".join(text.text or "" for text in drawn(impact).iter(f"{SVG}text"))


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


def test_places_are_to_scale(impact: Impact) -> None:
    """The blast circle's right end, its line in the profile, and the axis' tip lie where the ticks say."""
    told = replace(impact, blast_radius_m=10.0, direction_deg=90.0, direction_sd_deg=7.0)
    lines = [path for path in drawn(told).iter(f"{SVG}path") if path.get("stroke") == "#e69f00"]
    ends = {
        path.get("clip-path"): max(float(x) for x, _ in re.findall(r"([\d.]+) ([\d.]+)", path.get("d", "")))
        for path in lines
        if path.get("stroke-width") in ("1.6", "2.0")
    }
    assert ends["url(#ground)"] == pytest.approx(52 + 216 * (10 + 20) / 40, abs=0.1)
    assert ends["url(#profile)"] == pytest.approx(335 + 216 / 2.5, abs=0.1)
    arrow = [path for path in drawn(told).iter(f"{SVG}path") if path.get("stroke") == "#c8201f"]
    assert arrow[0].get("d") == f"M160.0 144.0L{160 + 108 * 0.95 * 0.92:.1f} 144.0"


def test_names_are_escaped(impact: Impact) -> None:
    assert "<a&b>: circle" in texts(replace(impact, impact_id="<a&b>"))


def test_nothing_is_written_over_the_profile(impact: Impact) -> None:
    """Whatever way the curve runs, it is not behind words; swatches of the legend are lines that end in h14."""
    bottom = 36 + 216
    words = [(float(t.get("x", "")), float(t.get("y", "")), t.text) for t in drawn(impact).iter(f"{SVG}text")]
    swatches = [path.get("d", "") for path in drawn(impact).iter(f"{SVG}path") if path.get("d", "").endswith("h14")]
    assert [text for x, y, text in words if 335 < x < 335 + 216 and 36 < y < bottom] == []
    assert len(swatches) == 6  # crater, three estimates and all of them; all azimuths alike
    assert all(bottom < float(d.split()[1].removesuffix("h14")) < 340 for d in swatches)
