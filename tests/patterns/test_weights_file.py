"""``patterns.yaml``: what is written comes back; other weights' sections are left out, and said to be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cv_pipeline.errors import ModelError
from cv_pipeline.patterns.closeup.weights import CloseUpFile
from cv_pipeline.patterns.verdict import NEW_TERMS, SCORE_TERMS, PeakErrors, Weights
from cv_pipeline.patterns.weights import PLAIN, DirectionWeights, RadiusWeights
from cv_pipeline.patterns.weights_file import (
    PATTERNS_FILE,
    CloseUpSection,
    Logistic,
    PeaksSection,
    ScoresSection,
    SectionFacts,
    StatusesSection,
    directions_section,
    read_pattern_weights,
    read_patterns_file,
    write_section,
)
from cv_pipeline.segmentation.zoo import read_model_file, shipped_models

PEAKS = PeakErrors(1.5, 0.7, 1.2, 1.8, 0.9, 1.1)
SHA, OTHER, CLOSEUP = "a" * 64, "b" * 64, "c" * 64
Make = Callable[..., Path]


def logistic(count: int, seed: int) -> Weights:
    """Weights whose every number is another."""
    middle, scale, weight = np.random.default_rng(seed).uniform(0.1, 2, (3, count)).round(4).tolist()
    return Weights(tuple(middle), tuple(scale), tuple(weight), -0.25 * seed)


SCORE, NEW = logistic(len(SCORE_TERMS), 1), logistic(len(NEW_TERMS), 2)
RADIUS = RadiusWeights(*(0.1 * k + 0.01 for k in range(len(RadiusWeights._fields))))
DIRECTION = DirectionWeights(*(0.2 * k + 0.03 for k in range(len(DirectionWeights._fields))))


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A model folder with all sections, each fitted with the weights named."""

    def build(
        *,
        peaks: str | None = SHA,
        scores: str | None = SHA,
        statuses: str | None = SHA,
        directions: str | None = SHA,
        closeup: str | None = None,
    ) -> Path:
        if peaks:
            write_section(tmp_path, peaks=PeaksSection(weights_sha256=peaks, fitted_on="x", **PEAKS._asdict()))
        if scores:
            score = Logistic.of(SCORE, SCORE_TERMS)
            write_section(tmp_path, scores=ScoresSection(weights_sha256=scores, fitted_on="x", score=score))
        if statuses:
            new = Logistic.of(NEW, NEW_TERMS)
            write_section(tmp_path, statuses=StatusesSection(weights_sha256=statuses, fitted_on="x", new=new))
        if directions:
            facts = SectionFacts(weights_sha256=directions, fitted_on="x", closeup_sha256=closeup)
            write_section(tmp_path, directions=directions_section(RADIUS, DIRECTION, facts))
        return tmp_path

    return build


def test_what_is_written_comes_back(make: Make) -> None:
    weights, notes = read_pattern_weights(make(), SHA)
    assert notes == ()
    assert weights.peaks == PEAKS
    assert weights.score == SCORE
    assert weights.new == NEW
    assert weights.radius == pytest.approx(RADIUS)
    assert weights.direction == pytest.approx(DIRECTION)


def test_a_closeup_network_belongs_to_its_weights_and_to_what_was_fitted_with_it(make: Make) -> None:
    folder = make(peaks=None, scores=None, statuses=None, closeup=CLOSEUP)
    weights, (note,) = read_pattern_weights(folder, SHA)
    assert weights.closeup is None
    assert "fitted with another close-up network" in note
    write_section(folder, closeup=CloseUpSection(weights_sha256=SHA, closeup_sha256=CLOSEUP))
    weights, notes = read_pattern_weights(folder, SHA)
    assert notes == ()
    assert weights.closeup == CloseUpFile(folder / "closeup.safetensors", CLOSEUP)
    assert weights.direction == pytest.approx(DIRECTION)
    write_section(folder, closeup=CloseUpSection(weights_sha256=OTHER, closeup_sha256=CLOSEUP))
    weights, notes = read_pattern_weights(folder, SHA)
    assert weights.closeup is None
    assert "the close-up network was trained with other network weights" in notes[0]
    assert len(notes) == 2


def test_without_a_file_the_model_works_and_says_what_is_missing(tmp_path: Path) -> None:
    weights, notes = read_pattern_weights(tmp_path, SHA)
    assert weights == PLAIN
    assert weights.score is None
    assert [note.split(":")[1].split()[0] for note in notes] == ["peaks", "scores", "statuses", "directions"]
    assert all(PATTERNS_FILE in note for note in notes)


@pytest.mark.parametrize("stale", ["peaks", "scores", "statuses", "directions"])
def test_a_section_of_other_weights_is_left_out_and_the_others_stay(make: Make, stale: str) -> None:
    weights, notes = read_pattern_weights(make(**{stale: OTHER}), SHA)
    assert len(notes) == 1
    assert stale in notes[0]
    assert "other network weights" in notes[0]
    assert (weights.peaks == PLAIN.peaks) is (stale == "peaks")
    assert (weights.score is None) is (stale == "scores")
    assert (weights.new is None) is (stale == "statuses")
    assert (weights.radius == PLAIN.radius) is (stale == "directions")


def test_terms_of_another_version_are_left_out(make: Make) -> None:
    path = make() / PATTERNS_FILE
    path.write_text(path.read_text().replace("      steepness:", "      roundness:"))
    weights, notes = read_pattern_weights(path.parent, SHA)
    assert weights.score is None
    assert weights.new == NEW
    assert "other terms" in notes[0]


def test_directions_with_other_fields_are_left_out(make: Make) -> None:
    path = make() / PATTERNS_FILE
    path.write_text(path.read_text().replace("head_bias:", "head_bais:"))
    weights, notes = read_pattern_weights(path.parent, SHA)
    assert (weights.radius, weights.direction) == (PLAIN.radius, PLAIN.direction)
    assert "other terms" in notes[0]


def test_order_of_terms_in_the_file_does_not_matter(make: Make) -> None:
    folder = make()
    file = read_patterns_file(folder)
    assert file.scores is not None
    turned = file.scores.score.model_copy(update={"terms": dict(reversed(file.scores.score.terms.items()))})
    write_section(folder, scores=file.scores.model_copy(update={"score": turned}))
    assert read_pattern_weights(folder, SHA)[0].score == SCORE


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("centre: 1.5", "centre: -1.5"),
        ("centre: 1.5", "centre: .nan"),
        ("centre: 1.5", "middle: 1.5"),
        ("peaks:", "peaks: ["),
    ],
)
def test_a_malformed_file_is_refused_by_name(make: Make, old: str, new: str) -> None:
    path = make() / PATTERNS_FILE
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(ModelError, match=PATTERNS_FILE):
        read_pattern_weights(path.parent, SHA)


def test_shipped_files_are_valid() -> None:
    for folder in shipped_models().values():
        weights, _ = read_pattern_weights(folder, read_model_file(folder).weights_sha256)
        for logistic_weights, better in ((weights.score, "peak"), (weights.new, "network")):
            if logistic_weights is not None:
                names = SCORE_TERMS if better == "peak" else NEW_TERMS
                assert logistic_weights.weight[names.index(better)] > 0


def test_a_section_that_the_file_leaves_out_is_left_out_on_purpose(tmp_path: Path) -> None:
    write_section(tmp_path, peaks=PeaksSection(weights_sha256="a", fitted_on="scenes", centre=1.2, radius=1.1))
    weights, notes = read_pattern_weights(tmp_path, "a")
    assert weights.peaks.centre == 1.2
    assert notes == ()
