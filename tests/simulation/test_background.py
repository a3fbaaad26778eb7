from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cv_pipeline.errors import ImageError
from cv_pipeline.simulation.background import list_tiles, read_rgb


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
