from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import rasterio
import yaml
from typer.testing import CliRunner

from cv_pipeline.cli import app
from cv_pipeline.config import AssessConfig
from cv_pipeline.errors import ConfigError, GsdError, ImageError, OutputError
from cv_pipeline.evaluation.truth import read_truth
from cv_pipeline.frame import local_frame
from cv_pipeline.imagery.pair import open_pair
from cv_pipeline.simulation.background import list_tiles
from cv_pipeline.simulation.config import GroundConfig, SimulationConfig, StrikeConfig
from cv_pipeline.simulation.dataset import DatasetSettings, read_simulation_config, simulate_dataset
from cv_pipeline.structures.file import read_structures

BUSY = SimulationConfig(strikes=StrikeConfig(empty_share=0, density_per_ha=20, salvos_per_ha=1))


@pytest.fixture
def settings(make_data_root: Callable[..., Path]) -> DatasetSettings:
    return DatasetSettings(make_data_root(), scenes=5, seed=7, size_px=96, gsd_m=0.6, config=BUSY)


def hashes(folder: Path) -> dict[str, str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in paths}


def index(folder: Path) -> list[dict[str, str]]:
    with (folder / "index.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_twice_gives_identical_files_with_any_number_of_workers(settings: DatasetSettings, tmp_path: Path) -> None:
    few = replace(settings, scenes=2)
    simulate_dataset(few, tmp_path / "one")
    simulate_dataset(few, tmp_path / "two", workers=2)
    simulate_dataset(replace(few, seed=8), tmp_path / "other")
    first = hashes(tmp_path / "one")
    assert len(first) == 3 + 2 * 7
    assert first == hashes(tmp_path / "two")
    other = hashes(tmp_path / "other")
    assert first["scene_0001/after.tif"] != other["scene_0001/after.tif"]
    assert first["scene_0001/after.tif"] != first["scene_0002/after.tif"]


def test_a_longer_data_set_begins_with_the_shorter_one(settings: DatasetSettings, tmp_path: Path) -> None:
    simulate_dataset(replace(settings, scenes=1), tmp_path / "short")
    simulate_dataset(replace(settings, scenes=2), tmp_path / "long")
    short, long = hashes(tmp_path / "short"), hashes(tmp_path / "long")
    assert all(long[name] == value for name, value in short.items() if name.startswith("scene_"))


def test_the_rest_of_the_package_reads_what_is_written(settings: DatasetSettings, tmp_path: Path) -> None:
    simulate_dataset(replace(settings, scenes=1), tmp_path / "set")
    folder = tmp_path / "set" / "scene_0001"
    pair = open_pair(folder / "before.tif", folder / "after.tif", AssessConfig())
    assert pair.after.grid.gsd_m == pytest.approx(0.6, rel=1e-4)  # true metres, though UTM's scale varies
    truth = read_truth(folder / "truth.geojson")
    assert truth
    with rasterio.open(folder / "truth.tif") as file:
        bands = dict(zip(file.descriptions, file.read(), strict=True))
        assert file.transform == pair.after.grid.transform
    for strike in truth:
        assert bands["crater"][int(strike.row_px), int(strike.col_px)] == 1
        assert bands["centre"][int(strike.row_px), int(strike.col_px)] > 0.5
        assert bands["visible"][int(strike.row_px), int(strike.col_px)] == 1
    row = index(tmp_path / "set")[0]
    known = int(row["new"]) + int(row["old"]) + int(row["gone"])
    assert len(truth) >= known - int(row["gone"]) - int(row["not_visible"])


def test_buildings_are_where_their_pixels_are(settings: DatasetSettings, tmp_path: Path) -> None:
    config = BUSY.model_copy(
        update={
            "built": BUSY.built.model_copy(update={"single_building_share": 1.0, "village_share": 0.0}),
            "ground": GroundConfig(real_share=0),
            "light": BUSY.light.model_copy(update={"leaning_share": 0.0}),
        }
    )
    simulate_dataset(replace(settings, scenes=3, size_px=128, config=config), tmp_path / "set")
    found = 0
    for folder in sorted((tmp_path / "set").glob("scene_*")):
        with rasterio.open(folder / "truth.tif") as file:
            built = file.read(file.descriptions.index("structure") + 1)
        frame = local_frame(open_pair(folder / "before.tif", folder / "after.tif", AssessConfig()).after.grid)
        if not yaml.safe_load((folder / "scene.yaml").read_text())["structures"]:
            continue
        for structure in read_structures(folder / "structures.geojson", frame).structures:
            centre = np.array(structure.geometry_m.centroid.coords)
            row_px, col_px = frame.metres_to_pixel(centre)[0]
            if 0 <= row_px < 128 and 0 <= col_px < 128:
                assert built[int(row_px), int(col_px)] == 1
                found += 1
    assert found > 0


def test_every_scene_keeps_to_the_places_of_its_split(settings: DatasetSettings, tmp_path: Path) -> None:
    ground = GroundConfig(real_share=1, arid_weight=0, snow_weight=0)
    simulate_dataset(replace(settings, config=SimulationConfig(ground=ground)), tmp_path / "set")
    rows = index(tmp_path / "set")
    assert [row["split"] for row in rows] == ["train"] * 4 + ["validate"]
    for row in rows:
        allowed = {tile.place for tile in list_tiles(settings.background, row["split"])}
        assert set(filter(None, row["places"].split("|"))) <= allowed
    assert rows[0]["places"] and rows[-1]["places"]
    card = yaml.safe_load((tmp_path / "set" / "dataset.yaml").read_text(encoding="utf-8"))
    assert card["split"]["validate"] == ["scene_0005"]
    assert "public domain" in (tmp_path / "set" / "README.md").read_text(encoding="utf-8")


def test_a_folder_of_ones_own_states_its_licence(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    cv2.imwrite(str(folder / "field_01.png"), np.random.default_rng(0).integers(90, 160, (300, 300, 3), np.uint8))
    (folder / "LICENSE.txt").write_text("\nCC0 1.0 Universal\nmore\n")
    settings = DatasetSettings(folder, scenes=1, seed=1, size_px=64, background_gsd_m=0.4)
    config = SimulationConfig(ground=GroundConfig(real_share=1))
    simulate_dataset(replace(settings, config=config), tmp_path / "set")
    card = yaml.safe_load((tmp_path / "set" / "dataset.yaml").read_text(encoding="utf-8"))
    assert card["backgrounds"] == {"mine": "CC0 1.0 Universal"}
    with pytest.raises(GsdError, match="--background-gsd"):
        simulate_dataset(replace(settings, background_gsd_m=None), tmp_path / "none")
    with pytest.raises(ImageError, match="--split all"):
        simulate_dataset(replace(settings, split="validate"), tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_only_an_earlier_data_set_is_overwritten(settings: DatasetSettings, tmp_path: Path) -> None:
    out = tmp_path / "set"
    out.mkdir()
    (out / "letter.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(OutputError):
            simulate_dataset(replace(settings, scenes=1), out, overwrite)
    (out / "letter.txt").rename(out / "dataset.yaml")
    simulate_dataset(replace(settings, scenes=1), out, overwrite=True)
    assert (out / "scene_0001" / "after.tif").is_file()


def test_settings_are_read_and_refused(tmp_path: Path) -> None:
    path = tmp_path / "simulation.yaml"
    path.write_text("strikes: {empty_share: 0.5}\n")
    assert read_simulation_config(path) == SimulationConfig(strikes=StrikeConfig(empty_share=0.5))
    path.write_text("")
    assert read_simulation_config(path) == SimulationConfig()
    path.write_text("strikes: {empty: 0.5}\n")
    with pytest.raises(ConfigError, match=r"simulation\.yaml"):
        read_simulation_config(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_simulation_config(tmp_path / "missing.yaml")


def test_the_command_writes_a_data_set_and_names_what_is_wrong(settings: DatasetSettings, tmp_path: Path) -> None:
    common = ["simulate", "--background", str(settings.background), "--scenes", "1", "--size-px", "64"]
    done = CliRunner().invoke(app, [*common, "--out", str(tmp_path / "set")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "set" / "README.md").is_file() and "1 scenes" in done.output
    for wrong, message in (
        (["--split", "half"], "--split half"),
        (["--background", str(tmp_path / "none")], "no such folder"),
    ):
        failed = CliRunner().invoke(app, [*common, "--out", str(tmp_path / "new"), *wrong])
        assert failed.exit_code == 2 and message in failed.output
