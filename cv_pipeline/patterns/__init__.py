"""From probability rasters to impacts: centres, radii, blast patterns, direction, new or old."""

from __future__ import annotations

from cv_pipeline.patterns.extract import extract_impacts

__all__ = ["extract_impacts"]
