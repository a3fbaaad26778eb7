"""How far true and found craters lie from the nearest structure, by one rule for every tool.

A tool that states distances is taken at its word. For all others the distance is measured from the stated centre to the
footprints that come with the scene, so that the figure is that of the centre alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cv_pipeline.datasets.scene import DataScene, TrueObject
from cv_pipeline.evaluation.found import Found
from cv_pipeline.frame import local_frame
from cv_pipeline.imagery.source import has_crs, open_source
from cv_pipeline.matching.nearest import index_structures, nearest
from cv_pipeline.structures.file import read_structures
from cv_pipeline.types import Float64Array


class Distances(NamedTuple):
    """Distances to the nearest structure's edge, (k,) of the truth and (n,) found, with the structures' names."""

    true_m: Float64Array
    true_id: np.ndarray
    found_m: Float64Array
    found_id: np.ndarray


def measure_distances(scene: DataScene, found: Found, truth: Sequence[TrueObject]) -> Distances:
    """Distances of a scene; NaN throughout where it has no structures, and for truth that states none.

    Raises:
        StructuresError: the scene's footprints cannot be read.
    """
    true_m = np.array([np.nan if t.distance_edge_m is None else t.distance_edge_m for t in truth], np.float64)
    true_id = np.array([t.structure_id for t in truth], dtype="U40")
    if "distance_edge_m" in found.numbers and "structure_id" in found.texts:
        return Distances(true_m, true_id, found.number("distance_edge_m"), found.texts["structure_id"])
    found_m, found_id = np.full(len(found), np.nan), np.full(len(found), "", dtype="U40")
    if scene.structures is None or not len(found):
        return Distances(true_m, true_id, found_m, found_id)
    source = open_source(scene.after, gsd_m=None if has_crs(scene.after) else scene.gsd_m)
    frame = local_frame(source.grid)
    index = index_structures(read_structures(scene.structures, frame).structures)
    near = nearest(frame.pixel_to_metres(found.at_px[:, 0], found.at_px[:, 1]), index)
    names = np.array([index.structures[n].structure_id for n in near.first], dtype="U40")
    return Distances(true_m, true_id, near.first_edge_m, names)
