"""Training of a close-up network on rendered samples: a plain loop that can be stopped and goes on exactly."""

from __future__ import annotations

import math
import time
from pathlib import Path
from pickle import UnpicklingError
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from cv_pipeline.errors import ConfigError
from cv_pipeline.output_dir import whole_file
from cv_pipeline.patterns.closeup.network import CloseUpNet
from cv_pipeline.patterns.closeup.pictures import BEFORE, BEFORE_SEEN
from cv_pipeline.segmentation.backend import has_bf16
from cv_pipeline.training.averaging import averaged_copy
from cv_pipeline.training.closeup_config import CloseupConfig
from cv_pipeline.training.closeup_losses import Truth, closeup_losses, total
from cv_pipeline.training.closeup_samples import Samples

CHECKPOINT_EVERY, REPORT_EVERY = 500, 250
_EMA_DECAY = 0.999
_WARM_UP = 200
_ALONE_SHARE = 0.2
"""Share of the samples with a before image that are shown without it."""
_GAIN_SD = 0.04


def train_closeup(config: CloseupConfig, samples: Samples, path: Path) -> CloseUpNet:
    """The network with the averaged weights of all steps.

    Args:
        config: length and rates.
        samples: at least a batch of them.
        path: checkpoint, written on the way and gone on from where it exists; nobody looks whether it is of these
            settings and samples.

    Raises:
        ConfigError: there are fewer samples than a batch, or the checkpoint is damaged or of another network.
    """
    if len(samples.crater) < config.batch_size:
        raise ConfigError(f"{len(samples.crater)} samples are too few for batch_size {config.batch_size}; render more")
    torch.manual_seed(config.seed)
    net = CloseUpNet()
    averaged = averaged_copy(net, _EMA_DECAY)
    optimiser = torch.optim.AdamW(net.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    first = _taken_up(path, net, averaged, optimiser) if path.exists() else 0
    begun, sums = time.monotonic(), dict[str, float]()
    for step in range(first, config.steps):
        for group in optimiser.param_groups:
            group["lr"] = config.learning_rate * _rate(step, config.steps)
        near, wide, truth = _batch(samples, config, step)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=has_bf16()):
            answers = net(near, wide)
        losses = closeup_losses(answers, truth)
        optimiser.zero_grad(set_to_none=True)
        total(losses).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        averaged.update_parameters(net)
        for name, loss in losses.items():
            sums[name] = sums.get(name, 0.0) + float(loss.detach())
        if (step + 1) % REPORT_EVERY == 0:
            told = ", ".join(f"{name} {value / REPORT_EVERY:.3f}" for name, value in sums.items())
            print(f"step {step + 1} of {config.steps}, {time.monotonic() - begun:.0f} s: {told}", flush=True)
            sums.clear()
        if (step + 1) % CHECKPOINT_EVERY == 0 or step + 1 == config.steps:
            state = {"net": net.state_dict(), "averaged": averaged.state_dict(), "optimiser": optimiser.state_dict()}
            with whole_file(path) as part:
                torch.save(state | {"step": step + 1}, part)
    return cast("CloseUpNet", averaged.module.eval())


def _taken_up(path: Path, net: CloseUpNet, averaged: AveragedModel, optimiser: torch.optim.Optimizer) -> int:
    """Set all to a checkpoint's state; the steps that were taken until then."""
    try:
        state = torch.load(path, weights_only=True)
        net.load_state_dict(state["net"])
        averaged.load_state_dict(state["averaged"])
        optimiser.load_state_dict(state["optimiser"])
        return int(state["step"])
    except (OSError, EOFError, KeyError, RuntimeError, ValueError, UnpicklingError) as error:
        raise ConfigError(
            f"{path}: is no checkpoint of this network; delete it to begin anew, or name another --run-dir"
        ) from error


def _rate(step: int, steps: int) -> float:
    """Share of the learning rate: a short rise, then half a cosine."""
    return min(1.0, (step + 1) / _WARM_UP) * (0.5 + 0.5 * math.cos(math.pi * step / steps))


def _batch(samples: Samples, config: CloseupConfig, step: int) -> tuple[Tensor, Tensor, Truth]:
    """The batch of a step, the same whenever it is drawn: turned, mirrored, in other tones, some without before."""
    rng = np.random.default_rng((config.seed, step, 47))
    which = np.sort(rng.choice(len(samples.crater), config.batch_size, replace=False))
    near, wide = (torch.from_numpy(getattr(samples, name)[which]) for name in ("near", "wide"))
    truth = Truth(*(torch.from_numpy(getattr(samples, name)[which]).float() for name in Truth._fields))
    near, wide, truth = turned(near, wide, truth, int(rng.integers(4)), mirror=bool(rng.random() < 0.5))
    alone = torch.from_numpy(rng.random(config.batch_size) < _ALONE_SHARE)
    gain = torch.from_numpy(np.exp(rng.normal(0, _GAIN_SD, (config.batch_size, 6, 1, 1))).astype(np.float32))
    return _toned(near, alone, gain), _toned(wide, alone, gain), _without_before(truth, alone)


def turned(near: Tensor, wide: Tensor, truth: Truth, quarters: int, *, mirror: bool) -> tuple[Tensor, Tensor, Truth]:
    """Pictures turned to the left by quarters of a circle, then mirrored east to west, and vectors with them."""
    near, wide = (torch.rot90(p, quarters, dims=(2, 3)) for p in (near, wide))
    if mirror:
        near, wide = (p.flip(3) for p in (near, wide))
    angle = quarters * math.pi / 2
    turn = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    matrix = (torch.diag(torch.tensor([-1.0, 1.0])) if mirror else torch.eye(2)) @ turn
    moved = {name: getattr(truth, name) @ matrix.T for name in ("centre_m", "axis", "twin_m")}
    return near, wide, truth._replace(**moved)


def _toned(picture: Tensor, alone: Tensor, gain: Tensor) -> Tensor:
    """Pictures of 0 to 255 as floats in other tones; those of ``alone`` without the before image."""
    values = picture.float()
    values[:, :6] *= gain
    values[alone, BEFORE] = 0
    values[alone, BEFORE_SEEN] = 0
    return values


def _without_before(truth: Truth, alone: Tensor) -> Truth:
    return truth._replace(new=torch.where(alone, torch.nan, truth.new))
