"""From candidates to answers in local metres, with a stand-in network that measures what it is shown."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cv_pipeline.patterns.closeup import looks
from cv_pipeline.patterns.closeup.answers import CloseUp, joined
from cv_pipeline.patterns.closeup.looks import CloseLook, close_looks, merged
from cv_pipeline.patterns.closeup.network import Answers
from cv_pipeline.patterns.closeup.pictures import NEAR_M, SIDE
from cv_pipeline.patterns.closeup.weights import CloseUpFile, write_closeup
from cv_pipeline.patterns.share import ALL, Share
from cv_pipeline.types import Float64Array
from tests.patterns.closeup.factories import GROUND_DN, Scene, dotted, grid_of, lively_net, make_scene

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
NOBODY = CloseUpFile(Path("nobody.safetensors"), "0" * 64)


class DotNet(nn.Module):
    """Says where the bright dot of the near picture's after image lies, and fixed figures for the rest."""

    def forward(self, near: Tensor, wide: Tensor) -> Answers:
        above = (near[:, 0].float() - GROUND_DN - 20).clamp(min=0)
        along = (torch.arange(SIDE) - (SIDE - 1) / 2) * NEAR_M
        mass = above.sum(dim=(1, 2))
        east, north = (above * along).sum(dim=(1, 2)) / mass, -(above * along[:, None]).sum(dim=(1, 2)) / mass
        dot = torch.stack([east, north], dim=1)
        one = torch.ones(len(near))
        return Answers(
            crater=2 * one, centre_m=dot, centre_log_sd=one.mul(0.3).log(), log_radius_m=one.mul(2.5).log(),
            radius_log_sd=one.mul(0.1).log(), log_blast_m=one.mul(9.0).log(), blast_log_sd=one.mul(0.2).log(),
            one_sided=-one, axis=dot * 0 + torch.tensor([0.6, -0.8]), new=one, has_twin=-2 * one,
            twin_m=dot + torch.tensor([3.0, 4.0]),
        )  # fmt: skip


@pytest.fixture
def dots(tmp_path: Path) -> tuple[Scene, Float64Array, Float64Array]:
    """A scene with 60 dots in two cells, their places in metres, and candidates some metres off them."""
    grid = grid_of("rotated", 0.8, 200.0)
    rng = np.random.default_rng(4)
    lattice = np.stack(np.meshgrid(np.arange(30, 230, 28.0), np.arange(30, 230, 28.0)), axis=-1).reshape(-1, 2)
    places = rng.permutation(lattice)[:60] + rng.uniform(-1, 1, (60, 2))
    scene = make_scene(tmp_path, grid, dotted(grid, *map(tuple, places)))
    true_m = scene.metres(*map(tuple, places))
    return scene, true_m, true_m + rng.uniform(-3, 3, true_m.shape)


def all_looks(scene: Scene, at_m: Float64Array, file: CloseUpFile = NOBODY, share: Share = ALL) -> list[CloseLook]:
    args = (scene.aligned, scene.segmentation, scene.frame, at_m)
    return list(close_looks(file, *args, use_before=False, share=share))


def assert_same(one: CloseUp, other: CloseUp, tolerance: float = 0.0) -> None:
    for field in fields(CloseUp):
        np.testing.assert_allclose(
            getattr(one, field.name), getattr(other, field.name), atol=tolerance, rtol=tolerance, err_msg=field.name
        )


def test_answers_are_in_local_metres(
    dots: tuple[Scene, Float64Array, Float64Array], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each candidate finds its own dot, though they are looked at cell by cell; logarithms have become metres."""
    monkeypatch.setattr(looks, "load_closeup", lambda file: DotNet())
    scene, true_m, at_m = dots
    found = merged(all_looks(scene, at_m), len(at_m))
    np.testing.assert_allclose(found.centre_m, true_m, atol=0.12)
    np.testing.assert_allclose(found.axis, np.tile([0.6, -0.8], (len(at_m), 1)), rtol=1e-6)
    expected = {"centre_sd_m": 0.3, "radius_m": 2.5, "radius_log_sd": 0.1, "blast_m": 9.0, "blast_log_sd": 0.2}
    expected |= {"crater": 2.0, "one_sided": -1.0, "new": 1.0}
    for name, value in expected.items():
        assert getattr(found, name).shape == (len(at_m),)
        assert getattr(found, name).dtype == np.float64
        np.testing.assert_allclose(getattr(found, name), value, rtol=1e-6)


def test_shares_together_are_the_whole(dots: tuple[Scene, Float64Array, Float64Array], tmp_path: Path) -> None:
    scene, _, at_m = dots
    file = write_closeup(lively_net(), tmp_path)
    whole = all_looks(scene, at_m, file)
    shares = [look for k in range(2) for look in all_looks(scene, at_m, file, Share(k, 2))]
    assert len(whole) > 1
    assert_same(merged(whole, len(at_m)), merged(shares[::-1], len(at_m)))


def test_alone_or_among_others_the_answer_is_the_same(
    dots: tuple[Scene, Float64Array, Float64Array], tmp_path: Path
) -> None:
    scene, _, at_m = dots
    file = write_closeup(lively_net(), tmp_path)
    among = merged(all_looks(scene, at_m, file), len(at_m))
    alone = merged(all_looks(scene, at_m[7:8], file), 1)
    assert_same(alone, among.take(np.array([7])), tolerance=0.01)
    assert np.ptp(among.crater) > 0.05


def test_no_candidates_give_no_answers(tmp_path: Path) -> None:
    grid = grid_of("none", 1.0)
    found = merged(all_looks(make_scene(tmp_path, grid, dotted(grid)), np.zeros((0, 2))), 0)
    for field in fields(CloseUp):
        two = field.name in ("centre_m", "axis")
        assert getattr(found, field.name).shape == ((0, 2) if two else (0,))


def numbered(*values: int) -> CloseUp:
    """Answers that are numbers, or pairs of them."""
    one = np.array(values, dtype=np.float64)
    two = np.column_stack([one, -one])
    names = [field.name for field in fields(CloseUp)]
    return CloseUp(**{name: two if name in ("centre_m", "axis") else one for name in names})


def test_merging_restores_the_order_and_counts() -> None:
    parts = [CloseLook(np.array([3, 0]), numbered(3, 0)), CloseLook(np.array([2, 1]), numbered(2, 1))]
    assert_same(merged(parts, 4), numbered(0, 1, 2, 3))
    with pytest.raises(ValueError, match="4 of 5"):
        merged(parts, 5)
    assert_same(joined([numbered(5), numbered(), numbered(7, 6)]), numbered(5, 7, 6))
    assert_same(numbered(5, 7, 6).take(np.array([2, 0])), numbered(6, 5))


def test_no_crater_is_where_there_is_no_image(
    dots: tuple[Scene, Float64Array, Float64Array], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "load_closeup", lambda file: DotNet())
    scene, true_m, _ = dots
    outside_m = scene.metres((-4.0, 100.0), (100.0, -40.0))
    found = merged(all_looks(scene, np.concatenate([true_m[:2], outside_m])), 4)
    assert (found.crater[:2] == 2).all()
    assert (found.crater[2:] < -10).all()
