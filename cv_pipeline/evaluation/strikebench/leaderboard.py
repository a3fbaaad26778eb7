"""The leaderboard: one row for each detector on a set, with what it was when it was scored."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from cv_pipeline.errors import ConfigError
from cv_pipeline.evaluation.baselines.config import NetworkName
from cv_pipeline.evaluation.figures import headline
from cv_pipeline.evaluation.results import text_of
from cv_pipeline.evaluation.strikebench.spec import FOLDER, Spec
from cv_pipeline.patterns.weights_file import PATTERNS_FILE
from cv_pipeline.segmentation.zoo import WEIGHTS_FILE, shipped_models

NETWORK_BASELINES: tuple[str, ...] = get_args(NetworkName)
"""Trained by a command of their own; without a row until somebody has."""


def read_leaderboard(path: Path = FOLDER / "leaderboard.json") -> dict[str, Any]:
    """The leaderboard's file; an empty one where there is none.

    Raises:
        ConfigError: it is not a leaderboard.
    """
    if not path.is_file():
        return {"rows": []}
    try:
        board: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        [row["name"] for row in board["rows"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path}: not a leaderboard ({error!r}); restore it from the repository") from error
    return board


def put_row(board: dict[str, Any], spec: Spec, set_name: str, what: Mapping[str, Any], card: Mapping[str, Any]) -> None:
    """Add a row, in place of an earlier one of that name on that set. ``what`` says what was scored."""
    row = {**what, "set": set_name, "version": spec.version, **brief_card(card)}
    rows = [r for r in board["rows"] if (r["name"], r["set"]) != (row["name"], set_name)]
    board["rows"] = sorted([*rows, row], key=lambda r: (r["set"], -r["centres"]["ap"]))


def brief_card(card: Mapping[str, Any]) -> dict[str, Any]:
    """Of a scorecard, what the leaderboard shows; the whole of it is in the ``evaluation.json`` of its run."""
    boxes, ends, alarms = card["boxes"], card["end_to_end"] or {}, card["false_alarms"]
    outlines = card["outlines_at_iou_0.5"]
    return {
        **{name: card[name] for name in ("scenes", "objects", "threshold")},
        "centres": headline(card["centres"]),
        "outlines_at_iou_0.5": outlines and headline(outlines),
        "boxes": boxes and {name: boxes[name] for name in ("ap50_95", "ap50_95_interval_95")},
        "crater_mask": _named(card["pixels"].get("crater"), "iou", "iou_interval_95"),
        "radius_relative_error": card["geometry"]["radius_relative_error_median_size"],
        "distance_error_m": ends.get("distance_error_m_median_size"),
        "wrong_structure_share": ends.get("wrong_structure_share"),
        "false_alarms": _named(alarms, "per_km2", "interval_95"),
        "calibration_error": card["calibration"]["calibration_error"],
        "by_condition": {
            name: _named(part["centres"], "ap", "ap_interval_95")
            for name, part in card["by_condition"].items()
            if "centres" in part
        },
        "by_diameter_m": {
            name: _named(band, "objects", "recall", "precision", "f1", "f1_interval_95")
            for name, band in card["by_diameter_m"].items()
        },
    }


def _named(part: Mapping[str, Any] | None, *names: str) -> dict[str, Any] | None:
    return None if part is None else {name: part.get(name) for name in names}


def write_leaderboard(board: Mapping[str, Any], spec: Spec, folder: Path = FOLDER) -> None:
    """Write leaderboard.json, and leaderboard.md from it."""
    rows = ",\n".join(json.dumps(row, allow_nan=False) for row in board["rows"])  # a row a line, so that changes show
    (folder / "leaderboard.json").write_text(f'{{"rows": [\n{rows}\n]}}\n', encoding="utf-8")
    (folder / "leaderboard.md").write_text(_text(board, spec), encoding="utf-8")


def model_hash(folder: Path) -> str:
    """SHA-256 over the files of a model folder that can change what it finds."""
    digest = hashlib.sha256()
    for name in ("model.yaml", WEIGHTS_FILE, PATTERNS_FILE):
        path = folder / name
        if path.is_file():
            digest.update(name.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def stale_rows(board: Mapping[str, Any], spec: Spec, set_name: str) -> list[str]:
    """What of a set's rows is out of date or missing, as sentences."""
    rows = {row["name"]: row for row in board["rows"] if row["set"] == set_name}
    found = []
    for name, row in rows.items():
        if row["version"] != spec.version:
            found.append(f"{name}: of version {row['version']}, the benchmark is {spec.version}")
    for model, folder in shipped_models().items():
        mine = [row for row in rows.values() if row.get("model") == model]
        if not mine:
            found.append(f"{model}: a shipped model without a row")
        found += [
            f"{row['name']}: STALE, scored with weights or settings {row['hash'][:12]}, now {model_hash(folder)[:12]}"
            for row in mine
            if row["hash"] != model_hash(folder)
        ]
    return found + [f"{name}: not yet run" for name in _not_yet_run(list(rows.values()))]


