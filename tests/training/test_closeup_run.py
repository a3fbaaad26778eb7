"""Training of a close-up network: pictures and vectors turn together, and a run that stopped goes on exactly."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from cv_pipeline.errors import ConfigError
from cv_pipeline.patterns.closeup.network import Answers, CloseUpNet
from cv_pipeline.patterns.closeup.pictures import CHANNELS, NEAR_M, SIDE
from cv_pipeline.training import closeup_run
from cv_pipeline.training.closeup_config import CloseupConfig, read_closeup_config
from cv_pipeline.training.closeup_losses import Truth
from cv_pipeline.training.closeup_run import train_closeup, turned
from cv_pipeline.training.closeup_samples import Samples
from tests.patterns.closeup.factories import random_pictures

pytestmark = pytest.mark.usefixtures("one_thread")
SYMMETRIES = [(quarters, mirror) for mirror in (False, True) for quarters in range(4)]


def make_samples(count: int, seed: int = 0) -> Samples:
    """Noise with truths of all kinds, some of them unknown."""
    rng = np.random.default_rng(seed)
    near, wide = random_pictures(count, seed)
    turn = rng.uniform(0, 2 * np.pi, count)
    one = {name: rng.integers(0, 2, count).astype(float) for name in ("crater", "one_sided", "new", "has_twin")}
    one["new"][::3] = np.nan
    return Samples(
        near, wide, **one, centre_m=rng.normal(0, 1, (count, 2)), radius_m=rng.uniform(1, 5, count),
        blast_m=rng.uniform(5, 15, count), axis=np.column_stack([np.sin(turn), np.cos(turn)]),
        twin_m=rng.normal(0, 3, (count, 2)), gsd_m=np.full(count, 0.5),
    )  # fmt: skip


def truth_of(samples: Samples) -> Truth:
    return Truth(*(torch.from_numpy(getattr(samples, name)).float() for name in Truth._fields))


@pytest.mark.parametrize(("quarters", "mirror"), SYMMETRIES)
def test_vectors_follow_their_dots(quarters: int, mirror: bool) -> None:
    """A dot of its own channel lies at the end of each vector, before and after."""
    places = {"centre_m": (10, 40), "axis": (50, 22), "twin_m": (31, 5)}
    picture = torch.zeros(1, CHANNELS, SIDE, SIDE, dtype=torch.uint8)
    vectors = {}
    for channel, (name, (row, col)) in enumerate(places.items()):
        picture[0, channel, row, col] = 255
        vectors[name] = torch.tensor([[col - 31.5, 31.5 - row]]) * NEAR_M
    truth = truth_of(make_samples(1))._replace(**vectors)
    near, wide, moved = turned(picture, picture, truth, quarters, mirror=mirror)
    for channel, name in enumerate(places):
        for of in (near, wide):
            ((row, col),) = of[0, channel].nonzero()
            at_m = torch.tensor([[float(col) - 31.5, 31.5 - float(row)]]) * NEAR_M
            torch.testing.assert_close(getattr(moved, name), at_m, atol=1e-5, rtol=0)
    for name in set(Truth._fields) - set(places):
        torch.testing.assert_close(getattr(moved, name), getattr(truth, name), equal_nan=True)


def test_all_eight_symmetries_differ_and_the_first_is_none() -> None:
    truth = truth_of(make_samples(1))._replace(axis=torch.tensor([[0.6, 0.8]]))
    picture = torch.from_numpy(random_pictures(1)[0])
    found = [turned(picture, picture, truth, *how[:1], mirror=how[1]) for how in SYMMETRIES]
    assert len({tuple(moved.axis[0].round(decimals=3).tolist()) for _, _, moved in found}) == 8
    assert torch.equal(found[0][0], picture)
    left = found[1][2].axis[0].tolist()  # what pointed east of north points north of west
    assert left == pytest.approx([-0.8, 0.6], abs=1e-6)


def test_unknown_vectors_stay_unknown() -> None:
    truth = truth_of(make_samples(2))._replace(axis=torch.full((2, 2), torch.nan))
    picture = torch.from_numpy(random_pictures(2)[0])
    for quarters, mirror in SYMMETRIES:
        assert turned(picture, picture, truth, quarters, mirror=mirror)[2].axis.isnan().all()


def config(**overrides: Any) -> CloseupConfig:
    return CloseupConfig.model_validate({"scenes": 1, "steps": 6, "batch_size": 8, **overrides})


def test_settings_are_read_and_checked(tmp_path: Path) -> None:
    shipped = read_closeup_config(Path(__file__).parents[2] / "models" / "small" / "closeup.yaml")
    assert shipped.scenes % shipped.shard_scenes == 0
    wrong = tmp_path / "closeup.yaml"
    wrong.write_text("{scenes: 5, steps: 1, paired: 0.5}")
    with pytest.raises(ConfigError, match=r"closeup\.yaml: not valid close-up settings[\s\S]*paired"):
        read_closeup_config(wrong)
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read .*--config"):
        read_closeup_config(tmp_path / "none.yaml")


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint every second step."""
    monkeypatch.setattr(closeup_run, "CHECKPOINT_EVERY", 2)
    monkeypatch.setattr(closeup_run, "REPORT_EVERY", 3)


