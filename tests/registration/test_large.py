"""A scene of 50,000 px a side, drawn where it is read: only blocks of it are ever held."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from affine import Affine

from cv_pipeline.registration.estimate import estimate
from cv_pipeline.registration.reader import plain_grid
from cv_pipeline.types import BoolArray, Float64Array, Grid, UInt8Array

SIDE_PX = 50_000
_RNG = np.random.default_rng(0)
_LAYERS = [(step, _RNG.normal(size=(512, 512)).astype(np.float32)) for step in (4, 12, 40, 130, 400)]
"""Knots every so many pixels; the layers' repeats have no common period within the scene."""


class Drawn:
    """A reader of an endless texture, displaced by ``planted``, that remembers the largest block it was asked for."""

    def __init__(self, planted: Affine) -> None:
        self.planted = planted
        self.largest_px = 0

    def __call__(self, grid: Grid, matrix: Float64Array) -> tuple[UInt8Array, BoolArray]:
        self.largest_px = max(self.largest_px, grid.height * grid.width)
        moved = Affine(*np.asarray(matrix, dtype=float).ravel())
        # grid pixel -> unmoved grid pixel -> scene pixel -> ground
        chain = self.planted @ ~plain_grid((SIDE_PX, SIDE_PX), 1.0).transform @ grid.transform @ ~moved
        rows, cols = np.mgrid[: grid.height, : grid.width] + 0.5
        x, y = chain.a * cols + chain.b * rows + chain.c, chain.d * cols + chain.e * rows + chain.f
        total = np.zeros(rows.shape, np.float32)
        for step, knots in _LAYERS:
            if step >= 2 * grid.gsd_m:
                turn = step  # each layer lies in its own direction, so that no repeat of one is a repeat of all
                u = (x * math.cos(turn) - y * math.sin(turn)) / step % 510 + 0.5
                v = (x * math.sin(turn) + y * math.cos(turn)) / step % 510 + 0.5
                total += cv2.remap(knots, u.astype(np.float32), v.astype(np.float32), cv2.INTER_CUBIC)
        grey = np.clip(128 + 30 * total, 0, 255).astype(np.uint8)
        return np.dstack([grey] * 3), np.ones(rows.shape, bool)


@pytest.mark.slow
def test_a_huge_scene_is_matched_block_by_block() -> None:
    middle = SIDE_PX / 2
    # From a pixel of the before image to its ground, which is the after image's own pixel.
    planted = (
        Affine.translation(middle + 400.0, middle - 250.0)
        @ Affine.rotation(1.2)
        @ Affine.scale(0.99)
        @ Affine.translation(-middle, -middle)
    )
    before, after = Drawn(planted), Drawn(Affine.identity())
    matches, fit = estimate(before, after, plain_grid((SIDE_PX, SIDE_PX), 1.0))
    assert fit is not None
    assert fit.used.sum() > 0.8 * matches.tried
    corners = np.array([[0, 0, 1], [SIDE_PX, 0, 1], [0, SIDE_PX, 1], [SIDE_PX, SIDE_PX, 1]], dtype=float)
    wanted = np.array([[planted.a, planted.b, planted.c], [planted.d, planted.e, planted.f]])
    assert np.abs(corners @ (fit.matrix - wanted).T).max() < 0.3
    assert max(before.largest_px, after.largest_px) <= 1024 * 1024
    assert matches.tried <= 420
