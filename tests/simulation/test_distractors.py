from __future__ import annotations

import numpy as np
import pytest

from cv_pipeline.simulation.distractors import draw_blotch, draw_box, draw_bush, draw_distractors, draw_track
from cv_pipeline.simulation.surface import Sun

SUN = Sun(90, 45)


def ground() -> np.ndarray:
    return np.full((120, 120, 3), 140, np.float32)


@pytest.mark.parametrize("draw", [draw_bush, draw_box])
@pytest.mark.parametrize("place", [(60.0, 60.0), (0.0, 119.0), (-30.0, 60.0)])
def test_objects_stay_in_range_at_any_place(draw: object, place: tuple[float, float]) -> None:
    image = ground()
    draw(image, *place, 0.5, SUN, np.random.default_rng(2))  # type: ignore[operator]
    assert np.isfinite(image).all() and image.min() >= 0 and image.max() <= 255


def test_a_box_casts_its_shadow_away_from_the_sun() -> None:
    image = ground()
    draw_box(image, 60, 60, 0.25, SUN, np.random.default_rng(6))
    shadow = np.argwhere(np.abs(image - (140 * 0.3 + 0.7 * np.array([25, 27, 33]))).max(axis=2) < 2)
    assert len(shadow) and shadow[:, 1].mean() < 60  # sun in the east


def test_blotch_and_track_change_the_ground_softly() -> None:
    for draw in (lambda i, r: draw_blotch(i, 60, 60, 0.5, r), lambda i, r: draw_track(i, 0.5, r)):
        image = ground()
        draw(image, np.random.default_rng(8))
        assert (image != 140).any() and np.isfinite(image).all()


def test_none_are_drawn_at_mean_zero() -> None:
    image = ground()
    draw_distractors(image, 0.5, SUN, np.random.default_rng(1), mean_count=0.0)
    assert (image == 140).all()
