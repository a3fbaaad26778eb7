from __future__ import annotations

import numpy as np
import pytest

from cv_pipeline.simulation.clutter import Vehicle, draw_vehicle, scatter_debris
from cv_pipeline.simulation.strike import ColourDelta, Strike
from cv_pipeline.simulation.surface import Sun


def ground() -> np.ndarray:
    return np.full((120, 120, 3), 140, np.float32)


@pytest.mark.parametrize(("heading_deg", "height", "width"), [(0, 24, 10), (90, 10, 24)])
def test_a_vehicle_has_its_place_size_and_heading(heading_deg: float, height: int, width: int) -> None:
    image = ground()
    draw_vehicle(image, Vehicle(60, 50, heading_deg, 6.0, 2.5, 0.01, (255, 0, 0)), 0.25, Sun(90, 45))
    changed = np.argwhere(np.abs(image - 140).max(axis=2) > 40)
    np.testing.assert_allclose(changed.mean(axis=0) + 0.5, [60, 50], atol=0.6)
    np.testing.assert_allclose(np.ptp(changed, axis=0) + 1, [height, width], atol=2)


def test_its_shadow_falls_away_from_the_sun() -> None:
    image = ground()
    draw_vehicle(image, Vehicle(60, 60, 0, 4.0, 2.0, 2.0, (255, 255, 255)), 0.25, Sun(90, 45))
    assert image[60, 51].mean() < 80 and image[60, 69].mean() == 140  # sun in the east


def test_debris_of_a_cone_lies_mostly_along_it() -> None:
    image = ground()
    strike = Strike(
        60, 60, 2.0, ColourDelta(-50, -50, -50), blast_radius_m=6, cone_azimuth_deg=90, cone_half_width_deg=25
    )
    scatter_debris(image, strike, 0.25, np.random.default_rng(3))
    changed = np.abs(image - 140).sum(axis=2)
    assert changed[:, 60:].sum() > 2 * changed[:, :60].sum() > 0
