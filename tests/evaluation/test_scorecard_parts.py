"""Parts of the scorecard against planted answers or other code: masks, groups, coverage, registration, statistics."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from scipy.stats import bootstrap

from cv_pipeline.datasets.scene import DataScene, RasterBand
from cv_pipeline.evaluation.asked import ask
from cv_pipeline.evaluation.found import Found
from cv_pipeline.evaluation.modelled import registration_error_px
from cv_pipeline.evaluation.objects import bootstrap_scenes
from cv_pipeline.evaluation.results import write_results
from cv_pipeline.evaluation.scorecard import scorecard
from cv_pipeline.evaluation.scored import score_scene
from cv_pipeline.types import BoolArray, Gate, Registration
from tests.datasets.factories import SIZE, image
from tests.evaluation.test_scorecard import GSD_M, crater, found, scene, score

RNG = np.random.default_rng(5)


def band(path: Path, mask: BoolArray) -> RasterBand:
    with rasterio.open(path, "w", driver="GTiff", height=SIZE, width=SIZE, count=1, dtype="uint8") as out:
        out.write(mask.astype(np.uint8)[None])
    return RasterBand(path)


def random_mask(share: float) -> BoolArray:
    return np.asarray(RNG.random((SIZE, SIZE)) < share)


def test_pixels_by_class_over_all_scenes(tmp_path: Path) -> None:
    scenes, counts = [], {"crater": np.zeros(3), "blast": np.zeros(3)}
    for name in "ab":
        true = {kind: random_mask(0.3) for kind in counts}
        mine = {kind: random_mask(0.4) for kind in counts}
        known = random_mask(0.8)
        for kind in counts:
            told, said = true[kind][known], mine[kind][known]
            counts[kind] += [(told & said).sum(), (told | said).sum(), told.sum() + said.sum()]
        one = scene(
            tmp_path, name, crater(1, 20, 20),
            masks={kind: band(tmp_path / f"{name}_{kind}.tif", mask) for kind, mask in true.items()},
            known=band(tmp_path / f"{name}_known.tif", known),
        )  # fmt: skip
        masks = {kind: band(tmp_path / f"{name}_{kind}_mine.tif", mask) for kind, mask in mine.items()}
        scenes.append(score_scene(ask(one), found((20, 20, 0.9)), 0.5, masks=masks))
    pixels = scorecard(scenes, 0.5)["pixels"]
    assert set(pixels) == {"crater", "blast"}
    for kind, (hit, either, both) in counts.items():
        assert pixels[kind]["iou"] == pytest.approx(hit / either, abs=1e-4)
        assert pixels[kind]["f1"] == pytest.approx(2 * hit / both, abs=1e-4)


def test_pixels_of_a_tool_without_masks_are_its_reported_outlines(tmp_path: Path) -> None:
    rows, cols = np.mgrid[:SIZE, :SIZE] + 0.5
    disc = np.hypot(rows - 30, cols - 30) <= 6 / GSD_M
    one = scene(tmp_path, "a", crater(1, 30, 30, 6.0), masks={"crater": band(tmp_path / "truth.tif", disc)})
    some = found((30, 30, 0.9), (50, 55, 0.1), radius_m=3.0)  # half as wide; the second is below the threshold
    pixels = scorecard([score(one, some)], 0.5)["pixels"]["crater"]
    assert pixels["iou"] == pytest.approx(0.25, abs=0.02)
    assert pixels["f1"] == pytest.approx(2 * 0.25 / 1.25, abs=0.03)


def test_a_scene_counts_in_every_background_and_in_its_gsd(tmp_path: Path) -> None:
    first = replace(scene(tmp_path, "a", crater(1, 20, 20)), place="kind/field/1|kind/road/2")
    second = replace(scene(tmp_path, "b", crater(1, 20, 20)), place="kind/field/3", gsd_m=1.0)
    card = scorecard([score(first, found((20, 20, 0.9))), score(second, found((50, 50, 0.9)))], 0.5)
    told = {
        name: (part["scenes"], part["centres"]["at_threshold"]["recall"])
        for name, part in card["by_background"].items()
    }
    assert told == {"kind/field": (2, 0.5), "kind/road": (1, 1.0)}
    assert {name: part["centres"]["at_threshold"]["f1"] for name, part in card["by_gsd_m"].items()} == {
        "0.5": 1.0, "1": 0.0,
    }  # fmt: skip


def test_coverage_of_what_a_tool_says_of_itself(tmp_path: Path) -> None:
    """Errors drawn with the stated SDs are covered 95 times in 100, with SDs of half the size less often."""
    side, sd_m, scenes = 64, 0.4, []
    for number in range(40):
        places = [(row, col) for row in range(12, side - 8, 14) for col in range(12, side - 8, 14)]
        off = RNG.normal(0, sd_m, (len(places), 3))
        truth = [crater(n, *place) for n, place in enumerate(places)]
        at = np.array(places) + off[:, :2] / GSD_M
        stated = sd_m if number % 2 == 0 else sd_m / 2
        numbers = {
            "crater_radius_m": 3.0 + off[:, 2],
            "crater_radius_sd_m": np.full(len(at), sd_m),
            "centre_sd_m": np.full(len(at), stated),
        }
        some = Found(at, np.full(len(at), 0.9), numbers)
        scenes.append(score(scene(tmp_path, "a", *truth), some))
    honest, proud = (scorecard(part, 0.5)["geometry"] for part in (scenes[::2], scenes[1::2]))
    assert honest["centre_within_own_95"]["value"] == pytest.approx(0.95, abs=0.03)
    assert proud["centre_within_own_95"]["value"] == pytest.approx(1 - math.exp(-(2.448**2) / 8), abs=0.05)
    assert honest["radius_within_own_95"]["value"] == pytest.approx(0.95, abs=0.03)
    assert honest["centre_error_m_median"]["value"] == pytest.approx(sd_m * math.sqrt(2 * math.log(2)), rel=0.1)


def test_statistics_of_whole_scenes_against_the_truth(tmp_path: Path) -> None:
    """Median and CEP by their formulas, of points in a row: one distance is wrong, one crater is missed."""
    places = [(20.0, col) for col in (10.0, 20.0, 30.0, 40.0, 50.0, 56.0)]
    away = [10.0, 12.0, 14.0, 30.0, 50.0, 60.0]
    truth = [
        crater(n, *at, structure_id="B", distance_edge_m=m) for n, (at, m) in enumerate(zip(places, away, strict=True))
    ]
    tool = found(*[(*at, 0.9) for at in places[:5]], distance_edge_m=[10.0, 12.0, 20.0, 30.0, 50.0])
    tool.texts["structure_id"] = np.array(["B"] * 5)  # type: ignore[index]
    ends = scorecard([score(scene(tmp_path, "a", *truth), tool)], 0.5)["end_to_end"]
    assert ends["median_distance_error_m"]["value"] == pytest.approx(abs(20.0 - (14 + 30) / 2))
    assert ends["mean_distance_error_m"]["value"] == pytest.approx(
        abs(np.mean([10, 12, 20, 30, 50]) - np.mean(away)), rel=1e-3
    )

    def rayleigh_cep(points_px: np.ndarray) -> float:
        """Of points about their mean, with the spread's unbiased estimate in the plane (Rayleigh's median)."""
        off = (points_px - points_px.mean(axis=0)) * GSD_M
        return math.sqrt((off**2).sum() / (2 * (len(off) - 1)) * 2 * math.log(2))

    wanted = abs(rayleigh_cep(np.array(places[:5])) - rayleigh_cep(np.array(places)))
    assert ends["cep_error_m"]["value"] == pytest.approx(wanted, rel=0.06)


def registered(shift_px: tuple[float, float], gate: Gate = Gate.PASS) -> Registration:
    """As if the before image had to be moved by (row, col)."""
    matrix = np.array([[1.0, 0.0, shift_px[1]], [0.0, 1.0, shift_px[0]]])
    return Registration(matrix, 0, 0, 1, 0, 0, 0, 9, 9, gate, "")


def test_registration_error_is_what_the_planted_shift_leaves() -> None:
    facts = {
        "shift_row_px": 3.0, "shift_col_px": -4.0, "rotation_deg": 0.0, "scale": 1.0, "relief_px": 0.0,
        "relief_wavelength_px": 1.0, "relief_seed": 0.0,
    }  # fmt: skip
    one = DataScene("a", "a", "", Path("a.tif"), facts=facts)
    shape = (200, 200)
    assert registration_error_px(one, registered((-3.0, 4.0)), shape) == pytest.approx(0.0, abs=1e-5)
    assert registration_error_px(one, registered((0.0, 0.0)), shape) == pytest.approx(5.0, abs=1e-5)
    assert registration_error_px(one, registered((-3.0, 4.0), Gate.FAIL), shape) == pytest.approx(5.0, abs=1e-5)
    assert registration_error_px(one, None, shape) is None
    assert registration_error_px(replace(one, facts={}), registered((0, 0)), shape) is None


def test_registration_is_told_by_condition(tmp_path: Path) -> None:
    errors = {"shift": [0.5, 2.5, 1.0], "clean": [0.1]}
    scored = [
        score_scene(
            ask(replace(scene(tmp_path, "a", crater(1, 20, 20)), condition=condition)), found(), 0.5,
            registration_error_px=error,
        )
        for condition, some in errors.items() for error in some
    ]  # fmt: skip
    assert scorecard(scored, 0.5)["registration"] == {
        "clean": {"pairs": 1, "median_px": 0.1, "worst_px": 0.1},
        "shift": {"pairs": 3, "median_px": 1.0, "worst_px": 2.5},
    }


def test_calibration_error_is_the_weighted_gap_of_ten_bins(tmp_path: Path) -> None:
    places = [(row, col) for row in range(4, SIZE, 8) for col in range(4, SIZE, 8)]
    some = found(*[(row, col, RNG.uniform(0, 1)) for row, col in places])
    truth = [crater(n, row, col) for n, (row, col) in enumerate(places) if n % 3]
    scored = score_scene(ask(scene(tmp_path, "a", *truth)), some, 0.5, tolerance_m=0.1)
    gap = 0.0
    hit = {(row, col): bool(n % 3) for n, (row, col) in enumerate(places)}
    for low in np.arange(10) / 10:
        mine = [(s, hit[tuple(at)]) for at, s in zip(some.at_px, some.score, strict=True) if low <= s < low + 0.1]  # type: ignore[index]
        if mine:
            gap += len(mine) * abs(np.mean([s for s, _ in mine]) - np.mean([h for _, h in mine]))
    assert scorecard([scored], 0.5)["calibration"]["calibration_error"] == pytest.approx(gap / len(places), abs=1e-3)


def test_bootstrap_over_scenes_agrees_with_scipy() -> None:
    values = RNG.gamma(2.0, 3.0, 40)
    mine = bootstrap_scenes(values.tolist(), lambda some: float(np.mean(some)), draws=4000)
    theirs = bootstrap((values,), np.mean, n_resamples=4000, method="percentile", random_state=1).confidence_interval
    assert mine is not None
    assert (mine.low, mine.high) == pytest.approx((theirs.low, theirs.high), rel=0.03)


def test_json_csv_and_plots_are_written(tmp_path: Path) -> None:
    image(tmp_path / "a.png")
    some = found((20, 20, 0.9), (50, 50, 0.3))
    scored = [score(scene(tmp_path, "a", crater(1, 20, 20)), some)]
    write_results(tmp_path / "out", {**scorecard(scored, 0.5), "threshold": 0.5}, scored, {"a": some})
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"evaluation.json", "detections.csv", "precision_recall.png", "reliability.png", "sizes.png"}
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text())["objects"] == 1
