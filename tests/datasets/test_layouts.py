"""Layouts and shapes as the makers' own code writes or reads them; each card names that code."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import geopandas as gpd
import numpy as np
import pytest
import shapely

from cv_pipeline.datasets.check import check_dataset
from cv_pipeline.datasets.formats import open_dataset
from cv_pipeline.datasets.levir import COORDINATES
from cv_pipeline.datasets.scene import DataScene, TrueObject
from cv_pipeline.errors import LabelsError
from cv_pipeline.types import Status
from tests.datasets.factories import FACTORIES, SIZE, SQUARE, image, put

STEP_DEG = 0.0055


def sound(folder: Path, count: int) -> list[DataScene]:
    """The scenes of a data set without problems."""
    dataset = open_dataset(folder)
    report = check_dataset(dataset)
    assert (report.problems, report.scenes) == ((), count)
    return dataset.scenes()


def moved(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(source, target)


def test_levir_as_its_archives_unpack_into_one_folder(tmp_path: Path) -> None:
    FACTORIES["levir_cd"](tmp_path)
    for part in ("A", "B", "label"):
        moved(tmp_path / "test" / part, tmp_path / part)
    (tmp_path / "test").rmdir()
    (scene,) = sound(tmp_path, 1)
    assert (scene.name, scene.place, scene.split) == ("test_1", "test_1", "test")
    assert scene.before == tmp_path / "A" / "test_1.png"


def test_levir_places_are_regions_where_coordinates_are_known(tmp_path: Path) -> None:
    FACTORIES["levir_cd"](tmp_path)
    for part in ("A", "B", "label"):
        for split, name in (("train", "train_1"), ("train", "train_2"), ("val", "val_1")):
            (tmp_path / split / part).mkdir(parents=True, exist_ok=True)
            shutil.copy(tmp_path / "test" / part / "test_1.png", tmp_path / split / part / f"{name}.png")
    corners = {"train_1": (-98.0, 30.2), "test_1": (-98.0 + STEP_DEG, 30.2), "train_2": (-97.9, 30.2)}
    tiles = {f"{name}.png": [x, y, x + STEP_DEG, y - STEP_DEG] for name, (x, y) in corners.items()}
    put(tmp_path / COORDINATES, tiles)
    dataset = open_dataset(tmp_path)
    places = {scene.name: scene.place for scene in dataset.scenes()}
    assert places == {
        "train_1": "region of train_1", "test_1": "region of train_1", "train_2": "region of train_2", "val_1": "val_1",
    }  # fmt: skip
    (problem,) = check_dataset(dataset).problems
    assert "'region of train_1' is in several splits (test, train)" in problem.text
    put(tmp_path / COORDINATES, {"train_1.png": [1, 2]})
    with pytest.raises(LabelsError, match=f"{COORDINATES}: needs west"):
        open_dataset(tmp_path).scenes()


def test_bright_as_the_contest_gave_it(tmp_path: Path) -> None:
    for split, name in (("train", "bata-explosion_00000003"), ("train", "la_palma-volcano_00000007")):
        FACTORIES["bright"](tmp_path / "once")
        for path in sorted((tmp_path / "once").rglob("*.tif")):
            moved(path, tmp_path / split / path.parent.name / path.name.replace("bata-explosion_00000003", name))
    image(tmp_path / "val" / "post-event" / "turkey-earthquake_00000001_post_disaster.tif", 1)  # no target was given
    first, second = sound(tmp_path, 2)
    assert (first.place, first.split, second.place) == ("bata-explosion", "train", "la_palma-volcano")
    put(tmp_path / "holdout_setlevel.txt", "bata-explosion_00000003\n")
    put(tmp_path / "train_setlevel.txt", "la_palma-volcano_00000007\n\n")
    assert [scene.split for scene in sound(tmp_path, 2)] == ["holdout", "train"]


def test_xbd_by_disaster_has_no_split(tmp_path: Path) -> None:
    FACTORIES["xbd"](tmp_path)
    moved(tmp_path / "train", tmp_path / "mexico-earthquake")
    (scene,) = sound(tmp_path, 1)
    assert (scene.split, scene.place) == ("", "mexico-earthquake")
    assert sound(tmp_path / "mexico-earthquake", 1)[0].objects[0].object_id == scene.objects[0].object_id == "u1"


def coco_json(*names: str) -> dict[str, Any]:
    ring = [float(v) for xy in SQUARE for v in xy]
    return {
        "images": [{"id": n, "file_name": name, "width": SIZE, "height": SIZE} for n, name in enumerate(names)],
        "annotations": [
            {"id": n, "image_id": n, "category_id": 1, "segmentation": [ring], "bbox": [20, 30, 8, 10], "iscrowd": 0}
            for n in range(len(names))
        ],
        "categories": [{"id": 0, "name": "craters"}, {"id": 1, "name": "crater", "supercategory": "craters"}],
    }


def test_coco_beside_its_images_by_split(tmp_path: Path) -> None:
    for split in ("train", "valid", "test"):
        image(tmp_path / split / f"{split}_a.jpg")
        put(tmp_path / split / "_annotations.coco.json", coco_json(f"{split}_a.jpg"))
    put(tmp_path / "dataset.yaml", "gsd_m: 0.5\n")
    assert [scene.split for scene in sound(tmp_path, 3)] == ["test", "train", "valid"]


def test_coco_with_images_by_subset_and_windows_paths(tmp_path: Path) -> None:
    image(tmp_path / "images" / "default" / "a.png")
    put(tmp_path / "annotations" / "instances_default.json", coco_json("a.png"))
    put(tmp_path / "dataset.yaml", "gsd_m: 0.5\n")
    assert sound(tmp_path, 1)[0].split == ""
    put(tmp_path / "annotations" / "instances_default.json", coco_json("default\\a.png"))
    assert sound(tmp_path, 1)[0].name == "a"


def test_coco_captions_and_keypoints_are_passed_over(tmp_path: Path) -> None:
    image(tmp_path / "val2017" / "000000000001.jpg")
    put(tmp_path / "annotations" / "instances_val2017.json", coco_json("000000000001.jpg"))
    caption = {"id": 1, "image_id": 0, "caption": "a field"}
    put(tmp_path / "annotations" / "captions_val2017.json", {**coco_json("000000000001.jpg"), "annotations": [caption]})
    put(tmp_path / "annotations" / "person_keypoints_val2017.json", coco_json("000000000001.jpg"))
    put(tmp_path / "dataset.yaml", "gsd_m: 0.5\n")
    (scene,) = sound(tmp_path, 1)
    assert (scene.split, len(scene.objects)) == ("val", 1)


@pytest.mark.parametrize(
    ("name", "split"),
    [("instances_train2017", "train"), ("validate", "validate"), ("latest", ""), ("my-test", "test"), ("outfit", "")],
)
def test_coco_split_is_a_word_of_the_files_name(name: str, split: str, tmp_path: Path) -> None:
    image(tmp_path / "a.png")
    put(tmp_path / f"{name}.json", coco_json("a.png"))
    assert open_dataset(tmp_path).scenes()[0].split == split


def test_cvat_project_with_subsets_and_frames_of_a_video(tmp_path: Path) -> None:
    image(tmp_path / "images" / "Train" / "a.png")
    moved(image(tmp_path / "frame.png"), tmp_path / "images" / "default" / "frame_000007.PNG")
    ring = ";".join(f"{x:.2f},{y:.2f}" for x, y in SQUARE)
    put(
        tmp_path / "annotations.xml",
        f"""<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version>
