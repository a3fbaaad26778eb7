"""What ``dataset check`` says of a data set that is not right: file, fault and remedy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from cv_pipeline.cli import app
from tests.datasets.factories import FACTORIES, SIZE, put

COCO = "annotations/instances_val2017.json"
TILE = "data/0_data_processing/quang_tri/tiles/t1.tif"


def check(folder: Path, *options: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["dataset", "check", str(folder), *options])
    return result.exit_code, " ".join(result.output.split())


def changed(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / name
        assert old in path.read_text()
        put(path, path.read_text().replace(old, new))

    return change


def gone(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


@pytest.mark.parametrize(
    ("kind", "change", "file", "said"),
    [
        ("coco", gone("images/a.png"), "images/a.png", "no such file; check the path"),
        ("coco", gone("dataset.yaml"), "images/a.png", "carries no CRS, so its scale is unknown; state gsd_m"),
        ("coco", changed("dataset.yaml", "gsd_m: 0.5", "gsd: 0.5"), "dataset.yaml", "gsd: Extra inputs are not"),
        ("coco", changed("dataset.yaml", "0.5", "half"), "dataset.yaml", "gsd_m: Input should be a valid number"),
        ("coco", changed("dataset.yaml", "gsd_m", "format: yolo #"), "", "there is no format 'yolo'; there are vector"),
        ("coco", changed(COCO, '"category_id": 3', '"category_id": 9'), COCO, "category 9, which 'categories'"),
        ("coco", changed(COCO, '"bbox"', '"box"'), COCO, "image 7: an annotation lacks 'bbox'; export it again"),
        ("labelme", changed("a.json", '"a.png"', '"b.png"'), "b.png", "no such file"),
        ("cvat", changed("annotations.xml", "</annotations>", ""), "annotations.xml", "is no XML"),
        ("vector", changed("dataset.yaml", "east.geojson", "w.gpkg"), "w.gpkg", "no such file"),
        ("vector", changed("dataset.yaml", "after: east.tif, ", ""), "dataset.yaml", "scenes.0.after: Field required"),
        ("vector", changed("dataset.yaml", "place:", "plaice:"), "dataset.yaml", "scenes.0.plaice: Extra inputs"),
        ("levir_cd", gone("test/A/test_1.png"), "test/A/test_1.png", "no such file"),
        ("bright", gone("pre-event/bata-explosion_00000003_pre_disaster.tif"), "pre-event", "no such file"),
        (
            "xbd", changed("train/labels/mexico_00000001_post_disaster.json", "POLYGON", "RING"),
            "train/labels/mexico_00000001_post_disaster.json", "no readable WKT",
        ),
        ("kh9", gone(TILE), TILE, "no such file"),
        ("arcade", gone("registration.csv"), "registration.csv", "see datasets/arcade/README.md"),
    ],
)  # fmt: skip
def test_file_fault_and_remedy(kind: str, change: Callable[[Path], None], file: str, said: str, tmp_path: Path) -> None:
    FACTORIES[kind](tmp_path)
    assert check(tmp_path)[0] == 0
    change(tmp_path)
    code, output = check(tmp_path)
    assert code == 2
    assert str(tmp_path / file) in output
    assert said in output
    assert "Traceback" not in output


def test_dates_of_other_sizes_and_labels_of_another_image(tmp_path: Path) -> None:
    FACTORIES["coco"](tmp_path)
    cv2.imwrite(str(tmp_path / "images" / "b.png"), np.zeros((SIZE, SIZE // 2, 3), np.uint8))
    put(tmp_path / "dataset.yaml", "gsd_m: 0.5\nbefore: {a: b.png}\n")
    code, output = check(tmp_path)
    assert code == 2
    assert f"images/b.png: is {SIZE // 2} by {SIZE} px, a.png {SIZE} by {SIZE}" in output
    cv2.imwrite(str(tmp_path / "images" / "a.png"), np.zeros((32, 32, 3), np.uint8))
    assert "crater 1 lies at row 35.0, column 24.0, outside 32 by 32 px; are these the labels of" in check(tmp_path)[1]


def test_a_stated_format_goes_before_what_a_folder_looks_like(tmp_path: Path) -> None:
    FACTORIES["labelme"](tmp_path)
    FACTORIES["coco"](tmp_path)
    assert "format coco" in check(tmp_path)[1]
    put(tmp_path / "dataset.yaml", "format: labelme\ngsd_m: 0.5\n")
    assert "format labelme, 1 scenes" in check(tmp_path)[1]
