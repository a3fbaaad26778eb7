from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest


def write_tiles(
    root: Path,
    classes: tuple[str, ...] = ("agricultural", "runway"),
    numbers: tuple[int, ...] = (0, 40, 84, 87, 90, 99),
) -> Path:
    """Small tiles as UC Merced lays them out, in ``root``, which is given back."""
    rng = np.random.default_rng(5)
    for name in classes:
        folder = root / "ucmerced" / name
        folder.mkdir(parents=True)
        for number in numbers:
            tile = np.clip(rng.normal(120, 25, (48, 48, 3)), 0, 255).astype(np.uint8)
            cv2.imwrite(str(folder / f"{name}{number:02d}.webp"), cv2.GaussianBlur(tile, (0, 0), 1.5))
    return root


@pytest.fixture
def make_data_root(tmp_path: Path) -> Callable[..., Path]:
    """A factory ``make_data_root(classes=..., numbers=...) -> folder``, see :func:`write_tiles`."""
    return partial(write_tiles, tmp_path)
