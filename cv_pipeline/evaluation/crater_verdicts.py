"""Fitting the verdicts of :mod:`cv_pipeline.patterns.verdict`, and how well probabilities hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cv_pipeline.evaluation.crater_scenes import network_scene, simulated_pairs, write_scene
from cv_pipeline.evaluation.crater_table import Table, join, scene_table
from cv_pipeline.patterns import verdict
from cv_pipeline.patterns.closeup.weights import CloseUpFile
from cv_pipeline.patterns.evidence import Evidence
from cv_pipeline.types import BoolArray, Float64Array, ModelInfo

if TYPE_CHECKING:
    from cv_pipeline.segmentation.backend import Backend
    from cv_pipeline.simulation.background import Backgrounds

EXACT = verdict.PeakErrors(1.0, 1.0)
"""Before anything is fitted."""

LOW_THRESHOLD = 0.1
"""Peaks below this are no candidates for a verdict: a run looks at those above half of its threshold."""


def network_table(
    backgrounds: Backgrounds,
    backend: Backend,
    model: ModelInfo,
    seed: int,
    numbers: Sequence[int],
    folder: Path,
    *,
    errors: verdict.PeakErrors,
    closeup: CloseUpFile | None = None,
    paired: bool,
    cache: Path | None = None,
) -> Table:
    """Candidates of a network in simulated scenes, in pair or after-only mode; ``folder`` is for scratch files.

    ``errors`` says how far its peaks are off, ``closeup`` is its close-up network.
    """
    tables = []
    mode = "pair" if paired else "after"
    pairs = simulated_pairs(backgrounds, seed, numbers, cache)
    for number, pair in zip(numbers, pairs, strict=True):
        aligned = write_scene(folder, pair, model.working_gsd_m, paired=paired)
        scene = network_scene(
            aligned, backend, model, (cache or folder) / f"{model.sha256[:12]}_{seed}_{number}_{mode}.tif"
        )
        tables.append(scene_table(scene, pair, LOW_THRESHOLD, errors, closeup))
    return join(tables)


def fit_peaks(table: Table, peaks: verdict.PeakErrors = EXACT) -> verdict.PeakErrors:
    """How far the peaks of a table are off, which must come of candidates found with factors of 1.

    With a close-up network, ``peaks`` with how far that is off.
    """
    factors = sd_factors(table, table.prior, table.is_crater)
    if table.close is None:
        return verdict.PeakErrors(*factors)
    return peaks._replace(close_centre=factors[0], close_radius=factors[1])


def fit_fits(table: Table, peaks: verdict.PeakErrors) -> verdict.PeakErrors:
    """The same with how far fits are off, of a table found with the factors ``peaks`` on peaks and 1 on fits."""
    centre, radius = sd_factors(table, table.found, table.is_crater & table.found.usable)
    return peaks._replace(fitted_centre=centre, fitted_radius=radius)


def sd_factors(table: Table, what: Evidence, rows: BoolArray) -> tuple[float, float]:
    """Factors on the SDs of centre and radius with which they would hold in these rows."""
    error_m = (what.centre_m - table.true_m)[rows]
    log_radius = np.log(what.radius_m[rows] / table.true_radius_m[rows])
    relative_sd = (what.radius_sd_m / what.radius_m)[rows]
    return sd_factor(error_m, what.centre_sd_m[rows, None]), sd_factor(log_radius, relative_sd)


def fit_score(table: Table) -> verdict.Weights:
    """Weights of the score, from candidates whose images could be used."""
    terms = verdict.score_terms(table.peak, table.prior, table.found, table.close)
    usable = table.found.usable
    return verdict.fit(terms[usable], table.is_crater[usable].astype(np.float64))


def fit_new(table: Table) -> verdict.Weights:
    """Weights of new or old, from candidates that are craters, in pair mode."""
    rows = table.found.usable & table.found.before_known & table.is_crater & ~np.isnan(table.network_new)
    network = np.nan_to_num(table.network_new, nan=0.5)
    terms = verdict.new_terms(network, table.found, table.close)
    return verdict.fit(terms[rows], table.is_new[rows].astype(np.float64))


def scores(table: Table, weights: verdict.Weights) -> Float64Array:
    """Scores (n,) with the evidence where it is usable, as a run gives them."""
    judged = verdict.probability(verdict.score_terms(table.peak, table.prior, table.found, table.close), weights)
    return np.where(table.found.usable, judged, table.peak)


def news(table: Table, weights: verdict.Weights) -> Float64Array:
    """Probabilities of new (n,) as a run gives them; NaN in after-only mode."""
    known = table.found.usable & table.found.before_known
    network = np.nan_to_num(table.network_new, nan=0.5)
    return np.where(
        known, verdict.probability(verdict.new_terms(network, table.found, table.close), weights), table.network_new
    )


def calibration_error(probability: Float64Array, truth: BoolArray, bins: int = 15) -> float:
    """Expected calibration error over bins of equal width (Naeini et al. 2015, doi:10.1609/aaai.v29i1.9602).

    NaN without any.
    """
    if not len(probability):
        return float("nan")
    number = np.clip((probability * bins).astype(int), 0, bins - 1)
    total = sum(
        abs(float(probability[number == b].sum() - truth[number == b].sum())) for b in np.unique(number)
    )  # fmt: skip
    return total / len(probability)


def average_precision(score: Float64Array, truth: BoolArray) -> float:
    """Area under precision over recall of these candidates alone (craters without a candidate are not asked for)."""
    order = np.argsort(-score, kind="stable")
    hit = truth[order]
    precision = np.cumsum(hit) / np.arange(1, len(hit) + 1)
    return float(precision[hit].mean()) if hit.any() else float("nan")


def sd_factor(error: Float64Array, sd: Float64Array) -> float:
    """By how much a stated SD would have to be multiplied for 68.3 % of the errors to lie within it."""
    return float(np.quantile(np.abs(error) / sd, 0.6827))
