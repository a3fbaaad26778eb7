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

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from affine import Affine
    from rasterio.crs import CRS
    from shapely.geometry.base import BaseGeometry

FloatArray = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
UInt8Array = npt.NDArray[np.uint8]


class Window(NamedTuple):
    """A half-open pixel rectangle: rows ``[row, row + height)``, columns ``[col, col + width)``."""

    row: int
    col: int
    height: int
    width: int


class Interval(NamedTuple):
    """A two-sided confidence interval, in the unit of the estimate it stands beside."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the pixels of a raster lie.

    ``transform`` maps ``(col_px, row_px)`` to map ``(x, y)`` in ``crs``. Without a CRS the map is
    metres from the upper-left corner with y up: ``Affine(gsd_m, 0, 0, 0, -gsd_m, 0)``.
    """

    height: int
    width: int
    transform: Affine
    crs: CRS | None
    gsd_m: float


@dataclass(frozen=True, slots=True, eq=False)
class Obscured:
    """Ground that an image does not show although it has pixels there; see :mod:`cv_pipeline.imagery.clouds`.

    ``cells`` (rows, cols) are True where it is hidden, each ``cell_px`` of the file's own pixels a side, from
    the upper-left corner. ``cloud_share`` and ``blank_share`` (one constant value, undeclared nodata or
    saturated) are of the pixels with imagery. ``note`` says what was seen and not masked.
    """

    cells: BoolArray
    cell_px: int
    cloud_share: float
    blank_share: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class ImageSource:
    """An image file that was opened, checked and found usable; pixels are read later, by window.

    ``bands`` are the 1-based indices read as red, green, blue. ``scale_low`` and ``scale_high`` (one
    per band) are the values mapped to 0 and 255; for 8-bit imagery they are 0 and 255, unless it was matched
    to another date. ``nodata_share`` is estimated from samples. ``sha256``, ``parts`` and ``parts_sha256`` are those of
    :class:`cv_pipeline.imagery.location.Digest`. ``notes`` say what had to be assumed. ``obscured`` is None
    until somebody looked for clouds.
    """

    path: Path
    grid: Grid
    bands: tuple[int, int, int]
    dtype: str
    nodata: float | None
    scale_low: tuple[float, float, float]
    scale_high: tuple[float, float, float]
    sha256: str
    nodata_share: float = 0.0
    parts: int = 0
    parts_sha256: str = ""
    notes: tuple[str, ...] = ()
    obscured: Obscured | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ScenePair:
    """The images of one scene; ``before`` is None in after-only detection."""

    after: ImageSource
    before: ImageSource | None


class Gate(StrEnum):
    """Verdict on a co-registration."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class TiePoint:
    """One local match, in after-image pixels; ``residual_px`` is what the registration leaves of ``shift_*``."""

    row_px: float
    col_px: float
    shift_row_px: float
    shift_col_px: float
    residual_px: float
    used: bool


@dataclass(frozen=True, slots=True, eq=False)
class LocalShift:
    """A smooth correction on top of a registration's matrix, on a lattice over the after image.

    ``lattice`` (2, 3) maps (col, row, 1) of ``shift_px`` (rows, cols, 2) to after-image pixels (col, row). A shift, as
    (col, row) in after-image pixels, is how much farther than the matrix says the before image is moved to show what
    the after image shows there; linear between the nodes, constant beyond them.
    """

    lattice: Float64Array
    shift_px: Float64Array


@dataclass(frozen=True, slots=True)
class Registration:
    """How the before image was brought onto the after image.

    ``matrix`` (2, 3) maps ``(col, row, 1)`` of the *before image warped by georeference alone onto the
    after grid* to ``(col, row)`` of the after image, in after-image pixels; ``local``, where relief asked for it, comes
    on top. ``residual_px`` is the robust RMS of the used tie points; ``sd_m``, per axis, is the registration's part in
    a distance's uncertainty.
    """

    matrix: Float64Array
    shift_px: float
    rotation_deg: float
    scale: float
    residual_px: float
    residual_m: float
    sd_m: float
    windows_tried: int
    windows_used: int
    gate: Gate
    reason: str
    tie_points: tuple[TiePoint, ...] = ()
    local: LocalShift | None = None


@dataclass(frozen=True, slots=True)
class AlignedPair:
    """A pair and the grid on which it is read by the model.

    ``working_grid`` covers the after image at the model's working GSD, in the after image's CRS.
    ``registration`` is None in after-only mode.
    """

    pair: ScenePair
    working_grid: Grid
    registration: Registration | None


class Channel(StrEnum):
    """Rasters that a segmentation holds, in file order.

    Probabilities, except for the radii and the axis: a vector to the right and up in the image towards
    which a one-sided pattern extends, as long as the pattern is directional (0 round, 1 a narrow cone).
    """

    CRATER = "crater"
    BLAST = "blast"
    CENTRE = "centre"
    NEW = "new"
    CRATER_RADIUS_M = "crater_radius_m"
    BLAST_RADIUS_M = "blast_radius_m"
    SECONDARY = "secondary"
    STRUCTURE = "structure"
    AXIS_RIGHT = "axis_right"
    AXIS_UP = "axis_up"


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Which model made a segmentation; enough to find it again and to trust its scores."""

    name: str
    sha256: str
    working_gsd_m: float
    min_gsd_m: float
    max_gsd_m: float
    score_threshold: float


