"""Recall, precision and F1 by size, the same for every tool on every data set and for a network's own validation.

A size class has two sides. Recall is of the true objects whose true diameter falls in it; precision of the detections
whose own stated diameter falls in it, whatever they matched. A tool that errs in size by a class so loses precision in
one and recall in none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np

from cv_pipeline.evaluation.objects import SceneMatches, bootstrap_scenes
from cv_pipeline.evaluation.plain import DRAWS, listed, rounded
from cv_pipeline.types import BoolArray, Float64Array

DIAMETER_BANDS_PX = (0.0, 4.0, 6.0, 9.0, 14.0, 22.0, np.inf)
DIAMETER_BANDS_M = (0.0, 2.4, 4.0, 6.0, 9.0, np.inf)


class TrueOne(Protocol):
    """A true object; ``score`` is NaN where it was missed, ``iou`` where one side is a point."""

    @property
    def score(self) -> float:
        """Of the detection that took it."""

    @property
    def iou(self) -> float:
        """Overlap with that detection."""


class TrueOnes(NamedTuple):
    """True objects, each (n,): ``score`` of the detection that took it, NaN where it was missed, and their overlap."""

    score: Float64Array
    iou: Float64Array

    @classmethod
    def of(cls, objects: Iterable[TrueOne]) -> TrueOnes:
        """As arrays."""
        pairs = np.array([(thing.score, thing.iou) for thing in objects], np.float64).reshape(-1, 2)
        return cls(pairs[:, 0], pairs[:, 1])

    def keep(self, some: BoolArray) -> TrueOnes:
        """Those where ``some`` (n,) is True."""
        return TrueOnes(self.score[some], self.iou[some])


class SizedScene(NamedTuple):
    """One scene: its true objects with their sizes (k,), and its detections with theirs (n,), best first.

    ``found_size`` is NaN where the tool states none; such a detection is in no class.
    """

    true: TrueOnes
    true_size: Float64Array
    centres: SceneMatches
    found_size: Float64Array

    def counts(self, low: float, high: float, threshold: float) -> Float64Array:
        """(4,): true objects from ``low`` to below ``high``, those found; detections of that size, those right."""
        mine = (self.true_size >= low) & (self.true_size < high)
        stated = (self.found_size >= low) & (self.found_size < high) & (self.centres.score >= threshold)
        counted = (mine, mine & (self.true.score >= threshold), stated, stated & self.centres.hit)
        return np.array([part.sum() for part in counted], np.float64)


def by_size(scenes: Sequence[SizedScene], edges: Sequence[float], threshold: float) -> dict[str, dict[str, Any]]:
    """Figures of each class between ``edges``, its lower one inclusive, of the detections at or above a threshold.

    ``f1`` is the harmonic mean of that recall and that precision. None stands for a recall without objects, a precision
    without detections of that size (``detections`` is None for a tool that states no sizes), and an F1 that lacks
    either. Intervals are for 95 %, by bootstrap over scenes.
    """
    sized = any(np.isfinite(scene.found_size).any() for scene in scenes)
    found: dict[str, dict[str, Any]] = {}
    for low, high in pairwise(edges):
        counts = [scene.counts(low, high, threshold) for scene in scenes]
        objects, _, detections, _ = (int(n) for n in np.sum([np.zeros(4), *counts], axis=0))
        both = bool(objects and detections)
        inside = [scene.true.keep((scene.true_size >= low) & (scene.true_size < high)) for scene in scenes]
        found[f"{low:g} to {high:g}"] = {
            **found_figures(inside, threshold),
            "recall_interval_95": _interval([c for c in counts if c[0]], _recall),
            "detections": detections if sized else None,
            "precision": rounded(_precision(counts)) if detections else None,
            "precision_interval_95": _interval([c for c in counts if c[2]], _precision),
            "f1": rounded(_f1(counts)) if both else None,
            "f1_interval_95": _interval([c for c in counts if c[0] or c[2]], _f1) if both else None,
        }
    return found


def found_figures(some: Sequence[TrueOnes], threshold: float) -> dict[str, Any]:
    """How many of some true objects are found, how many with an overlap of one half, and the median overlap of those.

    None where there are no objects; of overlaps where some are found and none of these has one.
    """
    score = np.concatenate([np.zeros(0), *(part.score for part in some)])
    iou = np.concatenate([np.zeros(0), *(part.iou for part in some)])
    taken = score >= threshold
    known = iou[taken & np.isfinite(iou)]
    told = len(known) > 0 or not taken.any()
    return {
        "objects": len(score),
        "recall": rounded(float(taken.mean())) if len(score) else None,
        "recall_at_iou_0.5": rounded(float((taken & (iou >= 0.5)).mean())) if len(score) and told else None,
        "median_iou_of_found": rounded(float(np.median(known))) if len(known) else None,
    }


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _recall(counts: Sequence[Float64Array]) -> float:
    objects, found, _, _ = np.sum(counts, axis=0)
    return _share(found, objects)


def _precision(counts: Sequence[Float64Array]) -> float:
    _, _, detections, right = np.sum(counts, axis=0)
    return _share(right, detections)


def _f1(counts: Sequence[Float64Array]) -> float:
    recall, precision = _recall(counts), _precision(counts)
    return _share(2 * recall * precision, recall + precision)


def _interval(
    counts: Sequence[Float64Array], statistic: Callable[[Sequence[Float64Array]], float]
) -> list[float] | None:
    return listed(bootstrap_scenes(counts, statistic, draws=DRAWS))
