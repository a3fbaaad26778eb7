"""A whole georeferenced scene: planned strikes on a real background, before and after, exact truth.

Strikes are planned on the ground as the background shows it. The after image is then moved by a
known alignment error while its georeference stays, as happens with real acquisitions: a strike's
true place is the planned one, and the pixel at which the after image shows it is a little off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from cv_pipeline.frame import local_frame
from cv_pipeline.simulation.background import fractal_noise
from cv_pipeline.simulation.clutter import Vehicle, draw_vehicle, scatter_debris
from cv_pipeline.simulation.render import draw_strike_on_image as draw_strike
from cv_pipeline.simulation.sensor import Sensor, acquire
from cv_pipeline.simulation.strike import Strike
from cv_pipeline.simulation.surface import Sun
from cv_pipeline.types import Float32Array, Float64Array, Grid, Status, Structure, UInt8Array

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry


@dataclass(frozen=True, slots=True)
class PlannedStrike:
    """A strike on the background's pixels and what it hit (``surface``: roof, road, soil, grass ...)."""

    strike_id: str
    surface: str
    strike: Strike


@dataclass(frozen=True, slots=True)
class AlignmentError:
    """How the after image is off: turned clockwise about the image's centre, then shifted right and down."""

    shift_row_px: float
    shift_col_px: float
    rotation_deg: float

    def matrix(self, shape: tuple[int, int]) -> Float64Array:
        """(2, 3) matrix from background (col, row, 1) to after-image (col, row), edges of pixels at integers."""
        turn = np.deg2rad(self.rotation_deg)
        rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        centre = np.array([shape[1] / 2, shape[0] / 2])
        shift = centre - rotation @ centre + [self.shift_col_px, self.shift_row_px]
        return np.column_stack([rotation, shift])


@dataclass(frozen=True, slots=True)
class SceneRecipe:
    """Everything that turns a background into a scene.

    ``vehicles`` are on the after image only. ``ground_change`` is the relative SD of soft change of the
    ground between the dates.
    """

    strikes: tuple[PlannedStrike, ...]
    before_sun: Sun
    after_sun: Sun
    before_sensor: Sensor
    after_sensor: Sensor
    alignment: AlignmentError
    vehicles: tuple[Vehicle, ...] = ()
    ground_change: float = 0.03


@dataclass(frozen=True, slots=True)
class TruthRow:
    """Exact truth of one strike.

    ``row_px`` and ``col_px`` are where the after image shows the centre. ``x`` and ``y`` (map), ``lon_deg``
    and ``lat_deg``, the distances and ``direction_deg`` (clockwise from true north) belong to the true place
    on the ground. ``blast_radius_m`` and ``direction_deg`` are None where the strike has none.
    """

    strike_id: str
    row_px: float
    col_px: float
    x: float
    y: float
    lon_deg: float | None
    lat_deg: float | None
    crater_radius_m: float
    blast_radius_m: float | None
    direction_deg: float | None
    status: Status
    surface: str
    structure_id: str | None
    distance_edge_m: float | None
    distance_centre_m: float | None


@dataclass(frozen=True, slots=True)
class SimulatedScene:
    """``before`` and ``after`` (height, width, 3) on the same ``grid``, and the truth in planned order."""

    before: UInt8Array
    after: UInt8Array
    grid: Grid
    truth: tuple[TruthRow, ...]


def simulate_scene(
    background: Float32Array, grid: Grid, recipe: SceneRecipe, structures: Sequence[Structure], seed: int
) -> SimulatedScene:
    """Before image, after image and exact truth of ``recipe`` on ``background``; same arguments, same arrays.

    Args:
        background: (height, width, 3) RGB, DN 0..255, on ``grid``.
        grid: where the background lies, north up.
        recipe: strikes, light, sensors and alignment error.
        structures: footprints in the local metres of ``grid``; may be empty.
        seed: for the ground's change and debris; strikes' outlines and sensor noise have their own.

    Raises:
        ValueError: the background and the grid differ in size, or a strike lies outside the grid.
    """
    if background.shape != (grid.height, grid.width, 3):
        raise ValueError(f"background {background.shape} does not fit a grid of {grid.height} x {grid.width}")
    for planned in recipe.strikes:
        if not (0 <= planned.strike.row_px < grid.height and 0 <= planned.strike.col_px < grid.width):
            raise ValueError(f"strike {planned.strike_id} lies outside the image")
    rng = np.random.default_rng(seed)
    before = background.copy()
    after = _changed_ground(background, recipe.ground_change, rng)
    for planned in recipe.strikes:
        if planned.strike.status is Status.OLD:
            draw_strike(before, planned.strike, grid.gsd_m, recipe.before_sun)
        draw_strike(after, planned.strike, grid.gsd_m, recipe.after_sun)
        if planned.strike.status is Status.NEW:
            scatter_debris(after, planned.strike, grid.gsd_m, rng)
    for vehicle in recipe.vehicles:
        draw_vehicle(after, vehicle, grid.gsd_m, recipe.after_sun)
    matrix = recipe.alignment.matrix((grid.height, grid.width))
    after_image = acquire(_moved(after, matrix), recipe.after_sensor)
    truth = scene_truth(recipe.strikes, grid, matrix, structures)
    return SimulatedScene(acquire(before, recipe.before_sensor), after_image, grid, truth)