@dataclass(frozen=True, slots=True)
class Segmentation:
    """Probability rasters on the working grid, held in a tiled file so that size does not matter.

    Read windows with :func:`cv_pipeline.segmentation.raster.read_channels`. ``has_before`` says whether
    the NEW channel means anything. ``valid_share`` is the share of the grid with imagery.
    """

    path: Path
    grid: Grid
    model: ModelInfo
    has_before: bool
    valid_share: float


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


class StructureKind(StrEnum):
    """What a structure is."""

    BUILDING = "building"
    GROUP = "group"
    PAVEMENT = "pavement"
    POINT = "point"


@dataclass(frozen=True, slots=True)
class Structure:
    """A footprint in local metres. ``name`` is the source file's own label, if it had one.

    ``centreline_m`` is the axis of a pavement: the line itself where the source drew a line, the medial
    axis where it drew an area; None for everything else. ``width_m`` is the width that the source states
    for a line; ``geometry_m`` is then the strip of that width.
    """

    structure_id: str
    kind: StructureKind
    geometry_m: BaseGeometry
    name: str | None = None
    centreline_m: BaseGeometry | None = None
    width_m: float | None = None


class LandmarkKind(StrEnum):
    """What was derived from one or more structures."""

    GROUP = "group"
    CENTRELINE = "centreline"
    JUNCTION = "junction"
    CORNER = "corner"


@dataclass(frozen=True, slots=True)
class Landmark:
    """A place that structures define together, in local metres; see :mod:`cv_pipeline.structures.landmarks`.

    ``geometry_m`` is the members' footprints of a group, the line of a centreline, and a point of a
    junction or a corner. ``centre_sd_m`` is how far, per axis, equally good definitions of the place
    lie apart. ``footprint_share`` (0 to 1] is the part of a single footprint's independent error that
    is left in the place: 1 / sqrt(k) for the centre of k equal buildings.
    """

    landmark_id: str
    kind: LandmarkKind
    structure_ids: tuple[str, ...]
    geometry_m: BaseGeometry
    centre_sd_m: float = 0.0
    footprint_share: float = 1.0


@dataclass(frozen=True, slots=True)
class FootprintOffset:
    """By how much footprints would have to move to lie on the image; see :mod:`cv_pipeline.structures.offset`.

    ``support`` of ``tried`` footprints agree by themselves. ``peak_ratio`` is the best shift's score over
    that of the best one elsewhere (1: no better). ``sd_m`` is per axis. ``applied`` says whether the
    structures of the result were moved.
    """

    dx_m: float
    dy_m: float
    sd_m: float
    support: int
    tried: int
    peak_ratio: float
    reliable: bool
    reason: str
    applied: bool = False


