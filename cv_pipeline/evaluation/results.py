"""A scorecard as files and as a table: evaluation.json, detections.csv, and pictures of its curves."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from cv_pipeline.evaluation.figures import headline
from cv_pipeline.evaluation.found import Found, write_found
from cv_pipeline.evaluation.objects import precision_recall
from cv_pipeline.evaluation.reliability import draw_reliability, reliability
from cv_pipeline.evaluation.scorecard import pooled_detections
from cv_pipeline.evaluation.scored import ScoredScene

DIAMETERS = (("by_diameter_px", "px"), ("by_diameter_m", "m"))
"""Parts of a scorecard, and their units."""


def write_results(
    out_dir: Path, document: Mapping[str, Any], scenes: Sequence[ScoredScene], found: Mapping[str, Found]
) -> None:
    """Write everything; files of an earlier evaluation in the folder are replaced."""
    out_dir.mkdir(parents=True, exist_ok=True)
    (out_dir / "evaluation.json").write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    write_found(out_dir / "detections.csv", found)
    score, true = pooled_detections(scenes)
    if any(band["objects"] for key, _ in DIAMETERS for band in document[key].values()):
        draw_sizes(out_dir / "sizes.png", document)
    if len(score):
        draw_curve(out_dir / "precision_recall.png", scenes, float(document["threshold"]))
        probability = np.clip(score, 0, 1)
        draw_reliability(out_dir / "reliability.png", {"detections": reliability(probability, true)}, "Reliability")


def draw_curve(path: Path, scenes: Sequence[ScoredScene], threshold: float) -> None:
    """Precision against recall, by centre and by outline, with the threshold's point."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, 5.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    outlines = [scene.outlines for scene in scenes if scene.outlines is not None]
    kinds = {"centres": [scene.centres for scene in scenes], "outlines at IoU 0.5": outlines}
    for name, matches in kinds.items():
        if len(matches) != len(scenes):
            continue
        curve = precision_recall(matches)
        line = axes.plot(curve.recall, curve.precision, label=name)[0]
        kept = int((curve.score >= threshold).sum())
        if kept:
            axes.plot(curve.recall[kept - 1], curve.precision[kept - 1], "o", color=line.get_color())
    axes.set(
        xlim=(0, 1), ylim=(0, 1.02), xlabel="recall", ylabel="precision", title=f"Points: threshold {threshold:.2f}"
    )
    axes.legend(loc="upper right", fontsize=8)
    figure.savefig(path, dpi=110)


