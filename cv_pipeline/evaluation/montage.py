"""Chips of places in images, side by side as one picture, to look at what a figure is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from cv_pipeline.imagery.grid import working_grid
from cv_pipeline.imagery.view import GridView
from cv_pipeline.types import ImageSource, UInt8Array, Window

CHIP_PX = 128
_ENLARGED = 2
_YELLOW, _RED = (0, 220, 255), (40, 40, 255)


class Spot(NamedTuple):
    """A place in pixels of an image, what to write on it, and how large a circle to draw."""

    row_px: float
    col_px: float
    label: str
    radius_m: float = 4.0


def chips(source: ImageSource, spots: Sequence[Spot], gsd_m: float = 0.4) -> list[UInt8Array]:
    """A chip (h, w, 3) in BGR of about 50 m around each spot, with its circle and label.

    Raises:
        ImageError: the file is damaged.
    """
    grid = working_grid(source.grid, gsd_m)
    rows, cols = grid.height / source.grid.height, grid.width / source.grid.width
    found = []
    with GridView(source, grid) as view:
        for spot in spots:
            row, col = spot.row_px * rows, spot.col_px * cols
            corner = Window(int(row) - CHIP_PX // 2, int(col) - CHIP_PX // 2, CHIP_PX, CHIP_PX)
            rgb, _ = view.read(corner)
            chip = cv2.resize(rgb[..., ::-1], None, fx=_ENLARGED, fy=_ENLARGED, interpolation=cv2.INTER_CUBIC)
            centre = round((col - corner.col) * _ENLARGED), round((row - corner.row) * _ENLARGED)
            cv2.circle(chip, centre, round(spot.radius_m / gsd_m * _ENLARGED), _RED, 1, cv2.LINE_AA)
            cv2.putText(chip, spot.label, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, _YELLOW, 1, cv2.LINE_AA)
            found.append(np.asarray(chip, np.uint8))
    return found


def write_montage(path: Path, pictures: Iterable[UInt8Array], columns: int = 5) -> None:
    """Write chips in rows as PNG; nothing is written where there are none."""
    shown = list(pictures)
    if not shown:
        return
    shown += [np.zeros_like(shown[0])] * (-len(shown) % columns)
    rows = [np.hstack(shown[start : start + columns]) for start in range(0, len(shown), columns)]
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.vstack(rows))
