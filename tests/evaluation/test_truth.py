from __future__ import annotations

import json
from pathlib import Path

import pytest

from cv_pipeline.errors import CvPipelineError
from cv_pipeline.evaluation.simulated import TruthImpact
from cv_pipeline.evaluation.truth import read_truth
from cv_pipeline.types import Status


def test_missing_and_null_values_are_none(tmp_path: Path) -> None:
    properties = (
        '{"id": 3, "row_px": 1.5, "col_px": 2, "crater_radius_m": 2.5, "blast_radius_m": null, "status": "old"}'
    )
    (tmp_path / "t.geojson").write_text(f'{{"features": [{{"properties": {properties}}}]}}')
    assert read_truth(tmp_path / "t.geojson") == (TruthImpact("3", 1.5, 2.0, 2.5, None, None, Status.OLD, None),)


def test_strikes_that_the_after_image_does_not_show_are_left_out(tmp_path: Path) -> None:
    base = {"row_px": 1, "col_px": 2, "crater_radius_m": 2}
    shown = (("a", "new", True), ("b", "gone", True), ("c", "new", False))
    features = [{"properties": {**base, "id": i, "status": s, "visible": v}} for i, s, v in shown]
    (tmp_path / "t.geojson").write_text(json.dumps({"features": features}))
    assert [truth.truth_id for truth in read_truth(tmp_path / "t.geojson")] == ["a"]


@pytest.mark.parametrize("text", ["no json", "{}", '{"features": [{"properties": {"id": "a"}}]}', "[]"])
def test_a_bad_truth_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "t.geojson").write_text(text)
    with pytest.raises(CvPipelineError, match=r"t\.geojson"):
        read_truth(tmp_path / "t.geojson")
    with pytest.raises(CvPipelineError, match="cannot be read"):
        read_truth(tmp_path / "missing.geojson")
