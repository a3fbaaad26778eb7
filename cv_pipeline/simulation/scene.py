"""A planned scene: strikes and vehicles at chosen places of a real background, before and after, exact truth.

Strikes are planned on the ground as the background shows it. The after image is then moved by a
known alignment error while its georeference stays, as happens with real acquisitions: a strike's
true place is the planned one, and the pixel at which the after image shows it is a little off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from cv_pipeline.frame import local_frame
from cv_pipeline.simulation.debris import draw_debris
from cv_pipeline.simulation.ground import NATURAL, Ground, Material
from cv_pipeline.simulation.light import Sun, relative_light
from cv_pipeline.simulation.lookalikes.base import Lookalike
from cv_pipeline.simulation.noise import mottle
from cv_pipeline.simulation.render import draw_strike
from cv_pipeline.simulation.scene_files import Feature, Scene
from cv_pipeline.simulation.scene_truth import PlacedStrike, scene_truth
from cv_pipeline.simulation.sensor import Sensor, acquire
from cv_pipeline.simulation.shapes import polygon_cover
from cv_pipeline.simulation.strike import Strike, StrikeStatus
from cv_pipeline.simulation.tile_ground import guess_material
from cv_pipeline.simulation.vehicles import Vehicle, draw_vehicle
from cv_pipeline.types import Float32Array, Float64Array, Grid, Structure

_MOST_LIGHTENED = 1.25


@dataclass(frozen=True, slots=True)
class PlannedStrike:
    """A strike on the background's pixels. Its material is what it hit, whatever the background's colour says."""

    strike_id: str
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

    ``sun`` is the background's own: what is drawn is lit by it. ``roof_height_m`` is taken for every footprint.
    ``vehicles`` are on the after image only. ``ground_change`` is the relative SD of soft change of the ground
    between the dates.
    """

    strikes: tuple[PlannedStrike, ...]
    sun: Sun
    before_sensor: Sensor
    after_sensor: Sensor
    alignment: AlignmentError
    vehicles: tuple[Vehicle, ...] = ()
    ground_change: float = 0.03
    roof_height_m: float = 3.5


def simulate_scene(
    background: Float32Array,
    grid: Grid,
    recipe: SceneRecipe,
    structures: Sequence[Structure],
    seed: int,
    features: Sequence[Feature] = (),
) -> Scene:
    """Before image, after image and exact truth of ``recipe`` on ``background``; same arguments, same arrays.

    The scene's look-alikes are the vehicles.

    Args:
        background: (height, width, 3) RGB, DN 0..255, on ``grid``.
        grid: where the background lies, north up.
        recipe: strikes, light, sensors and alignment error.
        structures: footprints in the local metres of ``grid``; may be empty.
        seed: for the ground's change; strikes' outlines and sensor noise have their own.
        features: the same footprints as GeoJSON features, handed on to the scene.

    Raises:
        ValueError: the background and the grid differ in size, or a strike lies outside the grid.
    """
    if background.shape != (grid.height, grid.width, 3):
        raise ValueError(f"background {background.shape} does not fit a grid of {grid.height} x {grid.width}")
    for planned in recipe.strikes:
        if not (0 <= planned.strike.row_px < grid.height and 0 <= planned.strike.col_px < grid.width):
            raise ValueError(f"strike {planned.strike_id} lies outside the image")
    before = _real_ground(background, grid, structures, recipe)
    standing_m = before.height_m.copy()
    after = before.copy()
    after.colour *= 1 + np.float32(recipe.ground_change) * _soft_change(after, seed)[..., None]
    for planned in recipe.strikes:
        if planned.strike.status == StrikeStatus.OLD:
            draw_strike(before, planned.strike)
        draw_strike(after, planned.strike)
        if planned.strike.status == StrikeStatus.NEW and planned.strike.material in NATURAL:
            draw_debris(after, planned.strike)
    for vehicle in recipe.vehicles:
        draw_vehicle(after, vehicle)
    matrix = recipe.alignment.matrix(before.shape)
    return Scene(
        before=acquire(_relit(before, standing_m, recipe.sun), recipe.before_sensor),
        after=acquire(_moved(_relit(after, standing_m, recipe.sun), matrix), recipe.after_sensor),
        grid=grid,
        strikes=scene_truth(placed_strikes(recipe.strikes, matrix), grid, structures),
        structures=tuple(features),
        lookalikes=tuple(_as_lookalike(vehicle, matrix) for vehicle in recipe.vehicles),
    )


