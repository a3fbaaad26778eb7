"""Pairs made hard to register in one way each, so that many come out wrong and the gate can be judged.

One simulated ground (:func:`cv_pipeline.simulation.pair.simulate_pair`) serves for one pair of every cause. How hard
each is made is drawn at random, from what registration bears to what nothing can.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from cv_pipeline.evaluation.planted_pairs import (
    Misfit,
    PlaceSet,
    PlantedPair,
    change,
    draw_relief,
    draw_similarity,
    moved,
    places,
    simulation_config,
)
from cv_pipeline.simulation.config import stream
from cv_pipeline.simulation.pair import simulate_pair
from cv_pipeline.simulation.weather import smooth_field
from cv_pipeline.types import BoolArray, Float32Array, UInt8Array

PAD_PX = 160
"""Ground around the after image, from which a before image with a wrong georeference still shows something."""
_SOME = Misfit(shift_px=40.0, rotation_deg=4.0, scale=0.04)
_CLOUD = 235.0
_TURNS = 1
"""Other ground is the same image turned by so many right angles."""
MIRRORED: tuple[PlaceSet, ...] = ("ucmerced_train", "ucmerced_validate")
"""Places of tiles smaller than a pair, mirrored where they end: a wrong shift may show the same ground again."""


class HardPair(NamedTuple):
    """A pair, what makes it hard, and whether its images have no ground in common (what is planted means nothing)."""

    cause: str
    pair: PlantedPair
    unrelated: bool


class _Base(NamedTuple):
    """Both dates of one ground, (height, width, 3), wider than the pair by the pad on all sides."""

    before: UInt8Array
    after: UInt8Array

    @property
    def side_px(self) -> int:
        return len(self.after) - 2 * PAD_PX


def draw_hard_pairs(data: Path, name: PlaceSet, seed: tuple[int, ...], side_px: int) -> Iterator[HardPair]:
    """One pair of every cause on one ground, the same for the same arguments.

    Args:
        data: the data folder.
        name: the places.
        seed: non-negative integers.
        side_px: side of an image; twice :data:`PAD_PX` at least, so that neighbours share no ground.

    Raises:
        ImageError: the imagery is not in ``data``.
    """
    backgrounds, gsd_m = places(data, name)
    canvas = side_px + 2 * PAD_PX
    simulated = simulate_pair(backgrounds, (*seed, 0), (canvas, canvas), gsd_m, simulation_config(name))
    base = _Base(simulated.before, simulated.after)
    for cause, make in (_RELATED | _UNRELATED).items():
        yield HardPair(cause, make(base, stream(seed, cause)), cause in _UNRELATED)


def _planted(base: _Base, rng: np.random.Generator, misfit: Misfit = _SOME) -> PlantedPair:
    """The pair as it is but for the misfit."""
    matrix, relief = draw_similarity(rng, base.side_px, misfit), draw_relief(rng, base.side_px, misfit)
    before, valid = moved(base.before, matrix, relief, base.side_px)
    return PlantedPair(before, valid, base.after[PAD_PX:-PAD_PX, PAD_PX:-PAD_PX].copy(), matrix, relief)


def _usual(base: _Base, rng: np.random.Generator) -> PlantedPair:
    pair = _planted(base, rng)
    change(pair.after, 0.15, rng)
    return pair


def _change(base: _Base, rng: np.random.Generator) -> PlantedPair:
    """Most of the ground is another's."""
    pair = _planted(base, rng)
    change(pair.after, rng.uniform(0.4, 0.97), rng, _TURNS)
    return pair


def _overlap(base: _Base, rng: np.random.Generator) -> PlantedPair:
    """The before image reaches over a corner only."""
    pair = _planted(base, rng)
    rows, cols = (round(base.side_px * side) for side in rng.uniform(0.2, 0.8, 2))
    seen = np.zeros_like(pair.before_valid)
    seen[:rows, :cols] = True
    seen = np.rot90(seen, int(rng.integers(4))) & pair.before_valid
    return pair._replace(before=_only(pair.before, seen), before_valid=seen)


def _shift(base: _Base, rng: np.random.Generator) -> PlantedPair:
    """The georeference is off by up to the search's limits and beyond."""
    return _planted(base, rng, Misfit(shift_px=0.45 * base.side_px, rotation_deg=8.0, scale=0.08))


