"""Marks that belong to the picture and not to the ground: captions, watermarks, tile seams, lost lines."""

from __future__ import annotations

import cv2
import numpy as np

from cv_pipeline.simulation.ground import Ground
from cv_pipeline.simulation.lookalikes.base import Kind

_LETTERS = np.array(list("ABCDEFGHIKLMNOPRSTUVWXYZ0123456789 -.,"))


def draw_caption(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A map caption: outlined letters, or a pin with a label."""
    text = "".join(rng.choice(_LETTERS, int(rng.integers(3, 16))))
    scale, weight = float(rng.uniform(0.35, 1.1)), int(rng.integers(1, 3))
    colour = (235.0, 235.0, 230.0) if rng.random() < 0.7 else (240.0, 220.0, 70.0)
    at = int(col_px), int(row_px)
    image = np.ascontiguousarray(ground.colour)
    if rng.random() < 0.7:
        cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, (25.0, 25.0, 25.0), weight + 2, cv2.LINE_8)
    cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, weight, cv2.LINE_8)
    if rng.random() < 0.3:
        pin = at[0] - 8, at[1] - 4
        cv2.circle(image, pin, int(rng.integers(3, 8)), (20.0, 20.0, 20.0), -1)
        cv2.circle(image, pin, int(rng.integers(2, 5)), (230.0, 70.0, 60.0), -1)
    ground.colour[...] = image
    return 10 * scale * len(text) * ground.gsd_m


def draw_watermark(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A faint copyright line."""
    text = "(C) " + "".join(rng.choice(_LETTERS, int(rng.integers(4, 14))))
    layer = np.zeros(ground.shape, np.uint8)
    scale = float(rng.uniform(0.4, 0.9))
    cv2.putText(layer, text, (int(col_px), int(row_px)), cv2.FONT_HERSHEY_DUPLEX, scale, 255, 1, cv2.LINE_8)
    share = layer.astype(np.float32)[..., None] * np.float32(rng.uniform(0.15, 0.5) / 255)
    ground.colour += share * (255 - ground.colour)
    return 10 * scale * len(text) * ground.gsd_m


def draw_seam(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """The seam of a mosaic: another brightness and tint beyond a line, perhaps with a shift of a pixel or two."""
    gain = (1 + rng.normal(0, 0.06) + rng.normal(0, 0.015, 3)).astype(np.float32)
    upright = rng.random() < 0.5
    part = ground.colour[:, int(col_px) :] if upright else ground.colour[int(row_px) :]
    if rng.random() < 0.4:
        part[...] = np.roll(part, int(rng.integers(-2, 3)), axis=0 if upright else 1)
    np.clip(part * gain, 0, 255, out=part)
    return 0.0


def draw_lost_lines(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """One to three lost or repeated lines of a scanner, along rows or columns."""
    upright = rng.random() < 0.5
    lines = ground.colour.transpose(1, 0, 2) if upright else ground.colour
    for _ in range(int(rng.integers(1, 4))):
        line = int(np.clip((col_px if upright else row_px) + rng.integers(-3, 4), 1, len(lines) - 1))
        if rng.random() < 0.5:
            lines[line] = lines[line - 1]
        else:
            lines[line] *= np.float32(rng.uniform(0.75, 1.25))
    np.clip(ground.colour, 0, 255, out=ground.colour)
    return 0.0


KINDS = (
    Kind("caption", "image", draw_caption, 2.0, transient=True, needs="any"),
    Kind("watermark", "image", draw_watermark, 0.7, transient=True, needs="any"),
    Kind("seam", "image", draw_seam, 1.0, transient=True, needs="any"),
    Kind("lost lines", "image", draw_lost_lines, 0.7, transient=True, needs="any"),
)
