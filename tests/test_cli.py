"""The command line: exit codes, messages, and that bad input leaves nothing behind."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pytest
import shapely
from affine import Affine
from click.testing import Result
from typer.testing import CliRunner

from cv_pipeline.cli import app
from cv_pipeline.segmentation import zoo
from tests.conftest import UTM, texture
from tests.segmentation.factories import make_model
from tests.test_pipeline import FILES

AL_ASAD = Path(__file__).parents[1] / "datasets" / "al_asad_2020" / "impacts.csv"
pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def cli(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


class Files(NamedTuple):
    """A good pair, its footprints and a model; ``out`` does not exist yet."""

    folder: Path
    after: Path
    before: Path
    structures: Path
    model: Path
    out: Path

    def assess(self, **changes: object) -> Result:
        options = {"--before": self.before, "--after": self.after, "--structures": self.structures}
        return self._run("assess", options, changes)

    def detect(self, **changes: object) -> Result:
        return self._run("detect", {"--after": self.after}, changes)

    def _run(self, command: str, options: dict[str, object], changes: dict[str, object]) -> Result:
        options |= {"--model": self.model, "--out": self.out}
        options |= {"--" + key.replace("_", "-"): value for key, value in changes.items()}
        words = [word for key, value in options.items() for word in ((key,) if value is True else (key, value))]
        return cli(command, *words)

    def leftovers(self) -> list[Path]:
        """Output folders and unfinished siblings."""
        return [path for path in self.folder.iterdir() if path == self.out or path.name.endswith(".partial")]


def write_boxes(path: Path, east: float, north: float, count: int = 2, **options: str) -> Path:
    boxes = [shapely.box(east + 15 * k, north - 10, east + 15 * k + 8, north) for k in range(count)]
    gpd.GeoDataFrame({"name": [f"house {k}" for k in range(count)]}, geometry=boxes, crs="EPSG:32633").to_file(
        path, **options
    )
    return path


@pytest.fixture
def files(make_tiff: Callable[..., Path], tmp_path: Path) -> Files:
    make_model(tmp_path / "model")
    return Files(
        tmp_path,
        make_tiff(texture(160, 180), name="after.tif"),
        make_tiff(texture(160, 180), name="before.tif"),
        write_boxes(tmp_path / "structures.geojson", UTM.c + 20, UTM.f - 20),
        tmp_path / "model",
        tmp_path / "out",
    )


def test_assess_writes_everything_and_says_where(files: Files) -> None:
    result = files.assess()
    assert result.exit_code == 0, result.output
    assert {path.name for path in files.out.iterdir()} >= FILES
    assert result.stdout.splitlines()[-1] == f"report: {files.out / 'report.html'}"
    assert "segmenting" in result.stderr


def test_detect_writes_everything(files: Files) -> None:
    result = files.detect()
    assert result.exit_code == 0, result.output
    assert {path.name for path in files.out.iterdir()} >= FILES


def test_json_is_all_that_stdout_holds(files: Files) -> None:
    result = files.assess(json=True)
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document == json.loads((files.out / "summary.json").read_text(encoding="utf-8"))
    assert "report:" in result.stderr


def test_image_without_crs_works_with_gsd(files: Files, make_tiff: Callable[..., Path]) -> None:
    plain = make_tiff(texture(160, 180), crs=None, name="plain.tif")
    assert files.detect(after=plain, gsd=0.5).exit_code == 0


def test_unrelated_pair_is_written_but_not_trusted(files: Files, make_tiff: Callable[..., Path]) -> None:
    other = make_tiff(texture(160, 180, seed=77), name="other.tif")
    result = files.assess(before=other)
    assert result.exit_code == 3, result.output
    assert "not to be trusted" in result.stderr
    assert {path.name for path in files.out.iterdir()} >= FILES


def test_overwrite_replaces_an_earlier_result_only(files: Files) -> None:
    assert files.detect().exit_code == 0
    (files.out / "left.txt").write_text("of the first run")
    refused = files.detect()
    assert refused.exit_code == 2
    assert "--overwrite" in refused.stderr
    assert (files.out / "left.txt").exists()
    assert files.detect(overwrite=True).exit_code == 0
    assert not (files.out / "left.txt").exists()
    assert files.leftovers() == [files.out]


def bad_image(kind: str, files: Files, make_tiff: Callable[..., Path]) -> Path:
    """A file ``bad.tif`` of a kind that cannot be used."""
    path = files.folder / "bad.tif"
    if kind == "directory":
        path.mkdir()
    elif kind == "text":
        path.write_text("this is no image\n" * 50)
    elif kind == "zero bytes":
        path.touch()
    elif kind == "truncated":
        path.write_bytes(files.after.read_bytes()[:20_000])
    elif kind == "two bands":
        make_tiff(texture(64, 64)[..., :2], name=path.name)
    elif kind == "twelve bands":
        make_tiff(np.tile(texture(64, 64), 4), name=path.name)
    elif kind == "nan":
        make_tiff(np.full((64, 64, 3), np.nan), name=path.name, dtype="float32")
    elif kind == "no crs":
        make_tiff(texture(64, 64), name=path.name, crs=None)
    elif kind == "too coarse":
        make_tiff(texture(64, 64), name=path.name, transform=UTM @ Affine.scale(10))
    elif kind == "tiny":
        make_tiff(texture(8, 8), name=path.name)
    return path


BAD_IMAGES = {
    "missing": "no such file",
    "directory": "folder",
    "text": "image",
    "zero bytes": "0 bytes",
    "truncated": "truncated",
    "two bands": "-bands R,G,B",
    "twelve bands": "-bands R,G,B",
    "nan": "not finite",
    "no crs": "--gsd",
    "too coarse": "outside the range",
    "tiny": "only 8 by 8 px",
}


def refused(result: Result, files: Files, *said: str) -> None:
    assert result.exit_code == 2, result.output
    message = result.stderr
    assert "Traceback" not in message
    for words in said:
        assert words in message
    assert not result.stdout
    assert files.leftovers() == []


@pytest.mark.parametrize(("kind", "said"), BAD_IMAGES.items(), ids=BAD_IMAGES)
@pytest.mark.parametrize("role", ["detect", "after", "before"])
def test_bad_image(files: Files, make_tiff: Callable[..., Path], kind: str, said: str, role: str) -> None:
    path = bad_image(kind, files, make_tiff)
    result = files.detect(after=path) if role == "detect" else files.assess(**{role: path})
    refused(result, files, "bad.tif", "has no CRS" if kind == "no crs" and role != "detect" else said)


@pytest.mark.parametrize("role", ["before", "after"])
def test_one_georeferenced_and_the_other_not(files: Files, make_tiff: Callable[..., Path], role: str) -> None:
    plain = make_tiff(texture(160, 180), crs=None, name="plain.tif")
    refused(files.assess(**{role: plain}, gsd=0.5), files, "plain.tif has no CRS")


def test_images_of_different_places(files: Files, make_tiff: Callable[..., Path]) -> None:
    far = make_tiff(texture(160, 180), name="far.tif", transform=Affine.translation(5000, 0) @ UTM)
    refused(files.assess(before=far), files, "far.tif", "after.tif", "do not overlap")


def bad_structures(kind: str, folder: Path) -> Path:
    path = folder / "bad.geojson"
    if kind == "empty":
        path.write_text('{"type": "FeatureCollection", "features": []}')
    elif kind == "zero bytes":
        path.touch()
    elif kind == "no vector file":
        path.write_text("neither points nor polygons")
    elif kind == "another place":
        write_boxes(path, UTM.c + 90_000, UTM.f)
    return path


@pytest.mark.parametrize("kind", ["missing", "empty", "zero bytes", "no vector file", "another place"])
def test_bad_structures(files: Files, kind: str) -> None:
    refused(files.assess(structures=bad_structures(kind, files.folder)), files, "bad.geojson")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("before-image", "has no structure head"),
        ("overture", "cv-pipeline[online]"),
        ("osm", "cv-pipeline[online]"),
    ],
)
def test_structures_from_elsewhere_are_refused_with_the_way_out(
    files: Files, monkeypatch: pytest.MonkeyPatch, source: str, said: str
) -> None:
    for package in ("overturemaps", "osmnx"):
        monkeypatch.setitem(sys.modules, package, None)
    refused(files.assess(structures=source), files, source, said)


def test_one_layer_of_the_structures_file(files: Files) -> None:
    path = files.folder / "town.gpkg"
    for layer, count in (("houses", 4), ("sheds", 3)):
        write_boxes(path, UTM.c + 20, UTM.f - 20, count, layer=layer)
    assert files.assess(structures=f"{path}:sheds").exit_code == 0
    summary = json.loads((files.out / "summary.json").read_text())
    assert summary["counts"]["structures"] == 3
    assert summary["provenance"]["extras"]["structures"]["layer"] == "sheds"
    refused_layer = files.assess(structures=f"{path}:barns", overwrite=True)
    assert refused_layer.exit_code == 2
    assert "houses, sheds" in refused_layer.stderr


@pytest.mark.parametrize(("option", "value"), [("footprint-offset", "hide"), ("footprint-ce90", "-2")])
def test_bad_footprint_options(files: Files, option: str, value: str) -> None:
    refused(files.assess(**{option: value}), files, f"--{option}")


def test_stated_footprint_error_is_a_part_of_every_distance(files: Files) -> None:
    assert files.assess(footprint_ce90=3).exit_code == 0
    summary = json.loads((files.out / "summary.json").read_text())
    assert summary["provenance"]["config"]["footprint_ce90_m"] == 3
    for match in summary["matches"]:
        assert match["error_budget"]["footprint_sd_m"] == pytest.approx(3 / 2.146, rel=1e-3)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("bands", "1,2", "--bands"),
        ("bands", "red,green,blue", "--bands"),
        ("bands", "1,2,3,4", "--bands"),
        ("bands", "1,2,9", "--bands"),
        ("bands", "0,1,2", "--bands"),
        ("threshold", "1.5", "--threshold"),
        ("threshold", "-0.1", "--threshold"),
        ("threshold", "nan", "--threshold"),
        ("threshold", "high", "--threshold"),
        ("gsd", "half a metre", "--gsd"),
        ("gsd", "0", "--gsd"),
        ("gsd", "-0.5", "--gsd"),
        ("gsd", "nan", "--gsd"),
        ("gsd", "inf", "--gsd"),
        ("gsd", "3", "--gsd 3 contradicts"),
        ("model", "no-such-model", "no-such-model"),
    ],
)
def test_bad_option(files: Files, option: str, value: str, said: str) -> None:
    refused(files.detect(**{option: value}), files, said)


def test_gsd_outside_the_models_range(files: Files, make_tiff: Callable[..., Path]) -> None:
    plain = make_tiff(texture(64, 64), crs=None, name="plain.tif")
    refused(files.detect(after=plain, gsd=4), files, "plain.tif", "0.2 to 1.1 m", "--gsd")


@pytest.mark.parametrize("value", ["-1", "nan", "inf"])
def test_bad_geolocation_error(files: Files, value: str) -> None:
    refused(files.assess(geolocation_ce90=value), files, "--geolocation-ce90")


def test_bad_seed(files: Files) -> None:
    refused(files.assess(seed=-1), files, "--seed")


def test_damaged_model(files: Files) -> None:
    (files.model / "weights.safetensors").unlink()
    refused(files.detect(), files, "weights.safetensors", "missing")


@pytest.mark.parametrize("kind", ["in use", "file"])
@pytest.mark.parametrize("command", ["assess", "detect", "accuracy"])
def test_output_that_is_in_the_way_stays_as_it_is(files: Files, kind: str, command: str) -> None:
    if kind == "in use":
        files.out.mkdir()
        kept = files.out / "notes.txt"
    else:
        kept = files.out
    kept.write_text("mine")
    for overwrite in ({}, {"overwrite": True}):
        if command == "accuracy":
            words = ["--overwrite"] if overwrite else []
            result = cli("accuracy", "--points", AL_ASAD, "--out", files.out, *words)
        else:
            result = getattr(files, command)(**overwrite)
        assert result.exit_code == 2, result.output
        assert str(files.out) in result.stderr
        assert kept.read_text() == "mine"
        assert files.leftovers() == [files.out]


def test_missing_option_and_unknown_command() -> None:
    assert cli("assess").exit_code == 2
    assert cli("guess").exit_code == 2


def test_help_names_every_command() -> None:
    result = cli("--help")
    assert result.exit_code == 0
    assert all(command in result.stdout for command in ("assess", "detect", "accuracy", "models"))


def test_published_case_gives_the_published_figures(tmp_path: Path) -> None:
    result = cli("accuracy", "--points", AL_ASAD, "--out", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    likely = [s for s in document["accuracy"] if s["n"] == 9]
    assert likely
    assert round(likely[0]["mean_m"]) == 11
    assert round(likely[0]["sd_population_m"], 1) == 8.5
    assert round(likely[0]["median_m"]) == 7
    notes = " ".join(document["notes"])
    assert "site_2" in notes
    assert "site_6" in notes
    assert (tmp_path / "out" / "matches.csv").is_file()


def test_published_case_as_a_table(tmp_path: Path) -> None:
    result = cli("accuracy", "--points", AL_ASAD, "--out", tmp_path / "out")
    assert result.exit_code == 0
    assert "8.5" in result.stdout
    assert "note:" in result.stdout
    assert result.stdout.splitlines()[-1] == f"results: {tmp_path / 'out' / 'summary.json'}"


@pytest.mark.parametrize("content", [None, "", "impact_id,likely_m\n", "a,b\n1,2\n"])
def test_accuracy_of_bad_points(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "bad.csv"
    if content is not None:
        path.write_text(content)
    result = cli("accuracy", "--points", path, "--out", tmp_path / "out")
    assert result.exit_code == 2, result.output
    assert "bad.csv" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("value", ["0.2", "1", "nan", "most"])
def test_accuracy_of_bad_confidence(tmp_path: Path, value: str) -> None:
    result = cli("accuracy", "--points", AL_ASAD, "--out", tmp_path / "out", "--confidence", value)
    assert result.exit_code == 2, result.output
    assert "confidence" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("option", "value"),
    [("--seed", "-1"), ("--geolocation-ce90", "-1"), ("--geolocation-ce90", "inf"), ("--region", "ground.geojson")],
)
def test_accuracy_of_bad_option(tmp_path: Path, option: str, value: str) -> None:
    result = cli("accuracy", "--points", AL_ASAD, "--out", tmp_path / "out", option, value)
    assert result.exit_code == 2, result.output
    assert option in result.stderr
    assert not (tmp_path / "out").exists()


def test_models_lists_what_is_installed(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo, "_PLACES", (files.folder,))
    result = cli("models")
    assert result.exit_code == 0
    assert result.stdout.startswith("tiny: ")
    assert "0.2 to 1.1 m per pixel (works at 0.5), threshold 0.5, hash ok" in result.stdout


def test_models_names_a_broken_one(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo, "_PLACES", (files.folder,))
    (files.model / "model.yaml").write_text("nothing")
    result = cli("models")
    assert result.exit_code == 2
    assert "model.yaml" in result.stderr
