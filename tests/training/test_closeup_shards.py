"""Files of samples: rendered once, whole or not there, the same whoever renders them."""

from __future__ import annotations

import runpy
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import typer

from cv_pipeline.errors import ModelError, OutputError
from cv_pipeline.patterns.closeup.weights import load_closeup
from cv_pipeline.patterns.weights_file import read_pattern_weights
from cv_pipeline.segmentation import onnx_backend
from cv_pipeline.segmentation.zoo import read_model_file
from cv_pipeline.simulation.background import Backgrounds
from cv_pipeline.simulation.config import SimulationConfig
from cv_pipeline.training import closeup_shards
from cv_pipeline.training.closeup_config import CloseupConfig
from cv_pipeline.training.closeup_samples import Samples, joined
from cv_pipeline.training.closeup_shards import read_shards, render_shards
from tests.segmentation.factories import make_model
from tests.simulation.conftest import write_tiles
from tests.training.test_closeup_run import make_samples

SCRIPT = Path(__file__).parents[2] / "scripts" / "train_closeup.py"
Render = Callable[..., list[Path]]


def config(**overrides: Any) -> CloseupConfig:
    return CloseupConfig.model_validate({"scenes": 5, "shard_scenes": 2, "steps": 1, "seed": 7, **overrides})


def samples_of(scene: int) -> Samples:
    """Three to five samples of noise, which say of what scene they are."""
    samples = make_samples(3 + scene % 3, scene)
    samples.gsd_m[:] = scene
    return samples


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """Folders of an untrained model and of tiles."""
    model = tmp_path / "model"
    model.mkdir()
    make_model(model)
    return model, write_tiles(tmp_path / "tiles")


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[int, bool]]]:
    """(scene, whether with its before image) as they are rendered: noise, by threads of this process."""
    found: list[tuple[int, bool]] = []

    def simulate(backgrounds: Backgrounds, seed: tuple[int, ...], settings: SimulationConfig) -> tuple[int, ...]:
        assert isinstance(backgrounds, Backgrounds)
        return seed

    def scene_samples(pair: tuple[int, ...], backend: Path, info: Any, *, paired: bool, seed: int) -> Samples:
        assert pair == (7, seed)
        assert info.name == "tiny"
        assert backend.name == "model"
        found.append((seed, paired))
        return samples_of(seed)

    monkeypatch.setattr(onnx_backend, "load_backend", lambda folder, file: folder)
    monkeypatch.setattr(closeup_shards, "simulate", simulate)
    monkeypatch.setattr(closeup_shards, "scene_samples", scene_samples)
    monkeypatch.setattr(closeup_shards, "ProcessPoolExecutor", lambda workers, mp_context: ThreadPoolExecutor(workers))
    threads = torch.get_num_threads(), cv2.getNumThreads()
    yield found
    torch.set_num_threads(threads[0])
    cv2.setNumThreads(threads[1])


@pytest.fixture
def render(tmp_path: Path, places: tuple[Path, Path]) -> Render:
    """A function ``render(workers=..., folder=..., **settings)``: the shards' files."""

    def make(workers: int = 1, folder: str = "shards", **settings: Any) -> list[Path]:
        return list(render_shards(config(**settings), *places, tmp_path / folder, workers))

    return make


def assert_same(one: Samples, other: Samples) -> None:
    for field in fields(Samples):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name), err_msg=field.name)
        assert getattr(one, field.name).dtype == getattr(other, field.name).dtype


def test_all_scenes_come_back_in_their_order(render: Render, rendered: list[tuple[int, bool]]) -> None:
    paths = render()
    assert [path.name for path in paths] == ["shard_0000.npz", "shard_0001.npz", "shard_0002.npz"]
    assert_same(read_shards(paths), joined([samples_of(scene) for scene in range(5)]))
    assert [scene for scene, _ in rendered] == [0, 1, 2, 3, 4]


def test_dense_scenes_give_some_of_their_samples(render: Render, rendered: list[tuple[int, bool]]) -> None:
    whole, some = read_shards(render()), read_shards(render(folder="few", most_samples=3))
    assert [int((some.gsd_m == scene).sum()) for scene in range(5)] == [3] * 5
    for scene in range(5):
        pictures = {picture.tobytes() for picture in whole.near[whole.gsd_m == scene]}
        assert len({picture.tobytes() for picture in some.near[some.gsd_m == scene]} & pictures) == 3
    assert_same(some, read_shards(render(folder="again", most_samples=3, workers=2)))