def _not_yet_run(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    run = {row["name"] for row in rows}
    return [name for name in NETWORK_BASELINES if name not in run]


def _text(board: Mapping[str, Any], spec: Spec) -> str:
    parts = [
        "# Leaderboard of strikebench",
        "",
        "Written by `scripts/strikebench.py`; do not edit. **Simulated scenes**: these figures compare detectors with "
        "each other, and say nothing of how many real craters any of them finds. Brackets are 95 % intervals by "
        "bootstrap over scenes (false alarms: Poisson); where they overlap, the set does not tell which is better. AP "
        "and F1 are by centre within 5 m, then by outline at IoU 0.5; F1 is at the detector's own threshold, chosen "
        "without the scenes it is scored on.",
        "",
    ]
    for set_name in spec.sets:
        rows = [row for row in board["rows"] if row["set"] == set_name]
        if not rows:
            continue
        parts += [f"## Set `{set_name}`, version {spec.version}", "", *_table(rows), ""]
        parts += [*_conditions(rows), "", *_diameters(rows), ""]
        missing = _not_yet_run(rows)
        if missing:
            parts += [f"Not yet run: {', '.join(f'`{name}`' for name in missing)}.", ""]
    return "\n".join(parts)


def _table(rows: list[dict[str, Any]]) -> list[str]:
    heads = (
        "detector", "images", "AP 5 m", "F1 5 m", "AP IoU 0.5", "F1 IoU 0.5", "AP50:95 boxes", "crater IoU",
        "radius error", "distance error m", "wrong structure", "false alarms/km² on empty ground", "ECE",
    )  # fmt: skip
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for row in rows:
        outlines, mask, alarms = row["outlines_at_iou_0.5"] or {}, row["crater_mask"] or {}, row["false_alarms"] or {}
        boxes = row["boxes"] or {}
        cells = (
            f"`{row['name']}`" + (f" (`{row['hash'][:8]}`)" if "hash" in row else ""),
            row["images"],
            *(_told(row["centres"], name) for name in ("ap", "f1")),
            *(_told(outlines, name) for name in ("ap", "f1")),
            _told(boxes, "ap50_95"),
            _told(mask, "iou"),
            *(_figure(row[name]) for name in ("radius_relative_error", "distance_error_m", "wrong_structure_share")),
            text_of(alarms.get("per_km2"), alarms.get("interval_95"), ".0f"),
            text_of(row["calibration_error"], form=".2f"),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _conditions(rows: list[dict[str, Any]]) -> list[str]:
    """AP by centre of each detector in each condition."""
    names = sorted({name for row in rows for name in row["by_condition"]})
    cells = {row["name"]: [_told(row["by_condition"].get(name, {}), "ap") for name in names] for row in rows}
    return ["AP within 5 m by condition:", "", *_lines(names, cells)]


def _diameters(rows: list[dict[str, Any]]) -> list[str]:
    """Recall, precision and F1 by diameter; rows of before these were told apart have no precision."""
    bands = list(rows[0]["by_diameter_m"])
    counts = (rows[0]["by_diameter_m"][name]["objects"] for name in bands)
    heads = [f"{name} m (n {count})" for name, count in zip(bands, counts, strict=True)]
    cells = {row["name"]: [_band(row["by_diameter_m"][name]) for name in bands] for row in rows}
    text = "By diameter: recall of the craters that have it / precision of the detections that are said to have it; F1:"
    return [text, "", *_lines(heads, cells)]


def _band(band: Mapping[str, Any]) -> str:
    shares = " / ".join(text_of(band[name], form=".2f") for name in ("recall", "precision"))
    return f"{shares}; {_told(band, 'f1')}"


def _lines(heads: Sequence[str], cells: Mapping[str, Sequence[str]]) -> list[str]:
    """A Markdown table with a row for each detector."""
    lines = ["| detector | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    return lines + [f"| `{name}` | " + " | ".join(row) + " |" for name, row in cells.items()]


def _told(part: Mapping[str, Any], name: str) -> str:
    return text_of(part.get(name), part.get(f"{name}_interval_95"), ".2f")


def _figure(figure: Mapping[str, Any] | None) -> str:
    return "-" if figure is None else text_of(figure["value"], figure["interval_95"], ".2f")
