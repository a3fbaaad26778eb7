from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from cv_pipeline.segmentation.ahead import Behind, ahead


def test_results_come_in_order_and_no_more_than_asked_are_made_early() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(10):
            taken.append(number)
            yield number

    results = ahead(lambda number: number * number, items(), 2)
    assert next(results) == 0
    assert taken == [0, 1, 2]
    assert list(results) == [n * n for n in range(1, 10)]


def test_the_next_result_is_made_while_the_present_one_is_used() -> None:
    made = threading.Event()

    def make(number: int) -> int:
        if number == 1:
            made.set()
        return number

    with closing(ahead(make, [0, 1], 1)) as results:
        assert next(results) == 0
        assert made.wait(5)


def test_an_error_comes_where_its_result_would() -> None:
    results = ahead(lambda number: 1 // number, [1, 0, 1], 2)
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_items_are_handled_in_order_and_all_on_leaving() -> None:
    seen: list[int] = []
    with Behind(seen.append, 2) as behind:
        for number in range(20):
            behind.put(number)
    assert seen == list(range(20))


def test_an_error_behind_is_raised() -> None:
    def fail(number: int) -> None:
        raise OSError(number)

    with pytest.raises(OSError, match="7"), Behind(fail, 2) as behind:
        behind.put(7)


def test_after_an_error_ahead_what_waits_is_dropped() -> None:
    gate = threading.Event()
    seen: list[int] = []

    def slow(number: int) -> None:
        gate.wait(5)
        seen.append(number)

    with pytest.raises(KeyError), Behind(slow, 5) as behind:
        for number in range(4):
            behind.put(number)
        gate.set() if seen else None
        threading.Timer(0.1, gate.set).start()
        raise KeyError
    assert len(seen) <= 1
