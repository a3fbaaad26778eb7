"""Giving memory back to the system between stages."""

from __future__ import annotations

import ctypes
from contextlib import suppress


def give_back() -> None:
    """Hand freed memory back to the system, where the C library can be told to; elsewhere nothing happens.

    glibc keeps what its threads freed: after segmentation some hundred megabytes, on top of which the next stage would
    take its own.
    """
    with suppress(AttributeError, OSError, TypeError):  # another C library; Windows
        ctypes.CDLL(None).malloc_trim(0)
