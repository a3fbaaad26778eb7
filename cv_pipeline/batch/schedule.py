"""How long a batch would take: the driver's own rules played through without doing the work.

Jobs go to whichever worker is free first, in the manifest's order; a large scene is aligned, then its parts run, then
it is put together and measured; a worker that dies costs what it had done of its job, and the time to start another.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class SceneTime:
    """Seconds of a pair on one worker: to open and align it, to segment each of its parts, and to measure and write it.

    A scene that is not split has one part, and all of it is one job.
    """

    prepare_s: float
    parts_s: tuple[float, ...]
    finish_s: float

    @property
    def total_s(self) -> float:
        """Work in all."""
        return self.prepare_s + sum(self.parts_s) + self.finish_s


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


_Job = tuple[int, str, float]
"""Number of the scene, what is done, and its seconds."""


def play(scenes: Sequence[SceneTime], workers: int, faults: Faults | None = None) -> Played:
    """Play a run through.

    Args:
        scenes: in the manifest's order.
        workers: how many, all alike.
        faults: None: nothing goes wrong.
    """
    rng = np.random.default_rng(0 if faults is None else faults.seed)
    fresh = ((number, "pair" if len(scene.parts_s) == 1 else "prepare") for number, scene in enumerate(scenes))
    urgent: deque[_Job] = deque()
    left = {number: len(scene.parts_s) for number, scene in enumerate(scenes) if len(scene.parts_s) > 1}
    begun: dict[int, float] = {}
    running: list[tuple[float, int, _Job | None]] = []
    now = longest = 0.0
    free, serial, deaths = workers, 0, 0

    def next_job() -> _Job | None:
        if urgent:
            return urgent.popleft()
        for number, kind in fresh:
            return number, kind, scenes[number].total_s if kind == "pair" else scenes[number].prepare_s
        return None

    while True:
        while free and (job := next_job()) is not None:
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
        number, kind, _ = ended
        urgent.extend(_following(scenes[number], ended, left))
        if kind in ("pair", "finish"):
            longest = max(longest, now - begun.pop(number))
    work = sum(scene.total_s for scene in scenes)
    return Played(now, work, work / (workers * now) if now else 0.0, deaths, longest)


def _following(scene: SceneTime, ended: _Job, left: dict[int, int]) -> Iterator[_Job]:
    """What can start now that a job of a split scene has ended."""
    number, kind, _ = ended
    if kind == "prepare":
        yield from ((number, "part", seconds) for seconds in scene.parts_s)
    elif kind == "part":
        left[number] -= 1
        if left[number] == 0:
            yield number, "finish", scene.finish_s


def split_evenly(megapixels: float, part_mpx: float) -> tuple[float, ...]:
    """Megapixels of each part of a scene; one where it has no more than ``part_mpx``."""
    count = max(int(np.ceil(megapixels / part_mpx)), 1)
    return (megapixels / count,) * count
