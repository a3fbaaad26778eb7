"""Offsets of impacts from the aim point that a measure assumes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import shapely

from cv_pipeline.matching.nearest import StructureIndex
from cv_pipeline.types import Float64Array, Hypothesis, Match

AimOf = Callable[[Match], Hypothesis | None]


def hypothesis_offsets(matches: Sequence[Match], points_m: Float64Array, aim_of: AimOf) -> Float64Array | None:
    """Offsets (k, 2) of the impacts whose hypothesis ``aim_of`` picks; None where an aim point's place is not known.

    Impacts without a hypothesis are left out, as they are from the distances.
    """
    offsets = []
    for match, point in zip(matches, points_m, strict=True):
        hypothesis = aim_of(match)
        if hypothesis is None:
            continue
        if hypothesis.aim_m is None:
            return None
        offsets.append(point - np.asarray(hypothesis.aim_m))
    return np.array(offsets, dtype=np.float64).reshape(-1, 2)


def centre_offsets(matches: Sequence[Match], points_m: Float64Array, index: StructureIndex) -> Float64Array:
    """Offsets (k, 2) from the centre of the matched structure; of a line, from its point nearest the impact."""
    position = {structure.structure_id: row for row, structure in enumerate(index.structures)}
    offsets = []
    for match, point in zip(matches, points_m, strict=True):
        if match.structure_id is None:
            continue
        centre = index.centres[position[match.structure_id]]
        start, end = shapely.get_coordinates(shapely.shortest_line(shapely.Point(point), centre))
        offsets.append(start - end)
    return np.array(offsets, dtype=np.float64).reshape(-1, 2)
