"""What lies at a known place on the ground appears at the right sample of both pictures, of both dates and the maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cv_pipeline.errors import ImageError
from cv_pipeline.patterns.closeup.pictures import CHANNELS, NEAR_M, SIDE, WIDE_M, Pictures, offsets_m, read_pictures
from cv_pipeline.patterns.share import Share
from cv_pipeline.types import Float64Array, UInt8Array
from tests.conftest import texture
from tests.patterns.closeup.factories import (
    AFTER,
    BEFORE,
    GROUND_DN,
    MAPS,
    SEEN,
    Scene,
    away,
    dotted,
    grid_of,
    make_scene,
)

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
SCALES = (("near", NEAR_M), ("wide", WIDE_M))


def pictures(scene: Scene, at_m: Float64Array, *, use_before: bool = True) -> Pictures:
    """All pictures, in the order of the centres."""
    read = list(read_pictures(scene.aligned, scene.segmentation, scene.frame, at_m, use_before=use_before))
    order = np.argsort(np.concatenate([part.index for part in read]))
    assert order.size == len(at_m)
    near, wide = (np.concatenate([getattr(part, name) for part in read])[order] for name, _ in SCALES)
    return Pictures(np.arange(len(order)), near, wide)


def dot_at(picture: UInt8Array, level: float) -> tuple[float, float]:
    """(row, col) in samples, from the first one's middle, of what stands out of a picture (side, side)."""
    above = np.clip(picture.astype(float) - level - 20, 0, None)
    rows, cols = np.indices(above.shape)
    return float((rows * above).sum() / above.sum()), float((cols * above).sum() / above.sum())


CASES = [(kind, gsd_m) for kind in ("utm", "rotated", "lonlat", "none") for gsd_m in (0.2, 0.6, 1.1)]


@pytest.mark.parametrize(("kind", "gsd_m"), [*CASES, ("mirrored", 0.6)])
def test_a_dot_appears_where_it_lies_north_up(tmp_path: Path, kind: str, gsd_m: float) -> None:
    """5.2 m east and 3.4 m south of the middle: in columns to the right and rows down, at both scales."""
    grid = grid_of(kind, gsd_m)
    centre = (0.47 * grid.height, 0.52 * grid.width)
    dot = away(grid, centre, 5.2, -3.4)
    image = dotted(grid, dot)
    scene = make_scene(tmp_path, grid, image, image, peaks_px=(dot,))
    read = pictures(scene, scene.metres(centre))
    for name, step_m in SCALES:
        picture = getattr(read, name)[0]
        assert picture.shape == (CHANNELS, SIDE, SIDE)
        true = (31.5 + 3.4 / step_m, 31.5 + 5.2 / step_m)
        tolerance = 0.12 / step_m if gsd_m < 1 else 0.2 / step_m
        for channel in (*range(6), 6):
            level = GROUND_DN if channel < 6 else 0
            assert dot_at(picture[channel], level) == pytest.approx(true, abs=tolerance), (name, channel)
        near_middle = picture[SEEN, 24:40, 24:40]
        assert (near_middle == 255).all()


def test_maps_and_image_agree_where_they_lie(tmp_path: Path) -> None:
    """Several dots at once: after image, before image and centres stand out at the same samples."""
    grid = grid_of("rotated", 0.4)
    dots = [(60.0, 90.0), (82.3, 84.1), (90.0, 71.7)]
    image = dotted(grid, *dots, sd_m=1.0)
    scene = make_scene(tmp_path, grid, image, image, peaks_px=tuple(dots))
    for name, _ in SCALES:
        picture = getattr(pictures(scene, scene.metres((80.0, 84.0))), name)[0].astype(float)
        high = [picture[channel] - (GROUND_DN if channel < 6 else 0) for channel in (0, 3, 6)]
        inside = picture[SEEN].min(axis=0) == 255
        for other in high[1:]:
            assert np.corrcoef(high[0][inside], other[inside])[0, 1] > 0.99


@pytest.mark.parametrize("gsd_m", [0.2, 1.1])
def test_beyond_the_edge_nothing_is_seen(tmp_path: Path, gsd_m: float) -> None:
    """4 m inside the west and 6 m inside the north edge: what lies farther out is 0 in all channels."""
    grid = grid_of("none", gsd_m)
    scene = make_scene(tmp_path, grid, dotted(grid), dotted(grid), peaks_px=((6 / gsd_m, 4 / gsd_m),))
    read = pictures(scene, scene.metres((6 / gsd_m, 4 / gsd_m)))
    for name, step_m in SCALES:
        picture = getattr(read, name)[0]
        east, south = ((np.arange(SIDE) - 31.5) * step_m for _ in range(2))
        # A pixel beside the edge is not whole, and averaging to the picture's scale reaches as far again.
        border_m = max(gsd_m, step_m, 0.5)
        outside = (east < -4 - border_m)[None, :] | (south < -6 - border_m)[:, None]
        inside = (east > -4 + border_m)[None, :] & (south > -6 + border_m)[:, None]
        assert outside.any()
        assert (picture[:, outside] == 0).all()
        known = inside & (east < 66 - 4 - border_m)[None, :] & (south < 66 - 6 - border_m)[:, None]
        assert (picture[SEEN][:, known] == 255).all()
        assert (picture[AFTER][:, known] == GROUND_DN).all()