@pytest.fixture
def stops(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """A function ``stops(step)``: the run is interrupted in the middle of that step, once."""

    def arm(step: int) -> None:
        original = closeup_run.total
        left = [step]

        def total(losses: dict[str, Tensor]) -> Tensor:
            left[0] -= 1
            if left[0] == -1:
                monkeypatch.setattr(closeup_run, "total", original)
                raise KeyboardInterrupt
            return original(losses)

        monkeypatch.setattr(closeup_run, "total", total)

    return arm


def assert_same_weights(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


@pytest.mark.usefixtures("often")
def test_a_stopped_run_goes_on_exactly(tmp_path: Path, stops: Callable[[int], None]) -> None:
    """Stopped in its sixth step it has four behind it on disk; gone on it ends with the weights of a straight run."""
    samples = make_samples(20)
    straight = train_closeup(config(), samples, tmp_path / "straight.ckpt")
    stops(5)
    with pytest.raises(KeyboardInterrupt):
        train_closeup(config(), samples, tmp_path / "stopped.ckpt")
    assert torch.load(tmp_path / "stopped.ckpt", weights_only=True)["step"] == 4
    resumed = train_closeup(config(), samples, tmp_path / "stopped.ckpt")
    assert_same_weights(straight.state_dict(), resumed.state_dict())
    states = [torch.load(tmp_path / f"{name}.ckpt", weights_only=True) for name in ("straight", "stopped")]
    assert_same_weights(states[0]["net"], states[1]["net"])
    assert states[0]["step"] == states[1]["step"] == 6
    assert not resumed.training
    assert list(tmp_path.glob(".*")) == []


@pytest.mark.usefixtures("often")
def test_a_finished_run_takes_no_step(tmp_path: Path, stops: Callable[[int], None]) -> None:
    samples = make_samples(12)
    first = train_closeup(config(steps=2), samples, tmp_path / "last.ckpt")
    stops(0)  # any step at all would be an interruption
    again = train_closeup(config(steps=2), samples, tmp_path / "last.ckpt")
    assert_same_weights(first.state_dict(), again.state_dict())


def test_another_seed_is_another_network(tmp_path: Path) -> None:
    samples = make_samples(12)
    nets = [train_closeup(config(steps=1, seed=k), samples, tmp_path / f"{k}.ckpt") for k in (1, 2)]
    assert not torch.equal(nets[0].join[0].weight, nets[1].join[0].weight)  # type: ignore[arg-type]


@pytest.mark.parametrize("content", [b"", b"half of a checkpoint", "of another network"])
def test_a_checkpoint_that_cannot_be_gone_on_from_is_named(tmp_path: Path, content: bytes | str) -> None:
    path = tmp_path / "last.ckpt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save({"net": {}, "averaged": {}, "optimiser": {}, "step": 1}, path)
    with pytest.raises(ConfigError, match=r"last\.ckpt: .*delete it"):
        train_closeup(config(steps=2), make_samples(12), path)


def test_too_few_samples_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"7 samples.*batch_size 8"):
        train_closeup(config(), make_samples(7), tmp_path / "last.ckpt")


class Recorded(CloseUpNet):
    """Keeps what it was shown."""

    shown: list[tuple[Tensor, Tensor]]  # set by the test

    def forward(self, near: Tensor, wide: Tensor) -> Answers:
        self.shown.append((near.detach().clone(), wide.detach().clone()))
        return super().forward(near, wide)


@pytest.fixture
def truths(monkeypatch: pytest.MonkeyPatch) -> list[Truth]:
    """The truths of the batches of a run, which keeps its pictures in ``Recorded.shown``."""
    found: list[Truth] = []
    original = closeup_run.closeup_losses

    def losses(answers: Answers, truth: Truth) -> dict[str, Tensor]:
        found.append(truth)
        return original(answers, truth)

    Recorded.shown = []
    monkeypatch.setattr(closeup_run, "closeup_losses", losses)
    monkeypatch.setattr(closeup_run, "CloseUpNet", Recorded)
    return found


def test_some_are_shown_without_their_before_image(tmp_path: Path, truths: list[Truth]) -> None:
    """Its colours and what is seen of it are gone in both pictures, and nobody asks whether the crater is new."""
    samples = make_samples(40)
    samples = replace(samples, new=np.ones(40))
    train_closeup(config(steps=3, batch_size=32), samples, tmp_path / "last.ckpt")
    hidden = 0
    for (near, wide), truth in zip(Recorded.shown, truths, strict=True):
        without = truth.new.isnan()
        hidden += int(without.sum())
        for picture in (near, wide):
            assert (picture[without][:, [3, 4, 5, 10]] == 0).all()
            assert (picture[~without][:, 3:6].amax(dim=(1, 2, 3)) > 0).all()
            assert (picture[:, 9] == 255).all()
    assert 5 <= hidden <= 40  # a fifth of 96


def test_tones_differ_by_date_and_colour_but_not_between_scales(tmp_path: Path, truths: list[Truth]) -> None:
    """All samples are of one colour: what is shown of them tells the gain, which is the same near and wide."""
    samples = make_samples(16)
    samples.near[:, :9], samples.wide[:, :9] = 100, 100
    train_closeup(config(steps=1, batch_size=16), samples, tmp_path / "last.ckpt")
    ((near, wide),) = Recorded.shown
    assert len(truths) == 1
    torch.testing.assert_close(near[:, :9], wide[:, :9])
    assert (near[:, 6:9] == 100).all()
    after = near[:, :3, 0, 0] / 100
    assert float(after.log().std()) == pytest.approx(0.04, rel=0.5)
    assert (near.amax(dim=(2, 3)) == near.amin(dim=(2, 3))).all()


def planted(count: int, seed: int) -> Samples:
    """Half are craters: dark discs some way off the middle, with a pale lobe to one side."""
    rng = np.random.default_rng(seed)
    samples = make_samples(count, seed)
    samples.crater[:] = np.arange(count) % 2
    east, north = np.meshgrid(np.arange(SIDE) - 31.5, 31.5 - np.arange(SIDE))
    for i in range(count):
        for picture, step_m in ((samples.near[i], NEAR_M), (samples.wide[i], 1.0)):
            picture[:9] = rng.normal(100, 5, (9, SIDE, SIDE)).clip(0, 255)
            if not samples.crater[i]:
                continue
            away = np.hypot(east * step_m - samples.centre_m[i, 0], north * step_m - samples.centre_m[i, 1])
            lobe_m = samples.centre_m[i] + 4 * samples.axis[i]
            beside = np.hypot(east * step_m - lobe_m[0], north * step_m - lobe_m[1])
            picture[:3] = np.where(beside < 3, 180, np.where(away < samples.radius_m[i], 40, picture[:3]))
    known = samples.crater == 1
    for values in (samples.centre_m, samples.radius_m, samples.axis):
        values[~known] = np.nan
    for values in (samples.blast_m, samples.one_sided, samples.new, samples.has_twin, samples.twin_m):
        values[:] = np.nan
    return samples


@pytest.mark.slow
def test_it_learns_what_is_planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Turned and mirrored as samples are, centre, radius and axis are learnt only if all turn alike."""
    monkeypatch.setattr(closeup_run, "_WARM_UP", 10)
    settings = config(steps=240, batch_size=32, learning_rate=3e-3)
    net = train_closeup(settings, planted(400, 1), tmp_path / "last.ckpt")
    tried = planted(64, 2)
    with torch.inference_mode():
        told = net(torch.from_numpy(tried.near), torch.from_numpy(tried.wide))
    crater = tried.crater == 1
    assert ((told.crater.numpy() > 0) == crater).mean() > 0.95
    off_m = np.linalg.norm(told.centre_m.numpy() - tried.centre_m, axis=1)[crater]
    assert np.median(off_m) < 0.7
    assert np.median(np.abs(told.log_radius_m.numpy() - np.log(tried.radius_m))[crater]) < 0.15
    cosine = (told.axis.numpy() * tried.axis).sum(axis=1) / np.linalg.norm(told.axis.numpy(), axis=1)
    assert np.median(cosine[crater]) > math.cos(math.radians(20))
