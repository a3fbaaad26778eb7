from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from cv_pipeline.config import AssessConfig
from cv_pipeline.errors import GsdError
from cv_pipeline.imagery.grid import working_grid
from cv_pipeline.imagery.pair import open_pair
from cv_pipeline.imagery.source import open_source
from cv_pipeline.imagery.view import GridView
from cv_pipeline.registration.coarse import IDENTITY
from cv_pipeline.segmentation.backend import TorchBackend
from cv_pipeline.segmentation.predict import check_gsd, segment
from cv_pipeline.segmentation.raster import read_channels
from cv_pipeline.types import AlignedPair, Channel, Gate, ModelInfo, Registration, Segmentation, Window
from tests.conftest import texture
from tests.segmentation.factories import PixelNet, counted, tiny_net

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
MODEL = ModelInfo("tiny", "0" * 64, 0.5, 0.2, 1.1, 0.5)
HOLE = np.s_[100:180, 60:200]
REGISTERED = Registration(IDENTITY, 0, 0, 1, 0, 0, 0, 9, 9, Gate.PASS, "planted")


@pytest.fixture
def make_image(make_tiff: Callable[..., Path]) -> Callable[..., Path]:
    """Images without a CRS, so that their pixels are the working grid's own."""
    return partial(make_tiff, crs=None)


def aligned(after: Path, before: Path | None = None, gsd_m: float = 0.5) -> AlignedPair:
    pair = open_pair(before, after, AssessConfig(gsd_m=gsd_m))
    return AlignedPair(pair, working_grid(pair.after.grid, gsd_m), REGISTERED if before else None)


def read(segmentation: Segmentation) -> tuple[np.ndarray, np.ndarray]:
    grid = segmentation.grid
    values, valid = read_channels(segmentation, Window(0, 0, grid.height, grid.width))
    return np.stack([values[channel] for channel in Channel]), valid


def expected(pair: AlignedPair) -> np.ndarray:
    """What :class:`PixelNet` gives for the after image alone, computed without tiles."""
    grid = pair.working_grid
    with GridView(pair.pair.after, grid) as view:
        rgb, _ = view.read(Window(0, 0, grid.height, grid.width))
    light = rgb.mean(axis=2) / 128.0 - 1.0
    raw = light * np.arange(1, len(Channel) + 1)[:, None, None] / 2
    maps = 1 / (1 + np.exp(-raw))
    maps[3] = 0
    maps[4:6] = np.exp(raw[4:6].clip(-2, 4.85))
    maps[8:] = np.tanh(raw[8:])
    return maps


@pytest.mark.parametrize(("tile_px", "overlap_px"), [(512, 96), (256, 192), (256, 32)], ids=str)
def test_result_does_not_depend_on_the_tiles(
    make_image: Callable[..., Path], tmp_path: Path, tile_px: int, overlap_px: int
) -> None:
    pair = aligned(make_image(texture(330, 410)))
    found = segment(pair, TorchBackend(PixelNet()), MODEL, tmp_path / "s.tif", tile_px=tile_px, overlap_px=overlap_px)
    maps, valid = read(found)
    assert valid.all()
    assert found.valid_share == 1.0
    assert not found.has_before
    np.testing.assert_allclose(maps, expected(pair), atol=0.0012)


@pytest.mark.parametrize(("height", "width"), [(40, 60), (33, 300), (260, 128)])
def test_grid_smaller_than_a_tile(make_image: Callable[..., Path], tmp_path: Path, height: int, width: int) -> None:
    pair = aligned(make_image(texture(height, width)))
    net = PixelNet()
    found = segment(pair, TorchBackend(net), MODEL, tmp_path / "s.tif", tile_px=256, overlap_px=32)
    maps, valid = read(found)
    assert maps.shape == (len(Channel), height, width)
    assert valid.all()
    assert all(shape[2] % 16 == 0 and shape[3] % 16 == 0 for shape, _ in net.calls)
    np.testing.assert_allclose(maps, expected(pair), atol=0.0012)


@pytest.mark.parametrize(("kind", "dtype"), [("value", "uint8"), ("alpha", "uint8"), ("nan", "float32")])
def test_nodata_stays_invalid(make_image: Callable[..., Path], tmp_path: Path, kind: str, dtype: str) -> None:
    pair = aligned(make_image(texture(300, 300), nodata_kind=kind, dtype=dtype, hole=HOLE))
    found = segment(pair, TorchBackend(PixelNet()), MODEL, tmp_path / "s.tif", tile_px=256, overlap_px=32)
    maps, valid = read(found)
    hole = np.zeros((300, 300), bool)
    hole[HOLE] = True
    np.testing.assert_array_equal(valid, ~hole)
    assert (maps[:, hole] == 0).all()
    assert found.valid_share == pytest.approx((~hole).mean())


