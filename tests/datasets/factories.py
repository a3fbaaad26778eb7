"""Tiny data sets in the layouts in which others publish theirs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine

SIZE = 64


def image(path: Path, bands: int = 3, crs: str | None = None, corner: tuple[float, float] = (0.0, 0.0)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(1).integers(40, 200, (bands, SIZE, SIZE)).astype(np.uint8)
    profile: dict[str, Any] = {"driver": "PNG" if path.suffix == ".png" else "GTiff"}
    if path.suffix == ".jpg":
        profile = {"driver": "JPEG"}
    if crs:
        profile |= {"crs": crs, "transform": Affine(1, 0, corner[0], 0, -1, corner[1])}
    with rasterio.open(path, "w", height=SIZE, width=SIZE, count=bands, dtype="uint8", **profile) as out:
        out.write(values)
    return path


def mask(path: Path, value: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.zeros((1, SIZE, SIZE), np.uint8)
    values[0, 10:20, 30:40] = value
    driver = "PNG" if path.suffix == ".png" else "GTiff"
    with rasterio.open(path, "w", driver=driver, height=SIZE, width=SIZE, count=1, dtype="uint8") as out:
        out.write(values)
    return path


def put(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


SQUARE = [[20, 30], [28, 30], [28, 40], [20, 40]]
"""x, y of a polygon around column 24, row 35."""


def coco(folder: Path) -> None:
    image(folder / "images" / "a.png")
    annotations = [
        {
            "id": 1,
            "image_id": 7,
            "category_id": 3,
            "segmentation": [[v for xy in SQUARE for v in xy]],
            "bbox": [20, 30, 8, 10],
        },
        {"id": 2, "image_id": 7, "category_id": 3, "segmentation": [], "bbox": [2, 4, 10, 6]},
    ]
    content = {
        "images": [{"id": 7, "file_name": "a.png", "width": SIZE, "height": SIZE}],
        "annotations": annotations,
        "categories": [{"id": 3, "name": "Crater"}],
    }
    put(folder / "annotations" / "instances_val2017.json", content)
    put(folder / "dataset.yaml", "gsd_m: 0.5\n")


def labelme(folder: Path) -> None:
    image(folder / "a.png")
    shapes = [
        {"label": "crater", "points": SQUARE, "shape_type": "polygon"},
        {"label": "crater", "points": [[7, 7], [12, 7]], "shape_type": "circle"},
    ]
    rest = {"group_id": None, "description": "", "flags": {}, "mask": None}
    content = {"version": "5.5.0", "flags": {}, "shapes": [{**shape, **rest} for shape in shapes], "imagePath": "a.png"}
    put(folder / "a.json", {**content, "imageData": None, "imageHeight": SIZE, "imageWidth": SIZE})
    put(folder / "dataset.yaml", "gsd_m: 0.5\n")


def cvat(folder: Path) -> None:
    image(folder / "images" / "a.png")
    points = ";".join(f"{x},{y}" for x, y in SQUARE)
    put(
        folder / "annotations.xml",
        f"""<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta/>
<image id="0" name="a.png" subset="Train" width="{SIZE}" height="{SIZE}">
  <polygon label="crater" source="manual" occluded="0" points="{points}" z_order="0">
    <attribute name="status">new</attribute></polygon>
  <box label="crater" source="manual" occluded="0" xtl="2.0" ytl="4.0" xbr="12.0" ybr="10.0" z_order="0"></box>
