"""Contrast of the report's colours (WCAG 2.1, 1.4.3 and 1.4.11), from its style sheet: light, dark and on paper."""

from __future__ import annotations

import re
from importlib import resources

import pytest

TEXT, GRAPHIC = 4.5, 3.0
PAIRS = {
    ("text", "bg"): TEXT, ("text", "card"): TEXT, ("muted", "bg"): TEXT, ("muted", "card"): TEXT,
    ("accent", "bg"): TEXT, ("accent", "card"): TEXT, ("warn-text", "warn-bg"): TEXT, ("bad-text", "bad-bg"): TEXT,
    ("text", "likely"): TEXT, ("text", "less"): TEXT, ("likely-mark", "card"): TEXT, ("less-mark", "card"): TEXT,
}  # fmt: skip
CSS = resources.files("cv_pipeline.report").joinpath("report.css").read_text(encoding="utf-8")


def colours(scheme: str) -> dict[str, str]:
    """The custom properties of a scheme; what dark and paper do not set is as in light."""
    light, dark, paper = (
        dict(re.findall(r"--([\w-]+): (#\w+)", root)) for root in re.findall(r":root \{([^}]*)\}", CSS)
    )
    return light | {"light": {}, "dark": dark, "paper": paper}[scheme]


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[k : k + 2], 16) / 255 for k in (0, 2, 4)]
    red, green, blue = (v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_ratio_is_that_of_the_standard() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark", "paper"])
@pytest.mark.parametrize(("front", "behind"), list(PAIRS))
def test_contrast(scheme: str, front: str, behind: str) -> None:
    found = colours(scheme)
    assert contrast(found[front], found[behind]) >= PAIRS[front, behind]


def test_aim_points_stand_out_from_their_own_edges() -> None:
    """Fill and edge of each symbol differ by 3 to 1, so one of the two is seen on any ground."""
    for css in ("likely", "less"):
        fill, edge = re.search(rf"\.aim\.{css} {{ fill: (#\w+); stroke: (#\w+); }}", CSS).groups()
        assert contrast(fill, edge) >= GRAPHIC
