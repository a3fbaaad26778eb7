"""What lies on a seam between tiles is found once, where it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from cv_pipeline.config import AssessConfig
from cv_pipeline.frame import local_frame
from cv_pipeline.imagery.grid import working_grid
from cv_pipeline.imagery.pair import open_pair
from cv_pipeline.patterns.extract import locate_craters
from cv_pipeline.segmentation.backend import TorchBackend
from cv_pipeline.segmentation.predict import segment
from cv_pipeline.types import AlignedPair, ModelInfo
from tests.segmentation.factories import PlantedNet

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
MODEL = ModelInfo("planted", "0" * 64, 0.5, 0.2, 1.1, 0.5)
CENTRES = np.array([(256.0, 80.0), (272.5, 256.0), (150.0, 271.5), (256.0, 256.0 + 90), (100.0, 100.0)])
"""(row, col): on cuts between tiles, in the middle of the blended seam, and away from both."""
RADIUS_PX = 7.0


@pytest.fixture
def image(make_tiff: Callable[..., Path]) -> Path:
    rows, cols = np.mgrid[:400, :420] + 0.5
    rgb = np.full((400, 420, 3), 110, np.uint8)
    for row, col in CENTRES:
        rgb[np.hypot(rows - row, cols - col) <= RADIUS_PX] = (230, 60, 60)
    return partial(make_tiff, crs=None)(rgb)


@pytest.mark.parametrize("overlap_px", [64, 128])
def test_a_crater_on_a_seam_is_one_and_where_it_was_planted(image: Path, tmp_path: Path, overlap_px: int) -> None:
    pair = open_pair(None, image, AssessConfig(gsd_m=0.5))
    aligned = AlignedPair(pair, working_grid(pair.after.grid, 0.5), None)
    backend = TorchBackend(PlantedNet(RADIUS_PX * 0.5, 10.0))
    found = []
    for tile_px in (512, 256):
        path = tmp_path / f"{tile_px}.tif"
        maps = segment(aligned, backend, MODEL, path, tile_px=tile_px, overlap_px=overlap_px)
        centres = locate_craters(maps, local_frame(pair.after.grid), pair.after.grid, score_threshold=0.3)
        found.append(np.array(sorted(map(tuple, centres.at_px[:, ::-1]))))
    np.testing.assert_allclose(found[0], np.array(sorted(map(tuple, CENTRES))), atol=0.5)
    np.testing.assert_allclose(found[1], found[0], atol=0.1)
