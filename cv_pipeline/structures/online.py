"""Footprints from Overture Maps and OpenStreetMap, only when asked for by name.

The download itself is two short functions over the packages of the extra ``online`` (overturemaps,
osmnx). They were written against overturemaps 1.0 and osmnx 2.1 and are tested with stand-ins for those
packages, never against the live services.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from cv_pipeline.errors import StructuresError
from cv_pipeline.frame import LocalFrame
from cv_pipeline.structures.file import StructureSet, build_structures
from cv_pipeline.structures.vector import FeatureFile, layer_of

MARGIN_M = 200.0
"""Ground around the scene that is asked for as well: the nearest structure may lie outside the image."""

PAVEMENT_CLASSES = ("runway", "taxiway", "apron", "helipad")

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Fetched:
    """GeoDataFrames of one source, the release they are of, and whose they are."""

    frames: Sequence[Any]
    release: str
    licence: str
    attribution: str


def read_online(name: str, frame: LocalFrame, extent_m: Box) -> StructureSet:
    """Buildings and airfield pavements of ``overture`` or ``osm`` within 200 m of the extent.

    The result's ``source`` holds name, release, licence, attribution, time and place of the query; a note
    says the same in words. Buildings that reach out of the asked box come whole.

    Args:
        name: a key of :data:`SOURCES`.
        frame: the scene's local frame.
        extent_m: (min x, min y, max x, max y) of the scene in local metres.

    Raises:
        StructuresError: the image has no CRS, the extra is not installed, the service does not answer, or
            it knows no structures there.
    """
    if not frame.is_georeferenced:
        raise StructuresError(
            f"--structures {name}: the image has no CRS, so its place on the globe is unknown. Give a footprint file."
        )
    boxes = lonlat_boxes(frame, extent_m)
    try:
        fetched = SOURCES[name](boxes)
    except ImportError as cause:
        raise StructuresError(
            f"--structures {name}: needs packages that are not installed. Install cv-pipeline[online] or give a file."
        ) from cause
    except Exception as cause:  # network and services fail in many classes
        raise StructuresError(
            f"--structures {name}: nothing could be fetched ({cause}). Check the network, or give a footprint file."
        ) from cause
    frames = [table for table in fetched.frames if len(table)]
    if not frames:
        raise StructuresError(f"--structures {name}: no structures are known there. Give a footprint file.")
    layers = tuple(layer_of(table) for table in frames)
    found = build_structures(Path(name), FeatureFile(layers, ()), frame, extent_m=extent_m)
    source = {
        "name": name,
        "release": fetched.release,
        "licence": fetched.licence,
        "attribution": fetched.attribution,
        "fetched_utc": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "bounds_lonlat": "; ".join(",".join(f"{value:.6f}" for value in box) for box in boxes),
    }
    note = f"Footprints: {name}, release {fetched.release}, {fetched.attribution}, licence {fetched.licence}."
    return replace(found, notes=(note, *found.notes), source=source)


def lonlat_boxes(frame: LocalFrame, extent_m: Box) -> tuple[Box, ...]:
    """(west, south, east, north) in degrees around the extent and its margin; two across the antimeridian."""
    import shapely

    outline = shapely.segmentize(shapely.box(*extent_m).buffer(MARGIN_M, join_style="mitre"), MARGIN_M)
    lon, lat = frame.to_lonlat(shapely.get_coordinates(outline)).T
    south, north = float(lat.min()), float(lat.max())
    if np.ptp(lon) <= 180:
        return ((float(lon.min()), south, float(lon.max()), north),)
    return (float(lon[lon > 0].min()), south, 180.0, north), (-180.0, south, float(lon[lon < 0].max()), north)


def _overture(boxes: Sequence[Box]) -> Fetched:
    from overturemaps import core

    release = core.get_latest_release()
    frames = []
    for box in boxes:
        frames.append(core.geodataframe("building", bbox=box, release=release))
        paved = core.geodataframe("infrastructure", bbox=box, release=release)
        if len(paved):
            paved = paved[paved["class"].isin(PAVEMENT_CLASSES)]
            frames.append(paved.assign(kind="pavement"))
    frames = [table if table.crs is not None else table.set_crs("EPSG:4326") for table in frames]
    return Fetched(frames, str(release), "ODbL-1.0", "© OpenStreetMap contributors, Overture Maps Foundation")


def _osm(boxes: Sequence[Box]) -> Fetched:
    import osmnx

    osmnx.settings.use_cache = False  # it would leave a folder "cache" wherever it was called
    tags = {"building": True, "aeroway": list(PAVEMENT_CLASSES)}
    frames = []
    for box in boxes:
        try:
            frames.append(osmnx.features_from_bbox(box, tags).reset_index())
        except osmnx._errors.InsufficientResponseError:  # what it raises where there is nothing
            continue
    # OpenStreetMap has no releases; its state is that of the moment it was asked.
    release = datetime.now(UTC).strftime("live, %Y-%m-%dT%H:%M:%SZ")
    return Fetched(frames, release, "ODbL-1.0", "© OpenStreetMap contributors")


SOURCES: dict[str, Callable[[Sequence[Box]], Fetched]] = {"overture": _overture, "osm": _osm}
