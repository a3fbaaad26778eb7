"""Craters painted into image files are measured there, and not where the maps put them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS

from cv_pipeline.config import AssessConfig
from cv_pipeline.imagery.pair import open_pair
from cv_pipeline.patterns import extract_impacts
from cv_pipeline.patterns.candidates import Candidates, find_candidates, judged, looked_at
from cv_pipeline.patterns.extract import Extraction
from cv_pipeline.patterns.ground import GroundMap
from cv_pipeline.patterns.peaks import close_pairs, suppress
from cv_pipeline.patterns.share import Share
from cv_pipeline.patterns.weights import PLAIN, PatternWeights
from cv_pipeline.types import AlignedPair, Gate, Grid, Registration, UInt8Array

from .planted import Plant, source_grid, write_scene

SHIFT_PX = (1.1, -0.9)
"""By how much the maps are off, in pixels of the after image."""


def picture(grid: Grid, plants: list[Plant], seed: int, lit_dn: float = 8.0) -> UInt8Array:
    """Noise with dark Gaussian craters of a half width of ``crater_m``, lit from one side; none darkens twice."""
    rows, cols = np.indices((grid.height, grid.width)) + 0.5
    image = np.random.default_rng(seed).normal(120, 6, (grid.height, grid.width))
    darkened = np.zeros_like(image)
    for plant in plants:
        down, right = (rows - plant.row_px) * grid.gsd_m, (cols - plant.col_px) * grid.gsd_m
        distance = np.hypot(down, right) / plant.crater_m
        lit = right / plant.crater_m / (1 + distance**8)  # a bowl slopes up to its rim and no farther
        darkened = np.maximum(darkened, 45 * 0.5 ** (distance**2) + lit_dn * lit)
    return np.repeat((image - darkened)[..., None], 3, axis=2).clip(0, 255).astype(np.uint8)


def write(path: Path, image: UInt8Array, grid: Grid) -> Path:
    """A GeoTIFF; a PNG where there is no CRS."""
    if grid.crs is None:
        path = path.with_suffix(".png")
        with rasterio.open(
            path, "w", driver="PNG", height=grid.height, width=grid.width, count=3, dtype="uint8"
        ) as out:
            out.write(np.moveaxis(image, -1, 0))
        return path
    profile = {"driver": "GTiff", "height": grid.height, "width": grid.width, "count": 3, "dtype": "uint8"}
    with rasterio.open(path, "w", **profile, crs=CRS.from_user_input(grid.crs), transform=grid.transform) as out:
        out.write(np.moveaxis(image, -1, 0))
    return path


def aligned_pair(folder: Path, grid: Grid, after: UInt8Array, before: UInt8Array, working: Grid) -> AlignedPair:
    files = [write(folder / f"{name}.tif", image, grid) for name, image in (("before", before), ("after", after))]
    pair = open_pair(files[0], files[1], AssessConfig(gsd_m=grid.gsd_m if grid.crs is None else None))
    exact = Registration(np.eye(2, 3), 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0, 0, Gate.PASS, "planted")
    return AlignedPair(pair, working, exact)


def examine(maybe: Candidates, pair: AlignedPair, ground: GroundMap, weights: PatternWeights = PLAIN) -> Candidates:
    """The candidates with the images' evidence, whatever their score."""
    return judged(maybe, looked_at(maybe, pair, ground, use_before=True), ground, 0.0, weights)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("kind", ["none", "rotated"])
