"""labelme: one JSON file beside each image, with shapes of kind polygon, rectangle, circle or point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cv_pipeline.datasets.annotated import annotated_scene
from cv_pipeline.datasets.drawn import box, kind_of, point, polygon
from cv_pipeline.datasets.files import facts_of, read_json
from cv_pipeline.datasets.scene import DataScene, Dataset, Entry, TrueObject
from cv_pipeline.errors import LabelsError


@dataclass(frozen=True, slots=True)
class LabelmeDataset(Dataset):
    """A folder, with or without subfolders, of images with their JSON files."""

    format = "labelme"
    layout = "**/IMAGE.json (shapes, imagePath) beside IMAGE"

    @staticmethod
    def recognises(folder: Path) -> bool:
        """Whether a JSON file is of labelme."""
        return any(_is_labelme(path) for path in sorted(folder.rglob("*.json"))[:20])

    def entries(self) -> Sequence[Entry]:
        """One scene a file, by path; JSON files of other kinds are passed over."""
        facts = facts_of(self.folder)
        paths = sorted(self.folder.rglob("*.json"))
        return [Entry(path, partial(_scene, self.folder, path, facts)) for path in paths if not _is_other(path)]


def _is_labelme(path: Path) -> bool:
    try:
        content = read_json(path)
    except LabelsError:
        return False
    return isinstance(content, dict) and "shapes" in content and "imagePath" in content


def _is_other(path: Path) -> bool:
    """Whether a file is sound JSON of another kind; a broken one may well be a label file."""
    try:
        content = read_json(path)
    except LabelsError:
        return False
    return not (isinstance(content, dict) and "shapes" in content)


def _scene(folder: Path, path: Path, facts: dict[str, Any]) -> DataScene:
    content = read_json(path)
    try:
        image = path.parent / str(content["imagePath"]).replace("\\", "/")
        objects = [_object(path, number, shape) for number, shape in enumerate(content["shapes"], start=1)]
    except (KeyError, TypeError, ValueError) as error:
        raise LabelsError(f"{path}: not a labelme file ({error!r}); save it again in labelme") from error
    name = path.relative_to(folder).with_suffix("").as_posix()
    return annotated_scene(name, image, objects, facts)


def _object(path: Path, number: int, shape: dict[str, Any]) -> TrueObject:
    """Labelme counts from the image's corner, as this package does; a circle is its centre and a point on it."""
    kind, form = kind_of(str(shape["label"])), str(shape.get("shape_type", "polygon"))
    points = [(float(x), float(y)) for x, y in shape["points"]]
    attributes = {str(key): str(value) for key, value in (shape.get("flags") or {}).items()}
    name, source = str(number), str(path)
    if form == "polygon":
        return polygon(name, kind, points, attributes, source=source)
    if form in ("point", "rectangle", "circle") and len(points) != (1 if form == "point" else 2):
        raise LabelsError(f"{path}: shape {number} is a {form} of {len(points)} points; draw it again")
    if form == "point":
        return point(name, kind, *points[0], attributes)
    (x0, y0), (x1, y1) = points if len(points) == 2 else ((0.0, 0.0), (0.0, 0.0))
    if form == "rectangle":
        sides = (min(x0, x1), min(y0, y1), abs(x1 - x0), abs(y1 - y0))
        return box(name, kind, sides, attributes, source=source)
    if form == "circle":
        radius = math.hypot(x1 - x0, y1 - y0)
        return box(name, kind, (x0 - radius, y0 - radius, 2 * radius, 2 * radius), attributes, source=source)
    raise LabelsError(f"{path}: shape {number} is a {form}; craters are polygons, circles, rectangles or points")