def test_a_stretch_of_nothing_is_not_run_through_the_network(make_image: Callable[..., Path], tmp_path: Path) -> None:
    pair = aligned(make_image(texture(800, 128), nodata_kind="value", hole=np.s_[100:, :]))
    net = PixelNet()
    found = segment(pair, TorchBackend(net), MODEL, tmp_path / "s.tif", tile_px=256, overlap_px=32)
    assert len(net.calls) == 1
    assert found.valid_share == pytest.approx(0.125)
    np.testing.assert_array_equal(read(found)[1], np.arange(800)[:, None] < np.full((1, 128), 100))


@pytest.mark.parametrize("screen", [True, False])
def test_bland_ground_is_looked_at_unless_screened(
    make_image: Callable[..., Path], tmp_path: Path, screen: bool
) -> None:
    flat = np.full((256, 1280, 3), 120, np.uint8)
    flat[100:110, 100:110] = 40
    pair, net = aligned(make_image(flat)), PixelNet()
    found = segment(pair, TorchBackend(net), MODEL, tmp_path / "s.tif", tile_px=256, overlap_px=32, screen=screen)
    maps, valid = read(found)
    assert valid.all()
    assert sum(shape[0] for shape, _ in net.calls) == (1 if screen else 5)
    np.testing.assert_allclose(maps[:, :, :256], expected(pair)[:, :, :256], atol=0.0012)
    assert (maps[0, :, 600:] > 0.3).all() == (not screen)


@pytest.mark.parametrize("use_before", [True, False])
def test_before_image_is_read_where_it_is_to_be_used(
    make_image: Callable[..., Path], tmp_path: Path, use_before: bool
) -> None:
    after, before = make_image(texture(200, 300)), make_image(texture(200, 300, seed=5), name="before.tif")
    pair, net = aligned(after, before), PixelNet()
    found = segment(
        pair, TorchBackend(net), MODEL, tmp_path / "s.tif", tile_px=256, overlap_px=32, use_before=use_before
    )
    assert found.has_before is use_before
    assert {paired for _, paired in net.calls} == {use_before}
    new = read(found)[0][3]
    with GridView(open_source(before, gsd_m=0.5), pair.working_grid) as view:
        rgb, _ = view.read(Window(0, 0, 200, 300))
    light = rgb.mean(axis=2) / 128.0 - 1.0
    np.testing.assert_allclose(new, 1 / (1 + np.exp(-light)) if use_before else 0.0, atol=1e-3)


def test_progress_counts_the_tiles_to_the_end(make_image: Callable[..., Path], tmp_path: Path) -> None:
    calls, progress = counted()
    pair = aligned(make_image(texture(300, 1700)))
    segment(pair, TorchBackend(PixelNet()), MODEL, tmp_path / "s.tif", tile_px=256, overlap_px=32, progress=progress)
    done = [d for d, _ in calls]
    totals = {total for _, total in calls}
    assert done == sorted(set(done))
    assert totals == {done[-1]} == {2 * 7}


def test_real_network_gives_the_same_with_any_tiles(make_image: Callable[..., Path], tmp_path: Path) -> None:
    pair = aligned(make_image(texture(48, 560)), make_image(texture(48, 560, seed=5), name="before.tif"))
    net = tiny_net()
    net.head.weight.data *= 30  # an untrained network says nearly the same everywhere
    backend = TorchBackend(net)

    def probabilities(tile_px: int, overlap_px: int) -> np.ndarray:
        path = tmp_path / f"{tile_px}-{overlap_px}.tif"
        maps, _ = read(segment(pair, backend, MODEL, path, tile_px=tile_px, overlap_px=overlap_px))
        return maps[[0, 1, 2, 3, 6, 7]]

    whole = probabilities(768, 192)
    assert np.abs(whole - probabilities(256, 32)).max() > 0.005  # so little context shows
    assert np.abs(whole - probabilities(256, 192)).max() < 0.0002


@pytest.mark.parametrize(("gsd_m", "fits"), [(0.19, False), (0.2, True), (1.1, True), (1.10044, True), (1.2, False)])
def test_gsd_outside_the_models_range(make_image: Callable[..., Path], gsd_m: float, fits: bool) -> None:
    source = open_source(make_image(name="plain.tif"), gsd_m=gsd_m)
    if fits:
        check_gsd(source, MODEL)
    else:
        with pytest.raises(GsdError, match=rf"plain\.tif: {gsd_m:g} m per pixel is outside .*'tiny'.*0\.2 to 1\.1"):
            check_gsd(source, MODEL)
