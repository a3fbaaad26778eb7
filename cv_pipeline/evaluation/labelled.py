"""Scenes with labelled crater centres on disk, and the score of detections against them.

A folder holds ``labels.csv`` (field, col_px, row_px, gsd_m; more columns are ignored) and one
``field_<field>.jpg`` per field.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cv_pipeline.errors import ConfigError
from cv_pipeline.evaluation import objects
from cv_pipeline.evaluation.objects import OperatingPoint, SceneMatches
from cv_pipeline.types import Float64Array, Interval


@dataclass(frozen=True, slots=True)
class LabelledScene:
    """One field. ``labels_px`` is (k, 2) as (col_px, row_px)."""

    field: str
    image: Path
    gsd_m: float
    labels_px: Float64Array


@dataclass(frozen=True, slots=True)
class Detections:
    """Detections of one field: (n, 2) as (col_px, row_px) and (n,) scores."""

    points_px: Float64Array
    score: Float64Array


@dataclass(frozen=True, slots=True)
class Score:
    """Scores of one scene or of several pooled; None where there is nothing to measure.

    ``default`` is the operating point at the model's own threshold. Intervals are for pooled scores.
    """

    name: str
    labels: int
    detections: int
    ap: float
    best: OperatingPoint | None
    default: OperatingPoint | None
    median_distance_m: float | None
    ap_interval: Interval | None = None
    default_f1_interval: Interval | None = None


def read_scenes(folder: Path) -> tuple[LabelledScene, ...]:
    """The folder's scenes, in the order of ``labels.csv``.

    Raises:
        ConfigError: if ``labels.csv`` is missing, empty, or lacks a column.
    """
    rows = _read_rows(folder / "labels.csv")
    return tuple(
        LabelledScene(field, folder / f"field_{field}.jpg", float(table[0, 2]), table[:, :2])
        for field, table in rows.items()
    )


def _read_rows(path: Path) -> dict[str, Float64Array]:
    rows: dict[str, list[list[float]]] = {}
    try:
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                values = [float(row["col_px"]), float(row["row_px"]), float(row["gsd_m"])]
                rows.setdefault(row["field"], []).append(values)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); give a folder or file that has it") from error
    except (KeyError, ValueError, TypeError) as error:
        raise ConfigError(f"{path}: needs numeric columns field, col_px, row_px, gsd_m; problem: {error}") from error
    return {field: np.array(table) for field, table in rows.items()}


def match_labelled(scene: LabelledScene, found: Detections | None, tolerance_m: float) -> SceneMatches:
    """Match one scene's detections, in metres, inside the padded hull of its labels."""
    labels_m = scene.labels_px * scene.gsd_m
    if found is None:
        return objects.match_scene(labels_m, np.zeros((0, 2)), np.zeros(0), tolerance_m)
    points_m = found.points_px * scene.gsd_m
    inside = objects.inside_hull(labels_m, points_m)
    return objects.match_scene(labels_m, points_m[inside], found.score[inside], tolerance_m)


def score_matches(name: str, matches: Sequence[SceneMatches], threshold: float) -> Score:
    """Score scenes together, without intervals."""
    curve = objects.precision_recall(matches)
    return Score(
        name=name,
        labels=sum(scene.labels for scene in matches),
        detections=sum(len(one.score) for one in matches),
        ap=objects.average_precision(curve),
        best=objects.best_point(curve),
        default=objects.point_at(curve, threshold),
        median_distance_m=objects.median_hit_distance_m(matches, threshold),
    )


def score_pooled(matches: Sequence[SceneMatches], threshold: float) -> Score:
    """Score all scenes pooled, with bootstrap intervals over scenes."""

    def pooled_ap(drawn: Sequence[SceneMatches]) -> float:
        return objects.average_precision(objects.precision_recall(drawn))

    def pooled_f1(drawn: Sequence[SceneMatches]) -> float:
        point = objects.point_at(objects.precision_recall(drawn), threshold)
        return 0.0 if point is None else point.f1

    score = score_matches("pooled", matches, threshold)
    values: dict[str, Any] = {name: getattr(score, name) for name in Score.__slots__}
    values["ap_interval"] = objects.bootstrap_scenes(matches, pooled_ap)
    values["default_f1_interval"] = objects.bootstrap_scenes(matches, pooled_f1)
    return Score(**values)
