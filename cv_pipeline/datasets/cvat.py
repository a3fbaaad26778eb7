"""CVAT for images 1.1: ``annotations.xml`` beside ``images/``.

Layout and shapes are as ``cvat/apps/dataset_manager/formats/cvat.py`` of CVAT's repository writes and reads them: of a
task images lie in ``images/``, of a project in ``images/SUBSET/``; a mask's ``width`` and ``height`` count its pixels.
Each of several points in one ``points`` is an object. Tracks, which only "CVAT for video" has, are refused: a scene is
no film. Documentation: https://docs.cvat.ai/docs/other/xml_format.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np

from cv_pipeline.datasets.annotated import annotated_scene
from cv_pipeline.datasets.drawn import box, kind_of, painted, point, polygon
from cv_pipeline.datasets.files import Facts, facts_of
from cv_pipeline.datasets.scene import DataScene, Dataset, Entry, TrueObject
from cv_pipeline.errors import LabelsError
from cv_pipeline.types import BoolArray

_SHAPES = ("box", "polygon", "points", "ellipse", "mask")
_OTHER = ("polyline", "cuboid", "skeleton")
_FRAME_SUFFIX = ".PNG"
"""What CVAT adds to the name of a video's frame when it writes the frame, but not in the annotations."""


@dataclass(frozen=True, slots=True)
class CvatDataset(Dataset):
    """A folder with ``annotations.xml``."""

    format = "cvat"
    layout = "annotations.xml (CVAT for images 1.1), images/[SUBSET/]*"

    @staticmethod
    def recognises(folder: Path) -> bool:
        """Whether there is an annotations.xml."""
        return (folder / "annotations.xml").is_file()

    def entries(self) -> Sequence[Entry]:
        """One scene an image, in the file's order."""
        path = self.folder / "annotations.xml"
        root = _root(path)
        if root.find("track") is not None:
            raise LabelsError(f"{path}: is a video task; export it as 'CVAT for images 1.1'")
        facts = facts_of(self.folder)
        return [Entry(path, partial(_scene, self.folder, path, image, facts)) for image in root.iter("image")]


def _root(path: Path) -> ET.Element:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise LabelsError(f"{path}: cannot be read ({error.strerror}); is the export complete?") from error
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:  # an entity may be a file of this machine, or a billion laughs
        raise LabelsError(f"{path}: declares entities, which no export of CVAT does; it is not opened")
    try:
        return ET.fromstring(text)
    except ET.ParseError as error:
        raise LabelsError(f"{path}: is no XML ({error}); export it again") from error


def _scene(folder: Path, path: Path, image: ET.Element, facts: Facts) -> DataScene:
    name = image.get("name", "")
    try:
        drawn = [shape for shape in image if shape.tag in (*_SHAPES, *_OTHER)]  # a tag is of the image, not in it
        objects = [
            thing for number, shape in enumerate(drawn, start=1) for thing in _objects(f"{path}: {name}", number, shape)
        ]
    except (KeyError, ValueError) as error:
        raise LabelsError(f"{path}: {name}: a shape is not as CVAT writes it ({error!r})") from error
    subset = image.get("subset", "")
    places = [folder / "images" / name, folder / name, folder / "images" / subset / name]
    places += [place.with_name(place.name + _FRAME_SUFFIX) for place in places]
    split = subset.lower()
    return annotated_scene(
        Path(name).with_suffix("").as_posix(),
        next((place for place in places if place.is_file()), places[0]),
        objects,
        facts,
        "" if split == "default" else split,
    )


def _objects(source: str, number: int, shape: ET.Element) -> list[TrueObject]:
    """What one shape marks: one object, or as many as it has points."""
    if shape.tag != "points":
        return [_object(source, number, shape)]
    attributes, places = _attributes(shape), _corners(shape)
    names = [str(number)] if len(places) == 1 else [f"{number}.{n}" for n in range(1, len(places) + 1)]
    kind = kind_of(shape.attrib["label"])
    return [point(name, kind, *place, attributes) for name, place in zip(names, places, strict=True)]


def _attributes(shape: ET.Element) -> dict[str, str]:
    return {part.get("name", ""): part.text or "" for part in shape.iter("attribute")}


def _corners(shape: ET.Element) -> list[tuple[float, float]]:
    pairs = [pair.split(",") for pair in shape.attrib["points"].split(";")]
    return [(float(x), float(y)) for x, y in pairs]


def _object(source: str, number: int, shape: ET.Element) -> TrueObject:
    kind, name = kind_of(shape.attrib["label"]), str(number)
    attributes = _attributes(shape)
    turn_deg = float(shape.get("rotation", 0.0))
    if shape.tag in _OTHER:
        raise LabelsError(
            f"{source}: shape {number} is a {shape.tag}; craters are polygons, masks, ellipses, boxes or points"
        )
    if shape.tag == "mask":
        return painted(
            name,
            kind,
            _unpacked(shape),
            (int(shape.attrib["left"]), int(shape.attrib["top"])),
            attributes,
            source=source,
        )
    if shape.tag == "box":
        left, top, right, bottom = (float(shape.attrib[key]) for key in ("xtl", "ytl", "xbr", "ybr"))
        return box(name, kind, (left, top, right - left, bottom - top), attributes, turn_deg=turn_deg, source=source)
    if shape.tag == "ellipse":
        cx, cy, rx, ry = (float(shape.attrib[key]) for key in ("cx", "cy", "rx", "ry"))
        return box(name, kind, (cx - rx, cy - ry, 2 * rx, 2 * ry), attributes, turn_deg=turn_deg, source=source)
    return polygon(name, kind, _corners(shape), attributes, source=source)


def _unpacked(shape: ET.Element) -> BoolArray:
    """The mask (height, width) of run lengths, row by row, of pixels outside and inside in turn.

    Raises:
        ValueError: they are not as many as the box has pixels.
    """
    height, width = int(shape.attrib["height"]), int(shape.attrib["width"])
    runs = np.array([int(run) for run in shape.attrib["rle"].split(",")], np.int64)
    if runs.min() < 0 or runs.sum() != height * width:
        raise ValueError(f"rle of {runs.sum()} pixels in a box of {height * width}")
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(height, width)
