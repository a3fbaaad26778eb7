"""What COCO, labelme and CVAT files share: objects on one image, and facts that only a dataset.yaml can add."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cv_pipeline.datasets.scene import DataScene, TrueObject
from cv_pipeline.errors import LabelsError


def annotated_scene(
    name: str, image: Path, objects: Sequence[TrueObject], facts: dict[str, Any], split: str = ""
) -> DataScene:
    """A scene of one image.

    None of these formats knows a GSD, a place or a date: ``facts`` may hold ``gsd_m`` (for all images without a CRS),
    ``places`` and ``splits`` by scene name and ``before`` as a map from scene name to an image.

    Raises:
        LabelsError: a fact is not of the kind it should be.
    """
    try:
        before = dict(facts.get("before") or {}).get(name)
        gsd_m = facts.get("gsd_m")
        return DataScene(
            name=name,
            place=str(dict(facts.get("places") or {}).get(name, name)),
            split=str(dict(facts.get("splits") or {}).get(name, split)),
            after=image,
            before=None if before is None else image.parent / before,
            gsd_m=None if gsd_m is None else float(gsd_m),
            objects=tuple(objects),
        )
    except (TypeError, ValueError) as error:
        raise LabelsError(
            f"{image.parent}/dataset.yaml: a fact about {name} is not as it should be: {error}"
        ) from error
