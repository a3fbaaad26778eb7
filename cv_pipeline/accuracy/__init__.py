"""Statistics of distances, their bootstrap intervals and what chance alone would give."""

from __future__ import annotations

from cv_pipeline.accuracy.points import AccuracyResult, accuracy_from_files
from cv_pipeline.accuracy.rerun import accuracy_from_run
from cv_pipeline.accuracy.summary import summarise

__all__ = ["AccuracyResult", "accuracy_from_files", "accuracy_from_run", "summarise"]
