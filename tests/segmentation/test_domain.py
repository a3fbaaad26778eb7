"""Statistics of planted images, and notices: raised by what spoils real imagery, not by the imagery itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from cv_pipeline import AssessConfig, detect
from cv_pipeline.errors import ModelError
from cv_pipeline.imagery.grid import working_grid
from cv_pipeline.imagery.source import open_source
from cv_pipeline.imagery.view import GridView
from cv_pipeline.segmentation.domain import (
    WINDOW_SHARE,
    WINDOWS,
    Domain,
    Statistics,
    read_domain,
    sample_windows,
    save_domain,
    spread,
    window_statistics,
)
from cv_pipeline.segmentation.domain_words import domain_notice
from cv_pipeline.segmentation.sanity import nothing_found_note
from cv_pipeline.segmentation.zoo import find_model
from cv_pipeline.simulation.background import Backgrounds
from cv_pipeline.simulation.pair import simulate_pair
from cv_pipeline.training.domain import count_notices, windows_of
from cv_pipeline.types import UInt8Array, Window
from tests.conftest import texture
from tests.segmentation.factories import make_model

KAMPALA = Path(__file__).parents[2] / "datasets" / "kampala_strikes"
GREY = np.full((128, 128, 3), 100, np.uint8)


def grey(light: np.ndarray) -> UInt8Array:
    return np.repeat(np.clip(np.rint(light), 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def of(rgb: UInt8Array, valid: np.ndarray | None = None) -> Statistics:
    return window_statistics(rgb, valid)


def wide(**limits: tuple[float | None, float | None]) -> Domain:
    """A domain that finds nothing unusual but what ``limits`` say."""
    free: dict[str, tuple[float | None, float | None]] = dict.fromkeys(Statistics._fields, (None, None))
    return Domain(
        working_gsd_m=0.5, tail=0.002, simulated_windows=1, real_windows=1, limits=free | limits,
        typical=dict.fromkeys(Statistics._fields, 0.0), enlarged=((0.5, -10.0), (1.0, -20.0), (2.0, -40.0)),
    )  # fmt: skip


def test_a_constant_photo_has_no_contrast_noise_or_edges() -> None:
    found = of(GREY)
    assert found.brightness_dn == 100
    assert (found.contrast_dn, found.noise_dn, found.edge_share, found.colourfulness) == (0, 0, 0, 0)
    assert found.flat_share == 1
    assert of(np.zeros_like(GREY)).saturated_share == 1


@pytest.mark.parametrize("sd", [4.0, 12.0])
def test_planted_noise_is_recovered_on_structured_ground(sd: float) -> None:
    smooth = 100 + 30 * np.sin(np.indices((128, 128))[1] / 20)
    noisy = smooth + np.random.default_rng(0).normal(0, sd, smooth.shape)
    assert of(grey(noisy)).noise_dn == pytest.approx(sd, rel=0.08)
    assert of(grey(smooth)).noise_dn < 0.5


def test_band_ratios_follow_the_spectrum() -> None:
    rng = np.random.default_rng(1)
    white = np.array([of(grey(120 + rng.normal(0, 20, (128, 128)))) for _ in range(12)])
    names = Statistics._fields  # white noise has equal power at every frequency
    assert white[:, names.index("sharpness_db")].mean() == pytest.approx(0, abs=0.4)
    assert white[:, names.index("detail_db")].mean() == pytest.approx(0, abs=0.6)
    fine, coarse = (np.sin(np.indices((128, 128))[1] * 2 * np.pi / period) for period in (3, 12))
    equal = of(grey(120 + 20 * fine + 20 * coarse)).sharpness_db
    weaker = of(grey(120 + 2 * fine + 20 * coarse)).sharpness_db
    assert equal - weaker == pytest.approx(20, abs=0.7)  # a tenth of the amplitude is 20 dB


def test_colourfulness_is_that_of_the_paper() -> None:
    image = np.random.default_rng(2).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    r, g, b = (image[..., k].astype(float) for k in range(3))
    rg, yb = r - g, (r + g) / 2 - b
    wanted = np.sqrt(rg.var() + yb.var()) + 0.3 * np.sqrt(rg.mean() ** 2 + yb.mean() ** 2)
    assert of(image).colourfulness == pytest.approx(wanted, rel=1e-3)


def test_invalid_pixels_take_no_part() -> None:
    image = texture(128, 128).astype(np.uint8)
    valid = np.ones((128, 128), bool)
    valid[:, 100:] = False
    spoilt = image.copy()
    spoilt[:, 100:] = 255
    for name in ("brightness_dn", "contrast_dn", "noise_dn", "saturated_share", "colourfulness", "edge_share"):
        wanted = getattr(of(image[:, :98]), name)
        assert getattr(of(spoilt, valid), name) == pytest.approx(wanted, rel=0.06, abs=0.01), name
    assert of(spoilt, valid) == of(np.where(valid[..., None], image, np.uint8(0)), valid)
    assert all(np.isnan(of(image, np.zeros((128, 128), bool))))


def test_windows_are_spread_evenly_and_always_the_same() -> None:
    places = spread(10_000, 20_000)
    assert len(places) == WINDOWS == len(set(places))
    assert places == sorted(places) == spread(10_000, 20_000)
    quarters = {(row // 2500, col // 5000) for row, col in places}
    assert len(quarters) == 16
    assert spread(1, 1) == [(0, 0)]


def test_an_image_is_read_at_the_working_gsd_without_nodata(make_tiff: Callable[..., Path]) -> None:
    pixels = texture(400, 400)
    path = make_tiff(pixels, nodata_kind="value", hole=np.s_[:, :200])
    found = sample_windows(open_source(path), 0.5)
    assert 0 < len(found) < WINDOWS
    assert np.isfinite(found).all()
    assert found[:, 0].min() > 60  # nodata is 0
    coarse = sample_windows(open_source(make_tiff(pixels, name="whole.tif")), 1.0)
    assert len(coarse) > 0
    assert sample_windows(open_source(path), 8.0).shape == (0, len(Statistics._fields))


def test_share_of_windows_decides() -> None:
    domain = wide(brightness_dn=(50.0, 200.0))
    windows = np.full((40, len(Statistics._fields)), 100.0)
    few, many = round(40 * WINDOW_SHARE) - 1, round(40 * WINDOW_SHARE)
    windows[:few, 0] = 10
    assert not domain.is_outside(windows)
    windows[few:many, 0] = 250
    assert domain.is_outside(windows)
    assert not domain.is_outside(np.empty((0, len(Statistics._fields))))


def test_what_it_looks_enlarged_from_is_interpolated() -> None:
    domain = wide()
    assert domain.looks_enlarged_from_m(-5) is None
    assert domain.looks_enlarged_from_m(-15) == pytest.approx(0.75)
    assert domain.looks_enlarged_from_m(-30) == pytest.approx(1.5)
    assert domain.looks_enlarged_from_m(-60) == 2.0


def test_the_notice_names_image_statistic_limit_and_consequence() -> None:
    windows = np.zeros((8, len(Statistics._fields)))
    windows[:6, Statistics._fields.index("sharpness_db")] = -30
    text = domain_notice("after image", windows, wide(sharpness_db=(-25.0, None)), "small")
    assert text is not None
    for part in ("after image", "'small'", "in 6 of 8 places", "unsharp", "-30 dB", "-25 dB", "1.5 m", "missed"):
        assert part in text
    assert domain_notice("after image", windows, wide(), "small") is None
    blank = domain_notice("before image", windows[:0], wide(), "small")
    assert blank is not None
    assert "not compared" in blank


def test_domain_survives_its_file_and_bad_files_are_refused(tmp_path: Path) -> None:
    domain = wide(contrast_dn=(2.0, None))
    assert read_domain(tmp_path) is None
    save_domain(domain, tmp_path)
    assert read_domain(tmp_path) == domain
    path = tmp_path / "domain.json"
    good = json.loads(path.read_text())
    less = {key: value for key, value in good["limits"].items() if key != "noise_dn"}
    for bad in ("{", "[]", json.dumps(good | {"surprise": 1}), json.dumps(good | {"limits": less})):
        path.write_text(bad)
        with pytest.raises(ModelError, match=r"(?s)domain\.json.*fit_domain"):
            read_domain(tmp_path)


def shipped() -> Domain:
    domain = read_domain(find_model("small"))
    assert domain is not None, "models/small has no domain.json; write it with scripts/fit_domain.py"
    return domain


@pytest.fixture(scope="module")
def kampala() -> UInt8Array:
    """Real ground, never trained on, as a network of 0.6 m sees it."""
    source = open_source(KAMPALA / "before.tif")
    grid = working_grid(source.grid, 0.6)
    with GridView(source, grid) as view:
        return view.read(Window(0, 0, grid.height, grid.width))[0]


def notice(image: UInt8Array) -> str | None:
    windows = np.array([window_statistics(window) for window in windows_of(image)])
    return domain_notice("after image", windows, shipped(), "small")


@pytest.mark.parametrize("name", ["before.tif", "after.tif"])
def test_real_imagery_gets_no_notice(name: str) -> None:
    windows = sample_windows(open_source(KAMPALA / name), 0.6)
    assert domain_notice("after image", windows, shipped(), "small") is None


def rescale(image: np.ndarray, factor: float) -> np.ndarray:
    small = cv2.resize(image, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_CUBIC))


def drawing(image: np.ndarray) -> np.ndarray:
    """A map: three flat colours, black lines."""
    drawn = np.full_like(image, (235, 230, 210))
    drawn[:, :120] = (170, 205, 235)
    for k in range(0, image.shape[0], 40):
        cv2.line(drawn, (0, k), (image.shape[1], k + 30), (0, 0, 0), 1)
        cv2.circle(drawn, (3 * k, k), 12, (200, 60, 60), -1)
    return drawn


def speckled(image: np.ndarray) -> np.ndarray:
    """A radar image of the same ground: grey, with multiplicative speckle of one look."""
    looks = np.random.default_rng(3).exponential(1, image.shape[:2])
    return np.repeat((image.mean(axis=2) * looks)[..., None], 3, axis=2)


SPOILT: dict[str, tuple[Callable[[np.ndarray], np.ndarray], str]] = {
    "blurred": (lambda image: cv2.GaussianBlur(image, (0, 0), 2.5), "blurred"),
    "noisy": (lambda image: image + np.random.default_rng(3).normal(0, 35, image.shape), "nois"),
    "enlarged from 2.4 m": (lambda image: rescale(image, 4), "enlarged from coarser"),
    "enlarged from 6 m": (lambda image: rescale(image, 10), "blurred"),
    "at night": (lambda image: image * 0.12, "very dark"),
    "radar": (speckled, "nois"),
    "drawing": (drawing, "drawing"),
    "one colour": (lambda image: np.full_like(image, 120), "without contrast"),
    "black": (np.zeros_like, "very dark"),
}


@pytest.mark.parametrize("how", SPOILT)
def test_spoilt_imagery_gets_a_notice_that_says_how(kampala: UInt8Array, how: str) -> None:
    spoil, word = SPOILT[how]
    text = notice(np.clip(spoil(kampala.astype(np.float32)), 0, 255).astype(np.uint8))
    assert text is not None
    assert word in text


def test_simulated_scenes_over_no_real_ground_get_notices_no_more_often_than_stated() -> None:
    scenes = (simulate_pair(Backgrounds([]), (4, number), (128, 128), 0.6).after for number in range(10))
    found = count_notices(shipped(), scenes, "synthetic ground")
    stated = max(counted.share_interval_95[1] for counted in shipped().false_notices)
    assert found.share_interval_95[0] <= stated
    assert found.notices <= 2


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_run_tells_what_is_unusual_and_what_it_means_to_find_nothing(
    tmp_path: Path, make_tiff: Callable[..., Path]
) -> None:
    make_model(tmp_path / "model")
    after = make_tiff(texture(130, 130), crs=None, name="plain.tif")
    config = AssessConfig(model=str(tmp_path / "model"), gsd_m=0.5)
    silent = detect(after, config).warnings
    assert any("no domain.json" in text for text in silent)
    assert any("No impact reached the threshold of 0.5" in text and "no proof" in text for text in silent)
    save_domain(wide(brightness_dn=(200.0, None)), tmp_path / "model")
    assert any("it is very dark" in text for text in detect(after, config).warnings)


def test_finding_nothing_is_told_with_the_largest_score() -> None:
    assert "largest score anywhere was 0.31" in nothing_found_note(0.48, 0.31)
    assert "did not bear it out" in nothing_found_note(0.48, 0.61)
    assert "no ground" in nothing_found_note(0.48, None)
