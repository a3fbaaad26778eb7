"""Every adapter on a tiny file in the layout that its makers document."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from faster_coco_eval.core import mask
from typer.testing import CliRunner

from cv_pipeline.cli import app
from cv_pipeline.datasets.check import check_dataset
from cv_pipeline.datasets.formats import FORMATS, open_dataset
from cv_pipeline.datasets.scene import TrueObject
from cv_pipeline.errors import LabelsError
from cv_pipeline.evaluation.asked import ask, read_band
from cv_pipeline.evaluation.found import Found
from cv_pipeline.evaluation.scorecard import scorecard
from cv_pipeline.evaluation.scored import score_scene, stated_classes
from cv_pipeline.types import Status
from tests.datasets.factories import FACTORIES, SIZE, image, put


def test_each_format_has_a_test() -> None:
    assert set(FACTORIES) == set(FORMATS) - {"simulated"}


@pytest.mark.parametrize("name", FACTORIES)
def test_is_recognised_whole_and_sound(name: str, tmp_path: Path) -> None:
    FACTORIES[name](tmp_path)
    dataset = open_dataset(tmp_path)
    assert dataset.format == name
    report = check_dataset(dataset)
    assert (report.scenes, report.problems) == (1, ())


@pytest.mark.parametrize("name", ["coco", "labelme", "cvat", "xbd", "kh9", "vector", "arcade", "fields"])
def test_objects_lie_where_they_were_drawn(name: str, tmp_path: Path) -> None:
    FACTORIES[name](tmp_path)
    first = open_dataset(tmp_path).scenes()[0].objects[0]
    assert (first.row_px, first.col_px) == pytest.approx((35.0, 24.0), abs=0.01)
    if len(first.outline_px):
        drawn = shapely.Polygon(first.outline_px)
        assert drawn.area == pytest.approx(80.0)
        assert drawn.bounds == pytest.approx((30.0, 20.0, 40.0, 28.0))


@pytest.mark.parametrize("name", sorted(set(FACTORIES) - {"bright", "levir_cd"}))
def test_detections_are_scored_on_every_format_with_objects(name: str, tmp_path: Path) -> None:
    FACTORIES[name](tmp_path)
    (scene,) = open_dataset(tmp_path).scenes()
    asked = ask(scene, scene.objects[0].kind)
    found = Found(
        np.array([[35.2, 24.0], [50.0, 50.0]]), np.array([0.9, 0.3]), {"crater_radius_m": np.array([2.0, 1.0])}
    )
    card = scorecard([score_scene(asked, found, 0.5, classes=stated_classes([found]))], 0.5)
    assert card["centres"]["at_threshold"]["precision"] == 1.0
    assert card["centres"]["at_threshold"]["recall"] == pytest.approx(1 / card["objects"])
    assert card["geometry"]["centre_error_m_median"]["value"] == pytest.approx(0.2 * asked.gsd_m, rel=0.01)


@pytest.mark.parametrize(
    ("name", "bounds"), [("coco", (4, 2, 10, 12)), ("cvat", (4, 2, 10, 12)), ("labelme", (2, 2, 12, 12))]
)
def test_boxes_and_circles_become_the_ellipse_inside(name: str, bounds: tuple[int, ...], tmp_path: Path) -> None:
    FACTORIES[name](tmp_path)
    second = open_dataset(tmp_path).scenes()[0].objects[1]
    assert shapely.Polygon(second.outline_px).bounds == pytest.approx(bounds, abs=0.01)


@pytest.mark.parametrize("packed", [True, False])
def test_masks_and_crowds_of_coco(packed: bool, tmp_path: Path) -> None:
    painted = np.zeros((SIZE, SIZE), np.uint8)
    painted[30:34, 10:20] = 1
    runs = np.diff(np.flatnonzero(np.diff(painted.T.ravel(), prepend=2, append=2))).tolist()
    rle = mask.encode(np.asfortranarray(painted)) if packed else {"size": [SIZE, SIZE], "counts": runs}
    if packed:
        rle["counts"] = rle["counts"].decode("ascii")
    FACTORIES["coco"](tmp_path)
    path = tmp_path / "annotations" / "instances_val2017.json"
    content = json.loads(path.read_text())
    shared = {"image_id": 7, "category_id": 3, "segmentation": rle, "bbox": [10, 30, 10, 4]}
    content["annotations"] = [{"id": 1, "iscrowd": 0, **shared}, {"id": 2, "iscrowd": 1, **shared}]
    put(path, content)
    alone, crowd = open_dataset(tmp_path).scenes()[0].objects
    assert (alone.kind, crowd.kind) == ("crater", "crater group")
    outline = shapely.Polygon(alone.outline_px)
    assert (outline.area, outline.bounds) == (40.0, (30.0, 10.0, 34.0, 20.0))
    if not packed:
        content["annotations"][0]["segmentation"] = {"size": [SIZE, SIZE], "counts": [5]}
        put(path, content)
        with pytest.raises(LabelsError, match="run lengths of 5"):
            open_dataset(tmp_path).scenes()


def cvat_shapes(folder: Path, shapes: str) -> list[TrueObject]:
    image(folder / "images" / "a.png")
    put(
        folder / "annotations.xml",
        f'<annotations><version>1.1</version><image id="0" name="a.png">{shapes}</image></annotations>',
    )
    put(folder / "dataset.yaml", "gsd_m: 0.5\n")
    return list(open_dataset(folder).scenes()[0].objects)


def test_turned_and_painted_shapes_of_cvat(tmp_path: Path) -> None:
    turned, painted, tall = cvat_shapes(
        tmp_path,
        '<ellipse label="crater" cx="30.0" cy="20.0" rx="10.0" ry="4.0" rotation="90.0"/>'
        '<mask label="crater" rle="1, 2, 1, 4, 1, 2, 1" left="40" top="50" width="4" height="3"/>'
        '<box label="crater" xtl="10.0" ytl="30.0" xbr="20.0" ybr="34.0" rotation="45.0"/><tag label="checked"/>',
    )
    assert shapely.Polygon(turned.outline_px).bounds == pytest.approx((10, 26, 30, 34), abs=0.02)  # rows, then columns
    assert (painted.row_px, painted.col_px) == pytest.approx((51.5, 42.0))
    area = shapely.Polygon(painted.outline_px)
    assert (area.area, area.bounds) == (8.0, (50.0, 40.0, 53.0, 44.0))
    end = tall.outline_px[0] - (tall.row_px, tall.col_px)  # what lay at the right end
    assert end == pytest.approx([5 * np.sqrt(0.5)] * 2)  # clockwise: down and right


@pytest.mark.parametrize(
    ("shape", "what"),
    [
        ('<polyline label="crater" points="1,1;9,9"/>', "polyline"),
        ('<mask label="crater" rle="1, 2" left="0" top="0" width="4" height="3"/>', "rle"),
        ('<mask label="crater" rle="12" left="0" top="0" width="4" height="3"/>', "empty mask"),
    ],
)
def test_what_cvat_cannot_mean_is_refused(shape: str, what: str, tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match=what):
        cvat_shapes(tmp_path, shape)


def test_splits_places_and_attributes(tmp_path: Path) -> None:
    for name in ("xbd", "kh9", "cvat", "vector", "coco"):
        FACTORIES[name](tmp_path / name)
    scenes = {name: open_dataset(tmp_path / name).scenes()[0] for name in ("xbd", "kh9", "cvat", "vector", "coco")}
    assert (scenes["xbd"].place, scenes["xbd"].split, scenes["xbd"].gsd_m) == ("mexico-earthquake", "train", 1.5)
    assert scenes["xbd"].objects[0].attributes == {"damage": "destroyed"}
    assert (scenes["kh9"].place, scenes["kh9"].split, scenes["kh9"].gsd_m) == (
        "quang_tri",
        "test",
        pytest.approx(1, rel=1e-3),
    )
    assert [thing.attributes["class"] for thing in scenes["kh9"].objects] == ["bowl"]  # the other lies on another tile
    assert scenes["cvat"].split == "train"
    assert scenes["vector"].objects[0].status is Status.NEW
    assert (scenes["coco"].split, scenes["coco"].gsd_m) == ("val", 0.5)


@pytest.mark.parametrize(("name", "kind"), [("bright", "destroyed"), ("levir_cd", "change")])
def test_masks(name: str, kind: str, tmp_path: Path) -> None:
    FACTORIES[name](tmp_path)
    scene = open_dataset(tmp_path).scenes()[0]
    wanted = np.zeros((SIZE, SIZE), bool)
    wanted[10:20, 30:40] = True
    np.testing.assert_array_equal(read_band(scene.masks[kind]), wanted)
    assert scene.before is not None


def test_arcade_refuses_bad_control_points(tmp_path: Path) -> None:
    FACTORIES["arcade"](tmp_path)
    path = tmp_path / "registration.csv"
    good = path.read_text().splitlines()
    put(path, "\n".join(good[:3]) + "\n")
    with pytest.raises(LabelsError, match="at least 3"):
        open_dataset(tmp_path).scenes()
    put(path, "\n".join([*good, good[1].rsplit(",", 2)[0] + ",40,40"]) + "\n")
    with pytest.raises(LabelsError, match="contradict"):
        open_dataset(tmp_path).scenes()


def test_unknown_layout_and_format(tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match="none of the known layouts"):
        open_dataset(tmp_path)
    with pytest.raises(LabelsError, match="no format"):
        open_dataset(tmp_path, "yolo")
    with pytest.raises(LabelsError, match="no such folder"):
        open_dataset(tmp_path / "nothing")


def test_check_lists_every_problem(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        image(tmp_path / f"{name}.png")
        shape = {"label": "crater", "points": [[90, 90], [95, 90], [95, 95]], "shape_type": "polygon"}
        put(tmp_path / f"{name}.json", {"shapes": [shape] * 2, "imagePath": f"{name}.png"})
    put(tmp_path / "b.json", {"shapes": [{"label": "x", "points": [[1, 1], [2, 2]]}], "imagePath": "b.png"})
    put(tmp_path / "c.json", "{")
    (tmp_path / "a.png").unlink()
    put(tmp_path / "d.json", {"shapes": [shape] * 2, "imagePath": "e.png"})
    image(tmp_path / "e.png")
    put(tmp_path / "dataset.yaml", "gsd_m: 0.5\nplaces: {a: p, d: p}\nsplits: {a: fit, d: judge}\n")
    result = CliRunner().invoke(app, ["dataset", "check", str(tmp_path)])
    assert result.exit_code == 2
    for text in ("a.png", "b.json", "c.json: is no JSON", "e.png: crater 1 lies at row 9", "lie on each other", "'p'"):
        assert text in result.output, result.output
