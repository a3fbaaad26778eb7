"""Exact truth of a scene's strikes on the map: where, how large, which way, how far from which structure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cv_pipeline.frame import local_frame
from cv_pipeline.simulation.strike import Strike, StrikeStatus
from cv_pipeline.simulation.wings import mean_pattern_radius_m
from cv_pipeline.types import Float64Array, Grid, Structure

if TYPE_CHECKING:
    import shapely
    from shapely.geometry.base import BaseGeometry


class PlacedStrike(NamedTuple):
    """A strike at its true place on the ground, in pixels of the scene's grid, and what is known beside it.

    ``surface`` is what was hit (roof, asphalt, soil ...). ``shown_px`` is (row, col) of the centre on the after
    image, which differs where a roof leans or the image is a little off. ``visible`` is False under a cloud.
    """

    strike_id: str
    surface: str
    strike: Strike
    shown_px: tuple[float, float]
    visible: bool = True


class TruthRow(NamedTuple):
    """Exact truth of one strike.

    ``row_px`` and ``col_px`` are where the after image shows the centre; everything else belongs to the true
    place on the ground. Azimuths are clockwise from true north. The crater is an ellipse: half axes in metres
    and the azimuth of the longer one, which is None for a circle. ``blast_radius_m``, ``secondary_radius_m``,
    ``direction_deg`` and the structure's columns are None where the strike has none. ``directionality`` 0..1
    says how one-sided the pattern is, ``age`` 0..1 how far the strike has weathered.
    """

    strike_id: str
    row_px: float
    col_px: float
    x: float
    y: float
    lon_deg: float | None
    lat_deg: float | None
    status: StrikeStatus
    visible: bool
    family: str
    surface: str
    crater_radius_m: float
    crater_semi_major_m: float
    crater_semi_minor_m: float
    crater_axis_deg: float | None
    blast_radius_m: float | None
    secondary_radius_m: float | None
    direction_deg: float | None
    directionality: float
    age: float
    structure_id: str | None
    distance_edge_m: float | None
    distance_centre_m: float | None


def scene_truth(strikes: Sequence[PlacedStrike], grid: Grid, structures: Sequence[Structure]) -> tuple[TruthRow, ...]:
    """Truth of ``strikes`` in their order; ``structures`` are in the local metres of ``grid`` and may be none."""
    if not strikes:
        return ()
    rows, cols = np.array([(placed.strike.row_px, placed.strike.col_px) for placed in strikes]).T
    frame = local_frame(grid)
    local = frame.pixel_to_metres(rows, cols)
    lonlat: list[tuple[float | None, float | None]] = [(None, None)] * len(strikes)
    if frame.is_georeferenced:
        lonlat = [(float(lon), float(lat)) for lon, lat in frame.to_lonlat(local)]
    nearest = [_nearest(point, structures) for point in local]
    turns_deg = _north_deg(grid, rows, cols)
    return tuple(
        _truth_row(placed, grid, lonlat[n], nearest[n], float(turns_deg[n])) for n, placed in enumerate(strikes)
    )


def _truth_row(
    placed: PlacedStrike,
    grid: Grid,
    lonlat: tuple[float | None, float | None],
    nearest: tuple[str | None, float | None, float | None],
    turn_deg: float,
) -> TruthRow:
    strike = placed.strike
    x, y = grid.transform @ (strike.col_px, strike.row_px)
    stretch = strike.core_stretch
    axis_deg = strike.core_stretch_azimuth_deg + turn_deg + (90.0 if stretch < 1 else 0.0)
    direction = strike.direction
    return TruthRow(
        strike_id=placed.strike_id,
        row_px=placed.shown_px[0],
        col_px=placed.shown_px[1],
        x=float(x),
        y=float(y),
        lon_deg=lonlat[0],
        lat_deg=lonlat[1],
        status=StrikeStatus(strike.status),
        visible=placed.visible,
        family=strike.family,
        surface=placed.surface,
        crater_radius_m=strike.crater_radius_m,
        crater_semi_major_m=strike.crater_radius_m * max(stretch, 1 / stretch),
        crater_semi_minor_m=strike.crater_radius_m * min(stretch, 1 / stretch),
        crater_axis_deg=None if stretch == 1 else axis_deg % 180,
        blast_radius_m=mean_pattern_radius_m(strike) or None,
        secondary_radius_m=strike.secondary_radius_m or None,
        direction_deg=None if direction is None else (direction[0] + turn_deg) % 360,
        directionality=0.0 if direction is None else direction[1],
        age=strike.age,
        structure_id=nearest[0],
        distance_edge_m=nearest[1],
        distance_centre_m=nearest[2],
    )


def _nearest(point_m: Float64Array, structures: Sequence[Structure]) -> tuple[str | None, float | None, float | None]:
    """(id, distance to edge, distance to centre) of the structure nearest by edge; ties go to the nearer centre."""
    import shapely

    if not structures:
        return None, None, None
    point = shapely.Point(point_m)
    nearest = min(structures, key=lambda s: _edge_then_centre(point, s.geometry_m))
    return nearest.structure_id, *_edge_then_centre(point, nearest.geometry_m)


def _edge_then_centre(point: shapely.Point, geometry: BaseGeometry) -> tuple[float, float]:
    return float(point.distance(geometry)), float(point.distance(geometry.centroid))


def _north_deg(grid: Grid, rows_px: Float64Array, cols_px: Float64Array) -> Float64Array:
    """Azimuth from true north of image up at each point, degrees: grid north differs by the meridian convergence."""
    frame, reach_px = local_frame(grid), 20.0 / grid.gsd_m
    step = frame.pixel_to_metres(rows_px - reach_px, cols_px) - frame.pixel_to_metres(rows_px, cols_px)
    return np.asarray(np.rad2deg(np.arctan2(step[:, 0], step[:, 1])), np.float64)