@dataclass(frozen=True, slots=True)
class ErrorBudget:
    """The independent per-axis parts of a distance's standard deviation, in metres; 0 where unknown or absent.

    ``centre_sd_m``: the impact's centre; ``pixel_sd_m``: the pixel in which an edge is seen;
    ``registration_sd_m``; ``geolocation_sd_m``: the image's stated CE90; ``footprint_sd_m``: how well each
    footprint was drawn, as stated; ``offset_sd_m``: a shift of all footprints against the image;
    ``geometry_sd_m``: what the aim point's own definition leaves open (the centre of a group).
    """

    centre_sd_m: float = 0.0
    pixel_sd_m: float = 0.0
    registration_sd_m: float = 0.0
    geolocation_sd_m: float = 0.0
    footprint_sd_m: float = 0.0
    offset_sd_m: float = 0.0
    geometry_sd_m: float = 0.0

    @property
    def total_sd_m(self) -> float:
        """Root sum of squares of the parts."""
        return math.hypot(
            self.centre_sd_m,
            self.pixel_sd_m,
            self.registration_sd_m,
            self.geolocation_sd_m,
            self.footprint_sd_m,
            self.offset_sd_m,
            self.geometry_sd_m,
        )


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One possible aim point for an impact and how far the impact lies from it.

    ``kind`` is for instance ``structure_centre``. ``structure_id`` is that of the structure or landmark;
    None for the point itself. ``weight`` is relative, summing to 1 per impact. ``hypothesis_id`` is unique
    within a match and stays the same as long as the structures do, so that a file can name it.
    ``aim_m`` is the aim point as (x_m, y_m); of a centreline, its point nearest the impact.
    """

    kind: str
    structure_id: str | None
    distance_m: float
    distance_sd_m: float
    weight: float
    hypothesis_id: str = ""
    aim_m: tuple[float, float] | None = None
    error: ErrorBudget | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """An impact and its nearest structures. Everything is None where there is no structure at all.

    ``structure_id`` is the nearest by edge, and ``distance_centre_m`` the distance to *its* centre;
    ``centre_structure_id`` is the one whose centre is nearest, at ``nearest_centre_m``.
    ``ambiguity`` runs from 0 (the nearest is far nearer than the second) to 1 (a tie).
    ``hypotheses`` are sorted by weight, likeliest first. ``error`` holds the parts of ``distance_sd_m``.
    """

    impact_id: str
    structure_id: str | None = None
    structure_kind: StructureKind | None = None
    distance_edge_m: float | None = None
    distance_centre_m: float | None = None
    distance_sd_m: float | None = None
    second_structure_id: str | None = None
    second_distance_edge_m: float | None = None
    ambiguity: float | None = None
    hypotheses: tuple[Hypothesis, ...] = ()
    centre_structure_id: str | None = None
    nearest_centre_m: float | None = None
    error: ErrorBudget | None = None


@dataclass(frozen=True, slots=True)
class NullModel:
    """What random impacts over the same ground would give for the same statistic.

    ``rank`` is the share of random draws whose mean distance is at or below the observed mean.
    ``distance_quantiles_m`` are evenly spaced quantiles, from the least to the greatest, of a single random
    impact's distance; empty where they were not kept.
    """

    draws: int
    mean_m: float
    median_m: float
    mean_interval_m: Interval
    rank: float
    distance_quantiles_m: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class CepEstimate:
    """Radius of the circle that holds ``level`` of the impacts, by one estimator of ``accuracy.cep``.

    ``about`` is ``mean`` (dispersion) or ``aim`` (dispersion and bias). ``radius_m`` is None where the
    estimator has no value for this sample; ``reason`` then says why.
    """

    estimator: str
    level: float
    about: str
    radius_m: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse about the mean impact: half axes and the azimuth of the longer, 0 to 180 degrees.

    ``kind`` says what it holds with probability ``level``: see :mod:`cv_pipeline.accuracy.ellipse`.
    """

    kind: str
    level: float
    semi_major_m: float
    semi_minor_m: float
    azimuth_deg: float


