"""Ground that repeats itself is no evidence of where it lies, and ground that does not is left alone."""

from __future__ import annotations

import numpy as np
import pytest

from cv_pipeline.registration.register import register_arrays
from cv_pipeline.types import Gate, UInt8Array
from tests.conftest import texture

SIDE = 320
PERIOD_PX = 14


def orchard(rng: np.random.Generator) -> UInt8Array:
    """Like trees in rows, a little noise on top."""
    tree = np.kron(texture(PERIOD_PX // 2, PERIOD_PX // 2, 3)[..., 0], np.ones((2, 2)))
    rows = np.tile(tree, (SIDE // PERIOD_PX + 1, SIDE // PERIOD_PX + 1))[:SIDE, :SIDE, None]
    return np.clip(rows + rng.normal(0, 6, (SIDE, SIDE, 3)), 0, 255).astype(np.uint8)


def moved(image: UInt8Array, cols: int) -> UInt8Array:
    return np.roll(image, cols, axis=1)


def test_an_orchard_off_by_a_row_is_refused() -> None:
    rng = np.random.default_rng(1)
    found = register_arrays(orchard(rng), moved(orchard(rng), PERIOD_PX - 2))
    assert found.gate is Gate.FAIL
    assert "the ground repeats itself" in found.reason
    np.testing.assert_array_equal(found.matrix, np.eye(2, 3))


@pytest.mark.parametrize("orchard_share", [0.0, 0.6])
def test_what_does_not_repeat_itself_decides(orchard_share: float) -> None:
    rng = np.random.default_rng(2)
    cols = int(SIDE * orchard_share)
    images = []
    for _ in range(2):
        image = np.clip(texture(SIDE, SIDE, 7) + rng.normal(0, 6, (SIDE, SIDE, 3)), 0, 255).astype(np.uint8)
        image[:, :cols] = orchard(rng)[:, :cols]
        images.append(image)
    found = register_arrays(images[0], moved(images[1], 9))
    assert found.gate is not Gate.FAIL
    np.testing.assert_allclose(found.matrix[:, 2], (9, 0), atol=0.3)
