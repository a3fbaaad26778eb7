"""The whole path with a planted answer: from two image files in unlike grids to a distance in metres."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from pydantic import ValidationError
from pyproj import Transformer
from rasterio.warp import Resampling, reproject

from cv_pipeline import AssessConfig, assess, detect
from cv_pipeline.errors import CvPipelineError
from cv_pipeline.report.verify import State, read_provenance, verify_rerun
from cv_pipeline.segmentation import zoo
from cv_pipeline.types import Gate, Status
from tests.conftest import texture
from tests.segmentation.factories import PlantedNet, make_model

FILES = {
    "impacts.csv",
    "hypotheses.csv",
    "impacts.geojson",
    "structures.geojson",
    "assessment.gpkg",
    "assessment.kml",
    "probabilities.tif",
    "labels.tif",
    "summary.json",
    "report.html",
}
UTM = "EPSG:32636"
WEST, NORTH, SIDE_M, FINE_M = 500_000.0, 40_000.0, 150.0, 0.25
CRATER_M, BLAST_M = 3.0, 7.0
EDGE_M, CENTRE_M = 12.0, 17.0


class Crater(NamedTuple):
    """A planted crater in metres east and south of the ground's upper-left corner."""

    east_m: float
    south_m: float
    status: Status

    @property
    def lonlat(self) -> tuple[float, float]:
        to_wgs = Transformer.from_crs(UTM, "EPSG:4326", always_xy=True)
        lon, lat = to_wgs.transform(WEST + self.east_m, NORTH - self.south_m)
        return lon, lat


CRATERS = (Crater(45.3, 50.6, Status.NEW), Crater(104.1, 61.7, Status.OLD), Crater(66.4, 107.2, Status.NEW))


def ground(craters: tuple[Crater, ...]) -> np.ndarray:
    """Grey random ground (3, rows, cols) with a red disc and a blue ring for each crater."""
    side = int(SIDE_M / FINE_M)
    image = np.repeat(texture(side, side, seed=4)[..., :1], 3, axis=2) * 0.5 + 40
    south, east = (np.indices((side, side)) + 0.5) * FINE_M
    for crater in craters:
        distance = np.hypot(east - crater.east_m, south - crater.south_m)
        image[distance <= BLAST_M] = (0, 0, 255)
        image[distance <= CRATER_M] = (255, 0, 0)
    return np.moveaxis(image, -1, 0).astype(np.uint8)


def write_image(path: Path, image: np.ndarray, crs: str, gsd_m: float, margin_m: float = 6.0) -> Path:
    """The ground in another CRS and GSD, north up in that CRS, cut inside the ground's edges."""
    to_map = Transformer.from_crs(UTM, crs, always_xy=True)
    x, y = to_map.transform([WEST + margin_m, WEST + SIDE_M - margin_m], [NORTH - margin_m, NORTH - SIDE_M + margin_m])
    n = round((SIDE_M - 2 * margin_m) / gsd_m)
    transform = Affine((x[1] - x[0]) / n, 0, x[0], 0, (y[1] - y[0]) / n, y[0])
    out = np.zeros((3, n, n), np.uint8)
    reproject(
        image,
        out,
        src_transform=Affine(FINE_M, 0, WEST, 0, -FINE_M, NORTH),
        src_crs=UTM,
        dst_transform=transform,
        dst_crs=crs,
        resampling=Resampling.average,
    )
    profile = {"driver": "GTiff", "count": 3, "height": n, "width": n, "dtype": "uint8"}
    with rasterio.open(path, "w", crs=crs, transform=transform, **profile) as file:
        file.write(out)
    return path


