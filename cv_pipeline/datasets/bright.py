"""BRIGHT: optical before, radar after, buildings by damage (Chen et al. 2025, doi:10.5194/essd-17-6217-2025).

Layout: ``pre-event/NAME_pre_disaster.tif`` (RGB), ``post-event/NAME_post_disaster.tif`` (SAR, one band) and
``target/NAME_building_damage.tif`` with 0 background, 1 intact, 2 damaged, 3 destroyed; in the Data Fusion Contest's
release below ``train`` and ``val``. The makers' lists of names (``train_set.txt``, ``holdout_setlevel.txt`` ...) say
which split a scene is of where they lie in the folder. No model here reads radar, so this is for masks and for whoever
trains on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cv_pipeline.datasets.files import read_text
from cv_pipeline.datasets.scene import DataScene, Dataset, Entry, RasterBand

_TARGET = "_building_damage"
CLASSES = {"building": (1, 2, 3), "damaged": (2,), "destroyed": (3,)}
"""Values of the target by class."""


@dataclass(frozen=True, slots=True)
class BrightDataset(Dataset):
    """A folder of BRIGHT."""

    format = "bright"
    layout = "[SPLIT/]{pre-event/NAME_pre_disaster, post-event/NAME_post_disaster, target/NAME_building_damage}.tif"

    @staticmethod
    def recognises(folder: Path) -> bool:
        """Whether there are targets of building damage."""
        return bool(_targets(folder))

    def entries(self) -> Sequence[Entry]:
        """One scene a target, by split and name; what the makers gave without a target cannot be scored."""
        listed = _listed(self.folder)
        return [Entry(path, partial(_scene, self.folder, path, listed)) for path in _targets(self.folder)]


def _targets(folder: Path) -> list[Path]:
    return sorted([*folder.glob(f"target/*{_TARGET}.tif"), *folder.glob(f"*/target/*{_TARGET}.tif")])


def _listed(folder: Path) -> dict[str, str]:
    """The split of each scene that a list of names in the folder holds."""
    lists = sorted([*folder.glob("*_set.txt"), *folder.glob("*_setlevel.txt")])
    return {name: path.stem.rpartition("_")[0] for path in lists for name in read_text(path).split()}


def _scene(root: Path, target: Path, listed: Mapping[str, str]) -> DataScene:
    """An event is one place. A list says more than a folder: one folder of the contest holds two splits."""
    name, folder = target.stem.removesuffix(_TARGET), target.parents[1]
    return DataScene(
        name=name,
        place=name.rsplit("_", 1)[0],
        split=listed.get(name, "" if folder == root else folder.name),
        after=folder / "post-event" / f"{name}_post_disaster.tif",
        before=folder / "pre-event" / f"{name}_pre_disaster.tif",
        masks={kind: RasterBand(target, values=values) for kind, values in CLASSES.items()},
    )
