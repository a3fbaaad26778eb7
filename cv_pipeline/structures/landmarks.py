"""What structures define together or beyond their outline: groups, centrelines, junctions and corners."""

from __future__ import annotations

from collections.abc import Sequence

from cv_pipeline.structures.groups import find_groups
from cv_pipeline.structures.junctions import axis_of, find_junctions
from cv_pipeline.types import Landmark, LandmarkKind, Structure


def find_landmarks(structures: Sequence[Structure]) -> tuple[Landmark, ...]:
    """Groups, centrelines, junctions and corners, in that order; IDs are unique and stay while structures do.

    A centreline's ID is its structure's with ``/axis`` after it. No structures give an empty tuple.
    """
    centrelines = tuple(
        Landmark(f"{structure.structure_id}/axis", LandmarkKind.CENTRELINE, (structure.structure_id,), axis)
        for structure in structures
        if (axis := axis_of(structure)) is not None
    )
    return find_groups(structures) + centrelines + find_junctions(structures)
