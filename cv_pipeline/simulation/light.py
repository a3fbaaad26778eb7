"""Sun and sensor position: shading, cast shadows, and the lean of what stands up.

Colours are what level ground shows in full light, so light is always relative to level ground: 1 there, and
exactly 1, which leaves real imagery as it is wherever nothing was drawn.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from cv_pipeline.simulation.ground import Ground, Material
from cv_pipeline.types import Float32Array

SKY_SHARE_RGB = (0.33, 0.36, 0.42)
"""Share of level ground's light that shadows keep, per channel. Skylight alone is 0.1 to 0.25 of the total under a
clear sky (Liu & Jordan 1960, doi:10.1016/0038-092X(60)90062-1) and blue; path radiance and the tone curve of image
products lift it in DN."""
MAX_LIGHT = 1.9
"""Bound of relative light on slopes that face a low sun: products clip or roll off there."""
_STEEPEST = 1.4  # slopes above are walls, of which a sensor above sees nothing, or flanks of crowns
_PENUMBRA_PX = 0.7  # a pixel integrates over the shadow's edge; the sun's own half degree is far less at these heights
_FACADE_RGB = (176.0, 171.0, 162.0)  # plaster, brick and concrete, DN


class Sun(NamedTuple):
    """Where the light comes from: azimuth clockwise from image up, elevation above the horizon."""

    azimuth_deg: float
    elevation_deg: float


class View(NamedTuple):
    """Where the sensor stands: degrees off nadir, and the azimuth from the ground to it, clockwise from image up."""

    off_nadir_deg: float
    azimuth_deg: float


NADIR = View(0.0, 0.0)


def photograph(ground: Ground, sun: Sun, view: View = NADIR) -> Float32Array:
    """The scene as light reaches the sensor, (height, width, 3) DN: shaded, shadowed, leaning away from the sensor.

    Level ground keeps its colour exactly. Values may pass 255 on slopes that face the sun. ``sun.elevation_deg``
    must be above 0.
    """
    scene = ground.colour.copy()
    window = _relief_window(ground, sun)
    if window is None:
        return scene
    height_m = ground.height_m[window]
    scene[window] *= relative_light(height_m, ground.gsd_m, sun)
    _lean(scene[window], height_m, ground.material[window], ground.gsd_m, sun, view)
    return scene


def relative_light(height_m: Float32Array, gsd_m: float, sun: Sun) -> Float32Array:
    """Light on a surface (height, width) relative to level ground, (height, width, 3), 1 where it is level and lit.

    Lambert's cosine law for the sun's part, which shadows take away, plus a bluish sky share that nothing takes away.
    """
    direct = _facing(height_m, gsd_m, sun) * (1.0 - shadow_share(height_m, gsd_m, sun))
    np.minimum(direct, MAX_LIGHT, out=direct)
    light = cv2.merge([sky + (1.0 - sky) * direct for sky in map(np.float32, SKY_SHARE_RGB)])
    light[direct == 1.0] = 1.0
    return light.astype(np.float32, copy=False)


def _facing(height_m: Float32Array, gsd_m: float, sun: Sun) -> Float32Array:
    """The sun's light on each slope over that on level ground, 0 where it faces away; same shape."""
    border, scale = cv2.BORDER_REPLICATE, 0.5 / gsd_m
    down = np.asarray(cv2.Sobel(height_m, cv2.CV_32F, 0, 1, ksize=1, scale=scale, borderType=border), np.float32)
    right = np.asarray(cv2.Sobel(height_m, cv2.CV_32F, 1, 0, ksize=1, scale=scale, borderType=border), np.float32)
    steepness = np.sqrt(down * down + right * right)
    steep = steepness > _STEEPEST
    if steep.any():
        # A central difference would spread a wall's light over the roof and the yard beside it.
        rows, cols = np.nonzero(steep)
        down[steep] = _lesser_slope(height_m, rows, cols, 1, 0) / gsd_m
        right[steep] = _lesser_slope(height_m, rows, cols, 0, 1) / gsd_m
        length = np.hypot(down[steep], right[steep])
        shrink = _STEEPEST / np.maximum(length, _STEEPEST)
        down[steep] *= shrink
        right[steep] *= shrink
        steepness[steep] = np.minimum(length, _STEEPEST)
    azimuth, elevation = np.deg2rad(sun.azimuth_deg), np.deg2rad(sun.elevation_deg)
    towards_right, towards_down = np.sin(azimuth) / np.tan(elevation), -np.cos(azimuth) / np.tan(elevation)
    facing = (1.0 - right * np.float32(towards_right) - down * np.float32(towards_down)) / np.sqrt(1.0 + steepness**2)
    return np.asarray(np.maximum(facing, 0.0), np.float32)


