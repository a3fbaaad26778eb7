"""The blast pattern of each crater: radii, area, kind and direction, each with what it rests on.

Maps and images each tell something. Both are looked at along rays from the centre, sector by sector, so that what cuts
a pattern (a neighbour, a building, a road, the end of the imagery) costs the sectors it lies in and no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cv_pipeline.patterns import craters, rays, shape
from cv_pipeline.patterns.closeup.answers import CloseUp
from cv_pipeline.patterns.direction import Axis, vector_log_density
from cv_pipeline.patterns.edge import Edge, profile_edge
from cv_pipeline.patterns.one_sided import AXES, Sides, sides, weigh_axis
from cv_pipeline.patterns.polar import Polar, sample_polar
from cv_pipeline.patterns.radii import Head, Radius, area_m2, combined_radius, mask_radius_m, outer_radius
from cv_pipeline.patterns.rays import AZIMUTHS_RAD, SECTORS, Extents, Sites
from cv_pipeline.patterns.surroundings import GROUPS, Change, colour_change
from cv_pipeline.patterns.weights import PLAIN, DirectionWeights, PatternWeights, RadiusWeights
from cv_pipeline.types import (
    BoolArray,
    Channel,
    Float32Array,
    Float64Array,
    PatternEvidence,
    PatternKind,
    SectorUse,
    UInt8Array,
)

MAX_DIRECTION_SD_DEG = 30.0
"""No direction is given when its standard deviation is larger than this."""

_BUILT = 0.5
_MAX_PRIOR_M = 40.0
_LEAST_RATIO = 1.2  # twice what a good map of radii is off by


MAPS = (
    Channel.CRATER,
    Channel.BLAST,
    Channel.SECONDARY,
    Channel.NEW,
    Channel.STRUCTURE,
    Channel.BLAST_RADIUS_M,
    Channel.AXIS_RIGHT,
    Channel.AXIS_UP,
)
"""The channels that patterns and status are measured on."""


class Window(NamedTuple):
    """What is known of the ground around some craters: arrays (h, w) or (h, w, 3) on one grid.

    ``after`` None leaves the colours out; ``before`` None is after-only mode.
    """

    values: Mapping[Channel, Float32Array]
    valid: BoolArray
    after: UInt8Array | None
    before: UInt8Array | None
    gsd_m: float


class Findings(NamedTuple):
    """Raw findings of one pattern, before they are weighed: what :mod:`cv_pipeline.patterns.weights` are fitted on.

    ``head``, ``mask_m`` and ``edge`` are estimates of the radius, NaN where there is none; ``sides`` is what speaks
    for a direction.
    """

    exists: bool
    head: Head
    mask_m: float
    edge: Edge
    outer: Radius
    use: Float64Array
    reach_m: Float64Array
    sides: Sides
    polar: Polar | None
    change: Change | None


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """The measures of one pattern; None where unknown. See :class:`cv_pipeline.types.Impact` for the fields.

    ``outline_m`` (SECTORS,) is the reach of the outline in each sector.
    """

    kind: PatternKind
    blast: Radius | None
    secondary: Radius | None
    area_m2: float | None
    direction_deg: float | None
    direction_sd_deg: float | None
    directional_probability: float | None
    outline_m: Float64Array
    evidence: PatternEvidence | None


def measure_patterns(
    window: Window,
    sites: Sites,
    crater_radius_m: Float64Array,
    centre_sd_m: Float64Array,
    weights: PatternWeights = PLAIN,
    close: CloseUp | None = None,
) -> list[Pattern]:
    """Measure the pattern of each crater.

    Args:
        window: maps and images, with a margin as wide as the largest pattern.
        sites: centres in the window.
        crater_radius_m: (n,) radii of the craters.
        centre_sd_m: (n,) per axis; a centre that is off makes a round pattern look one-sided.
        weights: of the model whose maps these are.
        close: what the close-up network says of the n craters; None leaves radius and axis to the maps.

    Returns:
        One pattern per site, in their order; of kind none where nothing reaches past the crater.
    """
    found = look_around(window, sites, crater_radius_m, centre_sd_m, close)
    both = (weights.radius, weights.direction)
    return [weigh(f, r, window.gsd_m, *both) for f, r in zip(found, crater_radius_m, strict=True)]


def look_around(
    window: Window,
    sites: Sites,
    crater_radius_m: Float64Array,
    centre_sd_m: Float64Array,
    close: CloseUp | None = None,
) -> list[Findings]:
    """The raw findings for each crater; arguments as of :func:`measure_patterns`."""
    values, valid, step_m = window.values, window.valid, window.gsd_m
    crater = rays.ray_extents(values[Channel.CRATER], valid, sites, step_m=step_m, gap_m=0.0)
    # A crater belongs to its pattern even where the blast mask leaves it out.
    blast = rays.ray_extents(np.maximum(values[Channel.BLAST], values[Channel.CRATER]), valid, sites, step_m=step_m)
    outer = rays.ray_extents(values[Channel.SECONDARY], valid, sites, step_m=step_m)
    head_m = craters.core_statistics(values[Channel.BLAST_RADIUS_M], valid, sites.at_px).median
    # Where the map of radii says that nothing reaches past the crater, a mask that does is the neighbour's.
    own = (head_m <= 0) | (head_m >= _LEAST_RATIO * crater_radius_m)
    exists = shape.has_pattern(blast, crater, step_m) & own
    if close is None:
        heads = [Head(float(m)) for m in head_m]
        right, up = (_disc_mean(values[c], sites, crater_radius_m) for c in (Channel.AXIS_RIGHT, Channel.AXIS_UP))
        told = np.column_stack([*_to_ground(right, up, sites.jacobians), np.zeros(len(right))])
    else:
        heads = [Head(float(m), float(sd)) for m, sd in zip(close.blast_m, close.blast_log_sd, strict=True)]
        told = np.column_stack([close.axis, close.one_sided])
    built = values[Channel.STRUCTURE] >= _BUILT
    use = sector_use(blast, built, valid, sites, step_m)
    usable = valid & ~built
    return [
        _look_at(
            window, usable, Sites(*(a[i : i + 1] for a in sites)),
            Radius(float(crater_radius_m[i]), float(centre_sd_m[i])), bool(exists[i]), heads[i],
            blast.extent_m[i], outer.extent_m[i], use[i], (float(told[i, 0]), float(told[i, 1]), float(told[i, 2])),
        )
        for i in range(len(sites.at_px))
    ]  # fmt: skip


def _look_at(
    window: Window,
    usable: BoolArray,
    site: Sites,
    crater: Radius,
    exists: bool,
    head: Head,
    reach_m: Float64Array,
    outer_m: Float64Array,
    use: Float64Array,
    vector: tuple[float, float, float],
) -> Findings:
    """Findings of one crater, of which ``site`` holds nothing else; ``crater`` is its radius and the centre's SD."""
    mask_use, free = use, use == SectorUse.USED
    mask_m = mask_radius_m(reach_m, free & (reach_m > 0)) if exists else float("nan")
    first_m = first_guess_m(head.radius_m, mask_m, crater.radius_m)
    polar = change = None
    edge = Edge(float("nan"), 0.0, 0.0, np.zeros(0))
    if window.after is not None and exists:  # colours around a crater without a pattern are the ground's
        length_m = 3 * first_m + 4
        polar = sample_polar(
            window.after, usable, site.at_px[0], site.jacobians[0], site.bounds_m[0],
            length_m=length_m, step_m=window.gsd_m, before=window.before,
        )  # fmt: skip
        change = colour_change(polar, crater.radius_m, first_m)
    zone = None
    if change is not None and polar is not None:
        edge = profile_edge(change, polar.reach_m, crater.radius_m, first_m)
        use = np.where(free & ~np.repeat(change.like, SECTORS // GROUPS), SectorUse.UNLIKE, use)
        zone = change, (polar.reach_m > 1.3 * crater.radius_m + 0.3) & (polar.reach_m < 2.3 * first_m)
    relative = reach_m / first_m if exists else np.zeros(SECTORS)
    noise = (0.3 * window.gsd_m + crater.sd_m) / first_m
    told = sides(relative, mask_use, noise, zone, vector)
    outer = outer_radius(outer_m, free, mask_m if exists else crater.radius_m, window.gsd_m)
    return Findings(exists, head, mask_m, edge, outer, use, reach_m, told, polar, change)


def first_guess_m(head_m: float, mask_m: float, crater_m: float) -> float:
    """Where to look for the edge: between the map's radius and the mask's, well outside the crater."""
    known = [r for r in (head_m, mask_m) if np.isfinite(r) and r > 0]
    guess = float(np.exp(np.mean(np.log(known)))) if known else 2.5 * crater_m
    return float(np.clip(guess, 1.6 * crater_m + 1.0, _MAX_PRIOR_M))


def weigh(
    found: Findings,
    crater_radius_m: float,
    gsd_m: float,
    radius_weights: RadiusWeights = PLAIN.radius,
    direction_weights: DirectionWeights = PLAIN.direction,
) -> Pattern:
    """The measures that follow from the findings of one pattern."""
    if not found.exists:
        return Pattern(PatternKind.NONE, None, None, None, None, None, None, np.full(SECTORS, crater_radius_m), None)
    blast = combined_radius(found.head, found.mask_m, found.edge.radius_m, found.edge.strength, gsd_m, radius_weights)
    axis, probability = weigh_axis(found.sides, direction_weights)
    sd_deg = axis.sd_deg * direction_weights.sd_scale
    given = probability >= direction_weights.least_probability and sd_deg <= MAX_DIRECTION_SD_DEG
    known = np.isfinite(blast.radius_m)
    hidden = np.isin(found.use, (SectorUse.NEIGHBOUR, SectorUse.NO_IMAGERY, SectorUse.STRUCTURE))
    filled = np.where(hidden, np.fmax(found.reach_m, blast.radius_m), found.reach_m) if known else found.reach_m
    outline_m = np.maximum(filled, max(crater_radius_m, 0.1))
    return Pattern(
        shape.kind(filled, given, _is_ring(found, blast, crater_radius_m)),
        blast if known else None,
        found.outer if np.isfinite(found.outer.radius_m) else None,
        area_m2(outline_m),
        axis.azimuth_deg if given else None,
        sd_deg if given else None,
        probability,
        outline_m,
        _evidence(found, axis),
    )


def _is_ring(found: Findings, blast: Radius, crater_radius_m: float) -> bool:
    if found.polar is None or found.change is None or not np.isfinite(blast.radius_m):
        return False
    return shape.is_ring(found.edge.profile, found.polar.reach_m, crater_radius_m, blast.radius_m)


def _evidence(found: Findings, axis: Axis) -> PatternEvidence:
    density = np.exp(axis.log_density)
    by = (*found.sides.densities, vector_log_density(found.sides.east, found.sides.north, 1.0))
    best = {n: float(np.rad2deg(AZIMUTHS_RAD[d.argmax()])) for n, d in zip(AXES, by, strict=True) if d.max() > 0}
    estimates = {"network": found.head.radius_m, "mask": found.mask_m, "colours": found.edge.radius_m}
    return PatternEvidence(
        found.reach_m,
        found.use.astype(np.int8),
        np.zeros(0) if found.polar is None or found.change is None else found.polar.reach_m,
        found.edge.profile,
        np.zeros(GROUPS) if found.change is None else found.change.sign_dn,
        {name: value for name, value in estimates.items() if np.isfinite(value) and value > 0},
        density / density.sum(),
        best,
    )


def sector_use(blast: Extents, built: BoolArray, valid: BoolArray, sites: Sites, step_m: float) -> Float64Array:
    """(n, SECTORS) :class:`SectorUse` as the mask's reach tells it: what ends a ray ends what can be known of it."""
    at_bound = blast.censored & (blast.extent_m >= sites.bounds_m - step_m)
    use = np.where(blast.censored, np.where(at_bound, SectorUse.NEIGHBOUR, SectorUse.NO_IMAGERY), SectorUse.USED)
    beyond = np.zeros_like(blast.censored)
    per_metre = np.einsum("nij,sj->nsi", sites.jacobians, rays.DIRECTIONS)
    for past_m in (0.0, step_m, 2 * step_m):
        at = np.floor(sites.at_px[:, None] + per_metre * (blast.extent_m + past_m)[..., None]).astype(int)
        rows, cols = at[..., 0].clip(0, built.shape[0] - 1), at[..., 1].clip(0, built.shape[1] - 1)
        beyond |= built[rows, cols] & valid[rows, cols]
    return np.where((use == SectorUse.USED) & beyond, SectorUse.STRUCTURE, use)


def _disc_mean(channel: Float32Array, sites: Sites, radius_m: Float64Array) -> Float64Array:
    """Mean (n,) of a map over the crater, at nine points of each."""
    turn = 2 * np.pi * np.arange(8) / 8
    ring = np.column_stack([np.sin(turn), np.cos(turn)])
    points = np.vstack([[0.0, 0.0], 0.6 * ring])
    at = sites.at_px[:, None] + np.einsum("nij,n,kj->nki", sites.jacobians, radius_m, points)
    index = np.floor(at).astype(int)
    rows, cols = (index[..., k].clip(0, channel.shape[k] - 1) for k in (0, 1))
    return np.asarray(channel[rows, cols].mean(axis=1), np.float64)


def _to_ground(right: Float64Array, up: Float64Array, jacobians: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Vectors (n,) right and up in the image as vectors east and north of the same length."""
    metres = np.linalg.solve(jacobians, np.stack([-up, right], axis=-1)[..., None])[..., 0]
    scale = np.hypot(right, up) / np.maximum(np.hypot(metres[:, 0], metres[:, 1]), 1e-12)
    return metres[:, 0] * scale, metres[:, 1] * scale
