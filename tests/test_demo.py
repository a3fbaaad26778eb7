"""Guards what the shipped model finds on the shipped pair."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cv_pipeline import AssessConfig, assess
from cv_pipeline.evaluation.simulated import compare
from cv_pipeline.evaluation.truth import read_truth

ROOT = Path(__file__).parents[1]
DATA = ROOT / "datasets" / "kampala_strikes"


@pytest.mark.skipif(not (ROOT / "models" / "small" / "model.yaml").is_file(), reason="model 'small' is not built yet")
def test_shipped_model_finds_the_planted_strikes() -> None:
    config = AssessConfig(model="small", bootstrap_draws=100, null_draws=100)
    result = assess(DATA / "before.tif", DATA / "after.tif", DATA / "structures.geojson", config)
    truth = read_truth(DATA / "truth.geojson")
    score = compare(result.impacts, truth, result.pair.after.grid.gsd_m, result.matches)
    errors_px = [row.centre_error_px for row in score.rows if row.centre_error_px is not None]
    assert score.found >= 9, [row.truth_id for row in score.rows if not row.found]
    assert len(score.false_alarms) <= 3
    assert np.median(errors_px) < 2