def draw_sizes(path: Path, card: Mapping[str, Any]) -> None:
    """Recall, precision and F1 by diameter with their 95 % intervals; nothing is drawn where the card has none."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.6, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (key, unit) in zip(figure.subplots(1, 2), DIAMETERS, strict=True):
        bands = {name: band for name, band in card[key].items() if band["objects"] or band["detections"]}
        for shift, measure in enumerate(("recall", "precision", "f1")):
            told = [(n, band) for n, band in enumerate(bands.values()) if band[measure] is not None]
            at = np.array([n + 0.12 * (shift - 1) for n, _ in told])
            values = np.array([band[measure] for _, band in told])
            ends = [band[f"{measure}_interval_95"] or [band[measure]] * 2 for _, band in told]
            lengths = np.abs(np.array(ends).reshape(-1, 2).T - values)
            axes.errorbar(
                at, values, yerr=lengths, fmt="o", capsize=2, label=measure.upper() if shift == 2 else measure
            )
        names = [f"{name}\n{band['objects']} true\n{_count(band)} said" for name, band in bands.items()]
        axes.set_xticks(range(len(bands)), names, fontsize=7)
        axes.set(ylim=(-0.02, 1.05), xlabel=f"diameter, {unit}")
        axes.legend(fontsize=8)
    figure.savefig(path, dpi=110)


def _count(band: Mapping[str, Any]) -> str:
    return "?" if band["detections"] is None else str(band["detections"])


def text_of(value: float | None, interval: Sequence[float] | None = None, form: str = ".3f") -> str:
    """A figure with its interval; ``-`` for None."""
    if value is None:
        return "-"
    return f"{value:{form}}" + ("" if interval is None else f" [{interval[0]:{form}}, {interval[1]:{form}}]")


def headline_table(card: Mapping[str, Any], title: str) -> Table:
    """The figures of all scenes and of each condition."""
    table = Table(title=title, title_justify="left")
    heads = ("scenes", "n", "objects", "AP, 5 m", "F1, 5 m", "AP, IoU 0.5", "F1, IoU 0.5", "false/km2")
    for head in heads:
        table.add_column(head, justify="left" if head == "scenes" else "right", no_wrap=True)
    for name, part in [("all", card), *card["by_condition"].items()]:
        centres, outlines = part.get("centres"), part.get("outlines_at_iou_0.5")
        alarms = card["false_alarms"] or {}
        per_km2 = alarms.get("per_km2") if name == "all" else part.get("false_alarms_per_km2")
        table.add_row(
            name or "-", str(part["scenes"]), str(part["objects"]), *_ap_f1(centres), *_ap_f1(outlines),
            text_of(per_km2, form=".1f"), end_section=name == "all",
        )  # fmt: skip
    return table


def breakdown_table(card: Mapping[str, Any]) -> Table:
    """Figures by GSD, background and diameter, where there are objects.

    Of a diameter, recall is of the true objects of that size, precision of the detections that are stated to have it.
    """
    table = Table(title="by GSD, background and diameter", title_justify="left")
    table.add_column("", max_width=36, overflow="fold")  # the figures must fit beside a scene of many backgrounds
    for head in ("objects", "AP, 5 m", "F1, 5 m", "precision", "recall", "recall at IoU 0.5"):
        table.add_column(head, justify="right", no_wrap=True)
    for key, label in (("by_gsd_m", "GSD {} m"), ("by_background", "{}")):
        for name, part in card[key].items():
            if "centres" in part:
                here = part["centres"]["at_threshold"] or {}
                shares = (text_of(here.get(of), form=".2f") for of in ("precision", "recall"))
                table.add_row(label.format(name), str(part["objects"]), *_ap_f1(part["centres"]), *shares, "")
    for key, unit in DIAMETERS:
        for name, band in card[key].items():
            if band["objects"]:
                f1 = text_of(band["f1"], band["f1_interval_95"], ".2f")
                shares = (text_of(band[of], form=".2f") for of in ("precision", "recall", "recall_at_iou_0.5"))
                table.add_row(f"diameter {name} {unit}", str(band["objects"]), "", f1, *shares)
    return table


def _ap_f1(part: Mapping[str, Any] | None) -> tuple[str, str]:
    if part is None:
        return "-", "-"
    told = headline(part)
    ap, f1 = (text_of(told[name], told[f"{name}_interval_95"], ".2f") for name in ("ap", "f1"))
    return ap, f1


def detail_lines(card: Mapping[str, Any]) -> list[str]:
    """Geometry, registration and the end of the chain, a figure a line; what nobody can tell is left out."""
    lines = []
    for part in ("geometry", "end_to_end"):
        for name, figure in (card[part] or {}).items():
            if isinstance(figure, dict) and figure["value"] is not None:
                lines.append(f"{name}: {text_of(figure['value'], figure['interval_95'])} (n={figure['n']})")
    for name, figure in card["pixels"].items():
        lines.append(f"{name} mask: IoU {text_of(figure['iou'], figure['iou_interval_95'])}, F1 {figure['f1']:.3f}")
    if card["boxes"] is not None:
        lines.append(f"boxes: AP50:95 {text_of(card['boxes']['ap50_95'], card['boxes']['ap50_95_interval_95'])}")
    lines.append(
        f"calibration error: {card['calibration']['calibration_error']:.3f} (n={card['calibration']['detections']})"
    )
    for name, figure in (card["registration"] or {}).items():
        lines.append(f"registration, {name}: median {figure['median_px']:.2f} px, worst {figure['worst_px']:.2f}")
    return lines
