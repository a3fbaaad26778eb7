"""Against the R package shotGroups and, for the exact normal, against an independent integration."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ncx2

from cv_pipeline.accuracy.cep import About, cep
from cv_pipeline.accuracy.cep.rayleigh import c4, offset, sigma
from cv_pipeline.accuracy.cep.sample import Sample

REFERENCE = json.loads((Path(__file__).parent / "data" / "cep_reference.json").read_text(encoding="utf-8"))
CASES = {case["id"]: case for case in REFERENCE["cases"]}
NAMES = {
    "CorrNormal": "correlated_normal",
    "GrubbsPearson": "grubbs_pearson",
    "GrubbsPatnaik": "grubbs_patnaik",
    "GrubbsLiu": "grubbs_liu",
    "Rayleigh": "rayleigh",
    "Krempasky": "krempasky",
    "Ignani": "ignani",
    "RMSE": "rmse",
    "Ethridge": "ethridge",
    "RAND": "rand",
    "Valstar": "valstar",
}
KEYS = {About.MEAN: "accuracy_false", About.AIM: "accuracy_true"}


def published_rice(sample, level):
    """The unit-dependent offset of Li, Zhang and Dai, as the reference was made with; metres."""
    b = 2 * sigma(sample) ** 2 / sample.n
    square = float(sample.mean @ sample.mean)
    nu = np.sqrt(max(square - b, square / (1 + b))) / c4(2 * sample.n + 1)
    return sigma(sample) * np.sqrt(ncx2.ppf(level, 2, (nu / sigma(sample)) ** 2))


def published_valstar(sample, about):
    """With a length plus a ratio of lengths, as the reference has it; metres."""
    s1, s2 = np.sqrt(sample.variances)
    value = 0.675 * s1 + s2 / (1.2 * s1) if s2 <= 0.369 * s1 else 0.5620 * s1 + 0.6152 * s2
    return value if about is About.MEAN else np.hypot(value, np.hypot(*sample.mean))


@pytest.mark.parametrize("about", list(About))
@pytest.mark.parametrize("level", ["0.5", "0.9", "0.95"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_estimator(case, level, about):
    points = np.array(case["points"], dtype=float)
    sample = Sample(points)
    entry = case[KEYS[about]]
    for theirs, ours in NAMES.items():
        expected = entry["cep"][level][theirs]
        got = cep(points, float(level), ours, about)
        if theirs == "CorrNormal":
            expected = entry["CorrNormal_exact_independent"][level]
        if theirs == "RAND" and got.radius_m is None and expected is not None:
            assert np.hypot(*sample.mean) > 2.2 * cep(points, 0.5, "rand").radius_m  # beyond the polynomial's range
            continue
        assert (got.radius_m is None) == (expected is None), (ours, got.reason)
        assert (got.radius_m is None) == bool(got.reason)
        if expected is None:
            continue
        if theirs == "Rayleigh" and about is About.AIM:
            assert published_rice(sample, float(level)) == pytest.approx(expected, rel=1e-6)
            if not case["rice_param_LiZhangDai"]["shrink_branch_used"]:
                assert got.radius_m == pytest.approx(expected, rel=1e-6 if "farOffset" in case["id"] else 1e-9)
            assert got.radius_m == pytest.approx(expected, rel=3e-3)
        elif theirs == "Valstar":
            assert published_valstar(sample, about) == pytest.approx(expected, rel=1e-9)
            s1, s2 = np.sqrt(sample.variances)
            if s2 > 0.369 * s1:
                assert got.radius_m == pytest.approx(expected, rel=1e-9)
            elif about is About.MEAN:
                assert got.radius_m == pytest.approx(entry["CorrNormal_exact_independent"]["0.5"], rel=5e-3)
        else:
            assert got.radius_m == pytest.approx(expected, rel=1e-9), ours


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_rayleigh_parameters(case):
    sample = Sample(np.array(case["points"], dtype=float))
    assert sigma(sample) == pytest.approx(case["ray_param_mean_estimated"]["sigma"]["sigma"], rel=1e-9)
    assert offset(sample) == pytest.approx(case["rice_param_MOM"]["nu"], rel=1e-9, abs=1e-9)
    assert sample.variances == pytest.approx(case["sample"]["eigenvalues_desc"], rel=1e-9)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_sample_quantiles_of_the_radii(case):
    points = np.array(case["points"], dtype=float)
    for about, key in ((About.MEAN, "about_mean"), (About.AIM, "about_aim")):
        assert cep(points, 0.5, "sample", about).radius_m == pytest.approx(case["radii"][key]["median"], rel=1e-9)
