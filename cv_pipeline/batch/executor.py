"""What runs the tasks of a batch: the interface that the driver knows, whatever library does the work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """A call of a function that every process can import; ``attempt`` counts from 1."""

    pair_id: str
    call: Callable[..., Any]
    arguments: tuple[Any, ...]
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Answer:
    """What a job gave back, or, in ``lost``, why it gave nothing: its worker is gone."""

    job: Job
    value: Any = None
    lost: str = ""


class Executor(Protocol):
    """Runs jobs; a context manager that leaves no job running."""

    def __enter__(self) -> Self:
        """Start."""
        ...

    def __exit__(self, *error: object) -> None:
        """End at once: jobs that are still running are abandoned."""
        ...

    @property
    def room(self) -> bool:
        """Whether another job is wanted; the driver hands out no more, so that its own memory stays small."""
        ...

    def submit(self, job: Job) -> None:
        """Start a job; only where there is :attr:`room`."""
        ...

    def wait(self, seconds: float) -> Sequence[Answer]:
        """Answers that have come, after at most so many seconds; none where nothing is running."""
        ...
