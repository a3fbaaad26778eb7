"""The specification of strikebench: which scenes there are, from which places, and what is special about each.

Everything that a scene depends on stands in ``spec.yaml`` and in the simulator; a change of either that changes a
scene is a new version.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cv_pipeline.errors import ConfigError
from cv_pipeline.evaluation.scenes import Half
from cv_pipeline.settings_file import read_settings
from cv_pipeline.simulation.config import SimulationConfig

FOLDER = Path(__file__).resolve().parents[3] / "datasets" / "strikebench"
"""Of a checkout; the benchmark is no part of an installed wheel."""


class Condition(BaseModel):
    """One kind of scene. ``simulation`` holds what differs from ``base``, by section."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    about: str
    gsd_m: float = Field(0.5, gt=0)
    size_px: int = Field(384, ge=64)
    simulation: dict[str, dict[str, Any]] = {}


class Spec(BaseModel):
    """The whole benchmark. ``sets`` says how many scenes of each condition a set has, by half."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = Field(ge=1)
    seed: int = Field(ge=0)
    base: dict[str, dict[str, Any]]
    conditions: dict[str, Condition]
    sets: dict[str, dict[Half, dict[str, int]]]

    def config(self, condition: str) -> SimulationConfig:
        """The simulation of a condition."""
        return SimulationConfig.model_validate(_merged(self.base, self.conditions[condition].simulation))


class SceneKey(NamedTuple):
    """One scene of the benchmark; ``number`` counts from 1 within its condition and half."""

    half: Half
    condition: str
    number: int

    @property
    def name(self) -> str:
        """How the scene is called in every file."""
        return f"{self.half}-{self.condition}-{self.number:02d}"

    def seed(self, spec: Spec) -> tuple[int, ...]:
        """The scene's own seed: no scene depends on how many others there are."""
        return spec.seed, zlib.crc32(f"{self.half}-{self.condition}".encode()), self.number


def scene_keys(spec: Spec, name: str) -> Iterator[SceneKey]:
    """The scenes of a set, in order; those of the small set are the first of the full one.

    Raises:
        ConfigError: there is no such set.
    """
    if name not in spec.sets:
        raise ConfigError(f"strikebench has no set '{name}'; it has {', '.join(spec.sets)}")
    for half, counts in spec.sets[name].items():
        for condition, count in counts.items():
            for number in range(1, count + 1):
                yield SceneKey(half, condition, number)


def read_spec(path: Path = FOLDER / "spec.yaml") -> Spec:
    """The specification in a YAML file.

    Raises:
        ConfigError: the file is missing, or not a valid specification.
    """
    spec = read_settings(path, Spec, "a valid specification", "it is in a checkout of the project")
    for condition in spec.conditions:
        try:
            spec.config(condition)
        except ValidationError as error:
            raise ConfigError(f"{path}: not a valid specification: {condition}: {error}") from error
    unknown = {c for halves in spec.sets.values() for counts in halves.values() for c in counts} - set(spec.conditions)
    if unknown:
        raise ConfigError(f"{path}: sets name conditions that are not defined: {', '.join(sorted(unknown))}")
    return spec


def _merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of both by section; those of ``changes`` count."""
    return {section: {**base.get(section, {}), **changes.get(section, {})} for section in {**base, **changes}}
