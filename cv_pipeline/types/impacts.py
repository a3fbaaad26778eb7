"""Craters with their blast patterns, and what a person made of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

import numpy as np
import numpy.typing as npt

from cv_pipeline.types.arrays import Float64Array


class Status(StrEnum):
    """Whether a crater was already there in the before image."""

    NEW = "new"
    OLD = "old"
    UNKNOWN = "unknown"


class PatternKind(StrEnum):
    """Shape of the blast pattern."""

    CIRCLE = "circle"
    CONE = "cone"
    RING = "ring"
    IRREGULAR = "irregular"
    NONE = "none"


class SectorUse(IntEnum):
    """Whether a sector of a blast pattern was used, and why not."""

    USED = 0
    NEIGHBOUR = 1
    NO_IMAGERY = 2
    STRUCTURE = 3
    UNLIKE = 4


@dataclass(frozen=True, slots=True, eq=False)
class PatternEvidence:
    """What a blast pattern's measures rest on; sectors run clockwise from true north.

    ``reach_m`` (sectors,) is how far the pattern's mask reaches and ``use`` (sectors,) a :class:`SectorUse` each.
    ``profile`` (steps,) is the mean change of colour at ``profile_reach_m`` (steps,), in SDs of the surroundings.
    ``sign_dn`` (groups of sectors,) is the brightness of the change, below 0 darker. ``estimates_m`` holds the radius
    by each means. ``axis_density`` (sectors,) is the density over the axis' azimuth, summing to 1; it is flat where
    nothing is known of it. ``axis_candidates_deg`` is the best axis by each means.
    """

    reach_m: Float64Array
    use: npt.NDArray[np.int8]
    profile_reach_m: Float64Array
    profile: Float64Array
    sign_dn: Float64Array
    estimates_m: Mapping[str, float]
    axis_density: Float64Array
    axis_candidates_deg: Mapping[str, float]


class Decision(StrEnum):
    """What a person made of an impact in a review."""

    UNREVIEWED = "unreviewed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class ReviewMark:
    """What a person did with one impact: the decision, the columns that they measured, the aim point they picked."""

    decision: Decision
    measured: tuple[str, ...] = ()
    aim: str | None = None


@dataclass(frozen=True, slots=True)
class Impact:
    """One crater and its blast pattern. None means unknown or not applicable."""

    impact_id: str
    row_px: float
    col_px: float
    x_m: float
    y_m: float
    lon_deg: float | None
    lat_deg: float | None
    score: float
    status: Status
    status_probability: float | None
    centre_sd_m: float
    crater_radius_m: float
    crater_radius_sd_m: float
    blast_radius_m: float | None
    secondary_radius_m: float | None
    pattern: PatternKind
    direction_deg: float | None
    direction_sd_deg: float | None
    outline_m: Float64Array = field(default_factory=lambda: np.zeros((0, 2)))
    """(n, 2) blast outline as (x_m, y_m) local metres; (0, 2) where there is no pattern."""
    crater_major_m: float | None = None
    crater_minor_m: float | None = None
    crater_azimuth_deg: float | None = None
    """Half axes and azimuth (0 to 180) of the crater's ellipse; None where it may as well be a circle."""
    peak_score: float | None = None
    """The network's own score, before the image's evidence; None where the image was not looked at."""
    blast_radius_sd_m: float | None = None
    secondary_radius_sd_m: float | None = None
    pattern_area_m2: float | None = None
    directional_probability: float | None = None
    """Probability that the pattern extends to one side; ``direction_deg`` is given only where it is high."""
    evidence: PatternEvidence | None = None
    review: ReviewMark | None = None
    """None where the result was never reviewed."""
