"""Scores one detector on a rendered set of strikebench: a baseline, a model, or a file of detections."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cv_pipeline.config import AssessConfig
from cv_pipeline.datasets.scene import DataScene, RasterBand
from cv_pipeline.datasets.simulated import SimulatedDataset
from cv_pipeline.evaluation.asked import ask
from cv_pipeline.evaluation.found import NOTHING, Found, read_found
from cv_pipeline.evaluation.results import write_results
from cv_pipeline.evaluation.scenes import Half
from cv_pipeline.evaluation.scorecard import scorecard
from cv_pipeline.evaluation.scored import score_scene, stated_classes
from cv_pipeline.evaluation.strikebench.classical import CLASSICAL, Detector
from cv_pipeline.evaluation.strikebench.leaderboard import model_hash
from cv_pipeline.evaluation.strikebench.tuning import Tuned, images_of, run, tune
from cv_pipeline.segmentation.zoo import find_model, read_model_file

Told = Callable[[str], None]


class Detected(NamedTuple):
    """What a detector found in the scenes it is judged on; ``what`` describes it for the leaderboard."""

    what: dict[str, Any]
    found: dict[str, Found]
    threshold: float
    masks: dict[str, dict[str, RasterBand]]
    registration_px: dict[str, float | None]


def judged_scenes(folder: Path) -> list[DataScene]:
    """The scenes of a rendered set on which detectors are judged.

    Raises:
        LabelsError: the set is not rendered.
    """
    return [scene for scene in SimulatedDataset(folder).scenes() if scene.split == Half.JUDGE]


def fit_scenes(folder: Path) -> list[DataScene]:
    """The scenes of a rendered set on which a detector may choose its settings."""
    return [scene for scene in SimulatedDataset(folder).scenes() if scene.split == Half.FIT]


def detect_classical(folder: Path, name: str) -> Detected:
    """Tune a detector without learning on the fit half and run it on the other."""
    detector = CLASSICAL[name]
    tuned = tune(detector, fit_scenes(folder))
    what = {"name": name, "kind": "without learning", **_tuned_facts(detector, tuned)}
    return Detected(what, run(detector, tuned, judged_scenes(folder)), round(tuned.threshold, 4), {}, {})


def detect_network(folder: Path, trained_dir: Path, work: Path) -> Detected:
    """Choose a trained network's settings on the fit half and run it on the other; its masks go to ``work``.

    Raises:
        ModelError: it has not been trained.
    """
    from cv_pipeline.evaluation.baselines.detect import NetworkMaps, network_detector, write_mask
    from cv_pipeline.evaluation.baselines.train import load_trained

    trained = load_trained(trained_dir)
    maps = NetworkMaps(trained)
    detector = network_detector(trained, maps)
    tuned = tune(detector, fit_scenes(folder))
    scenes = judged_scenes(folder)
    found = run(detector, tuned, scenes)
    masks = {}
    for scene in scenes:
        mask = maps(*images_of(scene), scene.gsd_m or 1.0) >= tuned.settings["mask_threshold"]
        masks[scene.name] = {"crater": write_mask(work / f"{scene.name}.tif", scene, mask)}
    what = {
        "name": trained.name,
        "kind": "network of others, trained here",
        **_tuned_facts(detector, tuned),
        "hash": trained.weights_sha256,
    }
    return Detected(what, found, round(tuned.threshold, 4), masks, {})


def _tuned_facts(detector: Detector, tuned: Tuned) -> dict[str, Any]:
    return {
        "about": detector.about,
        "images": "both dates" if detector.uses_before else "after",
        "settings": tuned.settings,
        "fit_f1": round(tuned.f1, 4),
        "combinations_tried": tuned.tried,
    }


def detect_model(folder: Path, model: str, work: Path, *, use_before: bool, threads: int, told: Told) -> Detected:
    """Run a model as a whole run does.

    Raises:
        ModelError: there is no such model.
    """
    from cv_pipeline.evaluation.modelled import run_model

    model_dir = find_model(model)
    described = read_model_file(model_dir)
    what = {
        "name": described.name if use_before else f"{described.name}, after only",
        "kind": "this project's network and pipeline",
        "about": f"{described.encoder}, {described.steps} steps",
        "images": "both dates" if use_before else "after",
        "model": described.name,
        "hash": model_hash(model_dir),
    }
    detected = Detected(what, {}, described.score_threshold, {}, {})
    config = AssessConfig(model=model, threads=threads)
    for scene, result in run_model(judged_scenes(folder), config, work / "masks", use_before=use_before):
        told(scene.name)
        detected.found[scene.name] = result.found
        detected.masks[scene.name] = dict(result.masks)
        detected.registration_px[scene.name] = result.registration_error_px
    return detected


def detect_file(folder: Path, path: Path, name: str, threshold: float) -> Detected:
    """Detections of another tool.

    Raises:
        ConfigError: the file cannot be used.
    """
    what = {"name": name, "kind": "detections of another tool", "about": path.name, "images": "not stated"}
    return Detected(what, read_found(path, judged_scenes(folder)), threshold, {}, {})


class Subject(NamedTuple):
    """A detector of this project, by what tells that it is still the same."""

    name: str
    hash: str | None
    model_name: str | None = None
    after_only: bool = False

    @classmethod
    def baseline(cls, name: str, networks_dir: Path) -> Subject:
        """One without learning, or a network of others that was trained there."""
        described = networks_dir / name / "network.yaml"
        return cls(name, hashlib.sha256(described.read_bytes()).hexdigest() if described.is_file() else None)

    @classmethod
    def model(cls, name: str, *, after_only: bool) -> Subject:
        """A model of this project.

        Raises:
            ModelError: there is no such model.
        """
        folder = find_model(name)
        label = read_model_file(folder).name
        return cls(f"{label}, after only" if after_only else label, model_hash(folder), name, after_only)

    def detect(self, folder: Path, networks_dir: Path, work: Path, *, threads: int, told: Told) -> Detected:
        """What it finds in a rendered set; masks go to ``work``.

        Raises:
            ModelError: the network has not been trained, or the model cannot be used.
        """
        if self.model_name is not None:
            return detect_model(
                folder, self.model_name, work, use_before=not self.after_only, threads=threads, told=told
            )
        if self.name in CLASSICAL:
            return detect_classical(folder, self.name)
        return detect_network(folder, networks_dir / self.name, work)


def label_of(name: str) -> str:
    """A detector's name as part of a path."""
    return "".join(c if c.isalnum() else "_" for c in name)


def score(
    scenes: Sequence[DataScene], detected: Detected, out_dir: Path, made: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Score what was found, write ``out_dir``, return the scorecard; ``made`` tells :func:`finished` what was run."""
    classes = stated_classes(detected.found.values())
    scored = [
        score_scene(
            ask(scene),
            detected.found.get(scene.name, NOTHING),
            detected.threshold,
            classes=classes,
            masks=detected.masks.get(scene.name),
            registration_error_px=detected.registration_px.get(scene.name),
        )
        for scene in scenes
    ]
    card = scorecard(scored, detected.threshold)
    write_results(out_dir, {"what": detected.what, "made": dict(made or {}), **card}, scored, detected.found)
    return card


def finished(out_dir: Path, made: Mapping[str, Any]) -> dict[str, Any] | None:
    """What an earlier :func:`score` wrote to ``out_dir``, if it was of the same run in everything but its time."""
    try:
        document: dict[str, Any] = json.loads((out_dir / "evaluation.json").read_text(encoding="utf-8"))
        before = {name: value for name, value in document["made"].items() if name != "seconds"}
    except (OSError, ValueError, KeyError, AttributeError):
        return None
    return document if before == dict(made) else None
