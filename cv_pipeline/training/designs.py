"""Networks of different design trained for equally long, and what each finds on simulated places held out."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from torch.utils.flop_counter import FlopCounterMode

from cv_pipeline.evaluation.figures import figures
from cv_pipeline.evaluation.judge import judge
from cv_pipeline.evaluation.scenes import HeldOutScene
from cv_pipeline.segmentation.backend import TorchBackend
from cv_pipeline.segmentation.network import INPUT_CHANNELS, CraterNet
from cv_pipeline.segmentation.zoo import ModelFile, ModelSettings
from cv_pipeline.training.config import TrainConfig
from cv_pipeline.training.run import Machine, train

_SIDE_PX = 256


class DesignOutcome(NamedTuple):
    """One design after its training."""

    design: str
    steps: int
    cpu_minutes: float
    """Of this process: rendering in other processes is left out, a run that was resumed counts its last part only."""
    parameters: int
    gflop_per_megapixel: float
    """Of a forward pass over a pair."""
    figures: dict[str, Any]
    """By mode, as :func:`~cv_pipeline.evaluation.figures.figures`, uncalibrated."""


def forward_gflop_per_megapixel(net: CraterNet) -> float:
    """Floating-point operations of a pair's forward pass, in 1e9 per megapixel of the working grid."""
    image = torch.zeros(1, INPUT_CHANNELS, _SIDE_PX, _SIDE_PX)
    counter = FlopCounterMode(display=False)
    with torch.inference_mode(), counter:
        net(image, image)
    return float(counter.get_total_flops()) / _SIDE_PX**2 / 1e3


def run_design(
    design: str, config: TrainConfig, backgrounds: Path, scenes: list[HeldOutScene], run_dir: Path, workers: int
) -> DesignOutcome:
    """Train ``config`` (or go on where it stopped) and score its averaged weights on ``scenes``, both modes."""
    start = time.process_time()
    module = train(config, backgrounds, run_dir, Machine(workers=workers))
    minutes = (time.process_time() - start) / 60
    net = cast("CraterNet", module.averaged.module).float().eval()
    model = ModelFile(
        **{name: getattr(config, name) for name in ModelSettings.model_fields},
        score_threshold=0.5,
        steps=module.steps_done,
        seed=config.seed,
        weights_sha256="of a run",
    )
    judged = judge(scenes, TorchBackend(net, None, "auto"), model)
    return DesignOutcome(
        design,
        module.steps_done,
        minutes,
        sum(parameter.numel() for parameter in net.parameters()),
        forward_gflop_per_megapixel(net),
        {"pair": figures(judged.pair, 0.5), "after_only": figures(judged.after_only, 0.5)},
    )