def _changed_ground(background: Float32Array, amount: float, rng: np.random.Generator) -> Float32Array:
    """The same ground at the other date: soft lightening and darkening."""
    height, width = background.shape[:2]
    noise = fractal_noise(max(height, width), rng, 1.5)[:height, :width, None]
    return np.clip(background * (1 + amount * noise), 0, 255).astype(np.float32)


def _moved(image: Float32Array, matrix: Float64Array) -> Float32Array:
    """``image`` warped by ``matrix`` (pixel-edge convention); OpenCV counts from pixel centres, hence the halves."""
    centred = matrix.copy()
    centred[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5
    size = (image.shape[1], image.shape[0])
    moved = cv2.warpAffine(image, centred, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    return np.clip(moved, 0, 255).astype(np.float32)


def scene_truth(
    strikes: Sequence[PlannedStrike], grid: Grid, matrix: Float64Array, structures: Sequence[Structure]
) -> tuple[TruthRow, ...]:
    """Truth of ``strikes`` planned on ``grid`` and shown by an after image moved by ``matrix`` (2, 3)."""
    return tuple(_truth_row(planned, grid, matrix, structures) for planned in strikes)


def _truth_row(planned: PlannedStrike, grid: Grid, matrix: Float64Array, structures: Sequence[Structure]) -> TruthRow:
    import shapely

    strike, frame = planned.strike, local_frame(grid)
    col_px, row_px = matrix @ [strike.col_px, strike.row_px, 1.0]
    t = grid.transform
    x = t.a * strike.col_px + t.b * strike.row_px + t.c
    y = t.d * strike.col_px + t.e * strike.row_px + t.f
    local = frame.pixel_to_metres(np.array([strike.row_px]), np.array([strike.col_px]))
    lon, lat = frame.to_lonlat(local)[0] if frame.is_georeferenced else (None, None)
    point = shapely.Point(local[0])
    nearest = min(structures, key=lambda s: _edge_then_centre(point, s), default=None)
    return TruthRow(
        strike_id=planned.strike_id,
        row_px=float(row_px),
        col_px=float(col_px),
        x=float(x),
        y=float(y),
        lon_deg=lon,
        lat_deg=lat,
        crater_radius_m=strike.crater_radius_m,
        blast_radius_m=strike.blast_radius_m if strike.has_pattern else None,
        direction_deg=_true_azimuth_deg(strike, grid),
        status=strike.status,
        surface=planned.surface,
        structure_id=nearest.structure_id if nearest else None,
        distance_edge_m=float(point.distance(nearest.geometry_m)) if nearest else None,
        distance_centre_m=float(point.distance(nearest.geometry_m.centroid)) if nearest else None,
    )


def _edge_then_centre(point: BaseGeometry, structure: Structure) -> tuple[float, float]:
    """Nearest by edge; ties, such as overlapping footprints, go to the nearer centre."""
    geometry = structure.geometry_m
    return float(point.distance(geometry)), float(point.distance(geometry.centroid))


def _true_azimuth_deg(strike: Strike, grid: Grid) -> float | None:
    """The cone's azimuth from true north: grid north differs from it by the meridian convergence."""
    if strike.cone_azimuth_deg is None:
        return None
    azimuth, reach_px = np.deg2rad(strike.cone_azimuth_deg), 20.0 / grid.gsd_m
    rows = np.array([strike.row_px, strike.row_px - reach_px * np.cos(azimuth)])
    cols = np.array([strike.col_px, strike.col_px + reach_px * np.sin(azimuth)])
    start, end = local_frame(grid).pixel_to_metres(rows, cols)
    return float(np.rad2deg(np.arctan2(end[0] - start[0], end[1] - start[1])) % 360)
