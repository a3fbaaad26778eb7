from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cv_pipeline.simulation.appearance import Appearance, measure
from cv_pipeline.simulation.families import TABLE_FAMILIES, Family, Spread
from cv_pipeline.simulation.realism import (
    Check,
    compare,
    compare_fields,
    nearest_family,
    nearest_spacing_m,
    read_reference,
)
from cv_pipeline.simulation.reference_fields import FIELDS_ONLY, render_family, render_fields, smooth_field

REFERENCE = Path(__file__).parents[2] / "datasets" / "crater_appearance" / "crater_appearance.json"


@pytest.fixture(scope="module")
def table() -> dict[str, Any]:
    return read_reference(REFERENCE)


def measured(family: Family, count: int = 240, seed: int = 1) -> list[Appearance]:
    return [appearance for _, appearance in render_family(family, count, seed)]


def failures(checks: list[Check]) -> list[str]:
    return [f"{c.name}: {c.simulated:.2f} for {c.measured:.2f} ± {c.tolerance:.2f}" for c in checks if not c.passed]


@pytest.mark.parametrize("family", TABLE_FAMILIES, ids=lambda family: family.name)
def test_every_family_looks_as_measured(family: Family, table: dict[str, Any]) -> None:
    assert not failures(compare(measured(family), table, family.name))


@pytest.mark.slow
def test_planned_fields_look_as_measured(table: dict[str, Any]) -> None:
    assert not failures(compare_fields(render_fields(24, 3, FIELDS_ONLY), 0.5, table))


@pytest.mark.parametrize("family", [TABLE_FAMILIES[1], TABLE_FAMILIES[4]], ids=lambda family: family.name)
def test_a_collar_weaker_by_three_tenths_fails(family: Family, table: dict[str, Any]) -> None:
    weak = replace(family, ring_z=Spread(family.ring_z.median - 0.3, family.ring_z.log_sd))
    failed = {c.name for c in compare(measured(weak, 120), table, family.name) if not c.passed}
    assert "collar_4_8m_z" in failed


@pytest.mark.parametrize("change", [{"core_m": Spread(1.4, 0.2)}, {"core_z": Spread(-1.6, 0.38)}])
def test_a_wrong_core_fails(change: dict[str, Spread], table: dict[str, Any]) -> None:
    family = TABLE_FAMILIES[4]
    assert failures(compare(measured(replace(family, **change), 120), table, family.name))


def test_a_planted_disc_is_measured(gsd_m: float = 0.5) -> None:
    rng = np.random.default_rng(3)
    image = smooth_field(90, gsd_m, 0.3, 100.0, rng)
    rows, cols = np.indices((90, 90)) + 0.5
    radius_m = np.hypot(rows - 46.0, cols - 43.5) * gsd_m
    image[radius_m < 3.0] -= 10.0
    image[(radius_m > 5.0) & (radius_m < 6.5)] += 4.0
    found = measure(image, 45.0, 45.0, gsd_m)
    assert found.centre_z * found.ground_sd_dn == pytest.approx(-10, abs=1.0)
    assert found.core_half_depth_m == pytest.approx(3.0, abs=0.3)
    assert found.ring_peak_m == pytest.approx(5.75, abs=0.6)
    assert found.ring_outer_half_m == pytest.approx(6.75, abs=0.5)
    assert found.ring_visible and found.h1_z < 0.3 * abs(found.centre_z)


def test_every_reference_profile_is_nearest_to_itself(table: dict[str, Any]) -> None:
    for name, family in table["families"].items():
        if name != "all":
            assert nearest_family(2.5 * np.array(family["median_profile_z"]), table) == name


def test_spacing() -> None:
    assert nearest_spacing_m([(0, 0), (0, 10), (30, 0)], 0.5).tolist() == [5.0, 5.0, 15.0]
    assert nearest_spacing_m([(4, 4)], 0.5).size == 0


def test_the_same_seed_gives_the_same_chips() -> None:
    first, second = (render_family(TABLE_FAMILIES[0], 2, 9)[1][0] for _ in range(2))
    np.testing.assert_array_equal(first, second)
