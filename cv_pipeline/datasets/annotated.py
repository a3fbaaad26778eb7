"""What COCO, labelme and CVAT files share: objects on one image, and facts that only a dataset.yaml can add."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cv_pipeline.datasets.files import Facts
from cv_pipeline.datasets.scene import DataScene, TrueObject


def annotated_scene(name: str, image: Path, objects: Sequence[TrueObject], facts: Facts, split: str = "") -> DataScene:
    """A scene of one image; what ``facts`` say of it goes before what the labels say. Its place is else its name."""
    before = facts.before.get(name)
    return DataScene(
        name=name,
        place=facts.places.get(name, name),
        split=facts.splits.get(name, split),
        after=image,
        before=None if before is None else image.parent / before,
        gsd_m=facts.gsd_m,
        objects=tuple(objects),
    )
