"""Scenes with labelled craters on disk, detections as a CSV file, and the score of one against the other.

A folder holds ``labels.csv`` (field, col_px, row_px, gsd_m; more columns are ignored) and one
``field_<field>.jpg`` per field. A detections file has field, col_px, row_px, score.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

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
    rows = _read_rows(folder / "labels.csv", "gsd_m")
    return tuple(
        LabelledScene(field, folder / f"field_{field}.jpg", float(table[0, 2]), table[:, :2])
        for field, table in rows.items()
    )


def read_detections(path: Path) -> dict[str, Detections]:
    """Detections by field.

    Raises:
        ConfigError: if the file is missing or lacks a column.
    """
    return {field: Detections(table[:, :2], table[:, 2]) for field, table in _read_rows(path, "score").items()}


def write_detections(path: Path, detections: Mapping[str, Detections]) -> None:
    """Write what :func:`read_detections` reads."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["field", "col_px", "row_px", "score"])
        for field, found in detections.items():
            for (col, row), score in zip(found.points_px, found.score, strict=True):
                writer.writerow([field, f"{col:.3f}", f"{row:.3f}", f"{score:.6f}"])


def _read_rows(path: Path, last: str) -> dict[str, Float64Array]:
    rows: dict[str, list[list[float]]] = {}
    try:
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                values = [float(row["col_px"]), float(row["row_px"]), float(row[last])]
                rows.setdefault(row["field"], []).append(values)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); give a folder or file that has it") from error
    except (KeyError, ValueError, TypeError) as error:
        raise ConfigError(f"{path}: needs numeric columns field, col_px, row_px, {last}; problem: {error}") from error
    return {field: np.array(table) for field, table in rows.items()}


def match_labelled(scene: LabelledScene, found: Detections | None, tolerance_m: float) -> SceneMatches:
    """Match one scene's detections, in metres, inside the padded hull of its labels."""
    labels_m = scene.labels_px * scene.gsd_m
    if found is None:
        return objects.match_scene(labels_m, np.zeros((0, 2)), np.zeros(0), tolerance_m)
    points_m = found.points_px * scene.gsd_m
    inside = objects.inside_hull(labels_m, points_m)
    return objects.match_scene(labels_m, points_m[inside], found.score[inside], tolerance_m)


class Errors(NamedTuple):
    """What is wrong in one scene at a threshold, in its pixels as (col_px, row_px)."""

    false_px: Float64Array
    """(n, 2) detections inside the labels' hull that no label accounts for, best first."""
    false_score: Float64Array
    missed_px: Float64Array
    """(k, 2) labels without a detection."""


def errors_of(scene: LabelledScene, found: Detections, tolerance_m: float, threshold: float) -> Errors:
    """False alarms and misses of one scene, by the matching of :func:`match_labelled`."""
    labels_m, points_m = scene.labels_px * scene.gsd_m, found.points_px * scene.gsd_m
    kept = np.nonzero(objects.inside_hull(labels_m, points_m) & (found.score >= threshold))[0]
    kept = kept[np.argsort(-found.score[kept], kind="stable")]
    matched = objects.match_scene(labels_m, points_m[kept], found.score[kept], tolerance_m)
    false = kept[~matched.hit]
    missed = np.setdiff1d(np.arange(len(labels_m)), matched.label)
    return Errors(found.points_px[false], found.score[false], scene.labels_px[missed])


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