<meta><project><name>fields</name></project></meta>
<image id="0" name="a.png" subset="Train" task_id="4" width="{SIZE}" height="{SIZE}">
  <polygon label="crater" source="manual" occluded="0" points="{ring}" z_order="0"></polygon>
  <points label="crater" source="manual" occluded="0" points="3.00,4.00;10.50,20.25" z_order="0"></points>
</image>
<image id="1" name="frame_000007" subset="default" task_id="5" width="{SIZE}" height="{SIZE}"></image>
</annotations>""",
    )
    put(tmp_path / "dataset.yaml", "gsd_m: 0.5\n")
    first, second = sound(tmp_path, 2)
    assert (first.split, second.split, second.after.name) == ("train", "", "frame_000007.PNG")
    places = [(thing.object_id, thing.row_px, thing.col_px) for thing in first.objects]
    assert places == [("1", 35.0, 24.0), ("2.1", 4.0, 3.0), ("2.2", 20.25, 10.5)]


def labelme_shapes(folder: Path, *shapes: dict[str, Any]) -> tuple[TrueObject, ...]:
    image(folder / "a.png")
    rest = {"label": "crater", "group_id": None, "description": "", "flags": {}, "mask": None}
    content = {"version": "5.8.1", "flags": {}, "shapes": [{**rest, **shape} for shape in shapes], "imagePath": "a.png"}
    put(folder / "a.json", {**content, "imageData": None, "imageHeight": SIZE, "imageWidth": SIZE})
    put(folder / "dataset.yaml", "gsd_m: 0.5\n")
    return open_dataset(folder).scenes()[0].objects


def packed(mask: np.ndarray) -> str:
    return base64.b64encode(cv2.imencode(".png", mask)[1].tobytes()).decode()


def test_masks_of_labelme_lie_at_their_first_point(tmp_path: Path) -> None:
    painted = np.zeros((6, 9), np.uint8)
    painted[1:5, 2:8] = 255
    shape = {"shape_type": "mask", "points": [[20.2, 29.8], [28.0, 35.0]], "mask": packed(painted)}
    (thing,) = labelme_shapes(tmp_path, shape)
    outline = shapely.Polygon(thing.outline_px)
    assert (outline.area, outline.bounds) == (24.0, (31.0, 22.0, 35.0, 28.0))  # rows, then columns
    for wrong in ("no base64!", packed(np.zeros((4, 4, 3), np.uint8)), None):
        with pytest.raises(LabelsError, match="mask without a readable picture"):
            labelme_shapes(tmp_path, {**shape, "mask": wrong})


def test_turned_rectangles_of_labelme_lie_along_their_first_edge(tmp_path: Path) -> None:
    half, corners = (
        np.sqrt(0.5),
        [(-6, -2), (6, -2), (6, 2), (-6, 2)],
    )  # x right, y down, turned by 45° to the lower right
    points = [[30 + (x - y) * half, 20 + (x + y) * half] for x, y in corners]
    (thing,) = labelme_shapes(tmp_path, {"shape_type": "oriented_rectangle", "points": points})
    assert (thing.row_px, thing.col_px) == pytest.approx((20, 30))
    away = thing.outline_px - (20, 30)
    far = away[np.argmax(np.hypot(*away.T))]
    assert np.hypot(*far) == pytest.approx(6)
    assert abs(far[0] - far[1]) < 1e-9  # down and right together
    assert shapely.Polygon(thing.outline_px).area == pytest.approx(np.pi * 6 * 2, rel=0.01)


def test_parts_of_one_group_of_labelme_are_one_thing(tmp_path: Path) -> None:
    small = [[1, 1], [3, 1], [3, 3]]
    things = labelme_shapes(
        tmp_path,
        {"shape_type": "polygon", "points": small, "group_id": 1},
        {"shape_type": None, "points": SQUARE, "group_id": 1},  # no form: a polygon, as in files of old
        {"shape_type": "polygon", "points": small, "group_id": None},
        {"shape_type": "polygon", "points": small, "group_id": 2},
    )
    assert (things[0].row_px, things[0].col_px) == (35.0, 24.0)
    assert len(things) == 3
    with pytest.raises(LabelsError, match="shape 1 is a linestrip"):
        labelme_shapes(tmp_path, {"shape_type": "linestrip", "points": SQUARE})
    with pytest.raises(LabelsError, match="circle of 3 points"):
        labelme_shapes(tmp_path, {"shape_type": "circle", "points": small})


def test_kh9_catalogue_of_all_tiles_has_no_split(tmp_path: Path) -> None:
    FACTORIES["kh9"](tmp_path)
    trained = tmp_path / "data" / "2_training_data" / "quang_tri" / "catalog.geojson"
    content = json.loads(trained.read_text())
    for feature in content["features"]:
        for name in ("train", "val", "test"):
            del feature["properties"][name]
    put(tmp_path / "data" / "0_data_processing" / "quang_tri" / "catalog.geojson", content)
    trained.unlink()
    assert [scene.split for scene in sound(tmp_path / "data", 1)] == [""]


def test_labels_in_a_geopackage_of_several_layers_over_an_image_in_another_crs(tmp_path: Path) -> None:
    left, top = 700_000.0, 1_850_000.0
    image(tmp_path / "east.tif", 3, "EPSG:32648", (left, top))
    image(tmp_path / "early.tif", 3, "EPSG:32648", (left, top))
    at = gpd.GeoSeries.from_xy([left + 24.0, left + 50.0], [top - 35.0, top - 8.0], crs="EPSG:32648").to_crs(
        "EPSG:4326"
    )
    craters = gpd.GeoDataFrame({"crater_radius_m": [2.5, 3.0], "status": ["new", "old"]}, geometry=at)
    craters.to_file(tmp_path / "work.gpkg", layer="craters", driver="GPKG")
    looked_at = gpd.GeoDataFrame(geometry=[shapely.box(left, top - 40, left + 40, top)], crs="EPSG:32648")
    looked_at.to_file(tmp_path / "work.gpkg", layer="looked at", driver="GPKG")
    listed = {"after": "east.tif", "before": "early.tif", "labels": "work.gpkg:craters", "area": "work.gpkg:looked at"}
    put(tmp_path / "dataset.yaml", {"format": "vector", "scenes": [{**listed, "name": "e", "split": "judge"}]})
    (scene,) = sound(tmp_path, 1)
    first, second = scene.objects
    assert (first.row_px, first.col_px, first.radius_m) == pytest.approx((35.0, 24.0, 2.5), abs=0.01)
    assert (first.status, second.status) == (Status.NEW, Status.OLD)
    assert (scene.name, scene.place, scene.split, scene.before) == ("e", "e", "judge", tmp_path / "early.tif")
    (ring,) = scene.area_px
    assert (np.ptp(ring, axis=0)).tolist() == pytest.approx([40.0, 40.0], abs=0.01)
    put(tmp_path / "dataset.yaml", {"format": "vector", "scenes": [{**listed, "labels": "work.gpkg"}]})
    with pytest.raises(LabelsError, match=r"work\.gpkg: holds several layers; name the one"):
        open_dataset(tmp_path).scenes()