def placed_strikes(strikes: Sequence[PlannedStrike], matrix: Float64Array) -> list[PlacedStrike]:
    """Strikes with the place at which an after image moved by ``matrix`` (2, 3) shows each."""
    return [
        PlacedStrike(
            planned.strike_id,
            planned.strike.material.name.lower(),
            planned.strike,
            _shown_px(planned.strike.row_px, planned.strike.col_px, matrix),
        )
        for planned in strikes
    ]


def _shown_px(row_px: float, col_px: float, matrix: Float64Array) -> tuple[float, float]:
    col, row = matrix @ [col_px, row_px, 1.0]
    return float(row), float(col)


def _as_lookalike(vehicle: Vehicle, matrix: Float64Array) -> Lookalike:
    row_px, col_px = _shown_px(vehicle.row_px, vehicle.col_px, matrix)
    return Lookalike(vehicle.kind, row_px, col_px, vehicle.length_m / 2)


def _real_ground(background: Float32Array, grid: Grid, structures: Sequence[Structure], recipe: SceneRecipe) -> Ground:
    """The background as a ground: roofs of one height where the footprints are, materials as hit and as coloured."""
    import shapely

    shape = grid.height, grid.width
    material = guess_material(background, "", grid.gsd_m)
    ground = Ground(background.copy(), np.zeros(shape, np.float32), material, grid.gsd_m)
    frame = local_frame(grid)
    outlines = [shapely.get_exterior_ring(structure.geometry_m) for structure in structures]
    for outline in outlines:
        if outline is None:  # a point or a line
            continue
        cover = polygon_cover(shape, frame.metres_to_pixel(shapely.get_coordinates(outline)[:-1]))
        if cover is not None:
            inside = cover.share > 0.5
            ground.material[cover.rows, cover.cols][inside] = Material.ROOF
            ground.height_m[cover.rows, cover.cols][inside] = recipe.roof_height_m
    for planned in recipe.strikes:
        strike = planned.strike
        if strike.material != Material.ROOF:
            centre = int(strike.col_px), int(strike.row_px)
            reach_px = round(2 * strike.crater_radius_m / grid.gsd_m)
            cv2.circle(ground.material, centre, reach_px, int(strike.material), thickness=-1)
    return ground


def _relit(ground: Ground, standing_m: Float32Array, sun: Sun) -> Float32Array:
    """The ground lit anew wherever its heights differ from ``standing_m``, which its colours were photographed with.

    The ratio of light leaves real imagery as it is, brings no second shadow to a building that still stands, and
    lightens the shadow of one that fell.
    """
    new = relative_light(ground.height_m, ground.gsd_m, sun)
    old = relative_light(standing_m, ground.gsd_m, sun)
    ratio = new / old
    # Real heights are only roughly known: a shadow is not quite where, nor as deep as, they put it.
    np.minimum(ratio, _MOST_LIGHTENED, out=ratio, where=old < 1)
    return np.clip(ground.colour * ratio, 0, 255).astype(np.float32)


def _soft_change(ground: Ground, seed: int) -> Float32Array:
    """Soft lightening and darkening of the ground (height, width), unit SD."""
    return mottle(ground.shape, ground.gsd_m, 60.0, 1.0, 0.6, np.random.default_rng(seed))


def _moved(image: Float32Array, matrix: Float64Array) -> Float32Array:
    """``image`` warped by ``matrix`` (pixel-edge convention); OpenCV counts from pixel centres, hence the halves."""
    centred = matrix.copy()
    centred[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5
    size = (image.shape[1], image.shape[0])
    moved = cv2.warpAffine(image, centred, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    return np.clip(moved, 0, 255).astype(np.float32)
