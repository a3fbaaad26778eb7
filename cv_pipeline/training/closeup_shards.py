"""Samples of many scenes, rendered once by several processes and kept in files, so that a stopped run goes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from cv_pipeline.errors import OutputError
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
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    try:
        jobs = {number: pool.submit(_render, config, model, data, paths[number], number) for number in missing}
        for number, path in enumerate(paths):
            if number in jobs:
                jobs[number].result()
            yield path
    finally:  # the shards that have begun become whole, an error is told before hours of others
        pool.shutdown(cancel_futures=True)


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
    whole = joined(found)
    with whole_file(path) as part:
        np.savez(part, **{field.name: getattr(whole, field.name) for field in fields(Samples)})


def read_shards(paths: Sequence[Path]) -> Samples:
    """The samples of several files, at least one, in their order; takes their own size of memory and a file's more.

    Raises:
        OutputError: a file is damaged.
    """
    ends = np.cumsum([0, *(len(_part(path, "crater")) for path in paths)])
    return Samples(**{field.name: _whole(paths, field.name, ends) for field in fields(Samples)})


def _whole(paths: Sequence[Path], name: str, ends: np.ndarray) -> np.ndarray:
    """One field of all files, filled file by file because all samples twice do not fit into memory."""
    first = _part(paths[0], name)
    whole = np.empty((int(ends[-1]), *first.shape[1:]), first.dtype)
    for path, (start, end) in zip(paths, pairwise(ends), strict=True):
        whole[start:end] = _part(path, name)
    return whole


def _part(path: Path, name: str) -> np.ndarray:
    try:
        with np.load(path) as content:
            return np.asarray(content[name])
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise OutputError(f"{path}: is no whole file of samples; delete it, and it is rendered anew") from error
