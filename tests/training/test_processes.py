"""Two processes that train together, started by flags as a user would."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml

from cv_pipeline.training.config import TrainConfig

SCRIPT = Path(__file__).parents[2] / "scripts" / "train.py"


def run(config: Path, data_root: Path, run_dir: Path, *flags: str) -> dict[str, torch.Tensor]:
    """The state after a run of the script."""
    command = [sys.executable, str(SCRIPT), "--config", str(config), "--backgrounds", str(data_root)]
    command += ["--run-dir", str(run_dir), "--accelerator", "cpu", "--workers", "0", "--deterministic", *flags]
    done = subprocess.run(command, capture_output=True, text=True, timeout=550, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found = torch.load(run_dir / "last.ckpt", weights_only=False)
    assert found["global_step"] == 3
    state: dict[str, torch.Tensor] = found["state_dict"]
    return state


@pytest.mark.slow
def test_two_processes_train_one_model_on_samples_of_their_own(
    make_config: Callable[..., TrainConfig], data_root: Path, tmp_path: Path
) -> None:
    mining = {"at_steps": [2], "scenes": 4, "threshold": 1e-6, "share": 0.5}
    settings = make_config(mining=mining, validation_every=2, validation_samples=3)
    config = tmp_path / "train.yaml"
    config.write_text(yaml.safe_dump(settings.model_dump(mode="json")))
    two = ("--devices", "2", "--strategy", "ddp")
    first = run(config, data_root, tmp_path / "first", *two)
    again = run(config, data_root, tmp_path / "again", *two)
    alone = run(config, data_root, tmp_path / "alone")
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert int(first["averaged.n_averaged"]) == 3
    assert any(not torch.equal(first[key], alone[key]) for key in first)
    assert all(value.isfinite().all() for value in first.values())
    found = json.loads((tmp_path / "first" / "mined_0000002.json").read_text())
    assert len(found["false_alarms"]) == 4
    rows = (tmp_path / "first" / "metrics.csv").read_text().splitlines()
    assert sum("val/pair/loss" in row for row in rows) == 1
