"""Samples of many scenes, rendered once by several processes and kept in files, so that a stopped run goes on."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from cv_pipeline.output_dir import whole_file
from cv_pipeline.training.closeup_config import CloseupConfig
from cv_pipeline.training.closeup_samples import Samples, joined, scene_samples, simulate
from cv_pipeline.training.mix import evenly

_PAIRED_STEP = int(2**64 * 0.6180339887498949)  # the golden ratio: every stretch of scenes has its share of pairs


def render_shards(config: CloseupConfig, model: Path, data: Path, folder: Path, workers: int) -> Iterator[Path]:
    """Files of all shards in their order, made by ``workers`` processes where they are not there yet.

    Args:
        config: what is rendered.
        model: folder of the model whose maps and false alarms are learnt from.
        data: folder with ucmerced/ and kampala/.
        folder: where the files are kept; its name ought to tell the settings, which are not looked at again.
        workers: processes.
    """
    count = -(-config.scenes // config.shard_scenes)
    paths = [folder / f"shard_{number:04d}.npz" for number in range(count)]
    missing = [number for number in range(count) if not paths[number].exists()]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        jobs = {number: pool.submit(_render, config, model, data, paths[number], number) for number in missing}
        for number, path in enumerate(paths):
            if number in jobs:
                jobs[number].result()
            yield path


def _render(config: CloseupConfig, model: Path, data: Path, path: Path, number: int) -> None:
    """Write one shard; runs in a process of its own."""
    import cv2
    import torch

    from cv_pipeline.segmentation.onnx_backend import load_backend
    from cv_pipeline.segmentation.zoo import read_model_file
    from cv_pipeline.simulation.background import Backgrounds, list_tiles

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    file = read_model_file(model)
    backend, backgrounds = load_backend(model, file), Backgrounds(list_tiles(data, "train"))
    found = []
    first = number * config.shard_scenes
    for scene in range(first, min(first + config.shard_scenes, config.scenes)):
        paired = evenly(scene, _PAIRED_STEP) < config.paired_share
        pair = simulate(backgrounds, (config.seed, scene), config.simulation)
        samples = scene_samples(pair, backend, file.info(), paired=paired, seed=scene)
        chosen = np.random.default_rng((config.seed, scene, 43)).permutation(len(samples.crater))
        found.append(samples.take(np.sort(chosen[: config.most_samples])))
    with whole_file(path) as part:
        np.savez(part, **{field.name: getattr(joined(found), field.name) for field in fields(Samples)})


def read_shards(paths: list[Path]) -> Samples:
    """The samples of several files, at least one."""
    found = []
    for path in paths:
        with np.load(path) as content:
            found.append(Samples(**{field.name: content[field.name] for field in fields(Samples)}))
    return joined(found)
