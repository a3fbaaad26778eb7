"""The figures by which blast patterns are judged on simulated scenes, each with n and interval, and their text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from cv_pipeline.evaluation.objects import match_scene
from cv_pipeline.evaluation.pattern_cases import VISIBLE_SD, Case, angle_deg
from cv_pipeline.evaluation.pattern_scenes import TruthPattern, read_scene
from cv_pipeline.evaluation.pattern_text import SIGMAS_90, auroc_figure, median, p90, share
from cv_pipeline.evaluation.plain import Figure
from cv_pipeline.frame import local_frame
from cv_pipeline.patterns.extract import extract_impacts
from cv_pipeline.patterns.measure import MAX_DIRECTION_SD_DEG, weigh
from cv_pipeline.patterns.one_sided import weigh_axis
from cv_pipeline.patterns.weights import DirectionWeights, PatternWeights, RadiusWeights
from cv_pipeline.types import Float64Array, Impact, ModelInfo

TOLERANCE_M = 5.0

CLEAR_SD = 2.0
"""From here an axis is plain to see; the least that counts as visible at all is far below it."""

LABELS = {
    "found": "strikes found",
    "blast_radius": "blast radius, median relative error (target 0.08), patterns that can be seen",
    "blast_radius_round": "  of these round",
    "blast_radius_dark": "  of these darker than the ground",
    "blast_radius_every": "  all with a pattern, seen or not",
    "blast_radius_within_90": "  within the stated 90 % interval, patterns that can be seen",
    "blast_radius_by_head_m": "  by the network alone",
    "blast_radius_by_mask_m": "  by the mask alone",
    "blast_radius_by_edge": "  by the colours alone",
    "secondary_radius": "secondary radius, median relative error",
    "secondary_radius_told": "  told, of those that have one",
    "auroc": "directional or not, AUROC (target 0.95), axes that can be seen, n with the round ones",
    "auroc_clear": f"  axes that stand out by {CLEAR_SD:g} SDs and more",
    "auroc_free": "  where neighbours leave two thirds of the rays",
    "auroc_every": "  all axes, seen or not",
    "given_of_round": "directions given: of round",
    "given_of_seen": "  of axes that can be seen",
    "given_of_clear": f"  of axes that stand out by {CLEAR_SD:g} SDs and more",
    "axis_deg_median": "axis where given, median error (target 6 deg)",
    "axis_deg_p90": "  90th percentile (target 18 deg)",
    "axis_flips": "  flips (target 0.02)",
    "axis_deg_median_seen": "  median error of these that can be seen",
    "axis_within_90": "  within the stated 90 % interval (target 0.87-0.93)",
    "axis_within_90_sharper": "    of the sharper half",
    "axis_within_90_other": "    of the other",
    "axis_deg_median_any": "axis of all that can be seen, given or not, median error",
    "axis_deg_median_clear": f"  of all that stand out by {CLEAR_SD:g} SDs and more",
}
"""What each figure is, for people."""


def lines(figures: Mapping[str, Figure]) -> list[str]:
    """Figures as text, one a line."""
    return [f"{LABELS[name]}: {figure}" for name, figure in figures.items()]


def planted_figures(
    cases: Sequence[Case], gsd_m: float, radius: RadiusWeights, direction: DirectionWeights
) -> dict[str, Figure]:
    """Radius, direction and their intervals of planted detections."""
    measured = [weigh(c.found, c.truth.crater_radius_m, gsd_m, radius, direction) for c in cases]
    strata: dict[str, Callable[[Case], bool]] = {
        "blast_radius": lambda c: c.has_visible_pattern,
        "blast_radius_round": lambda c: c.has_visible_pattern and c.is_round,
        "blast_radius_dark": lambda c: c.has_visible_pattern and c.truth.dark,
        "blast_radius_every": lambda c: c.truth.blast_radius_m is not None,
    }
    out = {}
    for name, belongs in strata.items():
        pairs = [
            (m.blast.radius_m / c.truth.blast_radius_m - 1, m.blast.sd_m / c.truth.blast_radius_m)
            for c, m in zip(cases, measured, strict=True)
            if belongs(c) and m.blast is not None and c.truth.blast_radius_m
        ]
        error, sd = np.array(pairs).reshape(-1, 2).T
        out[name] = median(np.abs(error))
        if name == "blast_radius":
            out["blast_radius_within_90"] = share(np.abs(error) <= SIGMAS_90 * sd)
    for name in ("head_m", "mask_m", "edge"):
        values = [_estimate_m(c, name) for c in cases if c.has_visible_pattern]
        truth = np.array([c.truth.blast_radius_m for c in cases if c.has_visible_pattern], np.float64)
        error = np.abs(np.array(values, np.float64) / truth - 1)
        out[f"blast_radius_by_{name}"] = median(error[np.isfinite(error)])
    second = [(c.found.outer.radius_m, c.truth.secondary_radius_m) for c in cases if c.truth.secondary_radius_m]
    found = [abs(radius_m / true_m - 1) for radius_m, true_m in second if np.isfinite(radius_m)]
    out["secondary_radius"] = median(np.array(found))
    out["secondary_radius_told"] = share(np.array([np.isfinite(radius_m) for radius_m, _ in second]))
    return out | _direction_figures(cases, direction)


def _estimate_m(case: Case, name: str) -> float:
    """The estimate of a blast radius by the network, the mask or the colours."""
    found = case.found
    return {"head_m": found.head.radius_m, "mask_m": found.mask_m, "edge": found.edge.radius_m}[name]


def _direction_figures(cases: Sequence[Case], weights: DirectionWeights) -> dict[str, Figure]:
    judged = [weigh_axis(c.found.sides, weights) for c in cases]
    chance = np.array([p for _, p in judged])
    seen = np.array([c.is_directional for c in cases], bool)
    every = np.array([c.truth.axis_deg is not None for c in cases], bool)
    clear = every & np.array([c.truth.axis_sd >= CLEAR_SD for c in cases], bool)
    free = np.array([c.is_free for c in cases], bool)
    error = np.array(
        [abs(angle_deg(a.azimuth_deg, c.truth.axis_deg or 0.0)) for c, (a, _) in zip(cases, judged, strict=True)]
    )
    sd = np.array([a.sd_deg for a, _ in judged]) * weights.sd_scale
    given = (chance >= weights.least_probability) & (sd <= MAX_DIRECTION_SD_DEG)
    told = given & every
    sharp = sd <= np.median(sd[told]) if told.any() else told
    inside = error <= SIGMAS_90 * sd
    return {
        "auroc": auroc_figure(chance[seen], chance[~every]),
        "auroc_clear": auroc_figure(chance[clear], chance[~every]),
        "auroc_free": auroc_figure(chance[seen & free], chance[~every & free]),
        "auroc_every": auroc_figure(chance[every], chance[~every]),
        "given_of_round": share(given[~every]),
        "given_of_seen": share(given[seen]),
        "given_of_clear": share(given[clear]),
        **_axis_figures(error[told]),
        "axis_deg_median_seen": median(error[told & seen]),
        "axis_within_90": share(inside[told]),
        "axis_within_90_sharper": share(inside[told & sharp]),
        "axis_within_90_other": share(inside[told & ~sharp]),
        "axis_deg_median_any": median(error[seen]),
        "axis_deg_median_clear": median(error[clear]),
    }


def _axis_figures(error_deg: Float64Array) -> dict[str, Figure]:
    """Median, 90th percentile and flips of absolute errors."""
    return {
        "axis_deg_median": median(error_deg),
        "axis_deg_p90": p90(error_deg),
        "axis_flips": share(error_deg > 90),
    }


def end_to_end_figures(folders: Sequence[Path], model: ModelInfo, weights: PatternWeights) -> dict[str, Figure]:
    """The same figures for what a whole run finds; strikes that it misses are counted, not scored."""
    pairs: list[tuple[TruthPattern, Impact]] = []
    missed = 0
    for folder in folders:
        scene = read_scene(folder, "network", model)
        source = scene.aligned.pair.after.grid
        impacts = extract_impacts(
            scene.segmentation,
            local_frame(source),
            source,
            score_threshold=model.score_threshold,
            images=scene.aligned,
            weights=weights,
        )
        planted = np.array([(t.col_px, t.row_px) for t in scene.truth]).reshape(-1, 2) * source.gsd_m
        at = np.array([(i.col_px, i.row_px) for i in impacts]).reshape(-1, 2) * source.gsd_m
        matched = match_scene(planted, at, np.array([i.score for i in impacts]), TOLERANCE_M)
        order = np.argsort([-i.score for i in impacts], kind="stable")
        here = [(scene.truth[k], impacts[order[i]]) for i, k in enumerate(matched.label) if k >= 0]
        pairs += here
        missed += len(scene.truth) - len(here)
    return _impact_figures(pairs, missed)


def _impact_figures(pairs: Sequence[tuple[TruthPattern, Impact]], missed: int) -> dict[str, Figure]:
    radius = np.array(
        [
            (i.blast_radius_m / t.blast_radius_m - 1, (i.blast_radius_sd_m or np.nan) / t.blast_radius_m)
            for t, i in pairs
            if t.blast_radius_m and i.blast_radius_m and t.pattern_sd >= VISIBLE_SD
        ]
    ).reshape(-1, 2)
    chance = np.array([i.directional_probability or 0.0 for _, i in pairs])
    seen = np.array([t.axis_deg is not None and t.axis_sd >= VISIBLE_SD for t, _ in pairs], bool)
    every = np.array([t.axis_deg is not None for t, _ in pairs], bool)
    clear = every & np.array([t.axis_sd >= CLEAR_SD for t, _ in pairs], bool)
    given = np.array([i.direction_deg is not None for _, i in pairs], bool)
    told = [(t, i) for t, i in pairs if t.axis_deg is not None and i.direction_deg is not None]
    error = np.array([abs(angle_deg(i.direction_deg or 0.0, t.axis_deg or 0.0)) for t, i in told])
    inside = [e <= SIGMAS_90 * (i.direction_sd_deg or 0.0) for e, (_, i) in zip(error, told, strict=True)]
    return {
        "found": share(np.r_[np.ones(len(pairs)), np.zeros(missed)]),
        "blast_radius": median(np.abs(radius[:, 0])),
        "blast_radius_within_90": share(np.abs(radius[:, 0]) <= SIGMAS_90 * radius[:, 1]),
        "auroc": auroc_figure(chance[seen], chance[~every]),
        "auroc_clear": auroc_figure(chance[clear], chance[~every]),
        "given_of_round": share(given[~every]),
        "given_of_seen": share(given[seen]),
        "given_of_clear": share(given[clear]),
        **_axis_figures(error),
        "axis_within_90": share(np.array(inside)),
    }
