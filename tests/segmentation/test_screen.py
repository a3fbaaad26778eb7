from __future__ import annotations

import numpy as np
import pytest

from cv_pipeline.segmentation.screen import THRESHOLD_SD, blob_strength, worth_a_look
from cv_pipeline.types import Float32Array

GSD_M = 0.6


def disc(radius_m: float, strength_sd: float, side: int = 160) -> Float32Array:
    """A disc in the middle of flat ground."""
    rows, cols = np.mgrid[:side, :side] - side / 2 + 0.5
    inside = np.hypot(rows, cols) * GSD_M <= radius_m
    return np.repeat((strength_sd * inside)[None].astype(np.float32), 4, axis=0)


@pytest.mark.parametrize("radius_m", [1.5, 3.0, 6.0])
@pytest.mark.parametrize("sign", [-1, 1])
def test_discs_of_crater_size_answer_most_in_their_middle(radius_m: float, sign: int) -> None:
    strength = blob_strength(disc(radius_m, 3.0 * sign), GSD_M)
    row, col = np.unravel_index(strength.argmax(), strength.shape)
    assert max(abs(row - 79.5), abs(col - 79.5)) * GSD_M <= max(radius_m / 2, 1)
    assert strength.max() > THRESHOLD_SD


def test_slow_changes_of_brightness_do_not_answer() -> None:
    ramp = np.broadcast_to(np.linspace(-2, 2, 400, dtype=np.float32), (4, 200, 400))
    assert blob_strength(np.ascontiguousarray(ramp), GSD_M)[:, 60:-60].max() < 0.1


@pytest.mark.parametrize(
    ("after", "before", "expected"),
    [(0, None, False), (3, None, True), (0, 0, False), (3, 3, True), (0, 3, True), (-3, 0, True)],
)
def test_a_blob_or_a_change_is_worth_a_look(after: float, before: float | None, expected: bool) -> None:
    early = None if before is None else disc(3.0, before)
    assert worth_a_look(disc(3.0, after), early, GSD_M) is expected
