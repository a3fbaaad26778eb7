"""xBD / xView2: buildings before and after disasters, by damage (Gupta et al. 2019, doi:10.48550/arXiv.1911.09296).

Layout: ``train``, ``tier3``, ``hold`` and ``test``, each with ``images/NAME_{pre,post}_disaster.png`` and
``labels/NAME_{pre,post}_disaster.json``; or one folder a disaster, as ``split_into_disasters.py`` of the makers'
baseline leaves it. The post-disaster file's ``features.xy`` holds polygons in pixels as WKT.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cv_pipeline.datasets.drawn import polygon
from cv_pipeline.datasets.files import read_json
from cv_pipeline.datasets.scene import DataScene, Dataset, Entry, TrueObject
from cv_pipeline.errors import LabelsError

_POST = "_post_disaster"
_SUFFIXES = (".png", ".tif")
SPLITS = ("train", "tier1", "tier3", "hold", "test")
"""Folders that are a split; any other is a disaster or whatever its user calls it."""


@dataclass(frozen=True, slots=True)
class XbdDataset(Dataset):
    """A folder with splits of xBD, or one of its splits."""

    format = "xbd"
    layout = "[SPLIT/]images/NAME_{pre,post}_disaster.png, [SPLIT/]labels/NAME_{pre,post}_disaster.json"

    @staticmethod
    def recognises(folder: Path) -> bool:
        """Whether there are labels of post-disaster images."""
        return bool(_labels(folder))

    def entries(self) -> Sequence[Entry]:
        """One scene a pair, by split and name."""
        return [Entry(path, partial(_scene, path)) for path in _labels(self.folder)]


def _labels(folder: Path) -> list[Path]:
    return sorted([*folder.glob(f"labels/*{_POST}.json"), *folder.glob(f"*/labels/*{_POST}.json")])


def _scene(path: Path) -> DataScene:
    """A disaster is one place: its tiles touch each other, so a split by tile would share ground."""
    content = read_json(path)
    name, folder = path.stem.removesuffix(_POST), path.parents[1]
    try:
        objects = [_building(path, number, row) for number, row in enumerate(content["features"]["xy"], start=1)]
        meta: dict[str, Any] = content.get("metadata") or {}
        gsd_m = meta.get("gsd")
        return DataScene(
            name=name,
            place=str(meta.get("disaster") or name.rsplit("_", 1)[0]),
            split=folder.name if folder.name in SPLITS else "",
            after=_image(folder, f"{name}{_POST}"),
            before=_image(folder, f"{name}_pre_disaster"),
            gsd_m=None if gsd_m is None else float(gsd_m),
            objects=tuple(objects),
            condition=str(meta.get("disaster_type") or ""),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise LabelsError(f"{path}: not a label file of xBD ({error!r}); fetch it again") from error


def _building(path: Path, number: int, row: dict[str, Any]) -> TrueObject:
    import shapely

    facts = row["properties"]
    try:
        shape = shapely.from_wkt(row["wkt"])
    except shapely.errors.GEOSException as error:
        raise LabelsError(f"{path}: building {number} has no readable WKT ({error}); fetch it again") from error
    corners = shapely.get_coordinates(getattr(shape, "exterior", shape))
    damage = {"damage": str(facts.get("subtype") or "un-classified")}
    kind = str(facts.get("feature_type") or "building")
    return polygon(str(facts.get("uid", number)), kind, corners, damage, source=str(path))


def _image(folder: Path, name: str) -> Path:
    places = [folder / "images" / f"{name}{suffix}" for suffix in _SUFFIXES]
    return next((place for place in places if place.is_file()), places[0])
