"""Figures as plain values for a JSON file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

DRAWS = 400
"""Of a bootstrap over scenes: the ends of a 95 % interval are then good to about a tenth of its width."""


def rounded(value: float | None) -> float | None:
    """Four decimals."""
    return None if value is None else round(float(value), 4)


def listed(interval: tuple[float, float] | None) -> list[float] | None:
    """An interval as a list of two."""
    return None if interval is None else [round(float(value), 4) for value in interval]


class Figure(NamedTuple):
    """A figure with its 95 % interval and the number of cases behind it; None where there are too few for it."""

    value: float | None
    low: float | None
    high: float | None
    n: int

    def __str__(self) -> str:
        if self.value is None:
            return f"- (n={self.n})"
        bounds = "" if self.low is None or self.high is None else f" [{self.low:.3g}, {self.high:.3g}]"
        return f"{self.value:.3g}{bounds} (n={self.n})"

    def document(self) -> dict[str, Any]:
        """For a JSON file, as the scorecard has them."""
        interval = None if self.low is None or self.high is None else listed((self.low, self.high))
        return {"n": self.n, "value": rounded(self.value), "interval_95": interval}


def write_part(path: Path, part: str, document: dict[str, Any]) -> None:
    """Put a part into a JSON file in place of an earlier one of that name; the file's other parts stay."""
    content = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**content, part: document}, indent=1, sort_keys=True, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