def test_the_share_of_pairs_is_kept_in_every_stretch(render: Render, rendered: list[tuple[int, bool]]) -> None:
    render(scenes=100, shard_scenes=50)
    paired = np.array([with_before for _, with_before in sorted(rendered)])
    for start in range(0, 100, 20):
        assert 11 <= paired[start : start + 20].sum() <= 13
    rendered.clear()
    render(folder="none", paired_share=0.0)
    assert not any(with_before for _, with_before in rendered)


def test_a_shard_that_is_there_is_not_rendered_again(render: Render, rendered: list[tuple[int, bool]]) -> None:
    paths = render()
    before = [path.stat().st_mtime_ns for path in paths]
    rendered.clear()
    assert render() == paths
    assert rendered == []
    content = paths[1].read_bytes()
    paths[1].unlink()
    render()
    assert [scene for scene, _ in rendered] == [2, 3]
    assert paths[1].read_bytes() == content
    assert [paths[k].stat().st_mtime_ns for k in (0, 2)] == [before[0], before[2]]


def test_a_shard_that_breaks_off_leaves_nothing(
    render: Render, rendered: list[tuple[int, bool]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the second shard is written when the disk is full; the run goes on with it when there is room."""
    write, calls = np.savez, []

    def full(path: Path, **values: np.ndarray) -> None:
        calls.append(path)
        if len(calls) == 2:
            Path(path).write_bytes(b"half a shard")
            raise OSError(28, "No space left on device")
        write(path, **values)

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        render()
    assert not (tmp_path / "shards" / "shard_0001.npz").exists()
    assert list((tmp_path / "shards").glob(".*")) == []
    assert_same(read_shards(render()), joined([samples_of(scene) for scene in range(5)]))


def test_an_error_is_told_before_all_others_are_rendered(
    render: Render, rendered: list[tuple[int, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    original = closeup_shards.scene_samples

    def fails(pair: Any, *args: Any, seed: int, **options: Any) -> Samples:
        time.sleep(0.02)
        if seed == 0:
            raise ModelError("model.safetensors: is gone")
        return original(pair, *args, seed=seed, **options)

    monkeypatch.setattr(closeup_shards, "scene_samples", fails)
    with pytest.raises(ModelError, match="is gone"):
        render(scenes=40, shard_scenes=1)
    assert len(rendered) <= 5


@pytest.mark.parametrize("content", ["nothing", "half", "something else"])
def test_a_damaged_file_is_named(
    render: Render, rendered: list[tuple[int, bool]], content: str, tmp_path: Path
) -> None:
    paths = render(scenes=2, shard_scenes=1)
    whole = paths[1].read_bytes()
    if content == "something else":
        np.savez(paths[1], crater=np.zeros(3))
    else:
        paths[1].write_bytes(whole[: len(whole) // 2] if content == "half" else b"")
    with pytest.raises(OutputError, match=r"shard_0001\.npz: is no whole file of samples; delete it"):
        read_shards(paths)


def test_the_script_renders_trains_and_names_what_it_wrote(
    rendered: list[tuple[int, bool]], places: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The network comes to lie beside its model, where a run of that model finds it; --render-only stops before."""
    model, tiles = places
    (model / "closeup.yaml").write_text("{scenes: 5, shard_scenes: 2, steps: 1, seed: 7, batch_size: 8}")
    main = runpy.run_path(str(SCRIPT))["main"]

    def run(*, render_only: bool = False, out: Path | None = None) -> None:
        main(str(model), None, tiles, tmp_path / "run", 1, 1, render_only, out)

    run(render_only=True)
    assert len(rendered) == 5
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["samples"]
    run(out=model)
    assert len(rendered) == 5
    weights, _ = read_pattern_weights(model, read_model_file(model).weights_sha256)
    assert weights.closeup is not None
    assert weights.closeup.path == model / "closeup.safetensors"
    assert f"{weights.closeup.path} written, SHA-256 {weights.closeup.sha256}" in capsys.readouterr().out
    load_closeup(weights.closeup)
    (tmp_path / "run" / "samples" / "shard_0001.npz").write_bytes(b"")
    with pytest.raises(typer.Exit):
        run()
    assert "shard_0001.npz" in capsys.readouterr().err


@pytest.mark.slow
def test_processes_of_their_own_render_the_same(render: Render) -> None:
    """The real thing: scenes, maps of an untrained network, candidates, pictures."""
    settings = {"scenes": 2, "shard_scenes": 1, "most_samples": 6}
    two = read_shards(render(workers=2, folder="two", **settings))
    one = read_shards(render(workers=1, folder="one", **settings))
    assert_same(one, two)
    assert 0 < len(one.crater) <= 12
    assert len(np.unique(one.gsd_m)) == 2
