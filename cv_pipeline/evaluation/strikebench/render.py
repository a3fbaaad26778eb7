"""Renders strikebench as ordinary files and checks that they are what the specification's version had.

The hash of a scene is over what its files say (decoded pixels, place on the map, text), so that it does not depend on
the version of a compression library.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import rasterio
import yaml

from cv_pipeline.errors import ConfigError
from cv_pipeline.evaluation.scenes import Half, half_of
from cv_pipeline.evaluation.strikebench.spec import FOLDER, SceneKey, Spec, scene_keys
from cv_pipeline.output_dir import check_output_dir, put_in_place
from cv_pipeline.simulation.background import Backgrounds, list_tiles
from cv_pipeline.simulation.pair import simulate_pair
from cv_pipeline.simulation.pair_scene import pair_facts, scene_of
from cv_pipeline.simulation.scene_files import write_scene

MARKER = "strikebench.yaml"
"""By this file a rendered set is recognised."""

ROWS = "rows.jsonl"
"""Scenes that are finished, one a line; what an interrupted rendering goes on from."""

SCENE_COLUMNS = ("scene", "split", "condition", "gsd_m", "strikes", "structures", "places")


@dataclass(frozen=True, slots=True)
class Renderer:
    """Renders scenes into a folder; goes to worker processes whole, as backgrounds are read where needed."""

    spec: Spec
    folder: Path
    backgrounds: Path = FOLDER / "backgrounds"

    def render(self, job: tuple[int, SceneKey]) -> dict[str, Any]:
        """Write the folder of one scene and return its row of ``scenes.csv``; ``job`` is (number on the map, scene)."""
        number, key = job
        condition = self.spec.conditions[key.condition]
        backgrounds = Backgrounds(half_of(list_tiles(self.backgrounds, "validate"), key.half))
        shape = condition.size_px, condition.size_px
        threads = cv2.getNumThreads()
        cv2.setNumThreads(1)  # the same sums in the same order whatever the machine; and workers fill the cores
        try:
            pair = simulate_pair(
                backgrounds, key.seed(self.spec), shape, condition.gsd_m, self.spec.config(key.condition)
            )
            scene = scene_of(pair, number)
        finally:
            cv2.setNumThreads(threads)
        folder = self.folder / f".{key.name}.part"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        write_scene(folder, scene)
        facts = {"scene": key.name, "split": str(key.half), "condition": key.condition, **pair_facts(pair, scene)}
        text = yaml.safe_dump(facts, sort_keys=False, allow_unicode=True, width=110)
        (folder / "scene.yaml").write_text(text, encoding="utf-8")
        folder.rename(self.folder / key.name)
        values = (
            key.name, str(key.half), key.condition, condition.gsd_m, len(scene.strikes), len(scene.structures),
            "|".join(pair.places),
        )  # fmt: skip
        return dict(zip(SCENE_COLUMNS, values, strict=True))


def render_set(
    spec: Spec,
    name: str,
    out_dir: Path,
    *,
    workers: int = 1,
    resume: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, str]:
    """Write a set to ``out_dir`` (an earlier one there is replaced) and return the hash of each scene.

    With ``resume`` scenes are kept that an interrupted rendering left, or the whole set where it is there, if the
    first of them is still drawn as it was.

    Raises:
        ConfigError: there is no such set.
        ImageError: the backgrounds are missing.
        OutputError: ``out_dir`` holds something else.
    """
    # A scene lies where its number puts it on the map: that of the full set, so that a scene is the same in each set.
    places = {key: number for number, key in enumerate(scene_keys(spec, max(spec.sets, key=_size_in(spec))), start=1)}
    jobs = [(places[key], key) for key in scene_keys(spec, name)]
    check_output_dir(out_dir, overwrite=True, marker=MARKER)
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    if resume and _kept(spec, jobs, out_dir) == len(jobs):
        return {key.name: scene_hash(out_dir / key.name) for _, key in jobs}
    work = out_dir.with_name(f".{out_dir.name}.rendering")
    if not (resume and _kept(spec, jobs, work)):
        shutil.rmtree(work, ignore_errors=True)
    work.mkdir(exist_ok=True)
    with (work / ROWS).open("a", encoding="utf-8") as done:
        left = [job for job in jobs if job[1].name not in _rows(work)]
        for number, row in enumerate(_each(Renderer(spec, work), left, workers), start=len(jobs) - len(left) + 1):
            done.write(json.dumps(row) + "\n")
            done.flush()
            if progress is not None:
                progress(number, len(jobs))
    rows = _rows(work)
    _write_index(work, spec, name, [rows[key.name] for _, key in jobs])
    put_in_place(work.absolute(), out_dir.absolute())
    return {key.name: scene_hash(out_dir / key.name) for _, key in jobs}


def _rows(folder: Path) -> dict[str, dict[str, Any]]:
    """Finished scenes by name; a last line that was cut short is left out."""
    path, found = folder / ROWS, {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if (folder / row["scene"]).is_dir():
            found[row["scene"]] = row
    return found


def _kept(spec: Spec, jobs: Sequence[tuple[int, SceneKey]], folder: Path) -> int:
    """How many of these scenes are in a folder; 0 where the first of them would be drawn otherwise today."""
    rows = _rows(folder)
    there = [job for job in jobs if job[1].name in rows]
    if not there:
        return 0
    with tempfile.TemporaryDirectory() as name:
        Renderer(spec, Path(name)).render(there[0])
        same = scene_hash(Path(name) / there[0][1].name) == scene_hash(folder / there[0][1].name)
    return len(there) if same else 0


def _size_in(spec: Spec) -> Callable[[str], int]:
    return lambda name: sum(sum(counts.values()) for counts in spec.sets[name].values())


def _each(renderer: Renderer, jobs: Sequence[tuple[int, SceneKey]], workers: int) -> Iterable[dict[str, Any]]:
    if workers <= 1:
        yield from map(renderer.render, jobs)
        return
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        yield from pool.map(renderer.render, jobs)


def _write_index(folder: Path, spec: Spec, name: str, rows: Sequence[dict[str, Any]]) -> None:
    with (folder / "scenes.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, SCENE_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    facts = {
        "name": "strikebench",
        "version": spec.version,
        "set": name,
        "format": "simulated",
        "kind": "simulated; nothing in it is an observation of a real strike",
        "scenes": {str(half): sum(row["split"] == half for row in rows) for half in Half},
    }
    (folder / MARKER).write_text(yaml.safe_dump(facts, sort_keys=False), encoding="utf-8")


def scene_hash(folder: Path) -> str:
    """SHA-256 over the contents of a scene's files, in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        digest.update(path.name.encode())
        if path.suffix == ".tif":
            with rasterio.open(path) as file:
                digest.update(repr((file.dtypes, file.shape, tuple(file.transform)[:6], file.descriptions)).encode())
                digest.update(file.read().tobytes())
        else:
            digest.update(path.read_bytes())
    return digest.hexdigest()


