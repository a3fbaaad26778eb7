"""LEVIR-CD: building change in pairs of 1024 px at 0.5 m (Chen and Shi 2020, doi:10.3390/rs12101662).

Layout: ``A`` (before), ``B`` (after) and ``label`` (0 or 255), in ``train``, ``val`` and ``test``, or all in one folder
as the three archives unpack, where a name such as ``train_1.png`` says the split. Where each image lies on earth stands
in the makers' ``LEVIR_CD_name_coords.json``, which may be put into the folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import shapely

from cv_pipeline.datasets.files import read_json
from cv_pipeline.datasets.scene import DataScene, Dataset, Entry, RasterBand
from cv_pipeline.errors import LabelsError

GSD_M = 0.5
COORDINATES = "LEVIR_CD_name_coords.json"
APART_DEG = 0.001
"""Images that lie nearer to each other, some 100 m, are of one region."""

_SPLITS = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class LevirDataset(Dataset):
    """A folder of LEVIR-CD, or of any set in its layout and at its GSD."""

    format = "levir_cd"
    layout = "[SPLIT/]{A, B, label}/NAME.png"

    @staticmethod
    def recognises(folder: Path) -> bool:
        """Whether there are labels beside folders A and B."""
        return any((path.parents[1] / "A").is_dir() and (path.parents[1] / "B").is_dir() for path in _labels(folder))

    def entries(self) -> Sequence[Entry]:
        """One scene a label, by split and name."""
        coordinates = self.folder / COORDINATES
        regions = read_regions(coordinates) if coordinates.is_file() else {}
        return [Entry(path, partial(_scene, self.folder, path, regions)) for path in _labels(self.folder)]


def _labels(folder: Path) -> list[Path]:
    return sorted([*folder.glob("label/*.png"), *folder.glob("*/label/*.png")])


def read_regions(path: Path) -> dict[str, str]:
    """The region of each image by its file's name: images that touch each other are of one, named after its first.

    Raises:
        LabelsError: it does not hold (west, north, east, south) in degrees by name.
    """
    content = read_json(path)
    try:
        west, north, east, south = np.array(list(content.values()), np.float64).reshape(-1, 4).T
    except (AttributeError, TypeError, ValueError) as error:
        raise LabelsError(f"{path}: needs west, north, east, south of each image; fetch it again ({error})") from error
    around = shapely.box(west, south, east, north)
    merged = shapely.union_all(shapely.buffer(around, APART_DEG / 2))
    parts = shapely.STRtree(getattr(merged, "geoms", [merged]))
    image, part = parts.query(shapely.centroid(around), predicate="within")
    names = list(content)
    first: dict[int, str] = {}
    for number, region in zip(image.tolist(), part.tolist(), strict=True):
        first.setdefault(region, Path(names[number]).stem)
    return {names[n]: f"region of {first[r]}" for n, r in zip(image.tolist(), part.tolist(), strict=True)}


def _scene(root: Path, label: Path, regions: Mapping[str, str]) -> DataScene:
    """Where nobody says where a pair lies, it is taken as a place of its own: the official split is by pair."""
    folder, prefix = label.parents[1], label.stem.partition("_")[0]
    return DataScene(
        name=label.stem,
        place=regions.get(label.name, label.stem),
        split=folder.name if folder != root else prefix if prefix in _SPLITS else "",
        after=folder / "B" / label.name,
        before=folder / "A" / label.name,
        gsd_m=GSD_M,
        masks={"change": RasterBand(label)},
    )
