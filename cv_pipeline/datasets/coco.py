"""COCO object annotations: JSON files with images, annotations and categories.

Layout: ``annotations/*.json`` or ``*.json``, images beside them, in ``images/``, ``images/SPLIT/`` or the split's
folder; or ``SPLIT/*.coco.json`` with the images beside it. A file called ``instances_train2017.json`` or ``train.json``
names its split. Beside files of instances those of captions and keypoints are passed over, as in COCO itself. A crowd
(``iscrowd``) is several objects in one mask and so no object that a centre could be asked of.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from cv_pipeline.datasets.annotated import annotated_scene
from cv_pipeline.datasets.drawn import box, kind_of, largest, painted, polygon
from cv_pipeline.datasets.files import Facts, facts_of, read_json
from cv_pipeline.datasets.scene import DataScene, Dataset, Entry, TrueObject
from cv_pipeline.errors import LabelsError
from cv_pipeline.types import BoolArray

_SPLIT = re.compile(r"(?:^|[._-])(train|val|valid|validate|test|fit|judge)(?:\d{4})?(?:$|[._-])")
_INSTANCES = "instances_"


_PLACES = ("annotations/*.json", "*.json", "*/*.coco.json")


@dataclass(frozen=True, slots=True)
class CocoDataset(Dataset):
    """A folder with COCO annotation files."""

    format = "coco"
    layout = "annotations/*.json, *.json or SPLIT/*.coco.json (images, annotations, categories), images/*"

    @staticmethod
    def recognises(folder: Path) -> bool:
        """Whether a JSON file begins as COCO's do."""
        return bool(_files(folder))

    def entries(self) -> Sequence[Entry]:
        """One scene an image, in the order of the files."""
        return [entry for path in _files(self.folder) for entry in _entries(self.folder, path)]


def _files(folder: Path) -> list[Path]:
    paths = [path for pattern in _PLACES for path in sorted(folder.glob(pattern)) if _is_coco(path)]
    instances = [path for path in paths if path.stem.startswith(_INSTANCES)]
    return instances or paths


def _is_coco(path: Path) -> bool:
    try:
        content = read_json(path)
    except LabelsError:
        return False
    return isinstance(content, dict) and isinstance(content.get("annotations"), list) and "images" in content


def _entries(folder: Path, path: Path) -> list[Entry]:
    content = read_json(path)
    split = _SPLIT.search(path.stem) or _SPLIT.search(path.parent.name if path.parent != folder else "")
    try:
        kinds = {category["id"]: kind_of(str(category["name"])) for category in content["categories"]}
        by_image: dict[Any, list[dict[str, Any]]] = {}
        for annotation in content["annotations"]:
            by_image.setdefault(annotation["image_id"], []).append(annotation)
        facts, named = facts_of(folder), split.group(1) if split else ""
        return [
            Entry(path, partial(_scene, folder, path, image, by_image.get(image["id"], []), kinds, facts, named))
            for image in content["images"]
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise LabelsError(f"{path}: not COCO annotations ({error!r}); export them again") from error


def _scene(
    folder: Path,
    path: Path,
    image: dict[str, Any],
    annotations: Sequence[dict[str, Any]],
    kinds: dict[Any, str],
    facts: Facts,
    split: str,
) -> DataScene:
    try:
        name = str(image["file_name"]).replace("\\", "/")
        objects = [part for annotation in annotations for part in _objects(path, annotation, kinds)]
    except KeyError as error:
        raise LabelsError(f"{path}: image {image.get('id')}: an annotation lacks {error}; export it again") from error
    except (TypeError, ValueError) as error:
        raise LabelsError(f"{path}: image {image.get('id')}: not as COCO has it ({error}); export it again") from error
    return annotated_scene(Path(name).stem, _image(folder, path, name, split), objects, facts, split)


def _image(folder: Path, path: Path, name: str, split: str) -> Path:
    """Where the image lies; the first place to look where it is missing."""
    subset = path.stem.removeprefix(_INSTANCES)
    places = [folder / "images" / name, folder / name, path.parent / name, folder / "images" / subset / name]
    places += [folder / split / name, *(folder.glob(f"{split}*/{name}") if split else ())]
    return next((place for place in places if place.is_file()), places[0])


def _objects(path: Path, annotation: dict[str, Any], kinds: dict[Any, str]) -> list[TrueObject]:
    """One object; of several polygons the largest, because the others are parts that something covers."""
    number, category = str(annotation["id"]), annotation["category_id"]
    if category not in kinds:
        raise LabelsError(f"{path}: annotation {number} is of category {category}, which 'categories' does not list")
    kind = kinds[category]
    attributes = {str(key): str(value) for key, value in (annotation.get("attributes") or {}).items()}
    parts = annotation.get("segmentation")
    source = str(path)
    if annotation.get("iscrowd"):
        kind = f"{kind} group"
    if isinstance(parts, dict):
        return [painted(number, kind, _unpacked(path, number, parts), (0.0, 0.0), attributes, source=source)]
    if parts:
        return [largest([polygon(number, kind, part, attributes, source=source) for part in parts])]
    left, top, width, height = (float(value) for value in annotation["bbox"])
    return [box(number, kind, (left, top, width, height), attributes, source=source)]


def _unpacked(path: Path, number: str, rle: dict[str, Any]) -> BoolArray:
    """The mask (height, width) of run lengths column by column, as a list or packed in a string."""
    from faster_coco_eval.core import mask

    height, width = (int(side) for side in rle["size"])
    counts = rle["counts"]
    if isinstance(counts, str):
        return np.asarray(mask.decode({"size": [height, width], "counts": counts.encode("ascii")}), bool)
    runs = np.array(counts, np.int64)
    if runs.min(initial=0) < 0 or runs.sum() != height * width:
        raise LabelsError(f"{path}: annotation {number} has run lengths of {runs.sum()} of {height * width} pixels")
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(width, height).T