def test_seen_says_nothing_between(tmp_path: Path) -> None:
    """Nodata in one image is unseen and 0 there, and the other date and the maps stay."""
    grid = grid_of("utm", 0.3)
    holed = dotted(grid)
    holed[100:112, 100:112] = 0
    scene = make_scene(tmp_path, grid, holed, dotted(grid), peaks_px=((106, 106),), nodata=0)
    for name, _ in SCALES:
        picture = getattr(pictures(scene, scene.metres((106, 106))), name)[0]
        after_seen, before_seen = picture[SEEN]
        assert set(np.unique(picture[SEEN])) <= {0, 255}
        assert (after_seen[31:33, 31:33] == 0).all()
        assert (picture[AFTER][:, after_seen == 0] == 0).all()
        assert (before_seen[31:33, 31:33] == 255).all()
        assert picture[MAPS][0, 31:33, 31:33].min() > 150


@pytest.mark.parametrize("gsd_m", [0.2, 0.6])
def test_the_before_image_is_registered(tmp_path: Path, gsd_m: float) -> None:
    """Its dot lies 2.4 m off by its georeference, and the registration says so."""
    grid = grid_of("utm", gsd_m)
    centre, shift_px = (33 / gsd_m, 33 / gsd_m), np.array([1.8, -1.6]) / gsd_m
    matrix = np.array([[1.0, 0.0, shift_px[1]], [0.0, 1.0, shift_px[0]]])
    before = dotted(grid, (centre[0] - shift_px[0], centre[1] - shift_px[1]))
    scene = make_scene(tmp_path, grid, dotted(grid, centre), before, matrix=matrix)
    read = pictures(scene, scene.metres(centre))
    for name, step_m in SCALES:
        picture = getattr(read, name)[0]
        for channel in (0, 3):
            assert dot_at(picture[channel], GROUND_DN) == pytest.approx((31.5, 31.5), abs=0.12 / step_m), (
                name,
                channel,
            )


@pytest.mark.parametrize("has_before", [True, False])
def test_the_before_image_can_be_left_out(tmp_path: Path, has_before: bool) -> None:
    grid = grid_of("none", 0.6)
    centre = (55.0, 55.0)
    scene = make_scene(tmp_path, grid, dotted(grid, centre), dotted(grid, centre) if has_before else None)
    read = pictures(scene, scene.metres(centre), use_before=not has_before)
    for name, _ in SCALES:
        picture = getattr(read, name)[0]
        assert (picture[BEFORE] == 0).all()
        assert (picture[10] == 0).all()
        assert (picture[9, 20:44, 20:44] == 255).all()
        assert picture[0].max() > 150


@pytest.fixture
def crowded(tmp_path: Path) -> tuple[Scene, Float64Array]:
    """A scene over several cells with more candidates than one batch holds."""
    grid = grid_of("none", 1.0, 330.0)
    image = texture(grid.height, grid.width).astype(np.uint8)
    scene = make_scene(tmp_path, grid, image, image[::-1].copy())
    places = np.random.default_rng(3).uniform(0, 330, (90, 2))
    return scene, scene.metres(*map(tuple, places))


def test_shares_together_are_the_whole(crowded: tuple[Scene, Float64Array]) -> None:
    scene, at_m = crowded
    args = (scene.aligned, scene.segmentation, scene.frame, at_m)
    whole = list(read_pictures(*args, use_before=True))
    shares = [part for k in range(3) for part in read_pictures(*args, use_before=True, share=Share(k, 3))]
    assert len(whole) == len(shares) > 3
    assert sorted(np.concatenate([part.index for part in whole])) == list(range(len(at_m)))
    for one, other in zip(whole, shares, strict=True):
        for name in ("index", "near", "wide"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_alone_or_among_others_the_picture_is_the_same(crowded: tuple[Scene, Float64Array]) -> None:
    scene, at_m = crowded
    among = pictures(scene, at_m)
    for i in (0, 17):
        alone = pictures(scene, at_m[i : i + 1])
        for name, _ in SCALES:
            one, other = getattr(alone, name)[0], getattr(among, name)[i]
            # OpenCV places samples to a 32nd of a pixel; those between two such places may fall to either.
            difference = np.abs(one.astype(int) - other)
            assert (difference > 0).mean() < 0.01
            assert difference.max() <= 5


def test_two_readers_may_take_turns(crowded: tuple[Scene, Float64Array]) -> None:
    """Neither closes what the other still reads from."""
    scene, at_m = crowded
    args = (scene.aligned, scene.segmentation, scene.frame)
    first, second = (read_pictures(*args, some, use_before=False) for some in (at_m[:20], at_m))
    for one, _ in zip(first, second, strict=False):
        assert one.near[:, 9].any()
    rest = list(second)
    assert rest[-1].wide[:, 9].any()


def test_no_candidates_give_nothing(tmp_path: Path) -> None:
    grid = grid_of("none", 1.0)
    scene = make_scene(tmp_path, grid, dotted(grid))
    assert list(read_pictures(scene.aligned, scene.segmentation, scene.frame, np.zeros((0, 2)), use_before=True)) == []


def test_an_image_that_has_gone_is_named(tmp_path: Path) -> None:
    grid = grid_of("none", 1.0)
    scene = make_scene(tmp_path, grid, dotted(grid))
    (tmp_path / "after.tif").unlink()
    with pytest.raises(ImageError, match=r"after\.tif"):
        pictures(scene, scene.metres((30.0, 30.0)))


def test_the_first_row_is_the_north() -> None:
    offsets = offsets_m(0.5).reshape(SIDE, SIDE, 2)
    outermost = (SIDE - 1) / 2 * 0.5
    np.testing.assert_allclose(offsets[0, :, 1], outermost)
    np.testing.assert_allclose(offsets[:, 0, 0], -outermost)
    np.testing.assert_allclose(offsets.mean(axis=(0, 1)), 0, atol=1e-12)
    np.testing.assert_allclose(offsets[SIDE // 2 - 1, SIDE // 2], (0.25, 0.25))
