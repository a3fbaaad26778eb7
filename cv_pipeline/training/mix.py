"""Which simulation settings each pair of a run is drawn with: curriculum, balanced sampling, hard scenes again.

All of it depends on a pair's number and the step that shows it first, never on what was drawn before, so a run
that stopped goes on with exactly the pairs that it would have seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from cv_pipeline.simulation.config import SimulationConfig
from cv_pipeline.simulation.stream import PairPlan

Overrides = dict[str, Any]
"""Settings that replace those of the same name, nested as in :class:`SimulationConfig`."""

_KEEP = ConfigDict(frozen=True, extra="forbid")
_CHANCE_BITS = 64
# Two multiples that together fill the unit square evenly (Roberts' R2 sequence): no share is left to chance,
# and which pairs are hard scenes has nothing to do with which stratum they fall into.
_STRATUM_STEP, _HARD_STEP = (int(2**_CHANCE_BITS * x) for x in (0.7548776662466927, 0.5698402909980532))


class Phase(BaseModel):
    """Until optimiser step ``until_step`` these settings hold in place of the run's own."""

    model_config = _KEEP

    until_step: int = Field(ge=1)
    simulation: Overrides


class Stratum(BaseModel):
    """A share of all pairs is drawn with these settings: empty ground, pavements, snow ..."""

    model_config = _KEEP

    share: float = Field(gt=0, le=1)
    simulation: Overrides


def merged(base: SimulationConfig, *changes: Mapping[str, Any]) -> SimulationConfig:
    """``base`` with each of ``changes`` laid over it in turn.

    Raises:
        ValidationError: a name that is no setting, or a value that it cannot have.
    """
    values = base.model_dump()
    for change in changes:
        _lay_over(values, change)
    return SimulationConfig.model_validate(values)


def _lay_over(values: dict[str, Any], change: Mapping[str, Any]) -> None:
    for name, value in change.items():
        if isinstance(value, Mapping) and isinstance(values.get(name), dict):
            _lay_over(values[name], value)
        else:
            values[name] = value


def evenly(number: int, step: int) -> float:
    """The ``number``-th of a sequence in [0, 1) whose every stretch is spread evenly."""
    return float((number * step % 2**_CHANCE_BITS) / 2**_CHANCE_BITS)


class HardRound(NamedTuple):
    """Scenes that a run found hard at ``step``, as seeds; all drawn with ``config``."""

    step: int
    seeds: tuple[tuple[int, ...], ...]
    config: SimulationConfig


class TrainingPlan:
    """Seed and settings of every pair of a run; see the module's text."""

    def __init__(
        self,
        seed: int,
        base: SimulationConfig,
        curriculum: Sequence[Phase] = (),
        balance: Sequence[Stratum] = (),
        hard: Sequence[HardRound] = (),
        hard_share: float = 0.0,
        ranks: int = 1,
    ) -> None:
        """Set up the plan.

        Args:
            seed: of the run.
            base: settings outside all phases and strata.
            curriculum: phases, by ascending step.
            balance: strata; what their shares leave of 1 is drawn with the phase's settings alone.
            hard: rounds of hard scenes, by ascending step; each counts from its step on.
            hard_share: of the pairs after the first round that found any, how many show such a scene.
            ranks: processes that train together: so many batches make a step.
        """
        self._seed, self._base = seed, base
        self._curriculum, self._balance = tuple(curriculum), tuple(balance)
        self._hard, self._hard_share, self._ranks = tuple(hard), hard_share, ranks
        self._edges = np.cumsum([stratum.share for stratum in self._balance])

    def __call__(self, pair: int, batch: int) -> PairPlan:
        """What pair number ``pair``, shown first in batch number ``batch``, is drawn from."""
        step = batch // self._ranks
        hard = [(seed, one.config) for one in self._hard if one.step <= step for seed in one.seeds]
        if hard and evenly(pair, _HARD_STEP) < self._hard_share:
            return PairPlan(*hard[np.random.default_rng((self._seed, pair, 2)).integers(len(hard))])
        return PairPlan((self._seed, pair), self.settings(step, self.stratum(pair)))

    def stratum(self, pair: int) -> int | None:
        """Number of a pair's stratum, None outside all."""
        found = int(np.searchsorted(self._edges, evenly(pair, _STRATUM_STEP), side="right"))
        return found if found < len(self._balance) else None

    def settings(self, step: int, stratum: int | None) -> SimulationConfig:
        """Settings at a step, for a stratum; the stratum's prevail over the phase's."""
        phase = next((n for n, phase in enumerate(self._curriculum) if step < phase.until_step), None)
        return self._settings(phase, stratum)

    @lru_cache(maxsize=256)  # noqa: B019 - a plan lives as long as its run
    def _settings(self, phase: int | None, stratum: int | None) -> SimulationConfig:
        changes = [] if phase is None else [self._curriculum[phase].simulation]
        changes += [] if stratum is None else [self._balance[stratum].simulation]
        return merged(self._base, *changes)