def _repeats(base: _Base, rng: np.random.Generator) -> PlantedPair:
    """Rows of like things (orchards, greenhouses, roofs) over most of it or all."""
    rows, cols = rng.integers(8, 40, 2)
    turn, cover = rng.uniform(0, math.pi), min(rng.uniform(0.7, 1.3), 1.0)
    canvas = len(base.after)
    thing = np.tile(rng.normal(0, 1, (rows, cols)), (5, 5))
    patch = cv2.GaussianBlur(thing.astype(np.float32), (0, 0), 1.5)[2 * rows : 3 * rows, 2 * cols : 3 * cols]
    field = np.tile(patch / patch.std(), (2 * canvas // rows + 1, 2 * canvas // cols + 1))
    spin = cv2.getRotationMatrix2D((canvas, canvas), math.degrees(turn), 1.0)
    field = cv2.warpAffine(field, spin, field.shape[::-1])[canvas // 2 :, canvas // 2 :][:canvas, :canvas]
    where = _blobs(canvas, cover, rng, 90.0)[..., None]
    strength = rng.uniform(15, 45)
    dates = []
    for image in base[:2]:
        own = smooth_field((canvas, canvas), 1.0, int(rng.integers(2**31)), wavelength_m=12.0)
        crop = 110 + strength * (field + 0.5 * own)[..., None] * np.array([0.8, 1.0, 0.7], np.float32)
        dates.append(_bytes(image + where * (crop - image)))
    return _planted(_Base(dates[0], dates[1]), rng)


def _season(base: _Base, rng: np.random.Generator) -> PlantedPair:
    """What was bright is dark and the other way round, each colour by a curve of its own; other curves elsewhere."""
    pair = _planted(base, rng)
    after = pair.after.astype(np.float32)
    for _ in range(rng.integers(1, 4)):
        where = _blobs(base.side_px, rng.uniform(0.4, 1.0), rng, 120.0)[..., None]
        knots = rng.uniform(30, 220, (3, int(rng.integers(3, 7))))
        curves = [np.interp(np.arange(256), np.linspace(0, 255, len(k)), k) for k in knots]
        turned = np.dstack([curve[pair.after[..., band]] for band, curve in enumerate(curves)])
        after += where * (turned - after)
    return pair._replace(after=_bytes(after + rng.normal(0, 8, after.shape)))


def _noise(base: _Base, rng: np.random.Generator) -> PlantedPair:
    pair = _planted(base, rng)
    sd = rng.uniform(20, 90)
    noisy = [_bytes(image + rng.normal(0, sd, image.shape)) for image in (pair.before, pair.after)]
    return pair._replace(before=_only(noisy[0], pair.before_valid), after=noisy[1])


def _blur(base: _Base, rng: np.random.Generator) -> PlantedPair:
    """One date is a coarse image, enlarged."""
    pair = _planted(base, rng)
    soft = cv2.GaussianBlur(pair.after, (0, 0), rng.uniform(1.5, 6))
    return pair._replace(after=_bytes(soft + rng.normal(0, 3, soft.shape)))


def _cloud(base: _Base, rng: np.random.Generator) -> PlantedPair:
    """Cloud that no mask has found over the after image, and over the before image too."""
    pair = _planted(base, rng)
    after, before = _clouded(pair.after, rng), _clouded(pair.before, rng)
    return pair._replace(after=after, before=_only(before, pair.before_valid))


def _relief(base: _Base, rng: np.random.Generator) -> PlantedPair:
    bent = _SOME._replace(relief_px=rng.uniform(1, 14), relief_wavelength_px=rng.uniform(80, 600))
    return _planted(base, rng, bent)


def _roofs(base: _Base, rng: np.random.Generator) -> PlantedPair:
    """All ground is another's; what stands on it is the same but leans, each thing as its height has it."""
    pair = _planted(base, rng)
    side, heading = base.side_px, rng.uniform(0, 2 * math.pi)
    line, mean_px = np.array([math.cos(heading), math.sin(heading)]), rng.uniform(0.5, 6)
    after = np.rot90(pair.after, _TURNS).copy()
    covered = rng.uniform(0.15, 0.6)
    done = np.zeros((side, side), bool)
    while done.mean() < covered:
        height, width = rng.integers(16, 60, 2)
        row, col = rng.integers(0, side - height), rng.integers(0, side - width)
        lean = line * mean_px * rng.gamma(4.0, 0.25)
        place = np.array([[1, 0, lean[0]], [0, 1, lean[1]]], np.float32)
        leaning = cv2.warpAffine(pair.after, place, (side, side), borderMode=cv2.BORDER_REFLECT)
        after[row : row + height, col : col + width] = leaning[row : row + height, col : col + width]
        done[row : row + height, col : col + width] = True
    return pair._replace(after=after)


def _jpeg(base: _Base, rng: np.random.Generator) -> PlantedPair:
    """Both dates squeezed by JPEG until its blocks show, which lie at the same places in either."""
    pair = _planted(base, rng)
    return pair._replace(before=_only(_squeezed(pair.before, rng), pair.before_valid), after=_squeezed(pair.after, rng))


def _marks(base: _Base, rng: np.random.Generator) -> PlantedPair:
    """A provider's mark on both dates, at the same places in either."""
    pair = _planted(base, rng)
    mark = _mark(base.side_px, rng)
    return pair._replace(before=_only(_marked(pair.before, mark), pair.before_valid), after=_marked(pair.after, mark))


def _neighbours(base: _Base, rng: np.random.Generator) -> PlantedPair:
    """Two corners of one ground that share none of it, one of them turned; half of them squeezed."""
    side = len(base.after) // 2
    before, after = np.rot90(base.before[:side, :side], _TURNS).copy(), base.after[-side:, -side:].copy()
    if rng.random() < 0.5:
        before, after = _squeezed(before, rng), _squeezed(after, rng)
    nowhere = np.full((2, 3), np.nan)
    return PlantedPair(before, np.ones((side, side), bool), after, nowhere, np.zeros((side, side, 2), np.float32))


def _marked_neighbours(base: _Base, rng: np.random.Generator) -> PlantedPair:
    pair = _neighbours(base, rng)
    mark = _mark(len(pair.after), rng)
    return pair._replace(before=_marked(pair.before, mark), after=_marked(pair.after, mark))


_RELATED: dict[str, Callable[[_Base, np.random.Generator], PlantedPair]] = {
    "usual": _usual,
    "change": _change,
    "overlap": _overlap,
    "shift": _shift,
    "repeats": _repeats,
    "season": _season,
    "noise": _noise,
    "blur": _blur,
    "cloud": _cloud,
    "relief": _relief,
    "roofs": _roofs,
    "jpeg": _jpeg,
    "marks": _marks,
}
_UNRELATED = {"neighbours": _neighbours, "marked neighbours": _marked_neighbours}
LAST_CAUSE = list(_UNRELATED)[-1]
"""Of the pairs of one ground."""


def _bytes(image: np.ndarray) -> UInt8Array:
    return np.asarray(np.clip(np.rint(image), 0, 255), np.uint8)


def _only(image: UInt8Array, seen: BoolArray) -> UInt8Array:
    return np.where(seen[..., None], image, np.uint8(0))


def _blobs(side_px: int, cover: float, rng: np.random.Generator, wavelength_px: float) -> Float32Array:
    """Soft-edged patches (side, side), 0 to 1, over this share of the ground."""
    field = smooth_field((side_px, side_px), 1.0, int(rng.integers(2**31)), wavelength_m=wavelength_px, octaves=3)
    least = np.quantile(field, 1 - cover)
    return np.asarray(np.clip((field - least) / 0.1 + 0.5, 0, 1), np.float32)


def _clouded(image: UInt8Array, rng: np.random.Generator) -> UInt8Array:
    cover = _blobs(len(image), rng.uniform(0.3, 0.8), rng, 160.0)[..., None]
    tone = _CLOUD + 6 * smooth_field(image.shape[:2], 1.0, int(rng.integers(2**31)), wavelength_m=40.0, octaves=3)
    return _bytes(image + cover * (tone[..., None] - image) + rng.normal(0, 2, image.shape))


def _squeezed(image: UInt8Array, rng: np.random.Generator) -> UInt8Array:
    _, coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(3, 25))])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


def _mark(side_px: int, rng: np.random.Generator) -> Float32Array:
    """Half-transparent words, (side, side) from 0 to 1, repeated over the image or in one corner."""
    opaque = np.zeros((side_px, side_px), np.uint8)
    step, size = int(rng.integers(90, 260)), rng.uniform(0.5, 1.2)
    rows = range(30, side_px, step) if rng.random() < 0.7 else [side_px - 20]
    for row in rows:
        for col in range(10, side_px, step):
            cv2.putText(opaque, "(c) Map 2026", (col, row), cv2.FONT_HERSHEY_SIMPLEX, size, 255, 2)
    return np.asarray(opaque * (rng.uniform(0.2, 0.9) / 255), np.float32)


def _marked(image: UInt8Array, mark: Float32Array) -> UInt8Array:
    return _bytes(image + mark[..., None] * (255.0 - image))
