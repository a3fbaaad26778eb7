"""Labelled scenes cut into blocks of ground, some held out: what is judged on was never trained on.

Neighbouring windows share craters, soil and sun, so a split by random window would flatter. Windows lie within
one block, and a strip on each side of a border between blocks is used for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cv_pipeline.errors import LabelsError
from cv_pipeline.imagery.view import GridView
from cv_pipeline.registration.register import before_view
from cv_pipeline.training.labels import Label, drawn, label_planes
from cv_pipeline.types import AlignedPair, BoolArray, Float32Array, Float64Array, Grid, UInt8Array, Window

STRIP_PX = 8
"""Not used on each side of a block's border, so that training and held-out ground are 16 px apart."""


@dataclass(frozen=True, slots=True)
class Place:
    """One labelled scene, on the model's working grid. ``area_px`` are rings (n, 2) of (row, col); empty: all of it."""

    aligned: AlignedPair
    labels: tuple[Label, ...]
    area_px: tuple[Float64Array, ...]

    @property
    def grid(self) -> Grid:
        """The working grid."""
        return self.aligned.working_grid

    @property
    def path(self) -> Path:
        """The after image."""
        return self.aligned.pair.after.path

    @property
    def has_before(self) -> bool:
        """Whether there is a before image."""
        return self.aligned.pair.before is not None


@dataclass(frozen=True, slots=True)
class Shot:
    """One window of a place: images (h, w, 3), their validity, truth (h, w, planes); ``before`` may be None."""

    after: UInt8Array
    after_valid: BoolArray
    before: UInt8Array | None
    before_valid: BoolArray
    truth: Float32Array


def read_shot(place: Place, window: Window) -> Shot:
    """Read a window of a place. Files are opened for each, so that any process may read.

    Raises:
        ImageError: a file is damaged or has gone.
    """
    with ExitStack() as stack:
        rgb, valid = stack.enter_context(GridView(place.aligned.pair.after, place.grid)).read(window)
        early, early_valid = None, np.zeros_like(valid)
        if place.has_before:
            early, early_valid = stack.enter_context(before_view(place.aligned)).read(window)
    known = valid & drawn(place.area_px, window) if place.area_px else valid
    truth = label_planes(place.labels, window, place.grid.gsd_m, known)
    return Shot(rgb, valid, early, early_valid, truth)


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a place within which windows may lie, and which of its labels lie there."""

    place: int
    window: Window
    labels: tuple[int, ...]


def cut_blocks(places: Sequence[Place], size_px: int, block_px: int) -> list[Block]:
    """All blocks of about ``block_px`` a side, less their strips; edges of an image have no strip.

    Raises:
        LabelsError: an image is smaller than a window of ``size_px``.
    """
    blocks = []
    for number, place in enumerate(places):
        if min(place.grid.height, place.grid.width) < size_px:
            raise LabelsError(
                f"{place.path}: only {place.grid.width} by {place.grid.height} px at the model's "
                f"{place.grid.gsd_m:g} m; at least {size_px} a side are needed (size_px in the settings)"
            )
        for row, height in _spans(place.grid.height, size_px, block_px):
            for col, width in _spans(place.grid.width, size_px, block_px):
                window = Window(row, col, height, width)
                inside = (n for n, label in enumerate(place.labels) if _holds(window, label))
                blocks.append(Block(number, window, tuple(inside)))
    return blocks


def _holds(window: Window, label: Label) -> bool:
    down, right = label.row_px - window.row, label.col_px - window.col
    return 0 <= down < window.height and 0 <= right < window.width


def _spans(length_px: int, size_px: int, block_px: int) -> list[tuple[int, int]]:
    """(start, length) of the blocks along one axis."""
    count = max(1, round(length_px / max(block_px, size_px + 2 * STRIP_PX)))
    while count > 1 and length_px // count < size_px + 2 * STRIP_PX:
        count -= 1
    edges = [length_px * n // count for n in range(count + 1)]
    starts = [edge + STRIP_PX * (n > 0) for n, edge in enumerate(edges[:-1])]
    ends = [edge - STRIP_PX * (n < count - 1) for n, edge in enumerate(edges[1:])]
    return [(start, end - start) for start, end in zip(starts, ends, strict=True)]


def split_blocks(blocks: Sequence[Block], share: float, seed: int) -> tuple[list[Block], list[Block]]:
    """(for training, held out): ``share`` of the blocks with labels and of those without, at least one with.

    Raises:
        LabelsError: fewer than two blocks hold labels.
    """
    rng = np.random.default_rng((seed, 4))
    train: list[Block] = []
    held_out: list[Block] = []
    for labelled in (True, False):
        mine = [block for block in blocks if bool(block.labels) is labelled]
        if labelled and len(mine) < 2:
            raise LabelsError(
                f"the labels lie within {len(mine)} of {len(blocks)} blocks of ground, so none can be held out to "
                "judge by; label more ground, add a second scene, or make block_px or size_px smaller"
            )
        count = min(max(round(share * len(mine)), int(labelled)), len(mine) - int(labelled))
        order = [mine[n] for n in rng.permutation(len(mine))]
        held_out += order[:count]
        train += order[count:]
    return train, held_out


def window_at(block: Block, size_px: int, row: int, col: int) -> Window:
    """The window of ``size_px`` within a block that starts as near as can be to (row, col)."""
    inside = block.window
    row = min(max(row, inside.row), inside.row + inside.height - size_px)
    col = min(max(col, inside.col), inside.col + inside.width - size_px)
    return Window(row, col, size_px, size_px)


def random_window(
    places: Sequence[Place], blocks: Sequence[Block], size_px: int, label_share: float, rng: np.random.Generator
) -> tuple[int, Window]:
    """(place, window) of a block: with chance ``label_share`` one that shows a label, else anywhere by area."""
    labels = [(block, label) for block in blocks for label in block.labels]
    if labels and rng.random() < label_share:
        block, number = labels[int(rng.integers(len(labels)))]
        label = places[block.place].labels[number]
        shift = rng.integers(0, size_px, 2)
        return block.place, window_at(block, size_px, int(label.row_px) - shift[0], int(label.col_px) - shift[1])
    areas = np.array([block.window.height * block.window.width for block in blocks], np.float64)
    block = blocks[int(rng.choice(len(blocks), p=areas / areas.sum()))]
    row = int(rng.integers(block.window.row, block.window.row + block.window.height - size_px + 1))
    col = int(rng.integers(block.window.col, block.window.col + block.window.width - size_px + 1))
    return block.place, window_at(block, size_px, row, col)


def all_windows(blocks: Sequence[Block], size_px: int, most: int) -> list[tuple[int, Window]]:
    """(place, window) that cover the blocks side by side, blocks with labels first; ``most`` at most.

    What does not fill a window at a block's end is left out, so that nothing is judged twice.
    """
    found = []
    for block in sorted(blocks, key=lambda block: not block.labels):
        inside = block.window
        for row in range(inside.row, inside.row + inside.height - size_px + 1, size_px):
            for col in range(inside.col, inside.col + inside.width - size_px + 1, size_px):
                found.append((block.place, Window(row, col, size_px, size_px)))
    return found[:most]
