"""Trees and bushes as colour, crown height and material: single ones, rows, orchards and forest."""

from __future__ import annotations

import cv2
import numpy as np

from cv_pipeline.simulation.ground import LUMINANCE, Ground, Material, patch_around
from cv_pipeline.simulation.noise import mottle
from cv_pipeline.types import Float32Array

_LEAF = ((44, 62, 34), (54, 72, 40), (62, 78, 44), (48, 60, 44), (70, 78, 46), (58, 70, 56))
_AUTUMN = ((110, 78, 44), (96, 70, 46), (84, 80, 48))
_BARE = ((84, 74, 68), (92, 84, 76), (74, 68, 64))


def leaf_colour(rng: np.random.Generator, bare_share: float = 0.12) -> Float32Array:
    """Colour (3,) of a stand of trees: mostly dark green, some autumn, some leafless."""
    draw = rng.random()
    hues = _BARE if draw < bare_share else _AUTUMN if draw < bare_share + 0.08 else _LEAF
    colour = np.array(hues[rng.integers(len(hues))]) * rng.uniform(0.75, 1.3)
    colour = colour + rng.uniform(0, 0.4) * (colour @ LUMINANCE - colour)
    result: Float32Array = colour.astype(np.float32)
    return result


def draw_tree(
    ground: Ground,
    row_px: float,
    col_px: float,
    radius_m: float,
    height_m: float,
    colour: Float32Array,
    rng: np.random.Generator,
) -> None:
    """One crown: a ragged dome of ``radius_m`` whose top is ``height_m`` above the ground, brighter towards its top."""
    patch = patch_around(ground.shape, row_px, col_px, 1.5 * radius_m, ground.gsd_m)
    if patch is None:
        return
    order = rng.integers(3, 8, 3)
    amplitude = rng.normal(0, 0.06, 3)
    turn = rng.uniform(0, 2 * np.pi, 3)
    edge = 1 + sum(a * np.cos(k * patch.azimuth_rad + t) for k, a, t in zip(order, amplitude, turn, strict=True))
    inside = np.clip(1 - (patch.radius_m / (radius_m * edge)) ** 2, 0, 1)
    softness = max(0.5 * ground.gsd_m / radius_m, 0.08)
    alpha = np.clip(inside / softness, 0, 1)
    if alpha.max() < 0.35:
        return
    leaves = 1 + 0.16 * rng.standard_normal(alpha.shape, dtype=np.float32)
    shade = (0.72 + 0.45 * inside) * leaves
    window = ground.colour[patch.rows, patch.cols]
    window += alpha[..., None].astype(np.float32) * (np.clip(shade[..., None] * colour, 4, 250) - window)
    # Leaves let light through and scatter it: a crown's far side is dimmer, not black, however tall its trunk.
    depth_m = min(0.65 * height_m, 0.85 * radius_m)
    bumps = 0.35 * min(radius_m, height_m) * (np.clip(leaves, 0.6, 1.4) - 1)
    dome = ((height_m - depth_m * (1 - inside**0.7) + bumps) * (alpha > 0.4)).astype(np.float32)
    heights = ground.height_m[patch.rows, patch.cols]
    np.maximum(heights, dome, out=heights)
    ground.material[patch.rows, patch.cols][alpha > 0.5] = Material.TREE


def draw_canopy(
    ground: Ground,
    region: Float32Array,
    crown_radius_m: float,
    height_m: float,
    colour: Float32Array,
    rng: np.random.Generator,
    grid_heading_rad: float | None = None,
    fill: float = 1.25,
) -> None:
    """A stand of crowns where ``region`` (h, w) passes one half, in place.

    Centres lie on a jittered grid, or on a true grid at ``grid_heading_rad`` (an orchard). Each crown is a dome
    in the cell nearest to its centre; ``fill`` is its radius over half the spacing (under 1: gaps between).
    One distance transform draws them all, whatever their number.
    """
    inside = region > 0.5
    if not inside.any():
        return
    spacing_px = max(2 * crown_radius_m / ground.gsd_m, 1.6)
    centres = _centres(ground.shape, spacing_px, grid_heading_rad, rng)
    rows, cols = centres
    kept = inside[rows, cols]
    rows, cols = rows[kept], cols[kept]
    if not len(rows):
        return
    empty = np.ones(ground.shape, np.uint8)
    empty[rows, cols] = 0
    distance, label = cv2.distanceTransformWithLabels(
        empty, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    count = int(label.max()) + 1
    size = rng.uniform(0.6, 1.2, count).astype(np.float32)
    radius_px = np.float32(0.5 * spacing_px * fill) * size[label]
    ragged = 1 + 0.22 * mottle(ground.shape, ground.gsd_m, 1.5, 0.5, 0.3, rng)
    dome = np.clip(1 - (distance / radius_px) ** 2 * ragged, 0, 1)
    alpha = np.clip(dome / max(1.0 / spacing_px, 0.12), 0, 1).astype(np.float32)
    tint = (colour * (1 + rng.normal(0, 0.10, (count, 1)) + rng.normal(0, 0.025, (count, 3)))).astype(np.float32)
    shade = (0.62 + 0.55 * dome) * (0.9 + 0.25 * (ragged - 1))
    crown = np.clip(tint[label] * shade[..., None], 4, 250)
    ground.colour += alpha[..., None] * (crown - ground.colour)
    tall = (height_m * size[label] * (0.4 + 0.6 * np.sqrt(dome)) * (alpha > 0.4)).astype(np.float32)
    np.maximum(ground.height_m, tall, out=ground.height_m)
    ground.material[alpha > 0.5] = Material.TREE


def _centres(
    shape: tuple[int, int], spacing_px: float, heading_rad: float | None, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Pixel rows and columns of grid points on the canvas, jittered unless a heading is given."""
    reach = int(np.hypot(*shape) / 2 / spacing_px) + 2
    along, across = (a.ravel().astype(float) for a in np.mgrid[-reach : reach + 1, -reach : reach + 1])
    jitter = 0.46 if heading_rad is None else 0.04
    # An orchard's rows stand further apart than its trees.
    along += rng.uniform(-jitter, jitter, along.shape) + rng.random()
    across = (across + rng.uniform(-jitter, jitter, across.shape) + rng.random()) * (
        1.0 if heading_rad is None else 1.35
    )
    turn = float(rng.uniform(0, np.pi)) if heading_rad is None else heading_rad
    rows = shape[0] / 2 + spacing_px * (-along * np.cos(turn) + across * np.sin(turn))
    cols = shape[1] / 2 + spacing_px * (along * np.sin(turn) + across * np.cos(turn))
    kept = (rows >= 0) & (rows < shape[0]) & (cols >= 0) & (cols < shape[1])
    return rows[kept].astype(int), cols[kept].astype(int)
