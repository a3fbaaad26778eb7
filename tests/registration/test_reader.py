"""What registration reads of a file that is turned against the grid, against GDAL's warp of it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from affine import Affine

from cv_pipeline.errors import ImageError
from cv_pipeline.imagery.grid import crop, working_grid
from cv_pipeline.imagery.source import open_source
from cv_pipeline.imagery.view import GridView
from cv_pipeline.registration.reader import file_reader
from cv_pipeline.types import Window
from tests.registration.test_coarse import MOSAIC


@pytest.mark.parametrize("ratio", [0.8, 1.0, 1.3, 2.6])
def test_turned_ground_is_read_as_gdal_warps_it(ratio: float) -> None:
    source = open_source(MOSAIC)
    whole = working_grid(source.grid, source.grid.gsd_m * ratio)
    side = min(300, whole.height - 60, whole.width - 60)
    grid = crop(whole, Window(30, 30, side, side))
    turn = Affine.translation(2.3, -1.6) @ Affine.rotation(2.0, pivot=(side / 2, side / 2)) @ Affine.scale(1.02)
    matrix = np.array([[turn.a, turn.b, turn.c], [turn.d, turn.e, turn.f]])
    with file_reader(source) as reader:
        rgb, valid = reader(grid, matrix)
    with GridView(source, grid, matrix) as view:
        warped, shown = view.read(Window(0, 0, side, side))
    both = cv2.erode((valid & shown).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert (valid == shown).mean() > 0.98
    assert np.corrcoef(rgb[both].ravel(), warped[both].ravel())[0, 1] > 0.98
    ours, theirs = (np.where(both, image.mean(axis=2), 0).astype(np.float64) for image in (rgb, warped))
    shift, _ = cv2.phaseCorrelate(ours, theirs, cv2.createHanningWindow((side, side), cv2.CV_64F))
    assert np.hypot(*shift) < 0.03


def test_ground_beside_the_image_is_invalid() -> None:
    source = open_source(MOSAIC)
    grid = crop(source.grid, Window(-500, -500, 100, 100))
    turn = Affine.rotation(2.0)
    with file_reader(source) as reader:
        rgb, valid = reader(grid, np.array([[turn.a, turn.b, 0.0], [turn.d, turn.e, 0.0]]))
    assert not valid.any()
    assert not rgb.any()


def test_a_file_that_has_gone_is_told(tmp_path: Path) -> None:
    copy = tmp_path / "copy.tif"
    copy.write_bytes(MOSAIC.read_bytes())
    source = open_source(copy)
    copy.unlink()
    with pytest.raises(ImageError, match="moved"), file_reader(source):
        pass
