from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from cv_pipeline.simulation.config import SimulationConfig
from cv_pipeline.training.config import TrainConfig
from cv_pipeline.training.mix import HardRound, merged

Configs = Callable[..., TrainConfig]
BALANCE = {
    "empty": {"share": 0.15, "simulation": {"strikes": {"empty_share": 1}}},
    "paved": {"share": 0.1, "simulation": {"built": {"pavement_share": 1}}},
    "snow": {"share": 0.05, "simulation": {"ground": {"real_share": 0, "farmland_weight": 0}}},
}
BASE = SimulationConfig()


def test_changes_are_laid_over_in_turn_and_leave_the_rest() -> None:
    changes: list[dict[str, Any]] = [
        {"strikes": {"empty_share": 0.5, "cone_share": 0.7}, "light": {"off_nadir_sd_deg": 1}},
        {"strikes": {"empty_share": 1}},
    ]
    found = merged(BASE, *changes)
    assert (found.strikes.empty_share, found.strikes.cone_share, found.light.off_nadir_sd_deg) == (1, 0.7, 1)
    assert found.strikes.model_copy(update={"empty_share": 0.15, "cone_share": 0.12}) == BASE.strikes
    assert found.built == BASE.built
    assert merged(BASE) == BASE


def test_without_phases_or_strata_every_pair_is_the_runs_own(make_config: Configs) -> None:
    plan = make_config(seed=5).plan()
    assert {plan(pair, pair // 2) for pair in (0, 7, 2**40 + 3)} == {((5, n), BASE) for n in (0, 7, 2**40 + 3)}


@pytest.mark.parametrize("first", [0, 12_345, 2**40])
def test_every_stretch_of_pairs_holds_the_strata_in_their_shares(make_config: Configs, first: int) -> None:
    plan = make_config(balance=BALANCE).plan()
    found = Counter(plan.stratum(pair) for pair in range(first, first + 200))
    assert found[0] == pytest.approx(30, abs=2)  # by chance alone the SD would be 5
    assert found[1] == pytest.approx(20, abs=2)
    assert found[2] == pytest.approx(10, abs=2)
    assert found[None] == pytest.approx(140, abs=3)
    for pair in range(first, first + 40):
        config = plan(pair, 0).config
        assert (config.strikes.empty_share == 1) is (plan.stratum(pair) == 0)
        assert (config.built.pavement_share == 1) is (plan.stratum(pair) == 1)


def test_a_stratum_is_what_its_settings_say(make_config: Configs) -> None:
    """Pairs as drawn: empty ones are empty, the others are not (but for chance)."""
    from cv_pipeline.simulation.background import Backgrounds
    from cv_pipeline.simulation.pair import simulate_pair

    balance = {"empty": {"share": 0.5, "simulation": {"strikes": {"empty_share": 1}}}}
    full = {"strikes": {"empty_share": 0, "density_per_ha": 200, "large_share": 0}, "ground": {"wood_share": 0}}
    plan = make_config(balance=balance, simulation=full).plan()
    found: dict[int | None, list[int]] = {0: [], None: []}
    for pair in range(8):
        drawn = plan(pair, 0)
        strikes = simulate_pair(Backgrounds([]), drawn.seed, (64, 64), 0.6, drawn.config).strikes
        found[plan.stratum(pair)].append(len(strikes))
    assert found[0] == [0] * 4
    assert sum(count > 0 for count in found[None]) >= 3


def test_families_are_evened_out_where_asked() -> None:
    from cv_pipeline.simulation.families import TABLE_FAMILIES, draw_family
    from cv_pipeline.simulation.ground import Material

    def rarest(balance: float) -> float:
        config = BASE.strikes.model_copy(update={"family_balance": balance, "by_eye_share": 0.0})
        rng = np.random.default_rng(3)
        found = Counter(draw_family(Material.SOIL, config, rng).name for _ in range(1500))
        return min(found[family.name] for family in TABLE_FAMILIES if family.weight_on(Material.SOIL)) / 1500

    weights = np.array([family.weight_on(Material.SOIL) for family in TABLE_FAMILIES])
    even = min(weight / weights.sum() for weight in weights if weight)
    assert rarest(1) == pytest.approx(even, rel=0.3)
    assert rarest(0) < 0.7 * rarest(1)


def test_phases_end_where_they_say_and_strata_prevail(make_config: Configs) -> None:
    config = make_config(
        steps=100,
        balance=BALANCE,
        curriculum=[
            {"until_step": 10, "simulation": {"strikes": {"empty_share": 0, "contrast_factor": 2}}},
            {"until_step": 30, "simulation": {"strikes": {"contrast_factor": 1.5}}},
        ],
    )
    plan = config.plan()
    assert [plan.settings(step, None).strikes.contrast_factor for step in (0, 9, 10, 29, 30, 99)] == [
        2,
        2,
        1.5,
        1.5,
        1,
        1,
    ]
    assert plan.settings(0, None).strikes.empty_share == 0
    assert plan.settings(0, 0).strikes.empty_share == 1
    assert plan.settings(0, 0).strikes.contrast_factor == 2


def test_with_more_processes_a_step_takes_more_batches(make_config: Configs) -> None:
    config = make_config(steps=9, curriculum=[{"until_step": 3, "simulation": {"strikes": {"contrast_factor": 2}}}])
    ends = {
        ranks: [config.plan(ranks=ranks)(7, batch).config.strikes.contrast_factor for batch in range(8)]
        for ranks in (1, 2)
    }
    assert ends == {1: [2] * 3 + [1] * 5, 2: [2] * 6 + [1] * 2}


def test_hard_scenes_come_in_their_share_after_their_round_only(make_config: Configs) -> None:
    config = make_config(steps=900, balance=BALANCE, mining={"at_steps": [10, 20], "share": 0.25})
    easy = merged(BASE, {"strikes": {"empty_share": 1}})
    rounds = (HardRound(10, ((1, 2, 3),), easy), HardRound(20, ((1, 4, 5), (1, 4, 6)), easy))
    plan = config.plan(rounds)
    assert all(len(plan(pair, 9).seed) == 2 for pair in range(400))
    early, late = (Counter(plan(pair, batch).seed for pair in range(400)) for batch in (10, 20))
    assert early[1, 2, 3] == pytest.approx(100, abs=4)
    assert [late[seed] for seed in ((1, 2, 3), (1, 4, 5), (1, 4, 6))] == pytest.approx([33, 33, 33], abs=15)
    assert all(plan(pair, 20).config == easy for pair in range(400) if len(plan(pair, 20).seed) == 3)
    strata = Counter(plan.stratum(pair) for pair in range(400) if len(plan(pair, 20).seed) == 3)
    assert strata[0] == pytest.approx(15, abs=5)  # hard scenes replace pairs of all strata alike
    assert pickle.loads(pickle.dumps(plan))(11, 20) == plan(11, 20)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"balance": {"a": {"share": 0.6, "simulation": {}}, "b": {"share": 0.5, "simulation": {}}}}, "more than 1"),
        ({"balance": {"a": {"share": 0.6, "simulation": {"strike": {}}}}}, "strike"),
        ({"balance": {"a": {"share": 0.6, "simulation": {"strikes": {"empty_share": 2}}}}}, "empty_share"),
        ({"curriculum": [{"until_step": 2, "simulation": {"strikes": {"rays": 2}}}]}, "rays"),
        ({"curriculum": [{"until_step": 2, "simulation": {}}] * 2}, "ascend"),
        ({"curriculum": [{"until": 2, "simulation": {}}]}, "until_step"),
        ({"mining": {"at_steps": [3]}, "steps": 3}, "at_steps"),
        ({"mining": {"at_steps": []}}, "at_steps"),
        ({"mining": {"at_steps": [1], "simulation": {"ground": {"x": 1}}}}, "x"),
    ],
)
def test_settings_that_do_not_hold_together_are_refused(make_config: Configs, wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        make_config(**wrong)
