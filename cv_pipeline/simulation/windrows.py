"""Hay or straw raked into windrows, lines that bend around craters because a driver goes around them.

Seen in the field: strong regular lines in which detectors miss craters that a reader sees at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cv_pipeline.simulation.config import ChangeConfig
from cv_pipeline.simulation.ground import FIELD, Ground, patch_around
from cv_pipeline.simulation.noise import across, streaks
from cv_pipeline.simulation.setting import Setting
from cv_pipeline.simulation.strike import Strike, StrikeStatus
from cv_pipeline.types import Float32Array

_SPACING_M = (3.0, 7.5)
_WHOLE_SCENE_SHARE = 0.6
_BOTH_DATES_SHARE = 0.4
_BENDING_SHARE = 0.7
_MOST_BENT = 300


def draw_windrows(
    before: Ground,
    after: Ground,
    setting: Setting,
    strikes: Sequence[Strike],
    config: ChangeConfig,
    rng: np.random.Generator,
) -> bool:
    """By its share, lay windrows over the fields of the after image, or of both, in place; True if it was done.

    ``strikes`` are those that will be drawn; the lines go around those of the after image.
    """
    if rng.random() >= config.windrow_share:
        return False
    shape, gsd_m = after.shape, after.gsd_m
    heading = float(rng.choice([parcel.heading_rad for parcel in setting.parcels])) if setting.parcels else 0.0
    place = across(shape, gsd_m, heading) + np.float32(0.3) * streaks(shape, gsd_m, 15.0, 40.0, heading, rng)
    lines = np.ones(shape, np.float32)
    bends = rng.spawn(1)[0]  # so that craters change nothing but the lines about them
    if rng.random() < _BENDING_SHARE:
        shown = [strike for strike in strikes if strike.status is not StrikeStatus.GONE]
        for strike in shown[:_MOST_BENT]:
            _go_around(place, lines, strike, heading, gsd_m, bends)
    spacing_m, width_m = rng.uniform(*_SPACING_M), rng.uniform(0.35, 0.9)
    width_m = np.hypot(width_m, 0.4 * gsd_m)
    off_m = (place + rng.uniform(0, spacing_m)) % spacing_m - spacing_m / 2
    lines *= np.exp(-((off_m / np.float32(width_m)) ** 2))
    lines *= np.clip(1 + rng.uniform(0.1, 0.5) * streaks(shape, gsd_m, 1.0, rng.uniform(3, 12), heading, rng), 0, 2)
    straw = np.array([1.0, rng.uniform(0.9, 1.0), rng.uniform(0.7, 0.95)], np.float32)
    contrast_dn = float(np.exp(rng.uniform(np.log(14), np.log(55)))) * float(rng.choice([1.0, -0.5], p=[0.85, 0.15]))
    chosen = np.isin(after.material, FIELD)
    if rng.random() >= _WHOLE_SCENE_SHARE and setting.parcels:
        chosen &= setting.parcel_of == setting.parcels[rng.integers(len(setting.parcels))].label
    laid = (np.float32(contrast_dn) * chosen * lines)[..., None] * straw
    for ground in (before, after) if rng.random() < _BOTH_DATES_SHARE else (after,):
        ground.colour += laid
        np.clip(ground.colour, 0, 255, out=ground.colour)
    return True


def _go_around(
    place: Float32Array, lines: Float32Array, strike: Strike, heading_rad: float, gsd_m: float, rng: np.random.Generator
) -> None:
    """Push the lines apart about a strike, in place, and leave none on an eye of ground that was not worked.

    ``place`` (h, w) is the distance across the lines in metres, ``lines`` (h, w) how strong they may be.
    """
    aside_m = strike.crater_radius_m * rng.uniform(0.9, 1.8)
    along_m, wide_m = rng.uniform(3.0, 9.0) + strike.crater_radius_m, rng.uniform(1.0, 3.0) * aside_m
    patch = patch_around((place.shape[0], place.shape[1]), strike.row_px, strike.col_px, 2.5 * along_m, gsd_m)
    if patch is None:
        return
    turn = patch.azimuth_rad - heading_rad
    ahead_m, beside_m = patch.radius_m * np.cos(turn), patch.radius_m * np.sin(turn)
    push_m = aside_m * np.exp(-((ahead_m / along_m) ** 2))
    side = np.tanh(beside_m / max(0.4 * aside_m, 0.3))
    place[patch.rows, patch.cols] -= push_m * side * np.exp(-np.abs(beside_m) / wide_m)
    lines[patch.rows, patch.cols] *= 1 / (1 + np.exp(np.clip((0.75 * push_m - np.abs(beside_m)) / 0.3, -30, 30)))
