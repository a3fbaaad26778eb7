from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from cv_pipeline.errors import ImageError
from cv_pipeline.simulation.mosaic import TileBlock, covered_grid, read_block, warp_block

BLOCK = TileBlock(zoom=21, first_x=1238448, last_x=1238449, first_y=1046528, last_y=1046528)


def write_tiles(folder: Path) -> None:
    for x, colour in ((1238448, (30, 60, 200, 255)), (1238449, (200, 60, 30, 255))):
        tile = np.full((256, 256, 4), colour, np.uint8)
        tile[100:103, 100:103] = 0  # a transparent pinhole
        cv2.imwrite(str(folder / f"OAM-{x}-1046528-21.png"), tile)


def test_block_is_placed_and_warped_with_pinholes_closed(tmp_path: Path) -> None:
    write_tiles(tmp_path)
    grid = covered_grid(BLOCK, "EPSG:32636", 0.25)
    image = warp_block(read_block(tmp_path, BLOCK), BLOCK, grid)
    assert image.shape == (grid.height, grid.width, 3)
    assert grid.transform.c % 0.25 == grid.transform.f % 0.25 == 0
    np.testing.assert_allclose(image[:, : grid.width // 2 - 3].reshape(-1, 3).min(axis=0), [200, 60, 30], atol=1)
    np.testing.assert_allclose(image[:, grid.width // 2 + 3 :].reshape(-1, 3).max(axis=0), [30, 60, 200], atol=1)


def test_a_missing_tile_is_named(tmp_path: Path) -> None:
    write_tiles(tmp_path)
    (tmp_path / "OAM-1238449-1046528-21.png").unlink()
    with pytest.raises(ImageError, match="1238449"):
        read_block(tmp_path, BLOCK)
