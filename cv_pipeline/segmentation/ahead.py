"""Doing the next piece of work while the present one is used, with bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(function: Callable[[Item], Result], items: Iterable[Item], depth: int) -> Generator[Result, None, None]:
    """``map(function, items)``, worked out by one thread of its own, at most ``depth`` results early.

    An error of ``function`` is raised where its result would have come. Close the iterator to stop early.
    """
    with ThreadPoolExecutor(1, "ahead") as thread:
        waiting: deque[Future[Result]] = deque()
        try:
            for item in items:
                waiting.append(thread.submit(function, item))
                if len(waiting) > depth:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


class Behind(Generic[Item]):
    """A context manager whose ``put`` hands items to ``function`` in a thread of its own, in order.

    At most ``depth`` items wait; ``put`` blocks beyond that. An error of ``function`` is raised by a later ``put`` or
    on leaving; after an error in the block what waits is dropped.
    """

    def __init__(self, function: Callable[[Item], None], depth: int) -> None:
        self._function = function
        self._depth = depth
        self._waiting: deque[Future[None]] = deque()
        self._thread = ThreadPoolExecutor(1, "behind")

    def __enter__(self) -> Self:
        return self

    def put(self, item: Item) -> None:
        """Hand over an item."""
        self._waiting.append(self._thread.submit(self._function, item))
        while len(self._waiting) > self._depth:
            self._waiting.popleft().result()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            while kind is None and self._waiting:
                self._waiting.popleft().result()
        finally:
            self._thread.shutdown(wait=True, cancel_futures=True)
