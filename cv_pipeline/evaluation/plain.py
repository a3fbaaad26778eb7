"""Figures as plain values for a JSON file."""

from __future__ import annotations

DRAWS = 400
"""Of a bootstrap over scenes: the ends of a 95 % interval are then good to about a tenth of its width."""


def rounded(value: float | None) -> float | None:
    """Four decimals."""
    return None if value is None else round(float(value), 4)


def listed(interval: tuple[float, float] | None) -> list[float] | None:
    """An interval as a list of two."""
    return None if interval is None else [round(float(value), 4) for value in interval]
