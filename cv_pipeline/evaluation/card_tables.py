"""The tables of a model card, each from the JSON document that a measuring script leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

_MODES = {"pair": "before + after", "after_only": "after alone"}

_PAIRS = "town after the tornado, with before"
_BLOBS = ("multi-scale dark-blob detector (`../shared/data/README.md`)", "0.262", "0.356", "-", "-")
"""A figure that came with the data; its detector is not ours."""

Document = Mapping[str, Any]


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; every row as long as the heads."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def with_interval(value: float, interval: Sequence[float] | None, digits: int = 2) -> str:
    """A figure with its interval, where it has one."""
    if interval is None:
        return f"{value:.{digits}f}"
    return f"{value:.{digits}f} ({interval[0]:.{digits}f} to {interval[1]:.{digits}f})"


def simulated(metrics: Document) -> str:
    """Figures on held-out simulation, by mode."""
    measures = ("AP", "precision", "recall", "F1", "median centre error", "crater IoU", "blast IoU", "ECE")
    rows = []
    for key, mode in _MODES.items():
        found = metrics[key]
        point = found["at_threshold"]
        rows.append(
            (
                mode,
                str(found["craters"]),
                with_interval(found["ap"], found["ap_interval_95"]),
                f"{point['precision']:.2f}",
                f"{point['recall']:.2f}",
                with_interval(point["f1"], found["f1_interval_95"]),
                f"{found['median_centre_error_m']:.2f} m",
                f"{metrics['crater_iou'][key]:.2f}",
                f"{metrics['blast_iou'][key]:.2f}",
                f"{found['calibration']['calibration_error']:.3f}",
            )
        )
    return markdown(("mode", "craters", *measures), rows)


def outlines(metrics: Document) -> str:
    """Craters as areas."""
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
                with_interval(found["at_threshold"]["f1"], found["f1_interval_95"]),
                with_interval(found["ap"], found["ap_interval_95"]),
                f"{metrics[key]['crater_mask']['iou_of_outlines_alone']:.2f}",
            )
        )
    return markdown(heads, rows)


def as_a_run(document: Document) -> str:
    """The same scenes with what the images add to the maps, as a run reports craters, by mode."""
    heads = ("mode, as in a run", "AP", "precision", "recall", "F1", "F1 at IoU 0.5", "median centre error", "ECE")
    rows = []
    for key, mode in _MODES.items():
        found = document[key]
        point, outline = found["at_threshold"], found["outlines_at_iou_0.5"]
        rows.append(
            (
                mode,
                with_interval(found["ap"], found["ap_interval_95"]),
                f"{point['precision']:.2f}",
                f"{point['recall']:.2f}",
                with_interval(point["f1"], found["f1_interval_95"]),
                with_interval(outline["at_threshold"]["f1"], outline["f1_interval_95"]),
                f"{found['median_centre_error_m']:.2f} m",
                f"{found['calibration']['calibration_error']:.3f}",
            )
        )
    return markdown(heads, rows)


def bands(key: str, label: str) -> Callable[[Document], str]:
    """Recall by something that only true craters have."""

    def make(metrics: Document) -> str:
        pair, alone = metrics["pair"][key], metrics["after_only"][key]
        rows = [
            (name.replace("_", " "), str(band["objects"]), _share(band["recall"]), _share(alone[name]["recall"]))
            for name, band in pair.items()
        ]
        return markdown((label, "craters", "recall, before + after", "recall, after alone"), rows)

    return make


def diameters(key: str, unit: str) -> Callable[[Document], str]:
    """Recall, precision and F1 by diameter, both modes side by side."""

    def make(metrics: Document) -> str:
        shares = [f"{name}, {mode}" for mode in _MODES.values() for name in ("recall", "precision", "F1")]
        rows = []
        for name, band in metrics["pair"][key].items():
            row = [name, str(band["objects"])]
            for mode in (band, metrics["after_only"][key][name]):
                f1 = "-" if mode["f1"] is None else with_interval(mode["f1"], mode["f1_interval_95"])
                row += [_share(mode["recall"]), _share(mode["precision"]), f1]
            rows.append(row)
        return markdown((f"diameter, {unit}", "craters", *shares), rows)

    return make


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def learning(document: Document) -> str:
    """What checkpoints of one run find."""
    each = ("F1", "crater IoU", "recall of clear craters")
    heads = ("steps", "AP, before + after", *each, "AP, after alone", *each)
    rows = []
    for steps, found in sorted(document["steps"].items(), key=lambda item: int(item[0])):
        cells = [f"{int(steps):,}"]
        for key in _MODES:
            cells += [f"{found[key][name]:.3f}" for name in ("ap", "f1", "crater_iou")]
            cells.append(_share(found[key]["recall_clear"]))
        rows.append(cells)
    return markdown(heads, rows)


def real(document: Document) -> str:
    """Real scenes, one by one and pooled."""
    heads = ("scene", "labels", "AP", "best F1", "precision", "recall", "F1", "median distance")
    rows = []
    for score in document["scores"]:
        own, best, ap = score["default"], score["best"], score["ap_interval"]
        rows.append(
            (
                score["name"],
                str(score["labels"]),
                with_interval(score["ap"], None if ap is None else (ap["low"], ap["high"])),
                "-" if best is None else f"{best['f1']:.2f}",
                *(("-",) * 3 if own is None else (f"{own[name]:.2f}" for name in ("precision", "recall"))),
                "-" if own is None else with_interval(own["f1"], low_high(score["default_f1_interval"])),
                "-" if score["median_distance_m"] is None else f"{score['median_distance_m']:.2f} m",
            )
        )
    return markdown(heads, rows)


def low_high(interval: Document | None) -> tuple[float, float] | None:
    """The bounds of an interval that a JSON file has by name."""
    return None if interval is None else (interval["low"], interval["high"])


def false_alarms(document: Document) -> str:
    """False alarms by class of ground."""
    heads = ("background", "km²", "false alarms", "per km² (95 %, Poisson)")
    return markdown(
        heads,
        [
            (name, f"{row['km2']:.2f}", str(row["false_alarms"]), with_interval(row["per_km2"], row["interval_95"], 1))
            for name, row in document["classes"].items()
        ],
    )


def false_alarms_short(document: Document) -> str:
    """False alarms of single images and of pairs."""
    heads = ("real ground without craters", "km²", "false alarms", "per km² (95 %, Poisson)")
    rows = []
    for label, name in (("single images", "all, after-only"), ("pairs, before and after a tornado", _PAIRS)):
        row = document["classes"][name]
        alarms = with_interval(row["per_km2"], row["interval_95"], 1)
        rows.append((label, f"{row['km2']:.2f}", str(row["false_alarms"]), alarms))
    return markdown(heads, rows)


def stricter(metrics: Document, alarms: Document) -> str:
    """What a stricter score costs on held-out simulation and saves on real ground without craters."""
    heads = (
        "reported from",
        *(f"simulated: {name}, {mode}" for mode in _MODES.values() for name in ("precision", "recall")),
        "real: false alarms per km², single images",
        "real: false alarms per km², pairs",
    )
    rows = []
    for score, pair in metrics["pair"]["at_scores"].items():
        modes = (pair, metrics["after_only"]["at_scores"][score])
        shares = [_share(mode[name]) for mode in modes for name in ("precision", "recall")]
        classes = (alarms["classes"][name] for name in ("all, after-only", _PAIRS))
        rows.append((score, *shares, *(f"{row['at_scores'][score] / row['km2']:.1f}" for row in classes)))
    return markdown(heads, rows)


def real_short(document: Document) -> str:
    """The pooled score alone, beside a detector without learning."""
    score = document["scores"][-1]
    interval = score["ap_interval"]
    row = (
        "model `small`",
        with_interval(score["ap"], (interval["low"], interval["high"])),
        f"{score['best']['f1']:.2f}",
        with_interval(score["default"]["f1"], low_high(score["default_f1_interval"])),
        f"{score['median_distance_m']:.2f} m",
    )
    heads = ("", "AP", "best F1", "F1 at the shipped threshold", "median distance to the label")
    return markdown(heads, [row, _BLOBS])


def tta(document: Document) -> str:
    """With test-time augmentation."""
    heads = ("mode, mean over eight symmetries", "AP", "F1", "crater IoU", "blast IoU")
    rows = []
    for key, mode in _MODES.items():
        found = document[key]
        rows.append(
            (
                mode,
                with_interval(found["ap"], found["ap_interval_95"]),
                with_interval(found["at_threshold"]["f1"], found["f1_interval_95"]),
                f"{document['crater_iou'][key]:.2f}",
                f"{document['blast_iou'][key]:.2f}",
            )
        )
    return markdown(heads, rows)


DESIGN_HEADS = (
    "design", "parameters", "GFLOP/MP", "CPU min", "AP, before + after", "AP, after alone", "blast IoU, pair",
)  # fmt: skip


def design_rows(document: Document) -> list[tuple[str, ...]]:
    """One row for each design, under :data:`DESIGN_HEADS`."""
    rows = []
    for name, design in document.items():
        pair, alone = design["figures"]["pair"], design["figures"]["after_only"]
        aps = (with_interval(found["ap"], found["ap_interval_95"]) for found in (pair, alone))
        flops, minutes = f"{design['gflop_per_megapixel']:.1f}", f"{design['cpu_minutes']:.1f}"
        rows.append((name, f"{design['parameters'] / 1e6:.2f} M", flops, minutes, *aps, f"{pair['blast_iou']:.2f}"))
    return rows


def designs(document: Document) -> str:
    """Designs beside each other."""
    return markdown(DESIGN_HEADS, design_rows(document))


def gsd(document: Document) -> str:
    """By size of pixel."""
    heads = ("GSD", "mode", "craters", "AP", "precision", "recall", "F1", "median error")
    rows = []
    for step in document["rungs"]:
        rows.append(
            (
                f"{step['gsd_m']:g} m",
                _MODES[step["mode"]],
                str(step["craters"]),
                with_interval(step["ap"], step["ap_interval"]),
                *(f"{step[name]:.2f}" for name in ("precision", "recall", "f1")),
                "-" if step["median_m"] is None else f"{step['median_m']:.2f} m",
            )
        )
    return markdown(heads, rows)


def speed(document: Document) -> str:
    """Forward passes."""
    heads = ("threads", "run", "MP/s", "times torch fp32")
    rows = [
        (str(run["threads"]), run["run"], f"{run['mp_per_s']:.2f}", f"{run['ratio']:.2f}") for run in document["runs"]
    ]
    return markdown(heads, rows)
