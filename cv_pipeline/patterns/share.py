"""A scene's work in equal shares, so that several processes can do it: what each does is what one process would do.

Work is dealt out in the pieces in which it is done anyway (windows, batches of chips), never cut differently, so the
shares' results together are those of the whole to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

T = TypeVar("T")


class Share(NamedTuple):
    """Share ``number`` of ``parts``, from 0."""

    number: int = 0
    parts: int = 1

    def of(self, pieces: Sequence[T]) -> Sequence[T]:
        """The pieces of this share, which follow each other; all shares together are all pieces in their order."""
        first, last = (len(pieces) * (self.number + k) // self.parts for k in (0, 1))
        return pieces[first:last]


ALL = Share()
"""The whole as one share."""
