"""Impacts and their nearest structures: distances, aim-point hypotheses, error budgets."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cv_pipeline.types.structures import StructureKind


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
