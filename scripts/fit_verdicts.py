"""Fit how far peaks are off, and the verdicts on craters (score and status), to scenes over places never trained on.

python scripts/fit_verdicts.py --what peaks --model small
python scripts/fit_verdicts.py --what verdicts --model small

Writes cv_pipeline/patterns/verdict_weights.py. Figures printed are of held-out scenes of another seed; those that are
quoted come from scripts/check_craters.py, whose seeds are others again.
"""

from __future__ import annotations

import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from cv_pipeline.evaluation.crater_table import Table, join
from cv_pipeline.evaluation.crater_verdicts import (
    average_precision,
    calibration_error,
    fit_new,
    fit_peaks,
    fit_score,
    network_table,
    news,
    scores,
    sd_factor,
)
from cv_pipeline.patterns.verdict import NEW_TERMS, SCORE_TERMS, PeakErrors, Weights
from cv_pipeline.patterns.verdict_weights import NEW, PEAK, SCORE

FIT_SEED, HELD_OUT_SEED = 612, 611
TARGET = Path(__file__).resolve().parent.parent / "cv_pipeline" / "patterns" / "verdict_weights.py"


def tables(model: str, data: Path, seed: int, count: int, cache: Path | None) -> tuple[Table, Table, str]:
    """Candidates in pair and in after-only mode, and the hash of the weights."""
    from cv_pipeline.segmentation.onnx_backend import load_backend
    from cv_pipeline.segmentation.zoo import find_model, read_model_file
    from cv_pipeline.simulation.background import Backgrounds, list_tiles

    folder = find_model(model)
    file = read_model_file(folder)
    backend, backgrounds = load_backend(folder, file), Backgrounds(list_tiles(data, "validate"))
    found = []
    with tempfile.TemporaryDirectory() as scratch:
        for paired in (True, False):
            # Half as many after-only: they share their craters with the pairs.
            numbers = range(count if paired else (count + 1) // 2)
            where = Path(scratch)
            found.append(
                network_table(backgrounds, backend, file.info(), seed, numbers, where, paired=paired, cache=cache)
            )
    return found[0], found[1], file.weights_sha256


def describe(name: str, table: Table, weights: Weights) -> None:
    """One line on how scores do before and after the evidence."""
    new = scores(table, weights)
    print(
        f"{name}: n {len(new)}, craters {int(table.is_crater.sum())}; "
        f"AP {average_precision(table.peak, table.is_crater):.3f} -> {average_precision(new, table.is_crater):.3f}; "
        f"ECE {calibration_error(table.peak, table.is_crater):.3f} -> {calibration_error(new, table.is_crater):.3f}"
    )


def describe_sd(table: Table) -> None:
    """How the stated SDs of the network and of the fit hold on matched craters."""
    hit = table.is_crater
    for name, what in (("peak", table.prior), ("fit", table.found)):
        error_m = (what.centre_m - table.true_m)[hit]
        log_radius = np.log(what.radius_m[hit] / table.true_radius_m[hit])
        radius_factor = sd_factor(log_radius, what.radius_sd_m[hit] / what.radius_m[hit])
        print(
            f"{name}: centre off by median {np.median(np.hypot(*error_m.T)):.3f} m, "
            f"SD factor {sd_factor(error_m, what.centre_sd_m[hit, None]):.2f}; "
            f"radius off by median {np.median(np.abs(log_radius)):.3f}, bias {np.median(log_radius):+.3f}, "
            f"SD factor {radius_factor:.2f}"
        )


def written(score: Weights, new: Weights, peak: PeakErrors, sha256: str, count: int) -> str:
    """The module that holds the weights; the peaks' errors are fitted first, as the verdicts rest on them."""

    def block(name: str, weights: Weights, terms: tuple[str, ...]) -> str:
        rows = [f"    # {', '.join(terms)}"] if len(", ".join(terms)) < 110 else []
        for values in weights[:3]:
            rows.append("    (" + ", ".join(f"{v:.4g}" for v in values) + "),")
        return "\n".join([f"{name} = Weights(", *rows, f"    {weights.intercept:.4g},", ")  # fmt: skip"])

    return "\n".join(
        [
            '"""Written by scripts/fit_verdicts.py; do not edit.',
            "",
            f"Fitted with weights {sha256[:16]} on simulated scenes {FIT_SEED}/0 to {count - 1}.",
            '"""',
            "",
            "# ruff: noqa: E501",
            "from cv_pipeline.patterns.verdict import PeakErrors, Weights",
            "",
            block("SCORE", score, SCORE_TERMS),
            block("NEW", new, NEW_TERMS),
            f'FITTED_WITH = "{sha256}"',
            f"PEAK = PeakErrors({peak.centre:.3f}, {peak.radius:.3f})",
            "",
        ]
    )


class What(StrEnum):
    """What is fitted: the peaks' errors first, then the verdicts, which rest on them."""

    PEAKS = "peaks"
    VERDICTS = "verdicts"


def main(
    what: Annotated[What, typer.Option(help="what to fit")],
    model: Annotated[str, typer.Option(help="name of a shipped model or a model folder")] = "small",
    data: Annotated[Path, typer.Option(help="folder with ucmerced")] = Path("../shared/data"),
    scenes: Annotated[int, typer.Option(help="scenes to fit to")] = 190,
    held_out: Annotated[int, typer.Option(help="scenes to judge the fit by")] = 100,
    cache: Annotated[Path | None, typer.Option(help="folder that keeps the simulated pairs")] = None,
    write: Annotated[bool, typer.Option(help="write verdict_weights.py")] = True,
) -> None:
    """Fit the verdicts on craters to simulated scenes."""
    paired, alone, sha256 = tables(model, data, FIT_SEED, scenes, cache)
    if what is What.PEAKS:
        peak = fit_peaks(join([paired, alone]))
        print(f"weights {sha256[:16]}, {scenes} scenes: {peak}")
        if write:
            TARGET.write_text(written(SCORE, NEW, peak, sha256, scenes))
        return
    score, new = fit_score(join([paired, alone])), fit_new(paired)
    print(f"weights {sha256[:16]}, fitted on {scenes} scenes")
    for name, value in zip(SCORE_TERMS, score.weight, strict=True):
        print(f"  score {name:12s} {value:+.2f}")
    for name, value in zip(NEW_TERMS, new.weight, strict=True):
        print(f"  new   {name:12s} {value:+.2f}")
    if write:
        TARGET.write_text(written(score, new, PEAK, sha256, scenes))
    if held_out:
        paired, alone, _ = tables(model, data, HELD_OUT_SEED, held_out, cache)
    describe("pair", paired, score)
    describe("after only", alone, score)
    describe_sd(paired)
    known = paired.is_crater & ~np.isnan(paired.network_new)
    judged = news(paired, new)
    for way, newness in (("maps", paired.network_new), ("with image", judged)):
        right = (newness[known] >= 0.5) == paired.is_new[known]
        print(f"new or old, {way}: {right.mean():.3f} of {known.sum()}")


if __name__ == "__main__":
    typer.run(main)
