"""Planted impacts come back: centre, radii, azimuth, status; in any grid and any window size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from shapely.geometry import Polygon

from cv_pipeline.frame import local_frame
from cv_pipeline.patterns import extract_impacts
from cv_pipeline.patterns.extract import locate_craters
from cv_pipeline.types import Impact, PatternKind, Status, Window

from .planted import Plant, source_grid, write_scene

KINDS = ["none", "utm", "rotated"]


def found(path: Path, kind: str, plants: list[Plant], **options: object) -> tuple[Impact, ...]:
    source = source_grid(kind)
    segmentation, frame = write_scene(path / "s.tif", source, plants, **options)  # type: ignore[arg-type]
    return extract_impacts(segmentation, frame, source, score_threshold=0.3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gsd_m", [0.25, 0.5, 1.0])
def test_centre_and_radii(tmp_path: Path, kind: str, gsd_m: float) -> None:
    plants = [Plant(141.3, 152.8, 3.0, 14.0, score=0.95), Plant(450.6, 560.15, 5.2, 25.0, score=0.7)]
    impacts = found(tmp_path, kind, plants, gsd_m=gsd_m)
    assert [i.impact_id for i in impacts] == ["I001", "I002"]
    for impact, plant in zip(impacts, plants, strict=True):
        # The peak is a Gaussian of SD 1 m: its fit is exact up to the file's 16 bits.
        assert np.hypot(impact.row_px - plant.row_px, impact.col_px - plant.col_px) < 0.05
        assert impact.score == pytest.approx(plant.score, abs=0.15)
        assert impact.crater_radius_m == pytest.approx(plant.crater_m, abs=0.003)
        assert 0 < impact.crater_radius_sd_m < 0.25 * plant.crater_m + gsd_m
        # The weights take off what rays add to a drawn circle's mask, so an exact circle comes out a little small.
        assert impact.blast_radius_m == pytest.approx(plant.blast_m, rel=0.05)
        assert impact.blast_radius_sd_m is not None
        assert 0.01 < impact.blast_radius_sd_m / plant.blast_m < 0.4
        assert impact.pattern_area_m2 == pytest.approx(np.pi * plant.blast_m**2, rel=0.05)
        assert impact.secondary_radius_m is None
        assert impact.pattern is PatternKind.CIRCLE
        assert impact.direction_deg is None
        assert impact.direction_sd_deg is None


@pytest.mark.parametrize("kind", KINDS)
def test_located_craters_are_the_measured_ones(tmp_path: Path, kind: str) -> None:
    plants = [Plant(141.3, 152.8, score=0.95), Plant(450.6, 560.15, score=0.7), Plant(300.0, 200.0, score=0.2)]
    segmentation, frame = write_scene(tmp_path / "s.tif", source_grid(kind), plants)
    measured = extract_impacts(segmentation, frame, source_grid(kind), score_threshold=0.3)
    located = locate_craters(segmentation, frame, source_grid(kind), score_threshold=0.3)
    found = {(round(col, 6), round(row, 6)) for col, row in located.at_px}
    assert found == {(round(i.col_px, 6), round(i.row_px, 6)) for i in measured}
    assert sorted(located.score) == pytest.approx(sorted(i.score for i in measured))


@pytest.mark.parametrize("kind", KINDS)
def test_frames_agree(tmp_path: Path, kind: str) -> None:
    (impact,) = found(tmp_path, kind, [Plant(300.0, 350.0)])
    frame = local_frame(source_grid(kind))
    np.testing.assert_allclose(frame.metres_to_pixel(np.array([[impact.x_m, impact.y_m]])), [[300, 350]], atol=0.05)
    if kind == "none":
        assert impact.lon_deg is None
        assert impact.lat_deg is None
    else:
        lonlat = frame.to_lonlat(np.array([[impact.x_m, impact.y_m]]))[0]
        assert (impact.lon_deg, impact.lat_deg) == pytest.approx(tuple(lonlat), abs=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("azimuth_deg", [0.0, 77.0, 143.0, 251.0, 355.0])
@pytest.mark.parametrize("round_m", [0.0, 8.0])
def test_cone_azimuth(tmp_path: Path, kind: str, azimuth_deg: float, round_m: float) -> None:
    plant = Plant(300.2, 350.7, 3.0, round_m, azimuth_deg, 24.0)
    (impact,) = found(tmp_path, kind, [plant])
    assert impact.pattern is PatternKind.CONE
    assert impact.direction_deg is not None
    assert abs((impact.direction_deg - azimuth_deg + 180) % 360 - 180) < 3
    assert impact.direction_sd_deg is not None
    assert 1 < impact.direction_sd_deg < 20
    assert impact.directional_probability is not None
    assert impact.directional_probability > 0.5
    if round_m:
        assert impact.blast_radius_m == pytest.approx(round_m, rel=0.08)


def test_no_blast_is_none(tmp_path: Path) -> None:
    (impact,) = found(tmp_path, "utm", [Plant(300.0, 350.0)])
    assert impact.blast_radius_m is None
    assert impact.pattern is PatternKind.NONE
    assert impact.outline_m.shape == (0, 2)


def test_outline_has_the_patterns_area(tmp_path: Path) -> None:
    for name, azimuth in (("a", None), ("b", 40.0)):
        (impact,) = found(tmp_path, "rotated", [Plant(300.0, 350.0, 3.0, 12.0, azimuth, 20.0)])
        outline = Polygon(impact.outline_m)
        assert outline.is_valid, name
        fan = 0.0 if azimuth is None else 70 / 360 * (20**2 - 12**2)
        assert outline.area == pytest.approx(np.pi * (144 + fan), rel=0.03)


def test_status(tmp_path: Path) -> None:
    plants = [Plant(200, 200, new=0.9, score=0.9), Plant(450, 500, new=0.1, score=0.8)]
    new, old = found(tmp_path, "utm", plants)
    assert (new.status, old.status) == (Status.NEW, Status.OLD)
    assert new.status_probability == pytest.approx(0.9, abs=0.02)
    assert old.status_probability == pytest.approx(0.1, abs=0.02)
    for impact in found(tmp_path, "utm", plants, before=False):
        assert impact.status is Status.UNKNOWN
        assert impact.status_probability is None


def test_neighbours_stay_apart(tmp_path: Path) -> None:
    """Craters 1.2 radii apart are two; patterns that overlap do not swallow each other or gain a direction."""
    touching = [Plant(300, 300, 4.0, score=0.9), Plant(300, 316, 4.0, score=0.8)]
    assert len(found(tmp_path, "utm", touching)) == 2
    overlapping = [Plant(400, 400, 3.0, 15.0, score=0.9), Plant(400, 467, 3.0, 15.0, score=0.8)]
    for impact in found(tmp_path, "utm", overlapping):
        assert impact.blast_radius_m == pytest.approx(15, rel=0.05)
        assert impact.direction_deg is None
        assert impact.pattern is PatternKind.CIRCLE


def test_close_peaks_are_one_and_the_better_wins(tmp_path: Path) -> None:
    (impact,) = found(tmp_path, "none", [Plant(300, 300, score=0.6), Plant(300, 305, score=0.9)])
    assert impact.col_px == pytest.approx(305, abs=0.3)


def test_touching_craters_are_two(tmp_path: Path) -> None:
    """Centres 0.7 radii apart, which is what craters at 1.2 radii may come to by the errors of their peaks."""
    impacts = found(tmp_path, "none", [Plant(300, 300, score=0.6), Plant(300, 307, score=0.9)])
    assert sorted(i.col_px for i in impacts) == pytest.approx([300, 307], abs=0.7)


def test_border_does_not_make_a_direction(tmp_path: Path) -> None:
    (impact,) = found(tmp_path, "none", [Plant(20, 500, 3.0, 15.0)])
    assert impact.direction_deg is None
    assert impact.blast_radius_m == pytest.approx(15, rel=0.05)


def test_nothing_in_invalid_pixels_and_nothing_at_all(tmp_path: Path) -> None:
    assert found(tmp_path, "utm", [Plant(300, 300)], invalid=Window(150, 150, 60, 60)) == ()
    assert found(tmp_path, "utm", []) == ()


def test_windows_do_not_matter(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    plants = [
        Plant(r, c, rng.uniform(1, 5), rng.uniform(0, 30), rng.uniform(0, 360), rng.uniform(5, 50), rng.uniform(0.2, 1))
        for r, c in zip(rng.uniform(0, 600, 40), rng.uniform(0, 700, 40), strict=True)
    ]
    source = source_grid("rotated")
    segmentation, frame = write_scene(tmp_path / "s.tif", source, plants, invalid=Window(200, 250, 90, 120))
    whole = extract_impacts(segmentation, frame, source, score_threshold=0.2)
    assert len(whole) > 20
    for core_px in (100, 257):
        cut = extract_impacts(segmentation, frame, source, score_threshold=0.2, core_px=core_px)
        assert len(cut) == len(whole)
        for a, b in zip(whole, cut, strict=True):
            assert (a.impact_id, a.status, a.pattern) == (b.impact_id, b.status, b.pattern)
            for name in (
                "row_px",
                "col_px",
                "crater_radius_sd_m",
                "blast_radius_m",
                "direction_deg",
                "direction_sd_deg",
            ):
                assert getattr(a, name) == pytest.approx(getattr(b, name), abs=1e-6), name
            np.testing.assert_allclose(a.outline_m, b.outline_m, atol=1e-6)


def test_uncertain_centre_needs_a_stronger_direction(tmp_path: Path) -> None:
    """A short fan is read beside a sure centre, and left alone beside one that may just be misplaced."""
    fan = {"azimuth_deg": 60.0, "cone_length_m": 4.5}
    (sure,) = found(tmp_path, "utm", [Plant(300, 350, 1.5, 3.5, score=0.97, **fan)])
    (vague,) = found(tmp_path, "utm", [Plant(300, 350, 1.5, 3.5, score=0.4, **fan)])
    assert sure.direction_deg == pytest.approx(60, abs=6)
    assert vague.direction_deg is None
    assert vague.direction_sd_deg is None
