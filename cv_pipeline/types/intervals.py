"""Intervals, and estimates that come with one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Interval(NamedTuple):
    """A two-sided confidence interval, in the unit of the estimate it stands beside."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Rate:
    """A share or a number that was estimated, with its interval."""

    value: float
    interval: Interval
