"""LEVIR-CD: building change in pairs of 1024 px at 0.5 m (Chen and Shi 2020, doi:10.3390/rs12101662).

Layout: ``train``, ``val`` and ``test``, each with ``A`` (before), ``B`` (after) and ``label`` (0 or 255).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cv_pipeline.datasets.scene import DataScene, Dataset, Entry, RasterBand

GSD_M = 0.5


@dataclass(frozen=True, slots=True)
class LevirDataset(Dataset):
    """A folder of LEVIR-CD, or of any set in its layout and at its GSD."""

    format = "levir_cd"
    layout = "SPLIT/{A, B, label}/NAME.png"

    @staticmethod
    def recognises(folder: Path) -> bool:
        """Whether there are labels beside folders A and B."""
        return any((path.parent / "A").is_dir() and (path.parent / "B").is_dir() for path in folder.glob("*/label"))

    def entries(self) -> Sequence[Entry]:
        """One scene a label, by split and name."""
        return [Entry(path, partial(_scene, path)) for path in sorted(self.folder.glob("*/label/*.png"))]


def _scene(label: Path) -> DataScene:
    """Names do not say where a pair lies, so each is taken as a place of its own: the official split is by pair."""
    split = label.parents[1]
    return DataScene(
        name=label.stem,
        place=label.stem,
        split=split.name,
        after=split / "B" / label.name,
        before=split / "A" / label.name,
        gsd_m=GSD_M,
        masks={"change": RasterBand(label)},
    )
