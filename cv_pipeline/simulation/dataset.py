"""Data sets of simulated scenes: which scenes, from which backgrounds, written by one or many processes.

A scene depends on its number and the settings alone, so neither the number of processes nor their order shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

import cv2
import yaml

from cv_pipeline.errors import GsdError, ImageError
from cv_pipeline.output_dir import staged_output
from cv_pipeline.settings_file import read_settings
from cv_pipeline.simulation.background import Backgrounds, Tile, list_folder, list_tiles
from cv_pipeline.simulation.config import SimulationConfig
from cv_pipeline.simulation.dataset_card import DATASET_FILE, IndexRow, write_cards
from cv_pipeline.simulation.pair import simulate_pair
from cv_pipeline.simulation.pair_scene import pair_facts, scene_of
from cv_pipeline.simulation.scene_files import write_scene

_DEFAULT = SimulationConfig()
Split = Literal["train", "validate"]
SPLITS: tuple[Split, ...] = ("train", "validate")
VALIDATE_EVERY = 5
"""With both splits in one data set, every fifth scene is drawn from the places kept for validation."""


@dataclass(frozen=True, slots=True)
class DatasetSettings:
    """What is in a data set of simulated scenes.

    ``background`` is a folder of images: the layout of ``ucmerced/`` and ``kampala/``, or any other.
    ``background_gsd_m`` is the GSD of those that carry none. ``split`` keeps to the places of one split, or
    takes "all": then each scene keeps to one.
    """

    background: Path
    scenes: int
    seed: int
    size_px: int = 1024
    gsd_m: float = 0.5
    split: str = "all"
    background_gsd_m: float | None = None
    config: SimulationConfig = _DEFAULT


def read_simulation_config(path: Path) -> SimulationConfig:
    """The settings in a YAML file; what it does not name stays as it is by default.

    Raises:
        ConfigError: the file is missing, is no YAML or a setting is unknown or out of range.
    """
    return read_settings(path, SimulationConfig, "valid simulation settings", "give a YAML file with --config")


def simulate_dataset(
    settings: DatasetSettings,
    out_dir: Path,
    overwrite: bool = False,
    workers: int = 1,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[IndexRow]:
    """Write the data set to ``out_dir``; the same settings give byte for byte the same files.

    Args:
        settings: what to simulate.
        out_dir: a new or empty folder, or an earlier data set with ``overwrite``.
        overwrite: whether an earlier data set may be replaced.
        workers: how many processes render.
        progress: called with ("scenes", done, total).

    Returns:
        The rows of ``index.csv``.

    Raises:
        ImageError: there are no background images for the split, or one cannot be read.
        GsdError: a background image carries no GSD and none is stated.
        OutputError: see :func:`cv_pipeline.output_dir.staged_output`.
    """
    tiles = _tiles(settings)
    with staged_output(out_dir, overwrite, marker=DATASET_FILE) as stage:
        rows = []
        for row in _render_all(settings, tiles, stage, workers):
            rows.append(row)
            if progress is not None:
                progress("scenes", len(rows), settings.scenes)
        write_cards(stage, settings, rows)
    return rows


def _tiles(settings: DatasetSettings) -> dict[Split, list[Tile]]:
    """The background images of each wanted split."""
    wanted: tuple[Split, ...] = tuple(split for split in SPLITS if settings.split in (split, "all"))
    folder = settings.background
    if not folder.is_dir():
        raise ImageError(f"{folder}: no such folder; give a folder of background images with --background")
    try:
        if (folder / "ucmerced").is_dir():
            tiles = {split: list_tiles(folder, split) for split in wanted}
        else:
            tiles = {split: list_folder(folder, split, settings.background_gsd_m) for split in wanted}
    except GsdError as error:
        raise GsdError(str(error).replace("--gsd", "--background-gsd")) from error
    if not tiles[wanted[0]]:
        raise ImageError(
            f"{folder}: none of its places falls into the split '{wanted[0]}'; use --split all, or add images of other "
            "places in subfolders of their own"
        )
    return tiles


def _split_of(number: int, tiles: dict[Split, list[Tile]]) -> Split:
    """The split of scene ``number`` (from 1)."""
    if len(tiles) == 1:
        return next(iter(tiles))
    return "validate" if number % VALIDATE_EVERY == 0 and tiles["validate"] else "train"


def _render_all(
    settings: DatasetSettings, tiles: dict[Split, list[Tile]], stage: Path, workers: int
) -> Iterator[IndexRow]:
    """Render and write every scene, in order."""
    numbers = range(1, settings.scenes + 1)
    renderer = _Renderer(settings, tiles, stage)
    if workers <= 1:
        yield from map(renderer.render, numbers)
        return
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        yield from pool.map(renderer.render, numbers)


class _Renderer:
    """Renders scenes of one data set; goes to worker processes whole, as backgrounds are read where needed."""

    def __init__(self, settings: DatasetSettings, tiles: dict[Split, list[Tile]], stage: Path) -> None:
        self._settings, self._tiles, self._stage = settings, tiles, stage
        self._backgrounds = {split: Backgrounds(listed) for split, listed in tiles.items()}

    def render(self, number: int) -> IndexRow:
        """Write the folder of scene ``number`` (from 1)."""
        settings, split = self._settings, _split_of(number, self._tiles)
        seed = settings.seed, number
        threads = cv2.getNumThreads()
        cv2.setNumThreads(1)  # the same sums in the same order whatever the machine; and workers fill the cores
        try:
            shape = settings.size_px, settings.size_px
            pair = simulate_pair(self._backgrounds[split], seed, shape, settings.gsd_m, settings.config)
            scene = scene_of(pair, number)
        finally:
            cv2.setNumThreads(threads)
        name = f"scene_{number:04d}"
        folder = self._stage / name
        folder.mkdir()
        write_scene(folder, scene)
        facts: dict[str, Any] = {"scene": name, "seed": list(seed), "split": split, **pair_facts(pair, scene)}
        text = yaml.safe_dump(facts, sort_keys=False, allow_unicode=True, width=110)
        (folder / "scene.yaml").write_text(text, encoding="utf-8")
        return IndexRow.of(name, split, scene, pair)
