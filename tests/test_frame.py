from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS

from cv_pipeline.frame import local_frame, transformed
from cv_pipeline.types import Grid

LEANING = Affine(0.4, 0.1, 500_000.0, 0.1, -0.4, 4_600_000.0)


def test_many_points_move_as_each_does() -> None:
    x, y = np.array([0.5, 7.0, -3.0]), np.array([2.0, 0.0, 11.5])
    moved = np.column_stack(transformed(LEANING, x, y))
    np.testing.assert_allclose(moved, [LEANING @ (a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)])
    columns, rows = transformed(LEANING, x[None, :], y[:2, None])
    assert columns.shape == rows.shape == (2, 3)


@pytest.mark.parametrize("crs", [None, CRS.from_epsg(32637)])
def test_pixels_come_back_from_local_metres(crs: CRS | None) -> None:
    frame = local_frame(Grid(600, 800, LEANING, crs, 0.41))
    rows, cols = np.array([0.0, 300.0, 599.5]), np.array([12.5, 400.0, 0.0])
    metres = frame.pixel_to_metres(rows, cols)
    np.testing.assert_allclose(frame.metres_to_pixel(metres), np.column_stack([rows, cols]), atol=1e-3)
    if crs is not None:
        np.testing.assert_allclose(metres[1], [0.0, 0.0], atol=1e-3)  # the middle of the grid
