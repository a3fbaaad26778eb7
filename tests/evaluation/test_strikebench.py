"""The benchmark: its specification, that it draws the same again, its baselines and its leaderboard."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import rasterio

from cv_pipeline.datasets.simulated import SimulatedDataset
from cv_pipeline.errors import ConfigError
from cv_pipeline.evaluation.scenes import Half
from cv_pipeline.evaluation.strikebench.bench import finished
from cv_pipeline.evaluation.strikebench.classical import CLASSICAL
from cv_pipeline.evaluation.strikebench.leaderboard import (
    NETWORK_BASELINES,
    model_hash,
    read_leaderboard,
    stale_rows,
    write_leaderboard,
)
from cv_pipeline.evaluation.strikebench.render import (
    Checked,
    Renderer,
    check_manifest,
    render_set,
    scene_hash,
    write_manifest,
)
from cv_pipeline.evaluation.strikebench.spec import FOLDER, SceneKey, read_spec, scene_keys
from tests.conftest import texture


def test_the_small_set_is_the_beginning_of_the_full_one() -> None:
    spec = read_spec()
    small, full = (list(scene_keys(spec, name)) for name in ("small", "full"))
    assert set(small) <= set(full)
    assert len({key.name for key in full}) == len(full)
    assert len({key.seed(spec) for key in full}) == len(full)
    with pytest.raises(ConfigError, match="no set"):
        list(scene_keys(spec, "huge"))


def test_a_scene_is_drawn_again_as_it_was_and_read_back(tmp_path: Path) -> None:
    spec, key = read_spec(), SceneKey(Half.JUDGE, "old_craters", 1)
    small = spec.conditions["old_craters"].model_copy(update={"size_px": 96})
    spec = spec.model_copy(update={"conditions": {**spec.conditions, "old_craters": small}})
    hashes = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        Renderer(spec, tmp_path / name).render((1, key))
        hashes.append(scene_hash(tmp_path / name / key.name))
    assert hashes[0] == hashes[1]
    scene = SimulatedDataset(tmp_path / "first").scenes()[0]
    assert (scene.split, scene.condition, scene.gsd_m) == ("judge", "old_craters", 0.5)
    assert scene.place == "" or all("/16" in place for place in scene.place.split("|"))  # the judge half alone
    image = tmp_path / "second" / key.name / "after.tif"
    with rasterio.open(image, "r+") as file:
        pixels = file.read()
        pixels[0, 0, 0] ^= 1
        file.write(pixels)
    assert scene_hash(image.parent) != hashes[0]


def test_an_interrupted_rendering_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = read_spec().conditions["clean"].model_copy(update={"size_px": 64})
    spec = read_spec().model_copy(update={"conditions": {"clean": small}, "sets": {"t": {Half.JUDGE: {"clean": 3}}}})
    drawn: list[str] = []
    original = Renderer.render
    monkeypatch.setattr(
        Renderer,
        "render",
        lambda self, job: drawn.append(job[1].name) or original(self, job),  # type: ignore[func-returns-value]
    )

    def stop(done: int, of: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    whole = render_set(spec, "t", tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        render_set(spec, "t", tmp_path / "part", progress=stop)
    assert not (tmp_path / "part").exists()
    drawn.clear()
    assert render_set(spec, "t", tmp_path / "part", resume=True) == whole
    assert drawn == ["judge-clean-01", "judge-clean-03"]  # the first to see that it is still drawn so, the last anew
    drawn.clear()
    assert render_set(spec, "t", tmp_path / "part", resume=True) == whole
    assert drawn == ["judge-clean-01"]
    other = spec.model_copy(update={"seed": spec.seed + 1})
    assert not set(render_set(other, "t", tmp_path / "part", resume=True).values()) & set(whole.values())


def test_a_score_is_kept_for_the_same_scenes_and_weights_alone(tmp_path: Path) -> None:
    made = {"set_sha256": "a", "name": "small", "hash": "b"}
    assert finished(tmp_path, made) is None
    text = json.dumps({"what": {"name": "small"}, "made": {**made, "seconds": 12.0}, "objects": 3})
    (tmp_path / "evaluation.json").write_text(text)
    assert (finished(tmp_path, made) or {})["objects"] == 3
    assert finished(tmp_path, made | {"hash": "c"}) is None
    assert finished(tmp_path, made | {"set_sha256": "c"}) is None
    (tmp_path / "evaluation.json").write_text(text[:40])
    assert finished(tmp_path, made) is None


def test_manifest_tells_what_differs(tmp_path: Path) -> None:
    spec, path = read_spec(), tmp_path / "manifest.json"
    write_manifest(spec, {"a": "1", "b": "2"}, path)
    write_manifest(spec, {"c": "3"}, path)
    assert check_manifest(spec, {"a": "1", "b": "x", "d": "4"}, path) == Checked(["b"], ["d"])
    with pytest.raises(ConfigError, match="version"):
        check_manifest(spec.model_copy(update={"version": spec.version + 1}), {}, path)


@pytest.mark.parametrize("name", CLASSICAL)
def test_baselines_find_a_plain_dark_disc(name: str) -> None:
    before = texture(128, 128).astype(np.float32) * 0.2 + 100
    after = before.copy()
    disc = np.zeros((128, 128), np.float32)
    cv2.circle(disc, (70, 50), 6, 1.0, -1)
    after -= 60 * cv2.GaussianBlur(disc, (0, 0), 0.8)[..., None]
    detector = CLASSICAL[name]
    settings = {key: values[0] for key, values in detector.grid.items()}
    raw = detector.find(after.astype(np.uint8), before.astype(np.uint8), 0.5, settings)
    best = int(raw.score.argmax())
    assert np.hypot(*(raw.at_px[best] - (50.5, 70.5))) < 2.0
    assert raw.radius_m[best] == pytest.approx(3.0, rel=0.5)


def test_baselines_take_an_image_without_anything() -> None:
    flat = np.full((96, 96, 3), 90, np.uint8)
    for detector in CLASSICAL.values():
        raw = detector.find(flat, flat, 0.5, {key: values[0] for key, values in detector.grid.items()})
        assert np.isfinite(raw.at_px).all()


def test_stale_rows_are_named(tmp_path: Path) -> None:
    spec = read_spec()
    row = {"name": "small", "set": "small", "version": spec.version, "model": "small", "hash": "0" * 64}
    unet = {"name": "unet", "set": "small", "version": spec.version - 1}
    lines = stale_rows({"rows": [row, unet]}, spec, "small")
    assert any(line.startswith("small: STALE") for line in lines)
    assert any(line.startswith(f"unet: of version {spec.version - 1}") for line in lines)
    assert sum("not yet run" in line for line in lines) == len(NETWORK_BASELINES) - 1
    write_leaderboard({"rows": []}, spec, tmp_path)
    assert read_leaderboard(tmp_path / "leaderboard.json") == {"rows": []}
    assert "Simulated" in (tmp_path / "leaderboard.md").read_text()


def test_a_models_row_goes_stale_with_what_it_finds_not_with_its_card(tmp_path: Path) -> None:
    for name in ("model.yaml", "weights.safetensors", "README.md", "train.yaml"):
        (tmp_path / name).write_text("a")
    first = model_hash(tmp_path)
    (tmp_path / "README.md").write_text("b")
    (tmp_path / "train.yaml").write_text("b")
    assert model_hash(tmp_path) == first
    hashes = {first}
    for name in ("model.yaml", "weights.safetensors", "patterns.yaml"):
        (tmp_path / name).write_text("b")
        hashes.add(model_hash(tmp_path))
    assert len(hashes) == 4


def test_the_board_keeps_what_its_tables_show(tmp_path: Path) -> None:
    spec, board = read_spec(), read_leaderboard()
    write_leaderboard(board, spec, tmp_path)
    for name in ("leaderboard.json", "leaderboard.md"):
        assert (tmp_path / name).read_text() == (FOLDER / name).read_text()
    assert (tmp_path / "leaderboard.json").stat().st_size < 2_600 * len(board["rows"])
