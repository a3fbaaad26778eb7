"""Segmentations survive the disk, with any grid, and windows may reach past the edge."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS

from cv_pipeline.errors import OutputError
from cv_pipeline.segmentation.raster import (
    MAX_RADIUS_M,
    MapReader,
    SegmentationWriter,
    decode,
    encode,
    read_channels,
    scale_offset,
)
from cv_pipeline.types import Channel, Float32Array, Grid, ModelInfo, Segmentation, Window

MODEL = ModelInfo("test", "0" * 64, 0.5, 0.2, 1.1, 0.3)
UTM = CRS.from_epsg(32636)
GRIDS = [
    Grid(300, 520, Affine(0.5, 0, 0, 0, -0.5, 0), None, 0.5),
    Grid(300, 520, Affine(0.5, 0, 450000, 0, -0.5, 37000), UTM, 0.5),
    Grid(70, 90, Affine(0.433, 0.25, 450000, 0.25, -0.433, 37000), UTM, 0.5),
    Grid(70, 90, Affine(1, 0, 0, 0, -1, 0), None, 1.0),
]


def planted(grid: Grid) -> dict[Channel, Float32Array]:
    rng = np.random.default_rng(0)
    shape = (grid.height, grid.width)
    top = {Channel.CRATER_RADIUS_M: 20.0, Channel.BLAST_RADIUS_M: 60.0}
    return {channel: (rng.random(shape) * top.get(channel, 1.0)).astype(np.float32) for channel in Channel}


def written(path: Path, grid: Grid) -> tuple[Segmentation, dict[Channel, Float32Array]]:
    values = planted(grid)
    valid = np.ones((grid.height, grid.width), dtype=bool)
    valid[:10, :20] = False
    with SegmentationWriter.create(path, grid) as writer:
        for row in range(0, grid.height, 256):
            rows = slice(row, min(row + 256, grid.height))
            window = Window(row, 0, rows.stop - row, grid.width)
            writer.write(window, {c: v[rows] for c, v in values.items()}, valid[rows])
    return Segmentation(path, grid, MODEL, True, 1.0), values


@pytest.mark.parametrize("grid", GRIDS)
def test_values_and_validity_come_back(tmp_path: Path, grid: Grid) -> None:
    segmentation, values = written(tmp_path / "s.tif", grid)
    back, valid = read_channels(segmentation, Window(0, 0, grid.height, grid.width))
    assert not valid[:10, :20].any()
    assert valid.sum() == grid.height * grid.width - 200
    for channel in Channel:
        step = scale_offset(channel)[0]
        np.testing.assert_allclose(back[channel][valid], values[channel][valid], atol=0.51 * step + 1e-6)
        assert (back[channel][~valid] == 0).all()


@pytest.mark.parametrize("grid", GRIDS)
def test_the_file_tells_gdal_the_same(tmp_path: Path, grid: Grid) -> None:
    segmentation, _ = written(tmp_path / "s.tif", grid)
    with rasterio.open(segmentation.path) as dataset:
        assert dataset.descriptions == tuple(channel.value for channel in Channel)
        assert dataset.transform.almost_equals(grid.transform, 1e-6)
        assert dataset.crs == grid.crs
        assert dataset.nodata == 0
        assert dataset.scales == pytest.approx([scale_offset(channel)[0] for channel in Channel])
        assert dataset.offsets == pytest.approx([scale_offset(channel)[1] for channel in Channel])


@pytest.mark.parametrize("window", [Window(-5, -7, 20, 30), Window(290, 510, 40, 40), Window(400, 600, 8, 8)])
def test_windows_past_the_edge_are_padded_invalid(tmp_path: Path, window: Window) -> None:
    segmentation, values = written(tmp_path / "s.tif", GRIDS[0])
    back, valid = read_channels(segmentation, window, (Channel.BLAST,))
    assert set(back) == {Channel.BLAST}
    assert valid.shape == back[Channel.BLAST].shape == (window.height, window.width)
    rows, cols = np.nonzero(valid)
    expected = values[Channel.BLAST][rows + window.row, cols + window.col]
    np.testing.assert_allclose(back[Channel.BLAST][rows, cols], expected, atol=1e-5)
    outside_rows = np.arange(window.height) + window.row
    assert not valid[(outside_rows < 0) | (outside_rows >= 300)].any()


def test_the_part_that_reaches_a_value_holds_all_that_do_and_no_more(tmp_path: Path) -> None:
    grid = GRIDS[0]
    values = {channel: np.zeros((grid.height, grid.width), np.float32) for channel in Channel}
    values[Channel.CENTRE][120, 301], values[Channel.CENTRE][140, 290] = 0.6, 0.5
    values[Channel.CENTRE][200, 100] = 0.4
    path = tmp_path / "s.tif"
    with SegmentationWriter.create(path, grid) as writer:
        writer.write(Window(0, 0, grid.height, grid.width), values, np.ones((grid.height, grid.width), bool))
    whole = Window(-5, -5, grid.height + 20, grid.width + 20)
    with MapReader(Segmentation(path, grid, MODEL, True, 1.0)) as maps:
        assert maps.reaching(whole, Channel.CENTRE, 0.5) == Window(120, 290, 21, 12)
        assert maps.reaching(whole, Channel.CENTRE, 0.4) == Window(120, 100, 81, 202)
        assert maps.reaching(whole, Channel.CENTRE, 0.7) is None
        assert maps.reaching(Window(0, 0, 100, 100), Channel.CENTRE, 0.1) is None
        assert maps.reaching(Window(-50, 0, 20, 20), Channel.CENTRE, 0.1) is None


def test_encode_clips_and_keeps_zero_apart_from_nodata() -> None:
    values = np.array([[0.0, 1.0, -0.2, 1.7, np.nan, 0.5]], dtype=np.float32)
    valid = np.array([[True, True, True, True, True, False]])
    dn = encode(values, Channel.CRATER, valid)
    assert dn.tolist() == [[1, 65535, 1, 65535, 0, 0]]
    back, known = decode(dn, Channel.CRATER)
    np.testing.assert_allclose(back, [[0, 1, 0, 1, 0, 0]], atol=1e-7)
    assert known.tolist() == [[True, True, True, True, False, False]]


def test_an_axis_keeps_its_sign() -> None:
    values = np.array([[-1.0, -0.4, 0.0, 0.7, 1.0, -3.0]], dtype=np.float32)
    back, known = decode(encode(values, Channel.AXIS_UP, np.ones((1, 6), dtype=bool)), Channel.AXIS_UP)
    np.testing.assert_allclose(back, [[-1.0, -0.4, 0.0, 0.7, 1.0, -1.0]], atol=2e-5)
    assert known.all()


def test_largest_radius() -> None:
    dn = encode(np.full((1, 1), 500.0, dtype=np.float32), Channel.BLAST_RADIUS_M, np.ones((1, 1), dtype=bool))
    assert decode(dn, Channel.BLAST_RADIUS_M)[0][0, 0] == pytest.approx(MAX_RADIUS_M)


def test_wrong_calls(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="missing_folder"):
        SegmentationWriter.create(tmp_path / "missing_folder" / "s.tif", GRIDS[0])
    with SegmentationWriter.create(tmp_path / "s.tif", GRIDS[0]) as writer:
        values = {channel: np.zeros((4, 4), dtype=np.float32) for channel in Channel}
        with pytest.raises(ValueError, match="shape"):
            writer.write(Window(0, 0, 8, 8), values, np.ones((8, 8), dtype=bool))
        del values[Channel.NEW]
        with pytest.raises(ValueError, match="new"):
            writer.write(Window(0, 0, 4, 4), values, np.ones((4, 4), dtype=bool))
