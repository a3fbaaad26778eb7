from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cv_pipeline.errors import ImageError
from cv_pipeline.simulation.background import fractal_noise, list_tiles, parcels, read_rgb, real_ground, synthetic_field


def test_split_is_by_blocks_with_a_gap(make_data_root: Callable[..., Path]) -> None:
    root = make_data_root()
    numbers = {split: {int(t.path.stem[-2:]) for t in list_tiles(root, split)} for split in ("train", "validate")}
    assert numbers == {"train": {0, 40, 84}, "validate": {90, 99}}


def test_the_large_kampala_block_is_never_a_background(make_data_root: Callable[..., Path]) -> None:
    root = make_data_root()
    (root / "kampala").mkdir()
    for name in ("OAM-1238448-1046528-21.png", "OAM-309606-261636-19.png", "OAM-619212-523272-20.png"):
        (root / "kampala" / name).touch()
    names = {t.path.name for t in list_tiles(root, "train")} - {t.path.name for t in list_tiles(root, "validate")}
    assert "OAM-309606-261636-19.png" in names
    assert not any(name.endswith("-21.png") for name in names)


@pytest.mark.parametrize("split", ["train", "validate"])
def test_an_empty_folder_is_an_error_that_names_it(tmp_path: Path, split: str) -> None:
    with pytest.raises(ImageError, match=str(tmp_path)):
        list_tiles(tmp_path, split)


def test_an_unreadable_tile_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "bad.webp").write_bytes(b"no image")
    with pytest.raises(ImageError, match=r"bad\.webp"):
        read_rgb(tmp_path / "bad.webp")


@pytest.mark.parametrize("gsd_m", [0.15, 0.3, 1.0])
def test_real_ground_fills_the_square_at_any_gsd(gsd_m: float) -> None:
    tile = np.full((48, 48, 3), (10, 120, 200), np.uint8)
    ground = real_ground(tile, 0.3, 64, gsd_m, np.random.default_rng(1))
    assert ground.shape == (64, 64, 3) and ground.dtype == np.float32
    np.testing.assert_allclose(ground.mean(axis=(0, 1)), [10, 120, 200], atol=1)


def test_noise_fields_and_parcels_are_finite_and_in_range() -> None:
    rng = np.random.default_rng(2)
    assert fractal_noise(64, rng, 1.5).std() == pytest.approx(1.0, rel=0.01)
    fields = [synthetic_field(64, 0.5, rng) for _ in range(3)]
    for ground in (*fields, parcels(fields, rng, 0.5)):
        assert ground.shape == (64, 64, 3) and np.isfinite(ground).all()
        assert ground.min() >= 0 and ground.max() <= 255
