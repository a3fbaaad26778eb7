"""Simulated pairs with a planted misregistration, to measure registration and its gate by.

The ground is real imagery, and both dates of it are pictures of their own: other sun, season, weather, sensor and
change (:func:`cv_pipeline.simulation.pair.simulate_pair`). The before image is then moved by a known transform.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal, NamedTuple

import cv2
import numpy as np

from cv_pipeline.simulation.background import Backgrounds, Tile, list_folder, list_tiles
from cv_pipeline.simulation.config import GroundConfig, SensorConfig, SimulationConfig, stream
from cv_pipeline.simulation.pair import simulate_pair
from cv_pipeline.types import BoolArray, Float32Array, Float64Array, UInt8Array

PlaceSet = Literal["ucmerced_train", "joplin_pre", "ucmerced_validate", "joplin_post", "kampala"]
TUNED_ON: tuple[PlaceSet, ...] = ("ucmerced_train", "joplin_pre")
"""Limits of registration were chosen on these; figures are quoted on the others."""
QUOTED_ON: tuple[PlaceSet, ...] = ("ucmerced_validate", "joplin_post", "kampala")

_PAD_PX = 64
_WHOLE_TILE = GroundConfig(real_share=1.0, parcel_width_m=(5000.0, 6000.0), parcel_length_m=(5000.0, 6000.0))
_PARCELS = GroundConfig(real_share=1.0)
_AS_PLANTED = SensorConfig(misaligned_share=0.0)


class Misfit(NamedTuple):
    """How far off the before image is put: at most this shift, angle and scale, and the share of ground changed.

    ``relief_px`` is the amplitude of a smooth field that comes on top, with features of ``relief_wavelength_px``.
    """

    shift_px: float = 64.0
    rotation_deg: float = 5.0
    scale: float = 0.05
    changed_share: float = 0.15
    relief_px: float = 0.0
    relief_wavelength_px: float = 600.0


USUAL = Misfit()


class PlantedPair(NamedTuple):
    """Two images (height, width, 3), where the before image shows anything, and where its ground truly lies.

    ``matrix`` (2, 3) takes (col, row) of the before image to the after image, pixel centre = integer + 0.5;
    ``relief_px`` (height, width, 2), as (col, row) at the place in the after image, comes on top of it.
    """

    before: UInt8Array
    before_valid: BoolArray
    after: UInt8Array
    matrix: Float64Array
    relief_px: Float32Array


def places(data: Path, name: PlaceSet) -> tuple[Backgrounds, float]:
    """Real imagery of one set and the GSD in metres at which pairs are drawn on it; ``data`` is the data folder."""
    if name == "kampala":
        mosaic = Path(__file__).parents[2] / "datasets" / "kampala_strikes" / "before.tif"
        return Backgrounds([Tile(mosaic, 0.25, 1.0, "", "kampala")]), 0.25
    if name in ("joplin_pre", "joplin_post"):
        folder = data / "joplin" / name.removeprefix("joplin_")
        return Backgrounds([*list_folder(folder, "train"), *list_folder(folder, "validate")]), 0.6
    return Backgrounds(list_tiles(data, name.removeprefix("ucmerced_"))), 0.4


def draw_pair(data: Path, name: PlaceSet, seed: tuple[int, ...], side_px: int, misfit: Misfit = USUAL) -> PlantedPair:
    """A pair of ``side_px`` a side with a planted transform, the same for the same arguments.

    Raises:
        ImageError: the imagery is not in ``data``.
    """
    backgrounds, gsd_m = places(data, name)
    config = simulation_config(name)
    canvas = side_px + 2 * _PAD_PX
    # The 0 keeps the pairs that published figures were measured on.
    pair = simulate_pair(backgrounds, (*seed, 0), (canvas, canvas), gsd_m, config)
    rng = stream(seed, "planted")
    matrix = draw_similarity(rng, side_px, misfit)
    relief = draw_relief(rng, side_px, misfit)
    after = pair.after[_PAD_PX:-_PAD_PX, _PAD_PX:-_PAD_PX].copy()
    before, valid = moved(pair.before, matrix, relief, side_px)
    change(after, misfit.changed_share, rng)
    return PlantedPair(before, valid, after, matrix, relief)


def simulation_config(name: PlaceSet) -> SimulationConfig:
    """How pairs are drawn on a set of places: nothing but what is planted moves them."""
    return SimulationConfig(ground=_PARCELS if name.startswith("ucmerced") else _WHOLE_TILE, sensor=_AS_PLANTED)


def draw_similarity(rng: np.random.Generator, side_px: int, misfit: Misfit) -> Float64Array:
    """A (2, 3) matrix: turned and scaled about the middle of a square image, then shifted."""
    length, heading = misfit.shift_px * math.sqrt(rng.random()), rng.uniform(0, 2 * math.pi)
    turn, scale = math.radians(rng.uniform(-1, 1) * misfit.rotation_deg), 1 + rng.uniform(-1, 1) * misfit.scale
    linear = scale * np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    middle = np.full(2, side_px / 2)
    shift = length * np.array([math.cos(heading), math.sin(heading)])
    return np.column_stack([linear, middle + shift - linear @ middle])


def draw_relief(rng: np.random.Generator, side_px: int, misfit: Misfit) -> Float32Array:
    """Parallax (side, side, 2) as (col, row): a smooth field along one line of sight."""
    heading = rng.uniform(0, 2 * math.pi)
    knots = int(2 * side_px / misfit.relief_wavelength_px) + 5
    field = np.clip(rng.normal(0, 0.5, (knots, knots)), -1, 1).astype(np.float32) * np.float32(misfit.relief_px)
    step = 2 / misfit.relief_wavelength_px
    to_knots = np.array([[step, 0.0, 1.5], [0.0, step, 1.5]])
    smooth = cv2.warpAffine(
        cv2.GaussianBlur(field, (3, 3), 0.8), to_knots, (side_px, side_px), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    )
    return np.dstack([math.cos(heading) * smooth, math.sin(heading) * smooth]).astype(np.float32)


def moved(canvas: UInt8Array, matrix: Float64Array, relief: Float32Array, side_px: int) -> tuple[UInt8Array, BoolArray]:
    """The before image and where it shows anything: its pixel p is what the after image has at ``matrix p + relief``.

    ``canvas`` is ground around the same middle as the after image, wider than it by as much on all sides.
    """
    rows, cols = np.mgrid[:side_px, :side_px].astype(np.float64) + 0.5
    at = np.stack([cols, rows], axis=-1) @ matrix[:, :2].T + matrix[:, 2]
    # the relief belongs to the place in the after image
    where = (at - 0.5).astype(np.float32)
    bent = [cv2.remap(relief[..., k], where[..., 0], where[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            for k in (0, 1)]  # fmt: skip
    ground = at + np.stack(bent, axis=-1)
    source = (ground + (len(canvas) - side_px) // 2 - 0.5).astype(np.float32)
    image = cv2.remap(canvas, source[..., 0], source[..., 1], cv2.INTER_CUBIC)
    inside: BoolArray = np.all((source > 1) & (source < len(canvas) - 2), axis=-1)
    return np.where(inside[..., None], image, 0).astype(np.uint8), inside


def change(after: UInt8Array, share: float, rng: np.random.Generator, turns: int = 2) -> None:
    """Blobs that cover ``share`` of the ground, filled with the same image turned by so many right angles."""
    side = len(after)
    other = np.ascontiguousarray(np.rot90(after, turns))
    covered = np.zeros((side, side), np.uint8)
    while covered.mean() < share:
        corners = np.sort(rng.uniform(0, 2 * math.pi, 9))
        reach = side * rng.uniform(0.03, 0.12) * rng.uniform(0.6, 1.4, 9)
        middle = rng.uniform(0, side, 2)
        blob = middle + reach[:, None] * np.column_stack([np.cos(corners), np.sin(corners)])
        cv2.fillPoly(covered, [blob.astype(np.int32)], 1)
    soft = cv2.blur(covered.astype(np.float32), (3, 3))[..., None]
    after[:] = (after * (1 - soft) + other * soft).round().astype(np.uint8)
