"""BRIGHT: optical before, radar after, buildings by damage (Chen et al. 2025, doi:10.5194/essd-17-6217-2025).

Layout: ``pre-event/NAME_pre_disaster.tif`` (RGB), ``post-event/NAME_post_disaster.tif`` (SAR, one band) and
``target/NAME_building_damage.tif`` with 0 background, 1 intact, 2 damaged, 3 destroyed. No model here reads radar, so
this is for masks and for whoever trains on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cv_pipeline.datasets.scene import DataScene, Dataset, Entry, RasterBand

_TARGET = "_building_damage"
CLASSES = {"building": (1, 2, 3), "damaged": (2,), "destroyed": (3,)}
"""Values of the target by class."""


@dataclass(frozen=True, slots=True)
class BrightDataset(Dataset):
    """A folder of BRIGHT."""

    format = "bright"
    layout = "pre-event/NAME_pre_disaster.tif, post-event/NAME_post_disaster.tif, target/NAME_building_damage.tif"

    @staticmethod
    def recognises(folder: Path) -> bool:
        """Whether there are targets of building damage."""
        return next((folder / "target").glob(f"*{_TARGET}.tif"), None) is not None

    def entries(self) -> Sequence[Entry]:
        """One scene a target, by name."""
        paths = sorted((self.folder / "target").glob(f"*{_TARGET}.tif"))
        return [Entry(path, partial(_scene, self.folder, path)) for path in paths]


def _scene(folder: Path, target: Path) -> DataScene:
    """An event is one place. The official splits are lists of names that are not part of the data."""
    name = target.stem.removesuffix(_TARGET)
    return DataScene(
        name=name,
        place=name.rsplit("_", 1)[0],
        split="",
        after=folder / "post-event" / f"{name}_post_disaster.tif",
        before=folder / "pre-event" / f"{name}_pre_disaster.tif",
        masks={kind: RasterBand(target, values=values) for kind, values in CLASSES.items()},
    )
