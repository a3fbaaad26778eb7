"""Structure of whole blocks by the short way is that of blocks with a hole, and held blocks change no match."""

from __future__ import annotations

import numpy as np
import pytest

from cv_pipeline.registration.reader import array_reader, plain_grid
from cv_pipeline.registration.structure import Structure, structure
from cv_pipeline.registration.windows import match_windows
from cv_pipeline.types import BoolArray, Float64Array, Grid, UInt8Array, Window
from tests.conftest import texture


@pytest.fixture
def ground() -> UInt8Array:
    return np.asarray(texture(300, 320), np.uint8)


def test_a_whole_block_is_one_whose_hole_lies_far_away(ground: UInt8Array) -> None:
    valid = np.ones(ground.shape[:2], bool)
    whole = structure(ground, valid)
    valid[0, 0] = False
    holed = structure(ground, valid)
    far = np.s_[100:, 100:]
    np.testing.assert_array_equal(whole.detail[far], holed.detail[far])
    np.testing.assert_array_equal(whole.edges[far], holed.edges[far])


def test_a_held_block_is_not_read_again_and_gives_the_same_matches(ground: UInt8Array) -> None:
    grid = plain_grid(ground.shape, 0.5)
    valid = np.ones(ground.shape[:2], bool)
    after = array_reader(ground, valid, grid)
    before = array_reader(np.roll(ground, (3, -2), (0, 1)), valid, grid)
    times = []

    def counted(part: Grid, matrix: Float64Array) -> tuple[UInt8Array, BoolArray]:
        times.append(part)
        return after(part, matrix)

    held: dict[Window, Structure] = {}
    first = match_windows(before, counted, grid, np.eye(3)[:2], held=held)
    read = len(times)
    again = match_windows(before, counted, grid, np.eye(3)[:2], held=held)
    plain = match_windows(before, after, grid, np.eye(3)[:2])
    assert read == len(held) == len(times) > 0
    for found in (first, again):
        np.testing.assert_array_equal(found.source, plain.source)
        np.testing.assert_array_equal(found.target, plain.target)
    np.testing.assert_allclose(np.median(first.target - first.source, axis=0), (2, -3), atol=0.1)
