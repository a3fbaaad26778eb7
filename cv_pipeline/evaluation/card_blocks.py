"""Tables of a model card, and of documents that quote it, written from what the measuring scripts leave.

So no figure is typed by hand. A text holds blocks between ``<!-- figures: NAME -->`` and ``<!-- end -->``; what stands
between is replaced. ``metrics.json`` lies in the model folder, the other files in its folder ``figures/``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cv_pipeline.errors import ModelError

FIGURES = "figures"
_MODES = {"pair": "before + after", "after_only": "after alone"}
_BLOCK = re.compile(r"(<!-- figures: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)

_PAIRS = "town after the tornado, with before"
_BLOBS = ("multi-scale dark-blob detector (`../shared/data/README.md`)", "0.262", "0.356", "-", "-")
"""A figure that came with the data; its detector is not ours."""

Document = Mapping[str, Any]


def fill_card(text: str, folder: Path) -> str:
    """The card's text with every block written anew.

    Raises:
        ModelError: a block has no such name, or the file that it is made from is missing or malformed.
    """

    def written(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in BLOCKS:
            raise ModelError(f"{folder / 'README.md'}: no block is called {name}; there are {', '.join(BLOCKS)}")
        file, make = BLOCKS[name]
        path = folder / file
        try:
            content = make(json.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise ModelError(f"{path}: cannot be read ({error.strerror}); make it by `make figures`") from error
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ModelError(f"{path}: lacks what the card's block {name} tells ({error!r}); make it anew") from error
        return f"{match[1]}\n{content}\n\n{match[3]}"

    return _BLOCK.sub(written, text)


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; every row as long as the heads."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _with_interval(value: float, interval: Sequence[float] | None, digits: int = 2) -> str:
    if interval is None:
        return f"{value:.{digits}f}"
    return f"{value:.{digits}f} ({interval[0]:.{digits}f} to {interval[1]:.{digits}f})"


def _simulated(metrics: Document) -> str:
    measures = ("AP", "precision", "recall", "F1", "median centre error", "crater IoU", "blast IoU", "ECE")
    rows = []
    for key, mode in _MODES.items():
        found = metrics[key]
        point = found["at_threshold"]
        rows.append(
            (
                mode,
                str(found["craters"]),
                _with_interval(found["ap"], found["ap_interval_95"]),
                f"{point['precision']:.2f}",
                f"{point['recall']:.2f}",
                _with_interval(point["f1"], found["f1_interval_95"]),
                f"{found['median_centre_error_m']:.2f} m",
                f"{metrics['crater_iou'][key]:.2f}",
                f"{metrics['blast_iou'][key]:.2f}",
                f"{found['calibration']['calibration_error']:.3f}",
            )
        )
    return markdown(("mode", "craters", *measures), rows)


def _outlines(metrics: Document) -> str:
    heads = (
        "outlines, craters of at least 4 px",
        "craters",
        "F1 at IoU 0.5",
        "AP at IoU 0.5",
        "crater IoU of found ones",
    )
    rows = []
    for key, mode in _MODES.items():
        found = metrics[key]["outlines_at_iou_0.5"]
        rows.append(
            (
                mode,
                str(found["craters"]),
                _with_interval(found["at_threshold"]["f1"], found["f1_interval_95"]),
                _with_interval(found["ap"], found["ap_interval_95"]),
                f"{metrics[key]['crater_mask']['iou_of_outlines_alone']:.2f}",
            )
        )
    return markdown(heads, rows)


def _bands(key: str, label: str) -> Callable[[Document], str]:
    def make(metrics: Document) -> str:
        pair, alone = metrics["pair"][key], metrics["after_only"][key]
        rows = [
            (name.replace("_", " "), str(band["craters"]), _recall(band), _recall(alone[name]))
            for name, band in pair.items()
        ]
        return markdown((label, "craters", "recall, before + after", "recall, after alone"), rows)

    return make


def _recall(band: Document) -> str:
    return "-" if band["recall"] is None else f"{band['recall']:.2f}"


def _learning(document: Document) -> str:
    heads = ("steps", "AP, before + after", "F1", "crater IoU", "AP, after alone", "F1", "crater IoU")
    rows = []
    for steps, found in sorted(document["steps"].items(), key=lambda item: int(item[0])):
        cells = [f"{int(steps):,}"]
        for key in _MODES:
            mode = found[key]
            cells += [f"{mode['ap']:.3f}", f"{mode['at_threshold']['f1']:.3f}", f"{mode['crater_mask']['iou']:.3f}"]
        rows.append(cells)
    return markdown(heads, rows)


def _real(document: Document) -> str:
    heads = ("scene", "labels", "AP", "best F1", "precision", "recall", "F1", "median distance")
    rows = []
    for score in document["scores"]:
        own, best, ap = score["default"], score["best"], score["ap_interval"]
        rows.append(
            (
                score["name"],
                str(score["labels"]),
                _with_interval(score["ap"], None if ap is None else (ap["low"], ap["high"])),
                "-" if best is None else f"{best['f1']:.2f}",
                *(("-",) * 3 if own is None else (f"{own[name]:.2f}" for name in ("precision", "recall"))),
                "-" if own is None else _with_interval(own["f1"], _low_high(score["default_f1_interval"])),
                "-" if score["median_distance_m"] is None else f"{score['median_distance_m']:.2f} m",
            )
        )
    return markdown(heads, rows)


def _low_high(interval: Document | None) -> tuple[float, float] | None:
    return None if interval is None else (interval["low"], interval["high"])


def _false_alarms(document: Document) -> str:
    heads = ("background", "km²", "false alarms", "per km² (95 %, Poisson)")
    return markdown(
        heads,
        [
            (name, f"{row['km2']:.2f}", str(row["false_alarms"]), _with_interval(row["per_km2"], row["interval_95"], 1))
            for name, row in document["classes"].items()
        ],
    )


def _false_alarms_short(document: Document) -> str:
    heads = ("real ground without craters", "km²", "false alarms", "per km² (95 %, Poisson)")
    rows = []
    for label, name in (("single images", "all, after-only"), ("pairs, before and after a tornado", _PAIRS)):
        row = document["classes"][name]
        alarms = _with_interval(row["per_km2"], row["interval_95"], 1)
        rows.append((label, f"{row['km2']:.2f}", str(row["false_alarms"]), alarms))
    return markdown(heads, rows)


def _real_short(document: Document) -> str:
    score = document["scores"][-1]
    interval = score["ap_interval"]
    row = (
        "model `small`",
        _with_interval(score["ap"], (interval["low"], interval["high"])),
        f"{score['best']['f1']:.2f}",
        _with_interval(score["default"]["f1"], _low_high(score["default_f1_interval"])),
        f"{score['median_distance_m']:.2f} m",
    )
    heads = ("", "AP", "best F1", "F1 at the shipped threshold", "median distance to the label")
    return markdown(heads, [row, _BLOBS])


def _tta(document: Document) -> str:
    heads = ("mode, mean over eight symmetries", "AP", "F1", "crater IoU", "blast IoU")
    rows = []
    for key, mode in _MODES.items():
        found = document[key]
        rows.append(
            (
                mode,
                _with_interval(found["ap"], found["ap_interval_95"]),
                _with_interval(found["at_threshold"]["f1"], found["f1_interval_95"]),
                f"{document['crater_iou'][key]:.2f}",
                f"{document['blast_iou'][key]:.2f}",
            )
        )
    return markdown(heads, rows)


def _designs(document: Document) -> str:
    heads = ("design", "parameters", "GFLOP/MP", "CPU min", "AP, before + after", "AP, after alone", "blast IoU, pair")
    rows = []
    for name, design in document.items():
        pair, alone = design["figures"]["pair"], design["figures"]["after_only"]
        rows.append(
            (
                name,
                f"{design['parameters'] / 1e6:.2f} M",
                f"{design['gflop_per_megapixel']:.1f}",
                f"{design['cpu_minutes']:.1f}",
                *(_with_interval(found["ap"], found["ap_interval_95"]) for found in (pair, alone)),
                f"{pair['blast_mask']['iou']:.2f}",
            )
        )
    return markdown(heads, rows)


def _gsd(document: Document) -> str:
    heads = ("GSD", "mode", "craters", "AP", "precision", "recall", "F1", "median error")
    rows = []
    for step in document["rungs"]:
        rows.append(
            (
                f"{step['gsd_m']:g} m",
                _MODES[step["mode"]],
                str(step["craters"]),
                _with_interval(step["ap"], step["ap_interval"]),
                *(f"{step[name]:.2f}" for name in ("precision", "recall", "f1")),
                "-" if step["median_m"] is None else f"{step['median_m']:.2f} m",
            )
        )
    return markdown(heads, rows)


def _speed(document: Document) -> str:
    heads = ("threads", "run", "MP/s", "times torch fp32")
    rows = [
        (str(run["threads"]), run["run"], f"{run['mp_per_s']:.2f}", f"{run['ratio']:.2f}") for run in document["runs"]
    ]
    return markdown(heads, rows)


BLOCKS: dict[str, tuple[str, Callable[[Document], str]]] = {
    "simulated": ("metrics.json", _simulated),
    "outlines": ("metrics.json", _outlines),
    "conspicuity": ("metrics.json", _bands("by_conspicuity", "conspicuity, SDs")),
    "radius": ("metrics.json", _bands("by_radius_m", "crater radius, m")),
    "family": ("metrics.json", _bands("by_family", "look")),
    "learning": (f"{FIGURES}/learning.json", _learning),
    "tta": (f"{FIGURES}/tta.json", _tta),
    "designs": (f"{FIGURES}/designs.json", _designs),
    "real": (f"{FIGURES}/real.json", _real),
    "real-short": (f"{FIGURES}/real.json", _real_short),
    "false-alarms": (f"{FIGURES}/false_alarms.json", _false_alarms),
    "false-alarms-short": (f"{FIGURES}/false_alarms.json", _false_alarms_short),
    "gsd": (f"{FIGURES}/gsd.json", _gsd),
    "speed": (f"{FIGURES}/speed.json", _speed),
}
"""Blocks by name: the file that each is made from, beneath the model folder, and how."""
