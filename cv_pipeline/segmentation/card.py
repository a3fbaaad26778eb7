"""Model cards: what each must tell, and whether its figures are those of ``metrics.json``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cv_pipeline.segmentation.zoo import ModelFile

TOPICS: Mapping[str, str] = {
    "data": r"trained on|data",
    "licence": r"licen[cs]e",
    "figures": r"held-out",
    "domain": r"accepted gsd|domain",
    "failure modes": r"fails on|failure",
}
"""What a card must tell, and how the heading or the table row that does so is known (case does not matter)."""

Row = Mapping[str, str]


def tables(text: str) -> list[list[Row]]:
    """The Markdown tables of a text, each as rows by lower-case heading."""
    found: list[list[Row]] = []
    heads: list[str] | None = None
    for line, following in zip(lines := text.splitlines(), [*lines[1:], ""], strict=True):
        cells = _cells(line)
        if not cells:
            heads = None
        elif heads is None:
            if re.fullmatch(r"[\s|:-]+", following):
                heads = [cell.lower() for cell in cells]
                found.append([])
        elif not re.fullmatch(r"[\s|:-]+", line):
            found[-1].append(dict(zip(heads, cells, strict=False)))
    return found


def _cells(line: str) -> list[str]:
    line = line.strip()
    return [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []


def fact(text: str, label: str) -> str | None:
    """The second cell of the first table row whose first cell matches ``label``; None where there is none."""
    for line in text.splitlines():
        cells = _cells(line)
        if len(cells) > 1 and re.search(label, cells[0], re.IGNORECASE):
            return cells[1]
    return None


def licence(text: str) -> str | None:
    """The licence that a card states, up to the first comma."""
    stated = fact(text, TOPICS["licence"])
    return None if not stated else stated.split(",")[0].strip()


def card_problems(text: str, metrics: Mapping[str, Any], model: ModelFile) -> list[str]:
    """What is missing in a card, and where it contradicts ``metrics.json`` or ``model.yaml``; empty where all is well.

    The table of held-out figures is the one with a column ``mode`` and rows "before + after" and "after alone".
    """
    labels = [line.lstrip("# ").lower() for line in text.splitlines() if line.startswith("#")]
    labels += [cells[0].lower() for line in text.splitlines() if (cells := _cells(line))]
    problems = [
        f"says nothing of {topic}: no heading or table row with '{pattern}'"
        for topic, pattern in TOPICS.items()
        if not any(re.search(pattern, label) for label in labels)
    ]
    problems += _gsd_problems(text, model)
    if f"{model.score_threshold:g}" not in _numbers(text):
        problems.append(f"does not tell the threshold of model.yaml, {model.score_threshold:g}")
    held_out = [row for table in tables(text) for row in table if "mode" in row]
    for mode, key in (("before + after", "pair"), ("after alone", "after_only")):
        row = next((row for row in held_out if row["mode"].lower() == mode), None)
        if row is None:
            problems.append(f"has no row '{mode}' in a table of held-out figures with a column 'mode'")
        else:
            problems += _row_problems(mode, row, expected_cells(metrics, key))
    return problems


def _gsd_problems(text: str, model: ModelFile) -> list[str]:
    stated = fact(text, r"accepted gsd")
    if stated is None:
        return []
    wanted = [f"{model.min_gsd_m:g}", f"{model.max_gsd_m:g}"]
    return [] if _numbers(stated)[:2] == wanted else [f"accepts {stated}, but model.yaml {' to '.join(wanted)} m"]


def expected_cells(metrics: Mapping[str, Any], mode: str) -> dict[str, list[float]]:
    """Numbers that a card's table shows for a mode of ``metrics.json``, by lower-case column.

    Each is a figure and, where there is one, its interval after it, which must be told of AP.

    Raises:
        KeyError, TypeError: the metrics lack a figure.
    """
    figures = metrics[mode]
    point = figures["at_threshold"]
    return {
        "craters": [figures["craters"]],
        "ap": [figures["ap"], *figures["ap_interval_95"]],
        "precision": [point["precision"]],
        "recall": [point["recall"]],
        "f1": [point["f1"], *(figures.get("f1_interval_95") or [])],
        "median centre error": [figures["median_centre_error_m"]],
        "crater iou": [metrics["crater_iou"][mode]],
        "blast iou": [metrics["blast_iou"][mode]],
    }


def _row_problems(mode: str, row: Row, expected: Mapping[str, Sequence[float]]) -> list[str]:
    problems = []
    for column, values in expected.items():
        shown = _numbers(row.get(column, ""))
        if not shown:
            problems.append(f"gives no '{column}' for '{mode}'")
        elif column == "ap" and len(shown) < len(values):
            problems.append(f"gives '{column}' for '{mode}' without its interval")
        elif not all(_agree(value, text) for value, text in zip(values, shown, strict=False)):
            wanted = ", ".join(f"{value:.4g}" for value in values)
            problems.append(f"gives '{column}' for '{mode}' as {row[column]}, but metrics.json has {wanted}")
    return problems


def _numbers(text: str) -> list[str]:
    return re.findall(r"\d+(?:\.\d+)?", text.replace(",", ""))


def _agree(value: float, shown: str) -> bool:
    """Whether ``shown`` is ``value`` rounded to the decimals it has; a tie may be rounded either way."""
    return abs(value - float(shown)) <= 0.5 * 10.0 ** -len(shown.partition(".")[2]) + 1e-9
