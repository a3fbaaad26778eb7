from __future__ import annotations

import numpy as np
import pytest

from cv_pipeline.segmentation.channels import NUMBER
from cv_pipeline.segmentation.symmetry import Symmetric, turned, turned_back
from cv_pipeline.types import BoolArray, Channel, Float32Array

RIGHT, UP, NEW, CRATER = (NUMBER[c] for c in (Channel.AXIS_RIGHT, Channel.AXIS_UP, Channel.NEW, Channel.CRATER))
WAYS = [(turns, mirror) for turns in range(4) for mirror in (False, True)]


def slopes(after: Float32Array, before: Float32Array | None, has_before: BoolArray | None) -> Float32Array:
    """A backend that turns with its input: the axis is the way luminance rises, NEW the change."""
    light = np.pad(after[:, 3], ((0, 0), (1, 1), (1, 1)), mode="edge")
    maps = np.zeros((len(after), len(Channel), *after.shape[2:]), np.float32)
    maps[:, RIGHT] = light[:, 1:-1, 2:] - light[:, 1:-1, :-2]
    maps[:, UP] = light[:, :-2, 1:-1] - light[:, 2:, 1:-1]
    if before is not None:
        maps[:, NEW] = after[:, 0] - before[:, 0]
    return maps


@pytest.fixture
def tiles() -> tuple[Float32Array, Float32Array]:
    after, before = np.random.default_rng(3).normal(size=(2, 2, 4, 16, 32)).astype(np.float32)
    return after, before


@pytest.mark.parametrize(("turns", "mirror"), WAYS)
def test_each_way_is_undone_pixels_and_axes_alike(
    tiles: tuple[Float32Array, Float32Array], turns: int, mirror: bool
) -> None:
    after, before = tiles
    back = turned_back(slopes(turned(after, turns, mirror), turned(before, turns, mirror), None), turns, mirror)
    np.testing.assert_allclose(back, slopes(after, before, None), atol=1e-6)


def test_the_eight_ways_differ() -> None:
    square = np.arange(4, dtype=np.float32).reshape(2, 2)
    assert len({turned(square, *way).tobytes() for way in WAYS}) == 8


@pytest.mark.parametrize("paired", [True, False])
def test_what_turns_with_its_input_is_left_as_it_is(tiles: tuple[Float32Array, Float32Array], paired: bool) -> None:
    after, before = tiles[0], tiles[1] if paired else None
    np.testing.assert_allclose(Symmetric(slopes)(after, before, None), slopes(after, before, None), atol=1e-6)


def test_a_leaning_towards_one_side_cancels(tiles: tuple[Float32Array, Float32Array]) -> None:
    def leaning(after: Float32Array, before: Float32Array | None, has_before: BoolArray | None) -> Float32Array:
        maps = np.zeros((len(after), len(Channel), *after.shape[2:]), np.float32)
        maps[:, RIGHT] = 0.7
        maps[:, UP] = -0.2
        maps[:, CRATER, :, : after.shape[3] // 2] = 1.0  # sees craters only on the left
        return maps

    maps = Symmetric(leaning)(tiles[0], None, None)
    np.testing.assert_allclose(maps[:, [RIGHT, UP]], 0, atol=1e-6)
    np.testing.assert_allclose(maps[:, CRATER], 0.5, atol=1e-6)


def test_which_tiles_have_a_before_image_is_passed_on(tiles: tuple[Float32Array, Float32Array]) -> None:
    seen: list[BoolArray | None] = []

    def backend(after: Float32Array, before: Float32Array | None, has_before: BoolArray | None) -> Float32Array:
        seen.append(has_before)
        return slopes(after, before, has_before)

    has_before = np.array([True, False])
    Symmetric(backend)(*tiles, has_before)
    assert len(seen) == 8
    assert all(given is has_before for given in seen)
