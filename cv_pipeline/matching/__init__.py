"""Nearest structures, aim-point hypotheses and the uncertainty of their distances."""

from __future__ import annotations

from cv_pipeline.matching.match import match_impacts, match_points
from cv_pipeline.matching.nearest import index_structures, nearest

__all__ = ["index_structures", "match_impacts", "match_points", "nearest"]
