"""Each part of the error budget, and all together, against errors that were really drawn."""

import math

import numpy as np
import pytest
import shapely

from cv_pipeline.matching import index_structures, match_points
from cv_pipeline.matching.uncertainty import CE90_PER_SD, budget_of_landmark, error_budget
from cv_pipeline.structures.groups import find_groups
from cv_pipeline.types import ErrorBudget, Structure, StructureKind

DRAWS = 100_000
STATED = {
    "centre_sd_m": 0.6,
    "registration_sd_m": 0.8,
    "gsd_m": 1.2,
    "geolocation_ce90_m": 3.0,
    "footprint_ce90_m": 2.5,
    "offset_sd_m": 0.9,
}


def normal(rng, sd, shape=(DRAWS, 2)):
    return rng.normal(0, sd, shape)


def common_errors(rng):
    """Errors (n, 2) that move the impact against all structures alike."""
    total = normal(rng, 0.6) + normal(rng, 0.8) + normal(rng, 3.0 / CE90_PER_SD) + normal(rng, 0.9)
    return total + rng.uniform(-0.6, 0.6, (DRAWS, 2))


@pytest.mark.parametrize("azimuth_deg", [0, 33, 90, 200])
def test_distance_to_a_structure_has_the_stated_sd(azimuth_deg):
    rng = np.random.default_rng(azimuth_deg)
    error = common_errors(rng) + normal(rng, 2.5 / CE90_PER_SD)
    far = 60 * np.array([math.sin(math.radians(azimuth_deg)), math.cos(math.radians(azimuth_deg))])
    measured = np.hypot(*(far + error).T).std()
    assert measured == pytest.approx(error_budget(**STATED).total_sd_m, rel=0.01)


def test_distance_to_an_edge_has_the_stated_sd():
    rng = np.random.default_rng(1)
    error = common_errors(rng) + normal(rng, 2.5 / CE90_PER_SD)
    wall = shapely.box(-500, -100, 500, 0)
    distances = shapely.distance(shapely.points(error + np.array([0, 40])), wall)
    assert distances.std() == pytest.approx(error_budget(**STATED).total_sd_m, rel=0.01)


def test_distance_to_a_group_has_the_stated_sd():
    shelters = [shapely.box(16 * k, 0, 16 * k + 10, 12) for k in range(4)]
    (group,) = find_groups([Structure(str(k), StructureKind.BUILDING, shape) for k, shape in enumerate(shelters)])
    stated = budget_of_landmark(error_budget(**STATED), group)
    rng = np.random.default_rng(2)
    drawn = normal(rng, 2.5 / CE90_PER_SD, (DRAWS, 4, 2)).mean(axis=1)  # each shelter drawn anew
    error = common_errors(rng) + drawn + normal(rng, group.centre_sd_m)
    measured = np.hypot(*(error + np.array([0, 70])).T).std()
    assert measured == pytest.approx(stated.total_sd_m, rel=0.01)
    assert stated.footprint_sd_m == pytest.approx(2.5 / CE90_PER_SD / 2)


@pytest.mark.parametrize("name", STATED)
def test_each_part_alone(name):
    budget = error_budget(**{"centre_sd_m": 0.0, name: STATED[name]})
    rng = np.random.default_rng(3)
    if name == "gsd_m":
        error = rng.uniform(-0.6, 0.6, DRAWS)
    else:
        error = normal(rng, STATED[name] / (CE90_PER_SD if "ce90" in name else 1), DRAWS)
    assert budget.total_sd_m == pytest.approx(error.std(), rel=0.01)
    assert sum(value > 0 for value in vars_of(budget)) == 1


def vars_of(budget):
    return [getattr(budget, name) for name in ErrorBudget.__dataclass_fields__]


def test_near_the_aim_point_the_sd_falls_to_that_of_a_rayleigh_variable():
    rng = np.random.default_rng(4)
    at_aim = np.hypot(*normal(rng, 1.0).T)
    assert at_aim.std() == pytest.approx(math.sqrt(2 - math.pi / 2), rel=0.01)  # 0.655, as the docstring says
    assert np.hypot(*(normal(rng, 1.0) + np.array([3, 0])).T).std() == pytest.approx(1, rel=0.06)


def test_what_nobody_states_is_zero_and_the_parts_add_up():
    assert vars_of(error_budget(0.0)) == [0] * 7
    budget = error_budget(**STATED)
    assert budget.total_sd_m == pytest.approx(math.sqrt(sum(value**2 for value in vars_of(budget))))


def test_a_bare_sd_counts_as_the_centres():
    house = Structure("A", StructureKind.BUILDING, shapely.box(0, 0, 9, 9))
    (found,) = match_points(["I"], np.array([[20.0, 0.0]]), [0.7], index_structures([house]))
    assert found.error == ErrorBudget(centre_sd_m=0.7)
    assert found.distance_sd_m == 0.7
