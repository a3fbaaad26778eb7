"""One training run from settings to trained weights, stopped and resumed at will."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

import cv2
import lightning as L
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import LearningRateMonitor, ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only

from cv_pipeline.errors import ConfigError
from cv_pipeline.training.callbacks import CsvLog, DataWait, StopInOrder
from cv_pipeline.training.config import TrainConfig
from cv_pipeline.training.loaders import SimulationData
from cv_pipeline.training.mining import read_round, round_file, search, write_round
from cv_pipeline.training.module import CraterModule

Precision = Literal["bf16-mixed", "16-mixed", "32-true"]
LAST = "last.ckpt"
GRADIENT_CLIP = 2.0
LOG_EVERY_STEPS = 25


@dataclass(frozen=True, slots=True)
class Machine:
    """What a run is computed on; nothing of it is a setting of the model.

    ``accelerator``, ``devices``, ``nodes``, ``strategy`` and ``precision`` are Lightning's. ``workers`` render
    samples beside each process. ``deterministic`` refuses every operation whose result is not repeatable.
    """

    workers: int = 1
    accelerator: str = "auto"
    devices: str = "1"
    nodes: int = 1
    strategy: str = "auto"
    precision: Precision = "bf16-mixed"
    deterministic: bool = False
    max_minutes: float | None = None


def make_trainer(config: TrainConfig, run_dir: Path, machine: Machine, until_step: int) -> L.Trainer:
    """A trainer that goes on to ``until_step``, logs to ``run_dir`` and saves there.

    Raises:
        ConfigError: the machine is not there: no such accelerator, not so many devices.
    """
    done = steps_done(run_dir)
    checkpoints = ModelCheckpoint(
        dirpath=run_dir,
        filename="last",
        every_n_train_steps=config.checkpoint_every,
        save_top_k=1,
        enable_version_counter=False,
    )
    try:
        return L.Trainer(
            accelerator=machine.accelerator,
            devices=int(machine.devices) if machine.devices.isdigit() else machine.devices,
            num_nodes=machine.nodes,
            strategy=_strategy(machine),
            precision=machine.precision,
            deterministic=machine.deterministic,
            max_steps=until_step,
            max_time=timedelta(minutes=machine.max_minutes) if machine.max_minutes else None,
            gradient_clip_val=GRADIENT_CLIP,
            logger=[
                TensorBoardLogger(str(run_dir), name="tensorboard", version="", purge_step=done or None),
                CsvLog(run_dir / "metrics.csv", done),
            ],
            callbacks=[StopInOrder(), DataWait(LOG_EVERY_STEPS), LearningRateMonitor("step"), checkpoints],
            val_check_interval=config.validation_every,
            check_val_every_n_epoch=None,
            num_sanity_val_steps=0,
            log_every_n_steps=LOG_EVERY_STEPS,
            default_root_dir=str(run_dir),
        )
    except (MisconfigurationException, RuntimeError, ValueError, TypeError) as error:
        raise ConfigError(f"this machine cannot train as asked ({machine}): {error}") from error


def _strategy(machine: Machine) -> str:
    """A step trains either what compares dates or what stands in for a missing one, so some weights get no gradient."""
    if machine.strategy == "auto" and machine.devices == "1" and machine.nodes == 1:
        return "auto"
    return "ddp_find_unused_parameters_true" if machine.strategy in ("auto", "ddp") else machine.strategy


def is_first_process() -> bool:
    """Whether this is the one of the processes that train together which writes files; known once training began."""
    return int(getattr(rank_zero_only, "rank", None) or 0) == 0


def steps_done(run_dir: Path) -> int:
    """Optimiser steps of the checkpoint in ``run_dir``; 0 without one."""
    path = run_dir / LAST
    return int(torch.load(path, weights_only=False, map_location="cpu")["global_step"]) if path.exists() else 0


def fit(module: CraterModule, data: L.LightningDataModule, run_dir: Path, machine: Machine, until_step: int) -> bool:
    """Train from ``run_dir``'s checkpoint, if it has one, to ``until_step``, and save one; False if stopped before.

    It stops early, at the end of a step, after ``machine.max_minutes``, on SIGTERM and on Ctrl-C.
    """
    cv2.setNumThreads(0)  # loaders fork, and may hang when OpenCV's threads are up
    run_dir.mkdir(parents=True, exist_ok=True)
    trainer = make_trainer(module.config, run_dir, machine, until_step)
    resume = run_dir / LAST
    trainer.fit(module, datamodule=data, ckpt_path=str(resume) if resume.exists() else None, weights_only=False)
    trainer.save_checkpoint(resume)
    return int(trainer.global_step) >= until_step


def train(config: TrainConfig, data_root: Path, run_dir: Path, machine: Machine) -> CraterModule:
    """Train, resuming from ``run_dir/last.ckpt`` where there is one, and return the module.

    Samples are numbered through the whole run and everything else is in the checkpoint, so a resumed run gives the
    weights that it would have given without a stop (on the same number of processes). Rounds of mining are held
    where ``config.mining`` says.

    Raises:
        ConfigError: the machine is not there, or the run was started with other rounds of mining.
        ImageError: there are no backgrounds.
    """
    L.seed_everything(config.seed, workers=True)
    module = CraterModule(config)
    rounds = [] if config.mining is None else config.mining.at_steps
    for number, until in enumerate([*rounds, config.steps]):
        done = steps_done(run_dir)
        is_round = number < len(rounds)
        if is_round and (done > until or (done == until and round_file(run_dir, until).exists())):
            continue
        hard = tuple(read_round(run_dir, config, step) for step in rounds[:number])
        data = SimulationData(config, data_root, done, hard, machine.workers)
        if not fit(module, data, run_dir, machine, until):
            break
        if is_round:
            _mine(module, data_root, run_dir, machine, until)
    return module


def _mine(module: CraterModule, data_root: Path, run_dir: Path, machine: Machine, step: int) -> None:
    """Hold the round after ``step`` in the first process, while the others wait."""
    mining = module.config.mining
    assert mining is not None
    if is_first_process():
        found = search(module.averaged.module, module.config, mining, data_root, step, machine.workers)
        write_round(run_dir, module.config, step, found)
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.barrier()