def write_structures(path: Path, craters: tuple[Crater, ...], crs: str = "EPSG:4326") -> Path:
    """A square of 10 m side 12 m east of each crater."""
    boxes = [
        shapely.box(
            WEST + c.east_m + EDGE_M, NORTH - c.south_m - 5, WEST + c.east_m + EDGE_M + 10, NORTH - c.south_m + 5
        )
        for c in craters
    ]
    frame = gpd.GeoDataFrame({"id": [f"B{k}" for k in range(len(boxes))]}, geometry=boxes, crs=UTM)
    frame.to_crs(crs).to_file(path)
    return path


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A model folder whose network is replaced by one that knows the planted colours."""
    make_model(tmp_path / "model")
    monkeypatch.setattr(zoo, "load_network", lambda folder, model: PlantedNet(CRATER_M, BLAST_M).eval())
    return str(tmp_path / "model")


def scene(
    tmp_path: Path, after: tuple[str, float] = (UTM, 0.5), before: tuple[str, float] = (UTM, 0.5)
) -> dict[str, Path]:
    old = tuple(crater for crater in CRATERS if crater.status is Status.OLD)
    return {
        "before": write_image(tmp_path / "before.tif", ground(old), *before),
        "after": write_image(tmp_path / "after.tif", ground(CRATERS), *after),
        "structures": write_structures(tmp_path / "structures.geojson", CRATERS),
    }


@pytest.mark.parametrize(
    ("after", "before"),
    [
        ((UTM, 0.5), (UTM, 0.5)),
        ((UTM, 0.3), ("EPSG:3857", 0.6)),
        (("EPSG:3857", 0.6), (UTM, 0.35)),
        (("EPSG:4326", 0.5), ("EPSG:32635", 0.4)),
    ],
    ids=["same", "utm-mercator", "mercator-utm", "degrees-neighbour zone"],
)
def test_planted_craters_are_measured(
    tmp_path: Path, planted: str, after: tuple[str, float], before: tuple[str, float]
) -> None:
    result = assess(**scene(tmp_path, after, before), config=AssessConfig(model=planted))
    assert result.registration is not None
    assert result.registration.gate is not Gate.FAIL
    assert len(result.impacts) == len(CRATERS)
    with rasterio.open(tmp_path / "after.tif") as file:
        to_map, to_pixel = Transformer.from_crs("EPSG:4326", file.crs, always_xy=True), ~file.transform
    matches = {match.impact_id: match for match in result.matches}
    for number, crater in enumerate(CRATERS):
        lon, lat = crater.lonlat
        col, row = to_pixel @ to_map.transform(lon, lat)
        impact = min(result.impacts, key=lambda i: np.hypot(i.col_px - col, i.row_px - row))
        assert np.hypot(impact.col_px - col, impact.row_px - row) < 0.5
        assert impact.lon_deg == pytest.approx(lon, abs=3e-6)
        assert impact.lat_deg == pytest.approx(lat, abs=3e-6)
        assert impact.status is crater.status
        assert impact.crater_radius_m == pytest.approx(CRATER_M, abs=0.1)
        assert impact.blast_radius_m == pytest.approx(BLAST_M, abs=1.0)
        match = matches[impact.impact_id]
        assert match.structure_id == f"B{number}"
        assert match.distance_edge_m == pytest.approx(EDGE_M, abs=0.3)
        assert match.distance_centre_m == pytest.approx(CENTRE_M, abs=0.3)


def test_old_craters_are_listed_but_not_counted(tmp_path: Path, planted: str) -> None:
    result = assess(**scene(tmp_path), config=AssessConfig(model=planted))
    assert {summary.n for summary in result.accuracy if summary.n} == {2}
    centre = next(s for s in result.accuracy if s.mean_m is not None and s.mean_m == pytest.approx(CENTRE_M, abs=0.5))
    assert centre.median_m == pytest.approx(CENTRE_M, abs=0.3)
    assert any("already present before" in warning for warning in result.warnings)


def test_detect_finds_them_without_status(tmp_path: Path, planted: str) -> None:
    result = detect(scene(tmp_path)["after"], AssessConfig(model=planted))
    assert len(result.impacts) == len(CRATERS)
    assert {impact.status for impact in result.impacts} == {Status.UNKNOWN}
    assert result.registration is None
    assert result.accuracy == ()
    assert result.out_dir is None


def test_status_is_unknown_where_the_before_image_shows_nothing(tmp_path: Path, planted: str) -> None:
    files = scene(tmp_path)
    with rasterio.open(files["before"]) as file:
        pixels, profile = file.read(), file.profile
    pixels[:, :, 170:] = 0
    with rasterio.open(files["before"], "w", **profile | {"nodata": 0}) as file:
        file.write(pixels)
    result = assess(**files, config=AssessConfig(model=planted))
    status = {impact.status for impact in result.impacts if impact.col_px > 170}
    assert status == {Status.UNKNOWN}
    assert [impact.status for impact in result.impacts if impact.col_px < 170] == [Status.NEW] * 2
    assert any("before image shows nothing" in warning for warning in result.warnings)


def test_threshold_drops_impacts(tmp_path: Path, planted: str) -> None:
    after = scene(tmp_path)["after"]
    scores = [impact.score for impact in detect(after, AssessConfig(model=planted)).impacts]
    strict = AssessConfig(model=planted, score_threshold=(scores[0] + 1) / 2)
    assert detect(after, strict).impacts == ()


def test_files_hold_the_result(tmp_path: Path, planted: str) -> None:
    out = tmp_path / "out"
    steps: list[tuple[str, int, int]] = []
    result = assess(
        **scene(tmp_path),
        config=AssessConfig(model=planted, out_dir=out),
        progress=lambda *step: steps.append(step),
    )
    assert {path.name for path in out.iterdir()} >= FILES
    with (out / "impacts.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["impact_id"] for row in rows] == [impact.impact_id for impact in result.impacts]
    for row, impact in zip(rows, result.impacts, strict=True):
        assert float(row["row_px"]) == pytest.approx(impact.row_px, abs=0.01)
        assert float(row["distance_edge_m"]) == pytest.approx(EDGE_M, abs=0.3)
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert summary["counts"]["impacts"] == 3
    assert summary["counts"]["impacts_new"] == 2
    stages = list(dict.fromkeys(stage for stage, _, _ in steps))
    assert stages == ["opening", "aligning", "segmenting", "measuring", "writing"]
    for stage in stages:
        _, done, total = [step for step in steps if step[0] == stage][-1]
        assert done == total


@pytest.mark.parametrize("paired", [True, False])
def test_a_run_that_finds_nothing_writes_every_file(tmp_path: Path, paired: bool) -> None:
    make_model(tmp_path / "model")
    files = scene(tmp_path)
    config = AssessConfig(model=str(tmp_path / "model"), out_dir=tmp_path / "out")
    result = assess(**files, config=config) if paired else detect(files["after"], config)
    assert result.impacts == ()
    assert {path.name for path in (tmp_path / "out").iterdir()} >= FILES


def test_runs_repeat_exactly(tmp_path: Path, planted: str) -> None:
    files = scene(tmp_path)
    first, second = (assess(**files, config=AssessConfig(model=planted, seed=3)) for _ in range(2))
    assert first.accuracy == second.accuracy
    assert [i.impact_id for i in first.impacts] == [i.impact_id for i in second.impacts]
    assert first.matches == second.matches


def test_a_result_is_verified_by_running_it_again(tmp_path: Path, planted: str) -> None:
    files, out = scene(tmp_path), tmp_path / "out"
    assess(**files, config=AssessConfig(model=planted, out_dir=out))
    record = read_provenance(out)
    assert {check.state for check in verify_rerun(out, record, files)} == {State.SAME}
    record["config"]["bootstrap_draws"] += 1
    changed = {check.name for check in verify_rerun(out, record, files) if check.state is not State.SAME}
    assert "summary.json" in changed and "probabilities.tif" not in changed
    with pytest.raises(CvPipelineError, match="before"):
        verify_rerun(out, record, {name: path for name, path in files.items() if name != "before"})


def test_nothing_is_left_where_the_run_breaks_off(
    tmp_path: Path, planted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise CvPipelineError("planted")

    monkeypatch.setattr("cv_pipeline.report.writer.write_kml", broken)
    files = scene(tmp_path)
    there = set(tmp_path.iterdir())
    with pytest.raises(CvPipelineError, match="planted"):
        assess(**files, config=AssessConfig(model=planted, out_dir=tmp_path / "out"))
    assert set(tmp_path.iterdir()) == there


@pytest.mark.parametrize(
    "wrong", [{"tile_px": 250}, {"tile_px": 256, "overlap_px": 256}, {"confidence": 1.0}, {"gsd": 1}, {"gsd_m": 0}]
)
def test_settings_are_checked_at_the_door(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        AssessConfig(**wrong)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_image_without_crs_is_measured_in_pixels(tmp_path: Path, planted: str, make_tiff: Callable[..., Path]) -> None:
    path = make_tiff(np.moveaxis(ground(CRATERS), 0, -1), crs=None, name="plain.tif")
    result = detect(path, AssessConfig(model=planted, gsd_m=FINE_M))
    assert len(result.impacts) == len(CRATERS)
    for crater in CRATERS:
        off = [np.hypot(i.col_px - crater.east_m / FINE_M, i.row_px - crater.south_m / FINE_M) for i in result.impacts]
        assert min(off) < 0.7
    assert all(impact.lon_deg is None for impact in result.impacts)
