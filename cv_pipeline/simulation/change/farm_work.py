"""Fields that were ploughed, harvested or mown between the dates."""

from __future__ import annotations

import numpy as np

from cv_pipeline.simulation.change.base import (
    BARE,
    DRY,
    GREEN,
    Change,
    Pair,
    covered_by,
    field_part,
    one_date,
    recolour,
)
from cv_pipeline.simulation.ground import FIELD, Ground, Material, blend
from cv_pipeline.simulation.noise import across, along_profile, machine_passes, mottle, streaks, wheel_lines
from cv_pipeline.types import Float32Array

_STUBBLE = np.array([[182, 164, 116], [164, 148, 108], [196, 180, 138]], np.float32)


def work_field(pair: Pair, rng: np.random.Generator) -> list[Change]:
    """Ploughing, harvest or mowing of one field between the dates; on the before image it is what grew over since."""
    date, ground = one_date(pair, rng, 0.7)
    parcel, heading = field_part(pair, rng)
    parcel *= covered_by(ground, FIELD)
    work = (_plough, _harvest, _mow)[int(rng.choice(3, p=pair.config.farm_work_kinds))]
    distance = across(ground.shape, ground.gsd_m, heading)
    if parcel.max() == 0:
        return []
    work(ground, parcel, distance, heading, rng)
    rows, cols = np.nonzero(parcel > 0.5)
    if rows.size == 0:
        return []
    radius_m = float(np.sqrt(rows.size / np.pi)) * ground.gsd_m
    return [Change(work.__name__.strip("_"), date, (float(rows.mean()) + 0.5, float(cols.mean()) + 0.5), radius_m)]


def _plough(
    ground: Ground, parcel: Float32Array, distance: Float32Array, heading: float, rng: np.random.Generator
) -> None:
    """Turned soil in passes, clods and all."""
    shape, gsd_m = ground.shape, ground.gsd_m
    soil = BARE[rng.integers(len(BARE))] * np.float32(rng.uniform(0.7, 1.15))
    passes = along_profile(machine_passes(shape, gsd_m, rng.uniform(2.5, 9.0), 0.8, rng), gsd_m / 3, distance)
    clods = streaks(shape, gsd_m, 0.6, 4.0, heading, rng)
    tone = 1 + rng.uniform(0.02, 0.07) * passes + rng.uniform(0.02, 0.06) * clods
    tone += 0.05 * mottle(shape, gsd_m, 40.0, 10.0, 0.5, rng)
    colour = tone[..., None].astype(np.float32) * soil
    blend(ground, slice(None), slice(None), parcel * np.float32(rng.uniform(0.85, 1.0)), colour, Material.SOIL)


def _harvest(
    ground: Ground, parcel: Float32Array, distance: Float32Array, heading: float, rng: np.random.Generator
) -> None:
    """Stubble with swaths of straw and wheel marks."""
    shape, gsd_m = ground.shape, ground.gsd_m
    width_m = rng.uniform(5.0, 12.0)
    recolour(ground, parcel * np.float32(rng.uniform(0.6, 0.95)), _STUBBLE[rng.integers(len(_STUBBLE))], 0.5)
    swaths = along_profile(wheel_lines(shape, gsd_m, width_m, 0.9, rng), gsd_m / 3, distance)
    passes = along_profile(machine_passes(shape, gsd_m, width_m, 0.4, rng), gsd_m / 3, distance)
    ragged = np.clip(1 + 0.4 * streaks(shape, gsd_m, 1.0, 6.0, heading, rng), 0, 2)
    lines_dn = rng.uniform(-14, 26)  # straw left lying shines, straw taken away leaves dark wheel marks
    ground.colour += (parcel * (np.float32(lines_dn) * swaths * ragged + np.float32(4.0) * passes))[..., None]


def _mow(
    ground: Ground, parcel: Float32Array, distance: Float32Array, _heading: float, rng: np.random.Generator
) -> None:
    """Paler stripes, each pass laid the other way."""
    shape, gsd_m = ground.shape, ground.gsd_m
    target = 0.5 * (GREEN[rng.integers(len(GREEN))] + DRY[rng.integers(len(DRY))])
    recolour(ground, parcel * np.float32(rng.uniform(0.2, 0.6)), target)
    width_m = rng.uniform(2.2, 7.0)
    passes = along_profile(machine_passes(shape, gsd_m, width_m, rng.uniform(-1, 1), rng), gsd_m / 3, distance)
    ground.colour *= (1 + np.float32(rng.uniform(0.03, 0.09)) * parcel * passes)[..., None]
