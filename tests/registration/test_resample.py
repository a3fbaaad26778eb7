"""The aligned file: every band, sample type and nodata kept; nothing written that should not be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from cv_pipeline.errors import OutputError
from cv_pipeline.imagery.source import open_source
from cv_pipeline.registration.bent import registered_view, shift_at
from cv_pipeline.registration.resample import write_aligned
from cv_pipeline.types import Gate, Grid, ImageSource, LocalShift, Registration, Window
from tests.conftest import UTM, texture

MakeTiff = Callable[..., Path]
SHIFT = (6.0, -4.0)
RIM_PX = 6


def registration(
    local: LocalShift | None = None, gate: Gate = Gate.PASS, shift: tuple[float, float] = SHIFT
) -> Registration:
    matrix = np.array([[1.0, 0.0, shift[0]], [0.0, 1.0, shift[1]]])
    return Registration(matrix, 1.0, 0.0, 1.0, 0.1, 0.05, 0.05, 9, 9, gate, "planted", (), local)


def constant(col_px: float, row_px: float) -> LocalShift:
    """The same correction everywhere on a 128 px scene."""
    shift = np.broadcast_to([col_px, row_px], (5, 5, 2)).copy()
    return LocalShift(np.array([[32.0, 0.0, 0.0], [0.0, 32.0, 0.0]]), shift)


def source(path: Path) -> tuple[ImageSource, Grid]:
    found = open_source(path)
    return found, found.grid


@pytest.mark.parametrize(
    ("dtype", "kind"), [("uint8", "none"), ("uint8", "alpha"), ("uint16", "value"), ("float32", "nan")]
)
def test_whole_pixels_of_shift_are_exact(make_tiff: MakeTiff, tmp_path: Path, dtype: str, kind: str) -> None:
    pixels = np.dstack([texture(96, 128), texture(96, 128, 1)[..., :1]]) if kind != "alpha" else texture(96, 128)
    path = make_tiff(pixels, dtype=dtype, nodata_kind=kind)
    before, after = source(path)
    out = write_aligned(before, registration(), after, tmp_path / "aligned.tif")
    with rasterio.open(path) as old, rasterio.open(out) as new:
        assert (new.count, new.dtypes, new.shape, new.crs) == (old.count, old.dtypes, old.shape, old.crs)
        assert new.transform.almost_equals(after.transform)
        assert new.colorinterp == old.colorinterp
        assert new.overviews(1) == [] or new.profile["tiled"]
        moved, was = new.read(), old.read()
        seen, had = new.dataset_mask() > 0, old.dataset_mask() > 0
    if kind == "nan":
        had &= np.isfinite(was).all(axis=0)
        seen &= np.isfinite(moved).all(axis=0)
    col, row = int(SHIFT[0]), int(SHIFT[1])
    there, here = np.s_[: 96 + row, col:], np.s_[-row:, : 128 - col]
    # rows move up by 4, columns to the right by 6
    np.testing.assert_array_equal(seen[there], had[here])
    assert not seen[96 + row :].any()
    assert not seen[:, :col].any()
    both = seen[there]
    for band in range(len(was)):
        np.testing.assert_array_equal(moved[band][there][both], was[band][here][both])
    assert not list(tmp_path.glob(".*"))


def test_a_local_correction_adds_to_the_matrix(make_tiff: MakeTiff, tmp_path: Path) -> None:
    path = make_tiff(texture(96, 128))
    before, after = source(path)
    straight = write_aligned(before, registration(), after, tmp_path / "straight.tif")
    bent = write_aligned(before, registration(constant(2.0, -1.0), shift=(4.0, -3.0)), after, tmp_path / "bent.tif")
    with rasterio.open(straight) as one, rasterio.open(bent) as two:
        inner = np.s_[:, 8:-8, 10:-8]
        np.testing.assert_allclose(one.read()[inner], two.read()[inner], atol=1)
        assert (two.dataset_mask()[8:-8, 10:-8] == 255).all()


def test_the_bent_view_reads_what_the_bent_file_holds(make_tiff: MakeTiff, tmp_path: Path) -> None:
    before, after = source(make_tiff(texture(96, 128)))
    shift = np.zeros((5, 5, 2))
    shift[..., 0] = np.linspace(-2, 3, 5)[None, :]
    found = registration(LocalShift(np.array([[32.0, 0.0, 0.0], [0.0, 32.0, 0.0]]), shift), shift=(0.3, 0.0))
    out = write_aligned(before, found, after, tmp_path / "bent.tif")
    with registered_view(before, found, after, after) as view:
        for window in (Window(0, 0, 96, 128), Window(17, 40, 30, 25), Window(-5, -5, 20, 20)):
            rgb, valid = view.read(window)
            rows, cols = np.mgrid[window.row : window.row + window.height, window.col : window.col + window.width]
            inside = (rows >= 0) & (cols >= 0)
            assert not valid[~inside].any()
            # At the image's rim GDAL, which wrote the file, interpolates linearly.
            shown = valid & (rows >= RIM_PX) & (rows < 96 - RIM_PX) & (cols >= RIM_PX) & (cols < 128 - RIM_PX)
            with rasterio.open(out) as file:
                wanted = np.moveaxis(file.read(), 0, -1)[rows[shown], cols[shown]]
            np.testing.assert_allclose(rgb[shown].astype(int), wanted, atol=1)


def test_shift_between_and_beyond_the_nodes() -> None:
    shift = np.zeros((2, 3, 2))
    shift[..., 0] = [0.0, 1.0, 2.0]
    local = LocalShift(np.array([[10.0, 0.0, 5.0], [0.0, 20.0, 0.0]]), shift)
    found = shift_at(local, np.array([[5.0, 0.0], [10.0, 10.0], [25.0, 20.0], [500.0, -90.0]]))
    np.testing.assert_allclose(found, [[0.0, 0], [0.5, 0], [2.0, 0], [2.0, 0]])


def test_a_coarser_after_grid(make_tiff: MakeTiff, tmp_path: Path) -> None:
    before, _ = source(make_tiff(np.full((160, 160, 3), 90.0), name="before.tif"))
    place = UTM @ Affine.translation(20, 20) @ Affine.scale(3)
    after = open_source(make_tiff(texture(40, 36), name="after.tif", transform=place)).grid
    out = write_aligned(before, registration(shift=(0.0, 0.0)), after, tmp_path / "new" / "aligned.tif")
    with rasterio.open(out) as file:
        assert file.shape == (40, 36)
        assert (file.read() == 90).all()


def test_refusals(make_tiff: MakeTiff, tmp_path: Path) -> None:
    path = make_tiff()
    before, after = source(path)
    with pytest.raises(OutputError, match="one of the images"):
        write_aligned(before, registration(), after, path, overwrite=True)
    with pytest.raises(OutputError, match="folder"):
        write_aligned(before, registration(), after, tmp_path)
    taken = tmp_path / "taken.tif"
    taken.write_text("mine")
    with pytest.raises(OutputError, match="--overwrite"):
        write_aligned(before, registration(), after, taken)
    assert taken.read_text() == "mine"
    write_aligned(before, registration(), after, taken, overwrite=True)
    with pytest.raises(ValueError, match="failed"):
        write_aligned(before, registration(gate=Gate.FAIL), after, tmp_path / "no.tif")
    assert not (tmp_path / "no.tif").exists()


def test_a_damaged_file_leaves_nothing_and_keeps_what_was_there(make_tiff: MakeTiff, tmp_path: Path) -> None:
    path = make_tiff(texture(400, 400), compress="deflate")
    before, after = source(path)
    path.write_bytes(path.read_bytes()[:-60_000])
    taken = tmp_path / "out" / "taken.tif"
    taken.parent.mkdir()
    taken.write_text("mine")
    with pytest.raises(Exception, match=r"image\.tif"):
        write_aligned(before, registration(), after, taken, overwrite=True)
    assert taken.read_text() == "mine"
    assert [found.name for found in taken.parent.iterdir()] == ["taken.tif"]
