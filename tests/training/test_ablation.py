from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from cv_pipeline.errors import ConfigError
from cv_pipeline.training.ablation import read_ablation, run_variants, varied
from cv_pipeline.training.config import TrainConfig


def test_only_what_is_named_changes(make_config: Callable[..., TrainConfig]) -> None:
    base = make_config(simulation={"strikes": {"density_per_ha": 9.0}})
    other = varied(base, {"simulation.strikes.rays_share": 0, "batch_size": 4}, seed=5)
    assert other.simulation.strikes.rays_share == 0
    assert other.simulation.strikes.density_per_ha == 9.0
    assert (other.batch_size, other.seed) == (4, 5)
    assert varied(other, {"simulation.strikes.rays_share": 1, "batch_size": base.batch_size}, base.seed) == base


@pytest.mark.parametrize("name", ["steeps", "simulation.strikes.ray_share", "simulation.strike.rays_share"])
def test_a_name_that_is_no_setting_is_refused(make_config: Callable[..., TrainConfig], name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        varied(make_config(), {name: 1}, seed=1)


def test_a_value_that_cannot_be_is_refused(make_config: Callable[..., TrainConfig]) -> None:
    with pytest.raises(ConfigError, match="rays_share"):
        varied(make_config(), {"simulation.strikes.rays_share": 2}, seed=1)


def test_the_shipped_settings_hold_together() -> None:
    base, variants = read_ablation(Path(__file__).parents[2] / "models" / "small" / "ablation.yaml")
    assert "everything" in variants
    for changes in variants.values():
        seed = int(changes.pop("seed", base.seed))
        assert (varied(base, changes, seed) == base) is (not changes and seed == base.seed)


@pytest.mark.parametrize("content", ["", "variants: 3", "[1", "name: x", "variants: {a: {}}"])
def test_malformed_settings_name_the_file(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.yaml").write_text(content)
    with pytest.raises(ConfigError, match=r"a\.yaml"):
        read_ablation(tmp_path / "a.yaml")
    with pytest.raises(ConfigError, match=r"missing\.yaml"):
        read_ablation(tmp_path / "missing.yaml")


def test_variants_that_are_done_are_not_run_again(make_config: Callable[..., TrainConfig], tmp_path: Path) -> None:
    variants = {"plain": {}, "other seed": {"seed": 9}, "small steps": {"learning_rate": 0.0001}}
    settings = tmp_path / "variants.yaml"
    settings.write_text(yaml.safe_dump(make_config().model_dump(mode="json") | {"variants": variants}, sort_keys=False))
    ran: list[tuple[str, int]] = []

    def run(name: str, config: TrainConfig) -> dict[str, Any]:
        if name == "small steps" and len(ran) == 2:
            raise KeyboardInterrupt
        ran.append((name, config.seed))
        return {"rate": config.learning_rate}

    results = tmp_path / "out" / "results.json"
    with pytest.raises(KeyboardInterrupt):
        run_variants(settings, results, run)
    ran.append(("stopped", 0))
    base, done = run_variants(settings, results, run)
    assert ran == [("plain", base.seed), ("other seed", 9), ("stopped", 0), ("small steps", base.seed)]
    assert list(done) == list(variants)
    assert done["small steps"] == {"changes": {"learning_rate": 0.0001}, "seed": base.seed, "rate": 0.0001}
