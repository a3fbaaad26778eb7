from __future__ import annotations

import pytest
from affine import Affine

from cv_pipeline.config import AssessConfig
from cv_pipeline.errors import GsdError, PairError
from cv_pipeline.imagery.pair import open_pair

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")  # made by the fixtures


def test_after_alone_and_after_as_before(make_tiff):
    path = make_tiff()
    assert open_pair(None, path, AssessConfig()).before is None
    pair = open_pair(path, path, AssessConfig())
    assert pair.before == pair.after


def test_no_overlap(make_tiff):
    far = make_tiff(name="far.tif", transform=Affine(0.5, 0, 600_000, 0, -0.5, 5_300_000))
    with pytest.raises(PairError, match=r"far\.tif.*do not overlap"):
        open_pair(far, make_tiff(), AssessConfig())


def test_one_crs_of_two(make_tiff):
    with pytest.raises(PairError, match=r"bare\.tif has no CRS"):
        open_pair(make_tiff(), make_tiff(name="bare.tif", crs=None), AssessConfig())


def test_gsd_is_shared_only_without_crs(make_tiff):
    bare = make_tiff(name="bare.tif", crs=None)
    with pytest.raises(GsdError):
        open_pair(bare, bare, AssessConfig())
    pair = open_pair(bare, bare, AssessConfig(gsd_m=0.5, before_gsd_m=0.6))
    assert pair.before is not None
    assert (pair.after.grid.gsd_m, pair.before.grid.gsd_m) == (0.5, 0.6)
    coarse = make_tiff(name="coarse.tif", transform=Affine(1, 0, 5e5, 0, -1, 5.3e6))
    assert open_pair(coarse, make_tiff(), AssessConfig(gsd_m=0.5)).before is not None