def test_centres_and_radii_are_those_of_the_image(tmp_path: Path, kind: str) -> None:
    grid = source_grid(kind, 300, 320)
    true = [Plant(100.3, 90.8, 3.0), Plant(180.6, 230.1, 2.2), Plant(230.2, 60.4, 4.5)]
    shown = [Plant(p.row_px + SHIFT_PX[0], p.col_px + SHIFT_PX[1], 1.12 * p.crater_m, score=0.7) for p in true]
    segmentation, frame = write_scene(tmp_path / "s.tif", grid, shown, gsd_m=0.5)
    old = [true[1]]
    pair = aligned_pair(tmp_path, grid, picture(grid, true, 1), picture(grid, old, 2), segmentation.grid)
    ground = GroundMap(segmentation.grid, grid, frame)
    maybe = find_candidates(segmentation, ground, 0.3, 1024)
    found = examine(maybe, pair, ground)
    at_px = ground.working_to_source(found.at_px)
    for plant in true:
        i = int(np.hypot(*(at_px - (plant.row_px, plant.col_px)).T).argmin())
        away = float(np.hypot(*(at_px[i] - (plant.row_px, plant.col_px))))
        assert away < 0.5 * np.hypot(*SHIFT_PX)
        evidence = found.evidence
        assert evidence.radius_m[i] == pytest.approx(plant.crater_m, rel=0.07)
        assert evidence.centre_sd_m[i] < maybe.evidence.centre_sd_m.max()
        assert evidence.usable[i]
        assert evidence.before_known[i]
        # The same profile is in the before image, as strong, or it is not.
        assert evidence.before[i] == pytest.approx(1.0 if plant in old else 0.0, abs=0.3)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("radius_m", [2.2, 3.5])
def test_touching_craters_are_not_drawn_together(tmp_path: Path, radius_m: float) -> None:
    """Twins at 1.2 radii, shown a little too near to each other: each is fitted on its own side."""
    grid = source_grid("none", 200, 220)
    half_px = 0.6 * radius_m / grid.gsd_m
    true = [Plant(100.3, 110.2 + side * half_px, radius_m) for side in (-1, 1)]
    shown = [replace(p, col_px=p.col_px - side * 0.4, score=0.8) for p, side in zip(true, (-1, 1), strict=True)]
    segmentation, frame = write_scene(tmp_path / "s.tif", grid, shown, gsd_m=0.5)
    after, before = picture(grid, true, 1, lit_dn=0.0), picture(grid, [], 2)
    pair = aligned_pair(tmp_path, grid, after, before, segmentation.grid)
    ground = GroundMap(segmentation.grid, grid, frame)
    maybe = find_candidates(segmentation, ground, 0.3, 1024)
    found = examine(maybe, pair, ground)
    at_px = ground.working_to_source(found.at_px)[np.argsort(found.at_px[:, 1])]
    assert len(at_px) == 2
    np.testing.assert_allclose(at_px, [(p.row_px, p.col_px) for p in true], atol=0.2 * radius_m / grid.gsd_m)
    np.testing.assert_allclose(found.evidence.radius_m, radius_m, rtol=0.15)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_outside_the_image_nothing_is_claimed(tmp_path: Path) -> None:
    """A crater in a corner, of which the image shows a quarter, keeps what the maps say."""
    grid = source_grid("none", 200, 200)
    plants = [Plant(1.0, 1.0, 3.0)]
    segmentation, frame = write_scene(tmp_path / "s.tif", grid, plants, gsd_m=0.5)
    image = picture(grid, plants, 1)
    pair = aligned_pair(tmp_path, grid, image, image, segmentation.grid)
    ground = GroundMap(segmentation.grid, grid, frame)
    maybe = find_candidates(segmentation, ground, 0.3, 1024)
    found = examine(maybe, pair, ground)
    assert not found.evidence.usable[0]
    np.testing.assert_array_equal(found.evidence.centre_m, maybe.evidence.centre_m)
    assert found.score[0] == found.peak[0]


def test_the_models_factors_widen_what_a_fit_states(tmp_path: Path) -> None:
    """And leave what the maps say where the image cannot be used."""
    grid = source_grid("utm", 200, 200)
    plants = [Plant(100.0, 100.0, 3.0), Plant(1.0, 1.0, 3.0)]
    segmentation, frame = write_scene(tmp_path / "s.tif", grid, plants, gsd_m=0.5)
    image = picture(grid, plants, 1)
    pair = aligned_pair(tmp_path, grid, image, image, segmentation.grid)
    ground = GroundMap(segmentation.grid, grid, frame)
    maybe = find_candidates(segmentation, ground, 0.3, 1024)
    wider = PLAIN._replace(peaks=PLAIN.peaks._replace(fitted_centre=2.0, fitted_radius=3.0))
    plain, wide = (examine(maybe, pair, ground, w).evidence for w in (PLAIN, wider))
    assert sorted(plain.usable) == [False, True]
    factor = np.where(plain.usable, 2.0, 1.0)
    np.testing.assert_allclose(wide.centre_sd_m, factor * plain.centre_sd_m)
    np.testing.assert_allclose(wide.radius_sd_m, np.where(plain.usable, 3.0, 1.0) * plain.radius_sd_m)