def set_hash(hashes: Mapping[str, str]) -> str:
    """One SHA-256 over those of all scenes of a set."""
    return hashlib.sha256(json.dumps(sorted(hashes.items())).encode()).hexdigest()


MANIFEST = FOLDER / "manifest.json"


def write_manifest(spec: Spec, hashes: dict[str, str], path: Path = MANIFEST) -> None:
    """Keep the hashes of scenes beside those of the same version that are kept already."""
    kept: dict[str, Any] = _read_manifest(path) if path.is_file() else {"version": 0, "sha256": {}}
    known: dict[str, str] = kept["sha256"] if kept["version"] == spec.version else {}
    content = {"version": spec.version, "sha256": dict(sorted({**known, **hashes}.items()))}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


class Checked(NamedTuple):
    """Scenes that are not as the manifest has them, and those that it does not have."""

    differ: list[str]
    unknown: list[str]


def check_manifest(spec: Spec, hashes: dict[str, str], path: Path = MANIFEST) -> Checked:
    """Compare hashes of rendered scenes with the manifest.

    Raises:
        ConfigError: there is no manifest, or it is of another version.
    """
    kept = _read_manifest(path)
    if kept["version"] != spec.version:
        raise ConfigError(
            f"{path}: is of version {kept['version']}, the specification is {spec.version}; render with --accept"
        )
    known = kept["sha256"]
    differ = [name for name, value in hashes.items() if name in known and known[name] != value]
    return Checked(differ, [name for name in hashes if name not in known])


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        int(kept["version"])
        dict(kept["sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path}: no manifest ({error}); restore it from the repository") from error
    return kept
