"""Training of a network of others: one loop, resumable, over the simulated samples that our models are trained on."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import torch
import yaml
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from cv_pipeline.errors import ConfigError, ModelError
from cv_pipeline.evaluation.baselines.config import NetworksConfig
from cv_pipeline.evaluation.baselines.networks import ARCHITECTURES
from cv_pipeline.output_dir import whole_file
from cv_pipeline.segmentation.losses import mask_loss
from cv_pipeline.training.data import training_stream
from cv_pipeline.training.loaders import make_loader
from cv_pipeline.training.planes import Plane

CHECKPOINT, WEIGHTS, FACTS = "last.ckpt", "weights.safetensors", "network.yaml"
_WARM_UP_SHARE, _LAST_RATE, _GRADIENT_CLIP = 0.05, 0.01, 2.0

Told = Callable[[int, float], None]
"""Of the steps done and the loss of the last one."""


class Trained(NamedTuple):
    """A network with its weights, ready for inference, and what is known of them."""

    net: nn.Module
    name: str
    steps: int
    working_gsd_m: float
    weights_sha256: str


def rate_share(step: int, steps: int) -> float:
    """The learning rate at a step as a share of the highest: a linear warm-up, then a cosine to 1 %."""
    warm_up = max(round(steps * _WARM_UP_SHARE), 1)
    if step < warm_up:
        return (step + 1) / warm_up
    progress = min((step - warm_up) / max(steps - warm_up, 1), 1.0)
    return _LAST_RATE + (1 - _LAST_RATE) * 0.5 * (1 + math.cos(math.pi * progress))


def crater_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross-entropy and Dice of the crater mask where truth is known.

    Args:
        logits: (batch, height, width).
        truth: (batch, planes, height, width), see :mod:`cv_pipeline.training.planes`.
    """
    true = dict(zip(Plane, truth.unbind(1), strict=True))
    crater = true[Plane.CRATER]
    return mask_loss(logits, crater.nan_to_num(0.0), true[Plane.VISIBLE].nan_to_num(0.0) * (~crater.isnan()).float())


def train_network(
    name: str,
    config: NetworksConfig,
    backgrounds: Path,
    folder: Path,
    *,
    workers: int = 1,
    until_step: int | None = None,
    told: Told = lambda _step, _loss: None,
) -> int:
    """Train from ``folder``'s checkpoint, if it has one, and return the steps done; write the weights at the end.

    Samples are numbered through the run and chance is seeded by the step, so a run that was stopped gives the weights
    that it would have given without.

    Args:
        name: one of :data:`.networks.ARCHITECTURES`.
        config: the budget.
        backgrounds: folder with the places for training.
        folder: where the checkpoint and, after the last step, the weights lie.
        workers: processes that render beside this one; 0 renders in this one.
        until_step: stop here, to go on another time.
        told: called after each step.

    Raises:
        ConfigError: the checkpoint is of other settings, or is no checkpoint.
        ImageError: there are no backgrounds.
    """
    cv2.setNumThreads(0)  # loaders fork, and may hang when OpenCV's threads are up
    torch.manual_seed(config.seed)
    net = ARCHITECTURES[name].build().to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(net.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    done, last = _resume(folder / CHECKPOINT, net, optimizer, config), min(until_step or config.steps, config.steps)
    settings = config.stream_config()
    length = max(last - done, 0) * config.batch_size
    stream = training_stream(settings, backgrounds, done * config.batch_size, length)
    for batch in make_loader(stream, config.batch_size, workers):
        torch.manual_seed(config.seed * 1_000_003 + done)  # dropout
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * rate_share(done, config.steps)
        after, before = (batch[date].contiguous(memory_format=torch.channels_last) for date in ("after", "before"))
        with torch.autocast("cpu", torch.bfloat16):
            logits = net(after, before)
        loss = crater_loss(logits.float(), batch["truth"])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(net.parameters(), _GRADIENT_CLIP)
        optimizer.step()
        done += 1
        told(done, loss.item())
        if done % config.checkpoint_every == 0 or done == last:
            _save(folder / CHECKPOINT, net, optimizer, done, config)
    if done >= config.steps:
        _write_weights(name, net, done, config, folder)
    return done


def _save(path: Path, net: nn.Module, optimizer: torch.optim.Optimizer, done: int, config: NetworksConfig) -> None:
    state = {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "done": done, "config": _facts(config)}
    with whole_file(path) as unfinished:
        torch.save(state, unfinished)


def _resume(path: Path, net: nn.Module, optimizer: torch.optim.Optimizer, config: NetworksConfig) -> int:
    if not path.exists():
        return 0
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)  # our own file, and even so no code in it
        if state["config"] != _facts(config):
            raise ConfigError(f"{path}: is of other settings; remove it to start anew, or take those settings")
        net.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimizer"])
        return int(state["done"])
    except (KeyError, RuntimeError, ValueError, TypeError) as error:
        raise ConfigError(f"{path}: is no checkpoint of this network ({error}); remove it to start anew") from error


def _facts(config: NetworksConfig) -> dict[str, Any]:
    return config.model_dump(mode="json", exclude={"networks", "checkpoint_every"})


def _write_weights(name: str, net: nn.Module, done: int, config: NetworksConfig, folder: Path) -> None:
    """Weights, and beside them what they are."""
    data = save({key: value.detach().contiguous() for key, value in net.state_dict().items()})
    (folder / WEIGHTS).write_bytes(data)
    facts = {
        "name": name,
        "steps": done,
        "weights_sha256": hashlib.sha256(data).hexdigest(),
        "settings": config.model_dump(mode="json", exclude={"networks", "checkpoint_every", "simulation"}),
    }
    (folder / FACTS).write_text(yaml.safe_dump(facts, sort_keys=False), encoding="utf-8")


def load_trained(folder: Path) -> Trained:
    """A network that :func:`train_network` has finished.

    Raises:
        ModelError: it has not, or its weights are not those that were written.
    """
    try:
        facts = yaml.safe_load((folder / FACTS).read_text(encoding="utf-8"))
        data = (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise ModelError(
            f"{error.filename}: cannot be read ({error.strerror}); train the network: scripts/strikebench.py train"
        ) from error
    digest = hashlib.sha256(data).hexdigest()
    try:
        if digest != facts["weights_sha256"]:
            raise ModelError(f"{folder / WEIGHTS}: does not match the hash in {FACTS}; train the network anew")
        net = ARCHITECTURES[facts["name"]].build()
        net.load_state_dict(load(data))
        gsd_m = float(facts["settings"]["working_gsd_m"])
        return Trained(net.eval(), facts["name"], int(facts["steps"]), gsd_m, digest)
    except (KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"{folder}: holds no network that can be used ({error}); train it anew") from error