def test_a_valley_between_peaks_makes_two_of_one() -> None:
    points, score, radius = np.array([[0.0, 0.0], [2.9, 0.0]]), np.array([0.9, 0.8]), np.array([3.0, 3.0])
    pairs = close_pairs(points, radius)
    assert pairs.tolist() == [[0, 1]]
    assert suppress(points, score, radius, pairs, np.array([0.9])).tolist() == [0]
    assert suppress(points, score, radius, pairs, np.array([0.5])).tolist() == [0, 1]
    assert len(close_pairs(np.array([[0.0, 0.0], [3.6, 0.0]]), radius)) == 0


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_windows_do_not_matter(tmp_path: Path) -> None:
    grid = source_grid("none", 300, 320)
    rng = np.random.default_rng(4)
    plants = [Plant(*at, rng.uniform(1.5, 4)) for at in rng.uniform(20, 280, (12, 2))]
    segmentation, frame = write_scene(tmp_path / "s.tif", grid, plants, gsd_m=0.5)
    pair = aligned_pair(tmp_path, grid, picture(grid, plants, 1), picture(grid, [], 2), segmentation.grid)
    whole = extract_impacts(segmentation, frame, grid, score_threshold=0.1, images=pair)
    cut = extract_impacts(segmentation, frame, grid, score_threshold=0.1, images=pair, core_px=37)
    assert len(whole) > 6
    for a, b in zip(whole, cut, strict=True):
        for name in ("row_px", "col_px", "score", "crater_radius_m", "centre_sd_m"):
            assert getattr(a, name) == pytest.approx(getattr(b, name), abs=1e-6), name
        assert (a.peak_score is None) == (b.peak_score is None)


def test_shares_of_the_work_give_the_same_impacts_to_the_last_bit(tmp_path: Path) -> None:
    grid = source_grid("rotated", 700, 640)
    rng = np.random.default_rng(8)
    rows, cols = np.meshgrid(np.arange(60, 640, 90), np.arange(60, 600, 90))
    places = np.column_stack([rows.ravel(), cols.ravel()]) + rng.uniform(-12, 12, (rows.size, 2))
    true = [Plant(row, col, rng.uniform(2, 5), score=0.6 + 0.3 * rng.random()) for row, col in places]
    segmentation, frame = write_scene(tmp_path / "s.tif", grid, true, gsd_m=0.5)
    pair = aligned_pair(tmp_path, grid, picture(grid, true, 1), picture(grid, true[::3], 2), segmentation.grid)
    whole = extract_impacts(segmentation, frame, grid, score_threshold=0.4, images=pair, core_px=256)
    work = Extraction(segmentation, GroundMap(segmentation.grid, grid, frame), 0.4, pair, core_px=256)
    shares = [Share(number, 4) for number in range(4)]
    candidates = work.candidates([work.peaks(share) for share in shares])
    looks = [work.looks(candidates, share) for share in shares]
    assert sum(len(found) > 0 for found in looks) > 1
    craters = work.craters(candidates, (look for found in looks for look in found))
    measures = [work.measures(craters, share) for share in shares]
    assert sum(len(found) > 0 for found in measures) > 1
    joined = work.impacts(craters, (each for found in measures for each in found))
    assert len(whole) > 30
    with np.printoptions(floatmode="unique", threshold=100_000):  # every digit of every array
        assert repr(joined) == repr(whole)
        # so that a share left out would show
        assert repr(work.craters(candidates, looks[0])) != repr(craters)


def test_shares_are_all_pieces_once_and_in_order() -> None:
    for count in (0, 1, 3, 10):
        for parts in (1, 2, 4):
            pieces = list(range(count))
            assert [p for number in range(parts) for p in Share(number, parts).of(pieces)] == pieces
