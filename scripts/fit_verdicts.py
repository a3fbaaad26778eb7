"""Fit how far peaks are off, and the verdicts on craters (score and status), to scenes over places never trained on.

python scripts/fit_verdicts.py --what peaks --model small
python scripts/fit_verdicts.py --what scores --model small
python scripts/fit_verdicts.py --what statuses --model small

Writes patterns.yaml of the model's folder. Figures printed are of held-out scenes of another seed; those that are
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
    EXACT,
    average_precision,
    calibration_error,
    fit_fits,
    fit_new,
    fit_peaks,
    fit_score,
    network_table,
    news,
    scores,
    sd_factors,
)
from cv_pipeline.patterns.closeup.weights import CloseUpFile
from cv_pipeline.patterns.verdict import NEW_TERMS, SCORE_TERMS, PeakErrors, Weights
from cv_pipeline.patterns.weights_file import (
    Logistic,
    PeaksSection,
    ScoresSection,
    SectionFacts,
    StatusesSection,
    read_pattern_weights,
    write_section,
)
from cv_pipeline.segmentation.zoo import find_model, read_model_file

FIT_SEED, HELD_OUT_SEED = 612, 611


def tables(
    model: str,
    data: Path,
    seed: int,
    count: int,
    errors: PeakErrors,
    closeup: CloseUpFile | None,
    cache: Path | None,
) -> tuple[Table, Table]:
    """Candidates in pair and in after-only mode; ``errors`` of the model's peaks, ``closeup`` None leaves that out."""
    from cv_pipeline.evaluation.scenes import Half, half_of
    from cv_pipeline.segmentation.onnx_backend import load_backend
    from cv_pipeline.simulation.background import Backgrounds, list_tiles

    folder = find_model(model)
    file = read_model_file(folder)
    backend, backgrounds = load_backend(folder, file), Backgrounds(half_of(list_tiles(data, "validate"), Half.FIT))
    found = []
    with tempfile.TemporaryDirectory() as scratch:
        for paired in (True, False):
            # Half as many after-only: they share their craters with the pairs.
            numbers = range(count if paired else (count + 1) // 2)
            where = Path(scratch)
            found.append(
                network_table(
                    backgrounds,
                    backend,
                    file.info(),
                    seed,
                    numbers,
                    where,
                    errors=errors,
                    closeup=closeup,
                    paired=paired,
                    cache=cache,
                )
            )
    return found[0], found[1]


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
        centre, radius = sd_factors(table, what, hit)
        print(
            f"{name}: centre off by median {np.median(np.hypot(*error_m.T)):.3f} m, SD factor {centre:.2f}; "
            f"radius off by median {np.median(np.abs(log_radius)):.3f}, bias {np.median(log_radius):+.3f}, "
            f"SD factor {radius:.2f}"
        )


class What(StrEnum):
    """What is fitted: the peaks' errors first, then the verdicts on score and status, which rest on them."""

    PEAKS = "peaks"
    SCORES = "scores"
    STATUSES = "statuses"


def main(
    what: Annotated[What, typer.Option(help="what to fit")],
    model: Annotated[str, typer.Option(help="name of a shipped model or a model folder")] = "small",
    data: Annotated[Path, typer.Option(help="folder with ucmerced")] = Path("../shared/data"),
    scenes: Annotated[int, typer.Option(help="scenes to fit to")] = 190,
    held_out: Annotated[int, typer.Option(help="scenes to judge the fit by")] = 100,
    cache: Annotated[Path | None, typer.Option(help="folder that keeps the simulated pairs")] = None,
    write: Annotated[bool, typer.Option(help="write patterns.yaml")] = True,
) -> None:
    """Fit the verdicts on craters to simulated scenes."""
    folder = find_model(model)
    fitted_on = f"simulated scenes {FIT_SEED}/0 to {scenes - 1}"
    sha256 = read_model_file(folder).weights_sha256
    fitted_weights, _ = read_pattern_weights(folder, sha256)
    closeup, errors = fitted_weights.closeup, fitted_weights.peaks
    facts = SectionFacts(
        weights_sha256=sha256, fitted_on=fitted_on, closeup_sha256=None if closeup is None else closeup.sha256
    )
    if what is What.PEAKS:
        errors = fit_peaks(join(tables(model, data, FIT_SEED, scenes, EXACT, None, cache)))
        if closeup is not None:
            errors = fit_peaks(join(tables(model, data, FIT_SEED, scenes, EXACT, closeup, cache)), errors)
        # A fit starts from a peak, or a closer look, and its SD.
        both = join(tables(model, data, FIT_SEED, scenes, errors, closeup, cache))
        errors = fit_fits(both, errors)
        describe_sd(both)
        print(f"weights {sha256[:16]}, {scenes} scenes: {errors}")
        if write:
            write_section(folder, peaks=PeaksSection(**facts, **errors._asdict()))
        return
    paired, alone = tables(model, data, FIT_SEED, scenes, errors, closeup, cache)
    names = SCORE_TERMS if what is What.SCORES else NEW_TERMS
    fitted = fit_score(join([paired, alone])) if what is What.SCORES else fit_new(paired)
    print(f"weights {sha256[:16]}, fitted on {scenes} scenes")
    for name, value in zip(names, fitted.weight, strict=True):
        print(f"  {name:12s} {value:+.2f}")
    if write and what is What.SCORES:
        write_section(folder, scores=ScoresSection(**facts, score=Logistic.of(fitted, names)))
    elif write:
        write_section(folder, statuses=StatusesSection(**facts, new=Logistic.of(fitted, names)))
    if held_out:
        paired, alone = tables(model, data, HELD_OUT_SEED, held_out, errors, closeup, cache)
    if what is What.SCORES:
        describe("pair", paired, fitted)
        describe("after only", alone, fitted)
        describe_sd(paired)
        return
    known = paired.is_crater & ~np.isnan(paired.network_new)
    judged = news(paired, fitted)
    for way, newness in (("maps", paired.network_new), ("with image", judged)):
        right = (newness[known] >= 0.5) == paired.is_new[known]
        print(f"new or old, {way}: {right.mean():.3f} of {known.sum()}")


if __name__ == "__main__":
    typer.run(main)
