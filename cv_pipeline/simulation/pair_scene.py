"""A simulated pair as a scene on the map: its place, its buildings with their damage, its strikes' truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from enum import Enum
from typing import Any, NamedTuple

import numpy as np
from affine import Affine

from cv_pipeline.frame import local_frame
from cv_pipeline.simulation.ageing import on_before
from cv_pipeline.simulation.buildings import Building, draw_building
from cv_pipeline.simulation.ground import Material, level_ground
from cv_pipeline.simulation.pair import SimulatedPair
from cv_pipeline.simulation.roof_hit import roof_damage
from cv_pipeline.simulation.scene_files import Feature, Scene, polygon_feature
from cv_pipeline.simulation.scene_truth import PlacedStrike, scene_truth
from cv_pipeline.simulation.strike import Strike, StrikeStatus
from cv_pipeline.types import BoolArray, Grid, Structure, StructureKind

INVENTED_PLACE = (
    "invented: open sea in the Gulf of Guinea, where UTM zone 31N has its true scale; so that GIS tools open the "
    "scenes with distances in metres. The ground shown lies elsewhere or nowhere"
)
_CRS = "EPSG:32631"
_CENTRE_EAST_M, _FIRST_NORTH_M, _STEP_M = 319_600.0, 60_000.0, 5_000.0
_PER_COLUMN = 20


def invented_grid(number: int, shape: tuple[int, int], gsd_m: float) -> Grid:
    """The grid of scene ``number`` (from 1): scenes lie side by side in open sea, see :data:`INVENTED_PLACE`."""
    from rasterio.crs import CRS

    step_m = _STEP_M * np.ceil(max(shape) * gsd_m / (0.8 * _STEP_M))
    column, row = divmod(number - 1, _PER_COLUMN)
    left = round((_CENTRE_EAST_M + column * step_m - shape[1] * gsd_m / 2) / gsd_m) * gsd_m
    top = round((_FIRST_NORTH_M + row * step_m) / gsd_m) * gsd_m
    return Grid(shape[0], shape[1], Affine(gsd_m, 0, left, 0, -gsd_m, top), CRS.from_user_input(_CRS), gsd_m)


class _Placed(NamedTuple):
    """A strike of the pair with its name and its true place."""

    strike_id: str
    shown: Strike
    on_ground: Strike


def scene_of(pair: SimulatedPair, number: int) -> Scene:
    """The pair as scene ``number`` (from 1). Strikes, buildings and look-alikes outside the images are left out."""
    grid = invented_grid(number, pair.truth.visible.shape, pair.gsd_m)
    both = zip(pair.strikes, pair.ground_px, strict=True)
    inside = [(shown, place) for shown, place in both if _is_inside(shown.row_px, shown.col_px, grid)]
    strikes = [_Placed(f"S{n:03d}", shown, shown.at(*place)) for n, (shown, place) in enumerate(inside, start=1)]
    buildings = {f"B{n:03d}": building for n, building in enumerate(_touching(pair.buildings, grid), start=1)}
    structures = [_structure(name, building, grid) for name, building in buildings.items()]
    placed = [
        PlacedStrike(
            strike.strike_id,
            strike.shown.material.name.lower(),
            strike.on_ground,
            (strike.shown.row_px, strike.shown.col_px),
            bool(pair.truth.visible[int(strike.shown.row_px), int(strike.shown.col_px)]),
        )
        for strike in strikes
    ]
    return Scene(
        before=pair.before,
        after=pair.after,
        grid=grid,
        strikes=scene_truth(placed, grid, structures),
        structures=tuple(_footprint(name, building, strikes, grid) for name, building in buildings.items()),
        lookalikes=tuple(thing for thing in pair.lookalikes if _is_inside(thing.row_px, thing.col_px, grid)),
        rasters=pair.truth,
    )


def _is_inside(row_px: float, col_px: float, grid: Grid) -> bool:
    return 0 <= row_px < grid.height and 0 <= col_px < grid.width


def _touching(buildings: Sequence[Building], grid: Grid) -> list[Building]:
    """Buildings of which a part lies on the grid."""
    found = []
    for building in buildings:
        low, high = np.min(building.corners_px, axis=0), np.max(building.corners_px, axis=0)
        if (high > 0).all() and (low < (grid.height, grid.width)).all():
            found.append(building)
    return found


def _structure(name: str, building: Building, grid: Grid) -> Structure:
    import shapely

    rows, cols = np.array(building.corners_px, np.float64).T
    return Structure(name, StructureKind.BUILDING, shapely.Polygon(local_frame(grid).pixel_to_metres(rows, cols)))


def _footprint(name: str, building: Building, strikes: Sequence[_Placed], grid: Grid) -> Feature:
    """The footprint with the share of its roof that fell, at either date, and what hit it."""
    import shapely

    outline = shapely.Polygon(building.corners_px)
    hits = [
        strike
        for strike in strikes
        if strike.shown.material == Material.ROOF
        and outline.contains(shapely.Point(strike.on_ground.row_px, strike.on_ground.col_px))
    ]
    after = [strike for strike in hits if strike.shown.status != StrikeStatus.GONE]
    before = [strike for strike in hits if on_before(strike.shown) is not None]
    fallen = _fallen_share(building, after, grid)
    return polygon_feature(
        building.corners_px,
        grid,
        {
            "structure_id": name,
            "kind": "building",
            "height_m": round(building.height_m, 2),
            "roof": building.roof,
            "damage": "none" if fallen == 0 else "destroyed" if fallen >= 0.75 else "part",
            "fallen_share": round(fallen, 3),
            "fallen_share_before": round(_fallen_share(building, before, grid), 3),
            "hit_by": [strike.strike_id for strike in after],
        },
    )


def _fallen_share(building: Building, hits: Sequence[_Placed], grid: Grid) -> float:
    """Share of the roof that these hits broke."""
    if not hits:
        return 0.0
    ground = level_ground(np.zeros((grid.height, grid.width, 3), np.float32), Material.SOIL, grid.gsd_m)
    draw_building(ground, building)
    roof: BoolArray = ground.material == Material.ROOF
    fallen = np.zeros(roof.shape, bool)
    for hit in hits:
        damage = roof_damage(ground, hit.on_ground)
        if damage is not None:
            fallen[damage.rows, damage.cols] |= damage.damaged
    return float(fallen.sum() / max(roof.sum(), 1))


def pair_facts(pair: SimulatedPair, scene: Scene) -> dict[str, Any]:
    """What is known of a scene beside its rasters and vectors, in plain types that YAML can hold."""
    counts = {str(status): sum(row.status == status for row in scene.strikes) for status in StrikeStatus}
    transform = scene.grid.transform
    return {
        "gsd_m": pair.gsd_m,
        "size_px": [scene.grid.height, scene.grid.width],
        "crs": _CRS,
        "upper_left_m": [transform.c, transform.f],
        "georeference": INVENTED_PLACE,
        "strikes": {**counts, "not_visible": sum(not row.visible for row in scene.strikes)},
        "structures": len(scene.structures),
        "lookalikes": len(scene.lookalikes),
        "places": list(pair.places),
        "before": plain(pair.before_acquisition),
        "after": plain(pair.after_acquisition),
        "misalignment_of_before": plain(pair.misalignment),
        "changes": plain(pair.changes.changes),
    }


def plain(value: Any) -> Any:
    """Data classes, named tuples, enumerations and NumPy scalars as dicts, lists and numbers."""
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {name: plain(getattr(value, name)) for name in asdict(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: plain(part) for name, part in value._asdict().items()}
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return value.item() if isinstance(value, np.generic) else value
