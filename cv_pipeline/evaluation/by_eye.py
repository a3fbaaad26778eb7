"""What a person sees of simulated craters: chips of craters and of empty ground in blind order, and who found what.

A simulation can draw what nobody could find. How much of a network's recall is missing for that reason is told by a
person who looks at the same places, not knowing which of them hold a crater.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np

from cv_pipeline.evaluation.heldout import counted
from cv_pipeline.evaluation.objects import TOLERANCE_M
from cv_pipeline.evaluation.scenes import HeldOutScene
from cv_pipeline.types import Float64Array, UInt8Array

CHIP_PX = 49
CONSPICUITY_SD = (0.0, 1.0, 1.5, 2.0, 3.0, np.inf)
"""Edges of the classes that craters are drawn from evenly."""

_HALF = CHIP_PX // 2
_ENLARGED = 3
_COLUMNS, _ROWS = 5, 6
_EMPTY_TRIES = 6
_EMPTY_AWAY_M = 2 * TOLERANCE_M
_HEAD_PX = 14


class Place(NamedTuple):
    """A place to look at: in which scene, where in its pixels, and by how many SDs its crater stands out, if any."""

    scene: int
    row_px: float
    col_px: float
    conspicuity: float | None


class Seen(NamedTuple):
    """Of the places of one class how many there were, and how many the person and the detector said hold a crater."""

    name: str
    places: int
    person: int
    detector: int


def draw_places(scenes: Sequence[HeldOutScene], per_class: int, seed: int) -> list[Place]:
    """Places in blind order: of each class of conspicuity ``per_class`` craters, and as many without any crater.

    Fewer where there are no more. A crater is one that is asked for, with a whole chip around it.
    """
    random = np.random.default_rng(seed)
    classes: list[list[Place]] = [[] for _ in CONSPICUITY_SD[1:]]
    empty: list[Place] = []
    for number, scene in enumerate(scenes):
        size = scene.visible.shape[0]
        for k in np.nonzero(counted(scene, scene.at_px))[0]:
            row, col = scene.at_px[k]
            if min(row, col) >= _HALF + 1 and max(row, col) <= size - _HALF - 1:
                which = int(np.searchsorted(CONSPICUITY_SD, scene.conspicuity[k], side="right")) - 1
                classes[which].append(Place(number, float(row), float(col), float(scene.conspicuity[k])))
        for row, col in random.uniform(_HALF + 1, size - _HALF - 1, (_EMPTY_TRIES, 2)):
            away_m = np.hypot(*(scene.at_px - (row, col)).T) * scene.gsd_m
            if scene.visible[int(row), int(col)] and away_m.min(initial=np.inf) > _EMPTY_AWAY_M:
                empty.append(Place(number, float(row), float(col), None))
    drawn = [_some(places, per_class, random) for places in classes]
    drawn.append(_some(empty, sum(map(len, drawn)), random))
    flat = [place for places in drawn for place in places]
    return [flat[i] for i in random.permutation(len(flat))]


def _some(places: Sequence[Place], most: int, random: np.random.Generator) -> list[Place]:
    return [places[i] for i in random.choice(len(places), min(most, len(places)), replace=False)]


def sheets(scenes: Sequence[HeldOutScene], places: Sequence[Place]) -> list[UInt8Array]:
    """Pictures (h, w, 3) in BGR with before and after of each place side by side, under its number."""
    per_sheet = _COLUMNS * _ROWS
    return [_sheet(scenes, places, first, per_sheet) for first in range(0, len(places), per_sheet)]


def _sheet(scenes: Sequence[HeldOutScene], places: Sequence[Place], first: int, count: int) -> UInt8Array:
    chip = CHIP_PX * _ENLARGED
    wide, high = 2 * chip + 10, chip + _HEAD_PX + 4
    picture = np.full((_ROWS * high, _COLUMNS * wide, 3), 255, np.uint8)
    for place, at in zip(places[first : first + count], range(count), strict=False):
        top, left = at // _COLUMNS * high, at % _COLUMNS * wide
        cv2.putText(
            picture, str(first + at), (left, top + 11), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1, cv2.LINE_AA
        )
        scene = scenes[place.scene]
        for side, image in enumerate((scene.before, scene.after)):
            row, col = int(place.row_px) - _HALF, int(place.col_px) - _HALF
            cut = np.ascontiguousarray(image[row : row + CHIP_PX, col : col + CHIP_PX, ::-1])
            shown = cv2.resize(cut, (chip, chip), interpolation=cv2.INTER_CUBIC)
            x = left + side * (chip + 2)
            picture[top + _HEAD_PX : top + _HEAD_PX + chip, x : x + chip] = shown
    return picture


def reported(place: Place, at_px: Float64Array, score: Float64Array, threshold: float, gsd_m: float) -> bool:
    """Whether any of a scene's detections (n, 2), (n,) at or above the threshold lies within 5 m of a place."""
    away_m = np.hypot(*(at_px - (place.row_px, place.col_px)).T) * gsd_m
    return bool(np.any((away_m <= TOLERANCE_M) & (score >= threshold)))


def tally(places: Sequence[Place], person: Sequence[bool], detector: Sequence[bool]) -> list[Seen]:
    """What person and detector said, by class of conspicuity and, last, of empty ground."""
    said = list(zip(places, person, detector, strict=True))
    found = []
    for low, high in pairwise(CONSPICUITY_SD):
        mine = [one for one in said if one[0].conspicuity is not None and low <= one[0].conspicuity < high]
        found.append(_seen(f"{low:g} to {high:g}", mine))
    found.append(_seen("no crater", [one for one in said if one[0].conspicuity is None]))
    return found


def _seen(name: str, said: Sequence[tuple[Place, bool, bool]]) -> Seen:
    return Seen(name, len(said), sum(one[1] for one in said), sum(one[2] for one in said))
