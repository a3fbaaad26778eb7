from __future__ import annotations

import numpy as np
import pytest
from affine import Affine

from cv_pipeline.config import AssessConfig
from cv_pipeline.imagery.pair import open_pair
from cv_pipeline.imagery.source import open_source
from cv_pipeline.imagery.view import GridView
from cv_pipeline.types import Window
from tests.conftest import UTM, texture


def whole(source) -> np.ndarray:
    with GridView(source, source.grid) as view:
        return view.read(Window(0, 0, source.grid.height, source.grid.width))[0].astype(float)


@pytest.mark.parametrize(("dtype", "gain", "offset"), [("uint8", 0.6, 60), ("uint16", 7, 400), ("float32", 0.002, -1)])
def test_before_takes_the_levels_of_after_despite_change(make_tiff, dtype, gain, offset):
    pixels = texture(300, 300) * 0.8 + 20
    early = pixels * np.array([1.0, 0.9, 1.1]) * gain + offset
    early[:60, :120] = early.min()  # 8 % of the ground was black before
    after = make_tiff(pixels, name="after.tif")
    pair = open_pair(make_tiff(early, name="before.tif", dtype=dtype), after, AssessConfig())
    late, matched = whole(pair.after), whole(pair.before)
    unmatched = whole(open_source(pair.before.path))
    rest = np.s_[80:, :]
    assert np.abs(matched - late)[rest].mean() < 6
    assert np.abs(unmatched - late)[rest].mean() > 15
    np.testing.assert_array_equal(late, whole(open_source(after)))


def test_only_common_ground_counts(make_tiff):
    pixels = texture(300, 600)
    after = make_tiff(pixels[:, :300], name="after.tif")
    early = pixels * 0.5 + 40
    early[:, 300:] = 5  # beyond the after image
    pair = open_pair(make_tiff(early, name="before.tif"), after, AssessConfig())
    assert np.abs(whole(pair.before)[:, :300] - whole(pair.after)).mean() < 3


@pytest.mark.parametrize("gain", [1.0, 0.1])
def test_alike_or_too_far_apart_is_left_alone(make_tiff, gain):
    after = make_tiff(texture(300, 300), name="after.tif")
    before = make_tiff(texture(300, 300) * gain + 1, name="before.tif")
    assert open_pair(before, after, AssessConfig()).before.scale_high == (255.0, 255.0, 255.0)


def test_apart_by_outline_only(make_tiff):
    """Boxes overlap but one image's part of it is empty: nothing to match on, and nothing breaks."""
    after = make_tiff(texture(300, 300), name="after.tif")
    moved = UTM @ Affine.translation(200, 0)
    before = make_tiff(texture(300, 300), name="before.tif", transform=moved, nodata_kind="value", hole=np.s_[:, :150])
    assert open_pair(before, after, AssessConfig()).before.scale_low == (0.0, 0.0, 0.0)
