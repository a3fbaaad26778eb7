from __future__ import annotations

import numpy as np

from cv_pipeline.segmentation.channels import NUMBER
from cv_pipeline.segmentation.corroborate import Corroborated
from cv_pipeline.types import BoolArray, Channel, Float32Array

CENTRE = NUMBER[Channel.CENTRE]


def two_minds(after: Float32Array, before: Float32Array | None, has_before: BoolArray | None) -> Float32Array:
    """Maps that are 0.9 throughout with a before image and 0.1 without."""
    value = 0.1 if before is None else 0.9
    return np.full((len(after), len(Channel), *after.shape[2:]), value, np.float32)


def test_the_score_of_a_pair_is_the_mean_in_logits_and_all_else_is_the_pairs() -> None:
    image = np.zeros((2, 4, 16, 16), np.float32)
    values = Corroborated(two_minds)(image, image, None)
    np.testing.assert_allclose(values[:, CENTRE], 0.5, atol=1e-6)
    rest = np.delete(values, CENTRE, axis=1)
    np.testing.assert_array_equal(rest, np.float32(0.9))
    assert values.dtype == np.float32


def test_a_single_image_is_asked_about_once() -> None:
    image = np.zeros((1, 4, 16, 16), np.float32)
    np.testing.assert_array_equal(Corroborated(two_minds)(image, None, None), np.float32(0.1))


def test_certainty_stays_finite() -> None:
    def certain(after: Float32Array, before: Float32Array | None, has_before: BoolArray | None) -> Float32Array:
        return np.full((1, len(Channel), 16, 16), 0.0 if before is None else 1.0, np.float32)

    image = np.zeros((1, 4, 16, 16), np.float32)
    np.testing.assert_allclose(Corroborated(certain)(image, image, None)[:, CENTRE], 0.5, atol=1e-6)
