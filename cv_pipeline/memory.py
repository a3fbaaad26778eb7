"""What the C library does with memory that was freed."""

from __future__ import annotations

import ctypes
from contextlib import suppress

_M_ARENA_MAX = -8


def share_heap() -> None:
    """From now on let new threads take memory from where others freed theirs, where the C library can be told to.

    glibc gives each thread a heap of its own, and what one thread freed no other can use: for threads that hand large
    arrays to each other that is some fifty megabytes more at the peak, and more the larger the arrays are.
    """
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def give_back() -> None:
    """Hand freed memory back to the system, where the C library can be told to; elsewhere nothing happens.

    glibc keeps what its threads freed: after segmentation some hundred megabytes, on top of which the next stage would
    take its own.
    """
    with suppress(AttributeError, OSError, TypeError):  # another C library; Windows
        ctypes.CDLL(None).malloc_trim(0)
