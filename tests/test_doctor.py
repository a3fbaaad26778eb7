from __future__ import annotations

import json

import numpy as np
import pytest
from affine import Affine
from typer.testing import CliRunner

from cv_pipeline.cli import app
from cv_pipeline.config import AssessConfig
from cv_pipeline.doctor import diagnose, document, lines
from cv_pipeline.imagery.describe import describe, effective_bits, image_lines
from cv_pipeline.imagery.source import open_source
from tests.conftest import texture

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")  # made by the fixtures


@pytest.mark.parametrize(
    ("values", "bits"),
    [
        (np.arange(256), 8),
        (np.arange(256) * 257, 8),
        (np.arange(4096), 12),
        (np.arange(3000), 12),
        (np.arange(200, 2000), 11),
        (np.arange(-512, 512), 10),
        (np.arange(1024) * 0.001, 10),
        (np.random.default_rng(0).random(100_000), None),
        (np.full(9, 7.0), 0),
    ],
)
def test_effective_bits(values, bits):
    assert effective_bits(values.astype(float)) == bits


def test_facts_of_a_12_bit_image_with_nodata(make_tiff):
    pixels = np.rint(texture(200, 300) * 16)
    path = make_tiff(pixels, dtype="uint16", nodata_kind="value", hole=np.s_[:100, :])
    facts = describe(open_source(path))
    assert (facts.dtype, facts.effective_bits) == ("uint16", 12)
    assert facts.masked.nodata == pytest.approx(0.5)
    assert facts.nodata == "nodata value 0"
    assert facts.gsd_m == pytest.approx(0.5, rel=1e-3)
    text = "\n".join(image_lines(facts))
    for words in ("300 by 200 px", "12 bits are used", "scaled to 8 bits", "EPSG:32633", "50.0% nodata"):
        assert words in text


def test_usable_single_image(make_tiff):
    found = diagnose(make_tiff(texture(256, 256)))
    assert found.usable
    assert found.pair is None
    assert lines(found)[-1] == "usable"


def test_advice_says_what_to_do(make_tiff):
    import cv2

    small = texture(128, 128)
    big = np.clip(cv2.resize(small, (512, 512), interpolation=cv2.INTER_CUBIC), 0, 255)
    grey = make_tiff(big[..., :1], crs=None, photometric="minisblack")
    found = diagnose(grey, config=AssessConfig(gsd_m=0.5))
    text = "\n".join(found.advice)
    for words in ("one band, which is read as grey", "no detail finer than", "gdal_translate -a_srs"):
        assert words in text
    assert found.usable


@pytest.mark.parametrize(
    ("options", "config", "says"),
    [
        ({"crs": None}, {}, "pass --gsd"),
        ({"transform": Affine(30, 0, 5e5, 0, -30, 5.3e6)}, {}, "outside the range"),
        ({"dtype": "complex64"}, {}, "complex"),
        ({}, {"bands": (1, 2, 9)}, "band 9 does not exist"),
    ],
)
def test_problems_are_found_not_raised(make_tiff, options, config, says):
    found = diagnose(make_tiff(texture(256, 256), **options), config=AssessConfig(**config))
    assert not found.usable
    assert says in found.problems[0]


def test_pair_that_fits_and_one_that_does_not(make_tiff):
    pixels = texture(480, 480)
    after = make_tiff(pixels[:, :400], name="after.tif")
    before = make_tiff(pixels[:, 160:] * 0.7 + 20, name="before.tif", transform=Affine(0.5, 0, 500_080, 0, -0.5, 5.3e6))
    found = diagnose(after, before)
    assert found.usable
    assert found.pair.before_covers == pytest.approx(0.6, abs=0.01)
    assert found.pair.registration.shift_px < 0.5
    other = make_tiff(texture(480, 400, seed=9), name="other.tif")
    unlike = diagnose(after, other)
    assert not unlike.usable
    assert "cannot be brought onto" in unlike.problems[0]
    apart = make_tiff(pixels, name="apart.tif", transform=Affine(0.5, 0, 600_000, 0, -0.5, 5.3e6))
    assert "do not overlap" in diagnose(after, apart).problems[0]
    assert "has no CRS" in diagnose(after, make_tiff(pixels, name="plain.tif", crs=None)).problems[0]


def test_an_image_that_shows_nothing_and_a_pair_of_one_image_will_not_do(make_tiff):
    empty = make_tiff(np.full((256, 256, 3), 255.0), name="white.tif")
    found = diagnose(empty)
    assert not found.usable
    assert "shows ground on only" in found.problems[0]
    assert "bits" not in "".join(found.advice)
    good = make_tiff(texture(256, 256))
    assert "one and the same image" in diagnose(good, make_tiff(texture(256, 256), name="copy.tif")).problems[0]


def test_command(make_tiff, tmp_path):
    good = make_tiff(texture(256, 256))
    run = CliRunner().invoke(app, ["doctor", str(good), "--json"])
    assert run.exit_code == 0
    assert json.loads(run.stdout) == json.loads(json.dumps(document(diagnose(good))))
    bad = CliRunner().invoke(app, ["doctor", str(tmp_path / "none.tif")])
    assert bad.exit_code == 2
    assert "no such file" in bad.stdout
    assert "not usable" in bad.stdout


def test_a_pair_is_judged_without_torch(make_tiff):
    """It would take longer to load than all the rest together."""
    import subprocess
    import sys

    paths = [str(make_tiff(texture(256, 256) * gain, name=name)) for name, gain in (("a.tif", 1.0), ("b.tif", 0.9))]
    code = (
        "import sys; from cv_pipeline.doctor import diagnose, lines; "
        f"print(lines(diagnose(*{paths!r}))[-1], 'torch' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["usable", "False"]