def _lesser_slope(height_m: Float32Array, rows: np.ndarray, cols: np.ndarray, down: int, right: int) -> Float32Array:
    """The smaller of the slopes before and behind these pixels, per px; 0 at a ridge, in a ditch or beside a wall."""
    bottom, edge = height_m.shape[0] - 1, height_m.shape[1] - 1
    here = height_m[rows, cols]
    ahead = height_m[np.minimum(rows + down, bottom), np.minimum(cols + right, edge)] - here
    behind = here - height_m[np.maximum(rows - down, 0), np.maximum(cols - right, 0)]
    lesser = np.where(np.abs(ahead) < np.abs(behind), ahead, behind)
    return np.where(ahead * behind > 0, lesser, 0.0).astype(np.float32)


def shadow_share(height_m: Float32Array, gsd_m: float, sun: Sun) -> Float32Array:
    """Share of each pixel (height, width) that something between it and the sun shades, 0..1.

    The heights are sheared so that the sun's rays run along columns; a running maximum of height above the ray then
    finds every shadow in one pass, whatever its length.
    """
    azimuth, fall_per_m = np.deg2rad(sun.azimuth_deg), np.tan(np.deg2rad(sun.elevation_deg))
    away_row, away_col = float(np.cos(azimuth)), float(-np.sin(azimuth))
    major = max(abs(away_row), abs(away_col))
    sheared_to_image, size = _shear(height_m.shape, away_row / major, away_col / major)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    sheared = np.asarray(cv2.warpAffine(height_m, sheared_to_image, size, flags=flags), np.float32)
    fall_m = np.float32(gsd_m / major * fall_per_m)
    sheared += fall_m * np.arange(len(sheared), dtype=np.float32)[:, None]
    blocked = np.full_like(sheared, -1.0)
    horizon = np.maximum.accumulate(sheared, axis=0)[:-1]
    blocked[1:] = (horizon - sheared[1:]) / np.float32(_PENUMBRA_PX * fall_m) + 0.5
    np.clip(blocked, 0, 1, out=blocked)
    shape = height_m.shape
    return np.asarray(
        cv2.warpAffine(blocked, sheared_to_image, (shape[1], shape[0]), flags=cv2.INTER_LINEAR), np.float32
    )


def _shear(shape: tuple[int, ...], away_row: float, away_col: float) -> tuple[np.ndarray, tuple[int, int]]:
    """Matrix from sheared (x across, y away from the sun) to image (x, y), and the sheared size (width, height).

    The direction has one component of size 1: one sheared row is one image row or column further from the sun.
    """
    height, width = shape
    if abs(away_row) >= abs(away_col):
        length, across, drift = height, width, away_col
        start = 0.0 if away_row > 0 else height - 1.0
        first = -max(drift, 0.0) * (length - 1)
        matrix = np.array([[1.0, drift, first], [0.0, np.sign(away_row), start]])
    else:
        length, across, drift = width, height, away_row
        start = 0.0 if away_col > 0 else width - 1.0
        first = -max(drift, 0.0) * (length - 1)
        matrix = np.array([[0.0, np.sign(away_col), start], [1.0, drift, first]])
    return matrix, (across + int(np.ceil(abs(drift) * (length - 1))), length)


