from __future__ import annotations

import numpy as np
import pytest

from cv_pipeline.simulation.crater import crater_height_m

CRATER = {"bowl_radius_m": 4.0, "depth_m": 1.6, "rim_m": 0.3}


def height(radius_m: float, along: float = 1.0, **changes: float) -> float:
    return float(crater_height_m(np.array([radius_m]), np.array([along]), **{**CRATER, **changes})[0])


def test_depth_at_the_centre_and_crest_at_the_rim() -> None:
    assert height(0.0) == pytest.approx(-1.6)
    assert height(4.0) == pytest.approx(0.3)


def test_ejecta_thin_with_the_cube_of_distance() -> None:
    assert height(8.0) == pytest.approx(0.3 / 8)
    assert height(12.0) == pytest.approx(0.3 / 27)


def test_the_surface_has_no_step_at_the_rim() -> None:
    assert height(4.0 - 1e-6, obliquity=0.4) == pytest.approx(height(4.0 + 1e-6, obliquity=0.4), abs=1e-4)


def test_slump_flattens_and_fills_the_bowl() -> None:
    assert height(0.0, slump=1.0) > height(0.0)
    assert height(2.0, slump=1.0) - height(0.0, slump=1.0) < 0.5 * (height(2.0) - height(0.0))


def test_an_oblique_crater_is_longer_along_the_flight_and_its_rim_stands_ahead() -> None:
    radius_m = np.linspace(0.1, 12, 2000)
    crest = {a: radius_m[np.argmax([height(r, a, obliquity=0.8) for r in radius_m])] for a in (1.0, 0.0)}
    assert crest[1.0] > 1.2 * crest[0.0]
    ahead, behind = (height(6.5, a, obliquity=0.8) for a in (1.0, -1.0))
    assert ahead > 4 * behind > 0
