"""What every change is made of: the record of it, the two dates that it works on, parts of fields, new colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import cv2
import numpy as np

from cv_pipeline.simulation.config import BuiltConfig, ChangeConfig
from cv_pipeline.simulation.ground import Ground, Material
from cv_pipeline.simulation.noise import across
from cv_pipeline.simulation.setting import Setting
from cv_pipeline.types import BoolArray, Float32Array

Date = Literal["before", "after"]
GREEN = np.array([[76, 96, 52], [62, 84, 48], [98, 118, 62], [84, 100, 72]], np.float32)
DRY = np.array([[168, 150, 104], [150, 136, 100], [184, 168, 126], [138, 128, 98]], np.float32)
BARE = np.array([[128, 108, 86], [104, 90, 76], [146, 124, 98], [88, 80, 72]], np.float32)
PLANTS = (Material.CROP, Material.GRASS)
_LUMINANCE = np.array([[0.30, 0.59, 0.11]], np.float32)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs: its kind, on which date it was drawn, and where (None: over the whole ground)."""

    kind: str
    date: Date
    centre_px: tuple[float, float] | None = None
    radius_m: float | None = None


@dataclass(frozen=True, slots=True)
class ChangeRecord:
    """Everything that was changed between the dates, in the order in which it was drawn."""

    changes: tuple[Change, ...]

    def kinds(self) -> set[str]:
        """The kinds of change that occur."""
        return {change.kind for change in self.changes}


class Pair(NamedTuple):
    """What every element of change works on."""

    before: Ground
    after: Ground
    config: ChangeConfig
    built: BuiltConfig
    setting: Setting | None


def one_date(pair: Pair, rng: np.random.Generator, after_share: float = 0.5) -> tuple[Date, Ground]:
    """Either date, the after image with probability ``after_share``."""
    return ("after", pair.after) if rng.random() < after_share else ("before", pair.before)


def covered_by(ground: Ground, materials: tuple[Material, ...]) -> BoolArray:
    """True where the ground is one of these materials."""
    table = np.zeros(256, bool)
    table[list(materials)] = True
    return np.asarray(table[ground.material])


def luminance(colour: Float32Array) -> Float32Array:
    """Luminance (h, w) in DN of a colour (h, w, 3)."""
    return np.asarray(cv2.transform(colour, _LUMINANCE), np.float32)


def recolour(ground: Ground, alpha: Float32Array, target: Float32Array, texture: float = 0.8) -> None:
    """Pull the colour towards ``target`` ((3,) or (h, w, 3)) by ``alpha`` (h, w), keeping ``texture`` of its relief."""
    light = luminance(ground.colour)
    level = float((light * alpha).sum()) / max(float(alpha.sum()), 1e-3)
    relative = light * np.float32(texture / max(level, 10.0)) + np.float32(1.0 - texture)
    ground.colour += alpha[..., None] * (relative[..., None] * target.astype(np.float32, copy=False) - ground.colour)


def field_part(pair: Pair, rng: np.random.Generator) -> tuple[Float32Array, float]:
    """A field's part of the ground (h, w) 0..1 and the heading of its rows in rad.

    One of the setting's parcels, mostly; otherwise what one or two straight lines cut off, or all of it.
    """
    row, col, lines = rng.random(), rng.random(), int(rng.choice(3, p=(0.3, 0.4, 0.3)))
    heading, own = float(rng.uniform(0, np.pi)), rng.random() < 0.7
    shape, gsd_m = pair.after.shape, pair.after.gsd_m
    if pair.setting is not None and own:
        label = int(pair.setting.parcel_of[int(row * shape[0]), int(col * shape[1])])
        headings = {parcel.label: parcel.heading_rad for parcel in pair.setting.parcels}
        mask = (pair.setting.parcel_of == label).astype(np.float32)
        return np.asarray(cv2.blur(mask, (3, 3)), np.float32), headings.get(label, heading)
    mask = np.ones(shape, np.float32)
    for turn in (0.0, np.pi / 2)[:lines]:
        side = rng.choice([-1.0, 1.0])
        offset_m = rng.uniform(-0.35, 0.35) * min(shape) * gsd_m
        distance = across(shape, gsd_m, heading + turn + rng.normal(0, 0.03)) - np.float32(offset_m)
        mask *= np.clip(side * distance / gsd_m + 0.5, 0, 1).astype(np.float32)
    return mask, heading
