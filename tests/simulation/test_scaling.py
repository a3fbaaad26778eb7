from __future__ import annotations

import pytest

from cv_pipeline.simulation.scaling import (
    blast_circle_radius_m,
    crater_diameter_m,
    peak_overpressure_kpa,
)


def test_crater_law_scales_with_the_cube_root() -> None:
    assert crater_diameter_m(1000) == pytest.approx(8.0)
    assert crater_diameter_m(8 * 45) == pytest.approx(2 * crater_diameter_m(45))


def test_blast_circle_is_where_the_pressure_falls_to_the_threshold() -> None:
    radius_m = blast_circle_radius_m(500, threshold_kpa=80)
    assert peak_overpressure_kpa(radius_m / 500 ** (1 / 3)) == pytest.approx(80, rel=1e-6)
    assert blast_circle_radius_m(1000) == pytest.approx(27.5, abs=0.5)


@pytest.mark.parametrize("law", [crater_diameter_m, blast_circle_radius_m])
def test_nothing_is_refused(law: object) -> None:
    with pytest.raises(ValueError, match="above 0"):
        law(0.0)  # type: ignore[operator]


def test_an_absurd_threshold_is_refused() -> None:
    with pytest.raises(ValueError, match="threshold"):
        blast_circle_radius_m(100, threshold_kpa=1e6)
