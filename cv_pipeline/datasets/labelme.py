"""labelme: one JSON file beside each image, with shapes; read as labelme's own ``shape_to_mask`` draws them.

Parts of one label and one ``group_id`` are one thing, as labelme has it: an object that something covers in the middle.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from cv_pipeline.datasets.annotated import annotated_scene
from cv_pipeline.datasets.drawn import box, kind_of, largest, painted, point, polygon
from cv_pipeline.datasets.files import Facts, facts_of, read_json
from cv_pipeline.datasets.scene import DataScene, Dataset, Entry, TrueObject
from cv_pipeline.errors import LabelsError
from cv_pipeline.types import BoolArray

_POINTS = {"point": 1, "rectangle": 2, "circle": 2, "oriented_rectangle": 4, "mask": 2}
"""How many points a shape of each form has; a polygon has any number."""


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


def _scene(folder: Path, path: Path, facts: Facts) -> DataScene:
    content = read_json(path)
    try:
        image = path.parent / str(content["imagePath"]).replace("\\", "/")
        parts: dict[tuple[str, str], list[TrueObject]] = {}
        for number, shape in enumerate(content["shapes"], start=1):
            group = shape.get("group_id")
            key = f"alone {number}" if group is None else f"group {group}"
            parts.setdefault((str(shape["label"]), key), []).append(_object(path, number, shape))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise LabelsError(f"{path}: not a labelme file ({error!r}); save it again in labelme") from error
    name = path.relative_to(folder).with_suffix("").as_posix()
    return annotated_scene(name, image, [largest(some) for some in parts.values()], facts)


def _object(path: Path, number: int, shape: dict[str, Any]) -> TrueObject:
    """Labelme counts from the image's corner, as this package does; a circle is its centre and a point on it."""
    kind, form = kind_of(str(shape["label"])), str(shape.get("shape_type") or "polygon")
    points = [(float(x), float(y)) for x, y in shape["points"]]
    attributes = {str(key): str(value) for key, value in (shape.get("flags") or {}).items()}
    name, source = str(number), str(path)
    if form == "polygon":
        return polygon(name, kind, points, attributes, source=source)
    if form not in _POINTS:
        raise LabelsError(
            f"{path}: shape {number} is a {form}; craters are polygons, circles, rectangles, masks or points"
        )
    if len(points) != _POINTS[form]:
        raise LabelsError(f"{path}: shape {number} is a {form} of {len(points)} points; draw it again")
    (x0, y0), (x1, y1) = points[0], points[-1]
    if form == "point":
        return point(name, kind, x0, y0, attributes)
    if form == "mask":
        mask = _unpacked(path, number, shape.get("mask"))
        return painted(name, kind, mask, (round(x0), round(y0)), attributes, source=source)
    if form == "circle":
        radius = math.hypot(x1 - x0, y1 - y0)
        return box(name, kind, (x0 - radius, y0 - radius, 2 * radius, 2 * radius), attributes, source=source)
    if form == "oriented_rectangle":
        a, b, c = (np.array(corner) for corner in points[:3])
        (width, height), (left, top) = (math.dist(a, b), math.dist(b, c)), (a + c) / 2
        turn_deg = math.degrees(math.atan2(*(b - a)[::-1]))  # y points down, so this is clockwise as it is seen
        sides = (left - width / 2, top - height / 2, width, height)
        return box(name, kind, sides, attributes, turn_deg=turn_deg, source=source)
    sides = (min(x0, x1), min(y0, y1), abs(x1 - x0), abs(y1 - y0))
    return box(name, kind, sides, attributes, source=source)


def _unpacked(path: Path, number: int, packed: object) -> BoolArray:
    """A mask (height, width) from a PNG in base64, of which every value but 0 counts."""
    try:
        image = cv2.imdecode(
            np.frombuffer(base64.b64decode(str(packed), validate=True), np.uint8), cv2.IMREAD_UNCHANGED
        )
    except (binascii.Error, cv2.error):
        image = None
    if image is None or image.ndim != 2:
        raise LabelsError(f"{path}: shape {number} is a mask without a readable picture of one band; paint it again")
    return np.asarray(image > 0)
