"""Every parameter of the simulation, typed, with its unit and its source.

Each section belongs to one element; setting an element's share to 0 leaves it out and changes nothing
else, because every element draws from a random stream of its own (:func:`stream`). Ablations rest on that.
"""

from __future__ import annotations

import zlib

import numpy as np
from pydantic import BaseModel, ConfigDict


class _Section(BaseModel):
    """A frozen group of settings that refuses unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class StrikeConfig(_Section):
    """How many strikes, how they are laid out, which families, how old."""


class GroundConfig(_Section):
    """Which grounds: real tiles and synthesised fields, steppe, desert, snow."""


class BuiltConfig(_Section):
    """Villages, pavements, vehicles and tents."""


class LookalikeConfig(_Section):
    """Things that are not craters but look like them."""


class ChangeConfig(_Section):
    """What differs between the two dates apart from strikes."""


class SensorConfig(_Section):
    """Optics, sampling, radiometry and compression of each date."""


class SimulationConfig(_Section):
    """The whole simulation."""

    strikes: StrikeConfig = StrikeConfig()
    ground: GroundConfig = GroundConfig()
    built: BuiltConfig = BuiltConfig()
    lookalikes: LookalikeConfig = LookalikeConfig()
    change: ChangeConfig = ChangeConfig()
    sensor: SensorConfig = SensorConfig()


def stream(seed: tuple[int, ...], element: str) -> np.random.Generator:
    """The random numbers of one element of one sample: the same whatever other elements do."""
    return np.random.default_rng((*seed, zlib.crc32(element.encode())))
