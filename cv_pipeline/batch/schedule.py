"""How long a batch would take: the driver's own rules played through without doing the work.

Jobs go to whichever worker is free first, in the manifest's order; those of a large scene come step by step, before
pairs not yet begun; a worker that dies costs what it had done of its job, and the time to start another.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class SceneTime:
    """A pair's steps, one after the other, each with the seconds of its parts on one worker, which run at once.

    A scene that is not split has one step of one part.
    """

    steps_s: tuple[tuple[float, ...], ...]

    @property
    def total_s(self) -> float:
        """Work in all."""
        return sum(map(sum, self.steps_s))


@dataclass(frozen=True, slots=True)
class Faults:
    """How often a worker dies, by an exponential law, and how long it takes to replace it."""

    mean_between_h: float
    restart_s: float = 20.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Played:
    """A run that was played through. ``busy`` is the share of the workers' time that went into work that counted."""

    wall_s: float
    work_s: float
    busy: float
    deaths: int
    longest_scene_s: float


_Job = tuple[int, int, float]
"""Number of the scene, its step, and the job's seconds."""


def play(scenes: Sequence[SceneTime], workers: int, faults: Faults | None = None) -> Played:
    """Play a run through.

    Args:
        scenes: in the manifest's order.
        workers: how many, all alike.
        faults: None: nothing goes wrong.
    """
    rng = np.random.default_rng(0 if faults is None else faults.seed)
    fresh = ((number, 0, seconds) for number, scene in enumerate(scenes) for seconds in scene.steps_s[0])
    urgent: deque[_Job] = deque()
    left: dict[int, int] = {}
    begun: dict[int, float] = {}
    running: list[tuple[float, int, _Job | None]] = []
    now = longest = 0.0
    free, serial, deaths = workers, 0, 0

    while True:
        while free and (job := urgent.popleft() if urgent else next(fresh, None)) is not None:
            begun.setdefault(job[0], now)
            life = np.inf if faults is None else rng.exponential(faults.mean_between_h * 3600)
            free, serial = free - 1, serial + 1
            if life < job[2]:
                assert faults is not None
                deaths += 1
                urgent.append(job)
                heapq.heappush(running, (now + life + faults.restart_s, serial, None))
            else:
                heapq.heappush(running, (now + job[2], serial, job))
        if not running:
            break
        now, _, ended = heapq.heappop(running)
        free += 1
        if ended is None:
            continue
        number, step, _ = ended
        steps_s = scenes[number].steps_s
        left[number] = left.get(number, len(steps_s[step])) - 1
        if left[number] > 0:
            continue
        del left[number]
        if step + 1 < len(steps_s):
            urgent.extend((number, step + 1, seconds) for seconds in steps_s[step + 1])
        else:
            longest = max(longest, now - begun.pop(number))
    work = sum(scene.total_s for scene in scenes)
    return Played(now, work, work / (workers * now) if now else 0.0, deaths, longest)


def split_evenly(megapixels: float, part_mpx: float) -> tuple[float, ...]:
    """Megapixels of each part of a scene; one where it has no more than ``part_mpx``."""
    count = max(int(np.ceil(megapixels / part_mpx)), 1)
    return (megapixels / count,) * count
