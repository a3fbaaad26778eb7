"""The answers of a closer look, for many candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from cv_pipeline.types import Float64Array


@dataclass(frozen=True, slots=True, eq=False)
class CloseUp:
    """Answers for n candidates, (n,) or (n, 2); positions in local metres, vectors east and north.

    ``crater``, ``one_sided`` and ``new`` are log odds, ``new`` of no meaning without a before image. The SDs of the
    radii are of their logarithms, that of the centre is along each axis. ``axis`` points to where the pattern extends,
    its length is a von Mises concentration.
    """

    crater: Float64Array
    centre_m: Float64Array
    centre_sd_m: Float64Array
    radius_m: Float64Array
    radius_log_sd: Float64Array
    blast_m: Float64Array
    blast_log_sd: Float64Array
    one_sided: Float64Array
    axis: Float64Array
    new: Float64Array

    def take(self, index: np.ndarray) -> CloseUp:
        """Those at ``index``, in its order."""
        return CloseUp(*(getattr(self, field.name)[index] for field in fields(self)))


_VECTORS = frozenset({"centre_m", "axis"})


def joined(parts: Sequence[CloseUp]) -> CloseUp:
    """All answers one after the other; of none for no parts."""
    values = {}
    for field in fields(CloseUp):
        empty = np.zeros((0, 2) if field.name in _VECTORS else 0)
        values[field.name] = np.concatenate([empty, *(getattr(part, field.name) for part in parts)])
    return CloseUp(**values)
