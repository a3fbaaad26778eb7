"""First guesses from far off, each method alone."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from cv_pipeline.imagery.source import open_source
from cv_pipeline.imagery.view import overview
from cv_pipeline.registration.coarse import by_correlation, by_features
from cv_pipeline.registration.reader import array_reader, coarser, file_reader, plain_grid
from cv_pipeline.registration.similarity import apply
from cv_pipeline.registration.structure import structure

MOSAIC = Path(__file__).parents[2] / "datasets" / "kampala_strikes" / "before.tif"


def planted_pair() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray], np.ndarray]:
    """A scene, the same scene turned, scaled and shifted by a quarter of its width, darker; and the transform."""
    rgb, valid, _ = overview(open_source(MOSAIC), 458)
    grid = plain_grid(valid.shape, 0.5)
    matrix = cv2.getRotationMatrix2D((valid.shape[1] / 2, valid.shape[0] / 2), 4.4, 0.965)
    matrix[:, 2] += (-110.0, 35.0)
    late, seen = array_reader(rgb, valid, grid)(grid, matrix)
    return (rgb, valid), (cv2.convertScaleAbs(late, alpha=0.7, beta=10), seen), matrix


def worst_px(found: np.ndarray, planted: np.ndarray, shape: tuple[int, ...]) -> float:
    inner = np.array([[0.5, 0.2], [0.5, 0.8], [0.8, 0.5]]) * (shape[1], shape[0])
    return float(np.linalg.norm(apply(found, inner) - apply(planted, inner), axis=1).max())


def test_correlation_over_angles_and_scales() -> None:
    before, after, planted = planted_pair()
    found = by_correlation(before, after)
    # steps of 1 degree and 2 % leave some px at the rim; windows reach 19 px and more
    assert worst_px(found[0], planted, after[1].shape) < 6.0


def test_features() -> None:
    before, after, planted = planted_pair()
    found = by_features(structure(*before), structure(*after))
    assert found is not None
    assert worst_px(found, planted, after[1].shape) < 2.0


def test_edges_are_the_same_with_light_and_dark_exchanged() -> None:
    rgb, valid, _ = overview(open_source(MOSAIC), 200)
    plain, inverted = structure(rgb, valid), structure(255 - rgb, valid)
    np.testing.assert_allclose(plain.edges, inverted.edges, atol=0.02)
    assert np.corrcoef(plain.detail.ravel(), inverted.detail.ravel())[0, 1] < -0.9


@pytest.mark.parametrize("factor", [1.0, 3.0])
def test_an_array_is_read_as_a_file_is(factor: float) -> None:
    source = open_source(MOSAIC)
    rgb, valid, grid = overview(source, 10_000)
    coarse = coarser(grid, factor)
    matrix = np.array([[1.0, 0.02, 3.3], [-0.02, 1.0, -1.7]])
    held, seen = array_reader(rgb, valid, grid)(coarse, matrix)
    with file_reader(source) as reader:
        read, known = reader(coarse, matrix)
    inner = np.s_[12:-12, 12:-12]
    assert (seen == known)[inner].mean() > 0.99
    difference = np.abs(held.astype(int) - read)[inner][seen[inner] & known[inner]]
    assert difference.mean() < (1.5 if factor == 1 else 4.0)
