"""The picture under the why-figure: true north is up whatever way the image lies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS

from cv_pipeline.frame import local_frame
from cv_pipeline.report.explain import north_up, why_uri
from cv_pipeline.types import Grid, Impact, PatternKind, Status, UInt8Array


def impact_at(x_m: float, y_m: float) -> Impact:
    return Impact(
        "I001", 0.0, 0.0, x_m, y_m, None, None, 0.9, Status.NEW, 0.9, 0.1, 2.0, 0.1, 8.0, None,
        PatternKind.CIRCLE, None, None,
    )  # fmt: skip


@pytest.mark.parametrize("angle_deg", [0, 30, 135])
def test_north_is_up(angle_deg: int) -> None:
    angle = np.deg2rad(angle_deg)
    c, s = 0.5 * np.cos(angle), 0.5 * np.sin(angle)
    grid = Grid(400, 400, Affine(c, s, 450000.0, s, -c, 5300000.0), CRS.from_epsg(32636), 0.5)
    frame = local_frame(grid)
    impact = impact_at(3.0, -4.0)

    def read(_kind: str, wanted: Grid) -> UInt8Array:
        """White where the ground lies more than 5 m north of the impact, red where more than 5 m east of it."""
        from cv_pipeline.frame import LocalFrame

        rows, cols = np.indices((wanted.height, wanted.width)) + 0.5
        at_m = LocalFrame(wanted, frame.crs).pixel_to_metres(rows.ravel(), cols.ravel()).reshape(*rows.shape, 2)
        north, east = at_m[..., 1] > impact.y_m + 5, at_m[..., 0] > impact.x_m + 5
        return np.stack([255 * (north | east), 255 * north, 255 * north], axis=-1).astype(np.uint8)

    picture = north_up(impact, 10.0, frame, read)
    quarter = picture.shape[0] // 4
    assert picture[: quarter - 3, :, 1].min() > 250
    assert picture[quarter + 4 :, :, 1].max() < 5
    assert picture[quarter + 4 :, 3 * quarter + 4 :, 0].min() > 250
    assert picture[quarter + 4 :, : 3 * quarter - 4, 0].max() < 5


def test_no_evidence_no_figure() -> None:
    grid = Grid(100, 100, Affine(0.5, 0, 0, 0, -0.5, 0), None, 0.5)
    bare = replace(impact_at(10.0, -10.0), evidence=None)
    assert (
        why_uri(bare, local_frame(grid), lambda _kind, wanted: np.zeros((wanted.height, wanted.width, 3), np.uint8))
        is None
    )