def lean_offset_px(height_m: float, view: View, gsd_m: float) -> tuple[float, float]:
    """Where a point ``height_m`` above the ground appears, as (row, col) offset in px from where it stands."""
    length_px = height_m * float(np.tan(np.deg2rad(view.off_nadir_deg))) / gsd_m
    azimuth = np.deg2rad(view.azimuth_deg)
    return length_px * float(np.cos(azimuth)), -length_px * float(np.sin(azimuth))


def _lean(
    scene: Float32Array, height_m: Float32Array, material: np.ndarray, gsd_m: float, sun: Sun, view: View
) -> None:
    """Move what stands up away from the sensor, hiding what is behind and showing the walls before it; in place.

    Every pixel's ray is followed down from the greatest height; what it meets first is what the pixel shows.
    """
    reach_px = float(np.hypot(*lean_offset_px(float(height_m.max()), view, gsd_m)))
    if reach_px < 0.5:
        return
    away_row, away_col = (component / reach_px for component in lean_offset_px(float(height_m.max()), view, gsd_m))
    per_m = np.float32(np.tan(np.deg2rad(view.off_nadir_deg)) / gsd_m)
    raised_px = np.maximum(height_m, 0.0) * per_m
    shift_px = np.zeros_like(raised_px)
    is_wall = np.zeros(raised_px.shape, bool)
    size = raised_px.shape[::-1]
    for step in range(round(reach_px), 0, -1):
        back = np.array([[1.0, 0.0, -step * away_col], [0.0, 1.0, -step * away_row]])
        there = cv2.warpAffine(raised_px, back, size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
        met = (there >= step - 0.5) & (shift_px == 0)
        wall = met & (there > step + 0.5)
        shift_px[met] = there[met]
        shift_px[wall] = step
        is_wall |= wall
    is_wall |= (shift_px == 0) & (raised_px > 0.5)
    if not is_wall.any() and not shift_px.any():
        return
    rows, cols = np.indices(raised_px.shape, dtype=np.float32)
    from_x, from_y = cols - shift_px * np.float32(away_col), rows - shift_px * np.float32(away_row)
    scene[...] = cv2.remap(scene, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    seen = cv2.remap(material, from_x, from_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    wall = is_wall & (seen != Material.TREE)
    scene[wall] = 0.35 * scene[wall] + 0.65 * np.asarray(_FACADE_RGB, np.float32) * _facade_light(sun, view)


def _facade_light(sun: Sun, view: View) -> Float32Array:
    """Light (3,) on a wall that faces the sensor, relative to level ground; half the sky shines on it."""
    elevation, apart = np.deg2rad(sun.elevation_deg), np.deg2rad(sun.azimuth_deg - view.azimuth_deg)
    direct = min(max(float(np.cos(apart) / np.tan(elevation)), 0.0), 1.3)
    sky = np.asarray(SKY_SHARE_RGB, np.float32)
    return 0.7 * sky + (1.0 - sky) * np.float32(direct)


def _relief_window(ground: Ground, sun: Sun) -> tuple[slice, slice] | None:
    """The part of the ground that has heights, widened by the longest shadow; None if all is level."""
    relief = ground.height_m != 0
    rows, cols = np.flatnonzero(relief.any(axis=1)), np.flatnonzero(relief.any(axis=0))
    if rows.size == 0:
        return None
    raised_m = max(float(ground.height_m.max()), 0.0)
    longest_m = raised_m * max(1.0 / float(np.tan(np.deg2rad(sun.elevation_deg))), 1.0)
    margin = int(longest_m / ground.gsd_m) + 3
    height, width = ground.shape
    return (
        slice(max(int(rows[0]) - margin, 0), min(int(rows[-1]) + margin + 1, height)),
        slice(max(int(cols[0]) - margin, 0), min(int(cols[-1]) + margin + 1, width)),
    )
