"""A square of an SVG figure with axes, and the strings that lines, areas and words in it are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from cv_pipeline.report.overlays import path_data
from cv_pipeline.types import Float64Array

TOP, SIDE = 36, 216
"""Of every panel, in pixels of the figure."""
SMALL, USUAL = 7.5, 10.0
"""Font sizes."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A square of the figure and the ranges of values that it shows."""

    name: str
    left_px: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    def points(self, x: Float64Array | float, y: Float64Array | float) -> Float64Array:
        """Values as (x, y) in pixels of the figure (n, 2)."""
        x, y = np.broadcast_arrays(np.atleast_1d(x), np.atleast_1d(y))
        across = (x - self.x_range[0]) / (self.x_range[1] - self.x_range[0])
        up = (y - self.y_range[0]) / (self.y_range[1] - self.y_range[0])
        return np.column_stack([self.left_px + SIDE * across, TOP + SIDE * (1 - up)])

    def path(self, x: Float64Array | float, y: Float64Array | float, style: str) -> str:
        """A line through values, or with a ``fill`` an area, cut at the panel's edge."""
        return f'<path d="{path_data(self.points(x, y))}" clip-path="url(#{self.name})" {style}/>'

    def upright(self, x: float, style: str) -> str:
        """A line over the panel's whole height."""
        return self.path(np.array([x, x]), np.array(self.y_range), style)

    def band(self, low: float, high: float, style: str) -> str:
        """An area over the panel's whole height."""
        bottom, top = self.y_range
        return self.path(np.array([low, low, high, high]), np.array([bottom, top, top, bottom]), style)

    def frame(self, x_label: str, y_label: str, title: Sequence[str], x_ticks: Sequence[float] | None = None,
              y_ticks: Sequence[float] | None = None) -> list[str]:  # fmt: skip
        """The panel's clip, axes with ticks, labels and title."""
        right, bottom = self.left_px + SIDE, TOP + SIDE
        middle_x, middle_y = self.left_px + SIDE / 2, TOP + SIDE / 2
        marks, words = [f"M{self.left_px} {TOP}V{bottom}H{right}"], []
        for value in ticks(*self.x_range) if x_ticks is None else x_ticks:
            x = self.points(value, 0.0)[0, 0]
            marks.append(f"M{x:.1f} {bottom}v4")
            words.append(text(x, bottom + 14, f"{value:g}", SMALL + 1))
        for value in ticks(*self.y_range) if y_ticks is None else y_ticks:
            y = self.points(0.0, value)[0, 1]
            marks.append(f"M{self.left_px} {y:.1f}h-4")
            words.append(text(self.left_px - 6, y + 3, f"{value:g}", SMALL + 1, "end"))
        turned = f'transform="rotate(-90 {self.left_px - 32:g} {middle_y:g})"'
        return [
            f'<clipPath id="{self.name}"><rect x="{self.left_px}" y="{TOP}" width="{SIDE}" height="{SIDE}"/>'
            "</clipPath>",
            f'<path d="{"".join(marks)}" stroke="#000" stroke-width="0.8"/>',
            *words,
            text(middle_x, bottom + 27, x_label),
            text(self.left_px - 32, middle_y, y_label, more=turned),
            *(text(middle_x, TOP - 8 - 13 * k, line) for k, line in enumerate(reversed(title))),
        ]


def ticks(low: float, high: float) -> list[float]:
    """Round values inside a range, four to nine of them."""
    power = 10.0 ** np.floor(np.log10((high - low) / 4))
    step = max(k * power for k in (1, 2, 5) if k * power <= (high - low) / 4)
    return [float(round(k * step, 9)) + 0.0 for k in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]


def text(x: float, y: float, words: str, size: float = USUAL, anchor: str = "middle", more: str = "") -> str:
    """Words at (x, y) in pixels of the figure; ``anchor`` says which part of them lies there."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" text-anchor="{anchor}" fill="#111" {more}>'
        f"{escape(words)}</text>"
    )


def stroke(colour: str, width: float, dash: str = "") -> str:
    """The style of a line."""
    return f'stroke="{colour}" stroke-width="{width}"' + (f' stroke-dasharray="{dash}"' if dash else "")


def fill(colour: str, opacity: float = 1.0) -> str:
    """The style of an area."""
    return f'fill="{colour}" fill-opacity="{opacity}"'


def legend(panel: Panel, entries: Sequence[tuple[str, str]]) -> list[str]:
    """Words (style of a swatch, text) in two columns below a panel's labels, where they hide nothing."""
    parts = []
    for k, (style, words) in enumerate(entries):
        x, y = below(panel, k)
        parts += [f'<path d="M{x:.1f} {y:.1f}h14" {style}/>', text(x + 18, y + 2.5, words, SMALL, "start")]
    return parts


def below(panel: Panel, place: int) -> tuple[float, float]:
    """Where the entry ``place`` of a list below a panel's labels begins, in pixels of the figure."""
    return panel.left_px + 112 * (place % 2), TOP + SIDE + 41 + 11 * (place // 2)
