"""One training run from settings to a model folder."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import cv2
import lightning as L
import torch
from lightning.pytorch.callbacks import LearningRateMonitor, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from torch.utils.data import DataLoader

from cv_pipeline.training.config import TrainConfig
from cv_pipeline.training.data import training_stream, validation_stream
from cv_pipeline.training.module import CraterModule


def _trainer(config: TrainConfig, run_dir: Path, max_minutes: float | None) -> L.Trainer:
    checkpoints = ModelCheckpoint(
        dirpath=run_dir,
        filename="last",
        every_n_train_steps=config.checkpoint_every,
        save_top_k=1,
        enable_version_counter=False,
    )
    return L.Trainer(
        max_steps=config.steps,
        max_time=timedelta(minutes=max_minutes) if max_minutes else None,
        precision="bf16-mixed",
        gradient_clip_val=2.0,
        logger=[
            TensorBoardLogger(str(run_dir), name="tensorboard", version=""),
            CSVLogger(str(run_dir), name="csv", version=""),
        ],
        callbacks=[checkpoints, LearningRateMonitor("step")],
        val_check_interval=config.validation_every,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        log_every_n_steps=25,
        default_root_dir=str(run_dir),
    )


def train(
    config: TrainConfig, data_root: Path, run_dir: Path, *, workers: int, max_minutes: float | None
) -> CraterModule:
    """Train, resuming from ``run_dir/last.ckpt`` where there is one, and return the module.

    Samples are numbered through the whole run, so that a resumed run goes on with the samples that it
    had not seen. ``max_minutes`` stops early at a checkpoint.
    """
    L.seed_everything(config.seed, workers=True)
    cv2.setNumThreads(0)  # loaders fork, and may hang when OpenCV's threads are up
    module = CraterModule(config)
    resume = run_dir / "last.ckpt"
    done = int(torch.load(resume, weights_only=False)["global_step"]) if resume.exists() else 0
    rest = training_stream(config, data_root, done * config.batch_size, (config.steps - done) * config.batch_size)
    trainer = _trainer(config, run_dir, max_minutes)
    trainer.fit(
        module,
        DataLoader(rest, batch_size=config.batch_size, num_workers=workers, prefetch_factor=4 if workers else None),
        DataLoader(validation_stream(config, data_root), batch_size=config.batch_size, num_workers=workers),
        ckpt_path=str(resume) if resume.exists() else None,
        weights_only=False,
    )
    trainer.save_checkpoint(resume)
    return module
