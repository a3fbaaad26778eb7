from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import rasterio
from affine import Affine
from scipy.stats import poisson

from cv_pipeline.errors import ImageError
from cv_pipeline.evaluation.crater_free import (
    TRIMMED_PX,
    FreeScene,
    _sheet,
    area_km2,
    crater_free_scenes,
    poisson_interval,
)
from cv_pipeline.evaluation.montage import CHIP_PX, Spot, chips, write_montage
from cv_pipeline.imagery.source import open_source
from cv_pipeline.types import Impact, PatternKind, Status


def impact(row_px: float, col_px: float, lon: float | None = None, lat: float | None = None) -> Impact:
    return Impact(
        "I001", row_px, col_px, 0, 0, lon, lat, 0.9, Status.UNKNOWN, None, 0.1, 2.0, 0.1, None, None,
        PatternKind.NONE, None, None,
    )  # fmt: skip


@pytest.mark.parametrize("count", [0, 1, 7, 40])
def test_interval_is_where_the_count_becomes_improbable(count: int) -> None:
    low, high = poisson_interval(count)
    assert poisson.cdf(count, high) == pytest.approx(0.025, rel=1e-6)
    if count:
        assert poisson.sf(count - 1, low) == pytest.approx(0.025, rel=1e-6)
    else:
        assert low == 0


def test_sheet_counts_only_within_its_tiles(tmp_path: Path) -> None:
    paths = []
    for number in range(6):
        path = tmp_path / f"t{number}.png"
        cv2.imwrite(str(path), np.full((100, 100, 3), 40 * number, np.uint8))
        paths.append(path)
    scene = _sheet("meadow", paths, tmp_path)
    image = cv2.imread(str(scene.after))
    assert image is not None
    assert len(scene.cells) == 6
    for number, cell in enumerate(scene.cells):
        around = image[cell.row - TRIMMED_PX : cell.row + 72, cell.col - TRIMMED_PX : cell.col + 72]
        assert (around == 40 * number).all()
        assert scene.counts(impact(cell.row + 0.5, cell.col + 43.5))
        assert not scene.counts(impact(cell.row - 1, cell.col + 50))
    assert area_km2(scene) == pytest.approx(6 * 44 * 44 * 0.09 / 1e6)


def test_area_and_shared_ground_of_a_pair(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    profile = {"driver": "GTiff", "count": 1, "dtype": "uint8", "height": 500, "width": 1000}
    with rasterio.open(path, "w", crs="EPSG:32615", transform=Affine(1, 0, 366_000, 0, -1, 4_104_000), **profile) as f:
        f.write(np.zeros((1, 500, 1000), np.uint8))
    assert area_km2(FreeScene("town", "a", path)) == pytest.approx(0.5, rel=0.002)
    half = FreeScene("town", "a", path, path, None, (-94.5, 37.06, -94.49, 37.07))
    assert area_km2(half) == pytest.approx(0.01 * 0.01 * 111.0 * 88.9, rel=0.01)
    assert half.counts(impact(0, 0, -94.495, 37.065))
    assert not half.counts(impact(0, 0, -94.485, 37.065))


def test_missing_data_is_told(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="joplin"):
        next(crater_free_scenes(tmp_path, tmp_path))


def test_chip_shows_its_spot_in_the_middle(tmp_path: Path) -> None:
    image = np.full((300, 300, 3), 90, np.uint8)
    image[200:206, 100:106] = (0, 255, 0)
    cv2.imwrite(str(tmp_path / "i.png"), image)
    drawn = chips(open_source(tmp_path / "i.png", gsd_m=0.8), [Spot(203, 103, "0.9"), Spot(2, 2, "corner")])
    green = (drawn[0][..., 1] > 200) & (drawn[0][..., 2] < 60)
    rows, cols = np.nonzero(green)
    assert (rows.mean(), cols.mean()) == pytest.approx((CHIP_PX, CHIP_PX), abs=3)
    write_montage(tmp_path / "deep" / "m.png", drawn, columns=3)
    picture = cv2.imread(str(tmp_path / "deep" / "m.png"))
    assert picture is not None
    assert picture.shape == (2 * CHIP_PX, 6 * CHIP_PX, 3)
    write_montage(tmp_path / "none.png", [])
    assert not (tmp_path / "none.png").exists()