@dataclass(frozen=True, slots=True)
class Dispersion:
    """How impacts scatter about their aim points, from offsets east and north in metres.

    ``bias`` is the mean offset, ``sd`` has denominator n - 1. ``along`` and ``across`` refer to the axis
    ``axis_deg``: positive along it and to the right of it. ``mean_radius_m`` and ``r95_m`` (the sample's
    95 % quantile) are about the mean impact, ``maximum_spread_m`` is the greatest distance between two.
    What n does not allow is None and named in ``missing`` with the reason.
    """

    n: int
    bias_east_m: float | None
    bias_north_m: float | None
    sd_east_m: float | None
    sd_north_m: float | None
    axis_deg: float | None
    bias_along_m: float | None
    bias_across_m: float | None
    sd_along_m: float | None
    sd_across_m: float | None
    mean_radius_m: float | None
    r95_m: float | None
    maximum_spread_m: float | None
    ellipses: tuple[Ellipse, ...]
    cep: tuple[CepEstimate, ...]
    missing: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Influence:
    """One impact's weight in a summary: how far out it lies, and the statistics without it.

    ``robust_z`` is its distance from the median in scaled MADs; None where more than half of the
    distances are equal. Statistics without it are None where too few impacts would be left.
    """

    impact_id: str
    distance_m: float
    robust_z: float | None
    is_outlier: bool
    mean_without_m: float | None
    median_without_m: float | None
    sd_sample_without_m: float | None


@dataclass(frozen=True, slots=True)
class Range:
    """The least and the greatest value of a statistic over all combinations of aim points.

    Where ``is_exact`` is False, ``high`` is an upper bound that no combination exceeds and that may not be reached.
    """

    low: float
    high: float
    is_exact: bool = True


@dataclass(frozen=True, slots=True)
class CombinationRange:
    """What any choice of one aim point per impact can make of the statistics.

    ``count`` is the number of combinations; ``with_choice`` how many of the ``n`` impacts have more than one.
    SDs are None at n = 1.
    """

    n: int
    with_choice: int
    count: int
    mean_m: Range
    median_m: Range
    sd_sample_m: Range | None
    sd_population_m: Range | None


@dataclass(frozen=True, slots=True)
class AccuracySummary:
    """Statistics of distances under one aim-point hypothesis.

    ``intervals_m`` holds intervals at ``confidence`` for the keys ``mean_m``, ``median_m``,
    ``sd_sample_m``. Statistics that n does not allow are None (all of them at n = 0, SD at n = 1).
    """

    hypothesis: str
    n: int
    mean_m: float | None
    sd_sample_m: float | None
    sd_population_m: float | None
    median_m: float | None
    quantiles_m: Mapping[str, float]
    intervals_m: Mapping[str, Interval]
    confidence: float
    mean_crater_radius_m: float | None
    mean_blast_radius_m: float | None
    null_model: NullModel | None
    statement: str
    missing: Mapping[str, str] = field(default_factory=dict)
    """Statistics and intervals that are None or absent, each with the reason."""
    influences: tuple[Influence, ...] = ()
    dispersion: Dispersion | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """A share or a number that was estimated, with its interval."""

    value: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Review:
    """What a person's review of a result came to; see :mod:`cv_pipeline.review`.

    ``accepted`` and ``unreviewed`` count the run's impacts, ``rejected`` holds those left out, ``added`` counts the
    person's own. Of ``windows`` without a find, ``windows_seen`` were looked at; ``missed`` is how many impacts the run
    missed in the whole scene. ``edits`` is the length of the record and ``record_sha256`` the hash of its last line.
    ``result_sha256`` is that of the reviewed result's ``SHA256SUMS``. ``lapsed`` names impacts whose picked aim point
    is no longer among their choices.
    """

    reviewers: tuple[str, ...]
    accepted: int
    added: int
    unreviewed: int
    rejected: tuple[Impact, ...]
    precision: Rate | None
    missed: Rate | None
    recall: Rate | None
    windows: int
    windows_seen: int
    confidence: float
    edits: int
    record_sha256: str
    result_sha256: str
    lapsed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessment:
    """Everything one run found; the report writes it, Python users read it."""

    pair: ScenePair
    registration: Registration | None
    segmentation: Segmentation
    impacts: tuple[Impact, ...]
    structures: tuple[Structure, ...]
    matches: tuple[Match, ...]
    accuracy: tuple[AccuracySummary, ...]
    warnings: tuple[str, ...]
    out_dir: Path | None = None
    landmarks: tuple[Landmark, ...] = ()
    footprint_offset: FootprintOffset | None = None
    review: Review | None = None
    """None where nobody has reviewed the result."""
