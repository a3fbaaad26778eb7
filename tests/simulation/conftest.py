from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest


@pytest.fixture
def make_data_root(tmp_path: Path) -> Callable[..., Path]:
    """A factory ``make_data_root(classes=..., numbers=...) -> folder`` of small tiles as UC Merced lays them out."""

    def make(
        classes: tuple[str, ...] = ("agricultural", "runway"), numbers: tuple[int, ...] = (0, 40, 84, 87, 90, 99)
    ) -> Path:
        rng = np.random.default_rng(5)
        for name in classes:
            folder = tmp_path / "ucmerced" / name
            folder.mkdir(parents=True)
            for number in numbers:
                tile = np.clip(rng.normal(120, 25, (48, 48, 3)), 0, 255).astype(np.uint8)
                cv2.imwrite(str(folder / f"{name}{number:02d}.webp"), cv2.GaussianBlur(tile, (0, 0), 1.5))
        return tmp_path

    return make