</image></annotations>""",
    )
    put(folder / "dataset.yaml", "gsd_m: 0.5\n")


def xbd(folder: Path) -> None:
    for date in ("pre", "post"):
        image(folder / "train" / "images" / f"mexico_00000001_{date}_disaster.png")
    wkt = "POLYGON ((" + ", ".join(f"{x} {y}" for x, y in [*SQUARE, SQUARE[0]]) + "))"
    facts = {"feature_type": "building", "subtype": "destroyed", "uid": "u1"}
    content = {
        "features": {"lng_lat": [], "xy": [{"properties": facts, "wkt": wkt}]},
        "metadata": {"disaster": "mexico-earthquake", "disaster_type": "earthquake", "gsd": 1.5},
    }
    put(folder / "train" / "labels" / "mexico_00000001_post_disaster.json", content)


def bright(folder: Path) -> None:
    image(folder / "pre-event" / "bata-explosion_00000003_pre_disaster.tif", 3, "EPSG:32632", (5e5, 2e5))
    image(folder / "post-event" / "bata-explosion_00000003_post_disaster.tif", 1, "EPSG:32632", (5e5, 2e5))
    mask(folder / "target" / "bata-explosion_00000003_building_damage.tif", 3)


def levir(folder: Path) -> None:
    for date in ("A", "B"):
        image(folder / "test" / date / "test_1.png")
    mask(folder / "test" / "label" / "test_1.png", 255)


_LEFT, _TOP = 700_000.0, 1_850_000.0


def _geojson(crs: str, features: list[dict[str, Any]]) -> dict[str, Any]:
    named = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:{crs.replace(':', '::')}"}}
    return {"type": "FeatureCollection", "crs": named, "features": features}


def _polygon(corners: list[list[float]], **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "Polygon", "coordinates": [[*corners, corners[0]]]},
    }


def kh9(folder: Path) -> None:
    root, area = folder / "data", "quang_tri"
    image(root / "0_data_processing" / area / "tiles" / "t1.tif", 1, "EPSG:32648", (_LEFT, _TOP))
    corners = [[_LEFT + x, _TOP - y] for x, y in SQUARE]
    far = [[x + 5000, y] for x, y in corners]
    put(
        root / "1_crater_labels" / area / "labels.geojson",
        _geojson("EPSG:32648", [_polygon(corners, id=1, class_id=5), _polygon(far, id=2, class_id=3)]),
    )
    extent = [[_LEFT, _TOP], [_LEFT + SIZE, _TOP], [_LEFT + SIZE, _TOP - SIZE], [_LEFT, _TOP - SIZE]]
    put(
        root / "2_training_data" / area / "catalog.geojson",
        _geojson("EPSG:32648", [_polygon(extent, fn="t1.tif", tile="t1.tif", train=0, val=0, test=1)]),
    )


def arcade(folder: Path) -> None:
    """Field 3, image up is north, 0.5 m per pixel, upper-left corner at 38 E, 47 N; two craters."""
    image(folder / "sampledata/ukraine/google_satellite_export/mapvestigation_crater_field_3.jpg")
    east, south = 0.5 / 111_320.0 / np.cos(np.deg2rad(47.0)), -0.5 / 111_320.0
    place = [(35.0, 24.0), (7.0, 50.0)]
    rows = [f"{n}_400.png,1,1,5,5,{n},{38 + c * east},{47 + r * south},3" for n, (r, c) in enumerate(place, 1)]
    head = "sample_filename,x_bound,y_bound,w_bound,h_bound,c_id,lat,lon,cfield_id"
    csv = "sampledata/ukraine/positives/tasks/2_create_bounding_boxes/output/arcade_ukraine_data_processed.csv"
    put(folder / csv, "\n".join([head, *rows, "9_400.png,-,-,-,-,9,38.1,47.1,20000"]) + "\n")
    known = [f"3,{38 + c * east},{47 + r * south},{c},{r}" for r, c in ((0, 0), (0, 60), (60, 0), (60, 60))]
    put(folder / "registration.csv", "\n".join(["field,lon,lat,col_px,row_px", *known]) + "\n")


def vector(folder: Path) -> None:
    image(folder / "east.tif", 3, "EPSG:32648", (_LEFT, _TOP))
    corners = [[_LEFT + x, _TOP - y] for x, y in SQUARE]
    put(folder / "east.geojson", _geojson("EPSG:32648", [_polygon(corners, status="new")]))
    put(
        folder / "dataset.yaml",
        "format: vector\nscenes:\n  - {after: east.tif, labels: east.geojson, place: east, split: fit}\n",
    )


def fields(folder: Path) -> None:
    put(folder / "labels.csv", "field,col_px,row_px,gsd_m\n3,24,35,0.5\n3,50,7,0.5\n")
    image(folder / "field_3.jpg")


FACTORIES: dict[str, Callable[[Path], None]] = {
    "coco": coco,
    "labelme": labelme,
    "cvat": cvat,
    "xbd": xbd,
    "bright": bright,
    "levir_cd": levir,
    "kh9": kh9,
    "arcade": arcade,
    "vector": vector,
    "fields": fields,
}
