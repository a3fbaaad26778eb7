"""Small groups of like buildings that a person would take as one unit: a row of shelters, of tents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from cv_pipeline.matching.nearest import StructureIndex
from cv_pipeline.types import StructureKind

MAX_AREA_RATIO = 1.5
"""Two footprints are alike when the larger has at most this many times the area of the smaller."""

MAX_MEMBERS = 8
"""More than this is a settlement's fabric, not a unit: chains through a town would join everything."""


@dataclass(frozen=True, slots=True)
class Group:
    """Positions of the members in the index, their IDs joined by ``+``, and the area centroid."""

    members: tuple[int, ...]
    group_id: str
    centre_m: tuple[float, float]


def find_groups(index: StructureIndex) -> dict[int, Group]:
    """The group of each member, by position in the index; structures in no group are absent.

    Two buildings are joined when their areas differ by at most a factor of 1.5 and the gap between
    them is at most the side of the smaller one's equal square. Groups are the connected components
    with 2 to 8 members. Only polygons of kind ``building`` take part.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = len(index.structures)
    if count < 2:
        return {}
    left, right = _alike_pairs(index)
    links = coo_array((np.ones(len(left)), (left, right)), shape=(count, count))
    labels = connected_components(links, directed=False)[1]
    sizes = np.bincount(labels)
    groups: dict[int, Group] = {}
    for label in np.flatnonzero((sizes >= 2) & (sizes <= MAX_MEMBERS)):
        members = tuple(int(i) for i in np.flatnonzero(labels == label))
        group = _group(index, members)
        groups.update(dict.fromkeys(members, group))
    return groups


def _alike_pairs(index: StructureIndex) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of positions of adjacent, like-sized buildings."""
    areas = shapely.area(index.edges)
    is_building = np.array([s.kind is StructureKind.BUILDING for s in index.structures]) & (areas > 0)
    rows = np.flatnonzero(is_building)
    hits, right = index.edge_tree.query(index.edges[rows], predicate="dwithin", distance=np.sqrt(areas[rows]))
    left = rows[hits]
    keep = is_building[right] & (left != right)
    left, right = left[keep], right[keep]
    small, large = np.minimum(areas[left], areas[right]), np.maximum(areas[left], areas[right])
    gap_m = shapely.distance(index.edges[left], index.edges[right])
    keep = (large <= MAX_AREA_RATIO * small) & (gap_m <= np.sqrt(small))
    return left[keep], right[keep]


def _group(index: StructureIndex, members: tuple[int, ...]) -> Group:
    centre = shapely.centroid(shapely.GeometryCollection(list(index.edges[list(members)])))
    group_id = "+".join(index.structures[i].structure_id for i in members)
    return Group(members, group_id, (float(centre.x), float(centre.y)))
