"""The plain data classes that flow between stages.

Frames used throughout:

- *pixel*: ``(row_px, col_px)`` with pixel centre = integer + 0.5, counted from the upper-left corner.
  Unless a name says otherwise, pixels are those of the after image as the user gave it.
- *map*: ``(x, y)`` in an image's own CRS.
- *local metres*: ``(x_m, y_m)`` of a :class:`cv_pipeline.frame.LocalFrame`, x east and y true north
  at the scene's centre. All distances and azimuths are measured here.

Azimuths are in degrees clockwise from true north (image up where there is no CRS).
"""

from __future__ import annotations

from cv_pipeline.types.accuracy import (
    AccuracySummary,
    CepEstimate,
    CombinationRange,
    Dispersion,
    Ellipse,
    Influence,
    NullModel,
    Range,
)
from cv_pipeline.types.arrays import BoolArray, Float32Array, Float64Array, FloatArray, UInt8Array
from cv_pipeline.types.assessment import Assessment, Review
from cv_pipeline.types.grids import Grid, Window
from cv_pipeline.types.imagery import ImageSource, Obscured, ScenePair
from cv_pipeline.types.impacts import Decision, Impact, PatternEvidence, PatternKind, ReviewMark, SectorUse, Status
from cv_pipeline.types.intervals import Interval, Rate
from cv_pipeline.types.matches import ErrorBudget, Hypothesis, Match
from cv_pipeline.types.registration import AlignedPair, Gate, LocalShift, Registration, TiePoint
from cv_pipeline.types.segmentation import Channel, ModelInfo, Segmentation
from cv_pipeline.types.structures import FootprintOffset, Landmark, LandmarkKind, Structure, StructureKind

__all__ = [
    "AccuracySummary",
    "AlignedPair",
    "Assessment",
    "BoolArray",
    "CepEstimate",
    "Channel",
    "CombinationRange",
    "Decision",
    "Dispersion",
    "Ellipse",
    "ErrorBudget",
    "Float32Array",
    "Float64Array",
    "FloatArray",
    "FootprintOffset",
    "Gate",
    "Grid",
    "Hypothesis",
    "ImageSource",
    "Impact",
    "Influence",
    "Interval",
    "Landmark",
    "LandmarkKind",
    "LocalShift",
    "Match",
    "ModelInfo",
    "NullModel",
    "Obscured",
    "PatternEvidence",
    "PatternKind",
    "Range",
    "Rate",
    "Registration",
    "Review",
    "ReviewMark",
    "ScenePair",
    "SectorUse",
    "Segmentation",
    "Status",
    "Structure",
    "StructureKind",
    "TiePoint",
    "UInt8Array",
    "Window",
]
