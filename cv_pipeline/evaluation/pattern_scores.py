"""The figures by which blast patterns are judged on simulated scenes, as lines of text with n and intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from cv_pipeline.evaluation.objects import match_scene
from cv_pipeline.evaluation.pattern_cases import VISIBLE_SD, Case, angle_deg
from cv_pipeline.evaluation.pattern_scenes import TruthPattern, read_scene
from cv_pipeline.evaluation.pattern_text import SIGMAS_90, auroc_text, axis_text, interval, share
from cv_pipeline.evaluation.pattern_witnesses import witness_table
from cv_pipeline.frame import local_frame
from cv_pipeline.patterns.extract import extract_impacts
from cv_pipeline.patterns.measure import MAX_DIRECTION_SD_DEG, weigh
from cv_pipeline.patterns.one_sided import weigh_axis
from cv_pipeline.patterns.weights import DirectionWeights, PatternWeights, RadiusWeights
from cv_pipeline.types import Impact, ModelInfo

TOLERANCE_M = 5.0


def lines(cases: Sequence[Case], gsd_m: float, radius: RadiusWeights, direction: DirectionWeights) -> list[str]:
    """Radius, direction and their intervals of planted detections, and what each kind of evidence gives alone."""
    measured = [weigh(c.found, c.truth.crater_radius_m, gsd_m, radius, direction) for c in cases]
    out = ["blast radius, median relative error (target 0.08):"]
    strata: dict[str, Callable[[Case], bool]] = {
        "all with a pattern that can be seen": lambda c: c.has_visible_pattern,
        "  of these round": lambda c: c.has_visible_pattern and c.is_round,
        "  of these darker than the ground": lambda c: c.has_visible_pattern and c.truth.dark,
        "all with a pattern, seen or not": lambda c: c.truth.blast_radius_m is not None,
    }
    for name, belongs in strata.items():
        pairs = [
            (m.blast.radius_m / c.truth.blast_radius_m - 1, m.blast.sd_m / c.truth.blast_radius_m)
            for c, m in zip(cases, measured, strict=True)
            if belongs(c) and m.blast is not None and c.truth.blast_radius_m
        ]
        error, sd = np.array(pairs).reshape(-1, 2).T
        out.append(f"  {name}: {interval(np.abs(error), lambda v: float(np.median(v)))}")
        out.append(f"    within the stated 90 % interval: {share(np.abs(error) <= SIGMAS_90 * sd)}")
    for name in ("head_m", "mask_m", "edge"):
        values = [
            getattr(c.found, name) if name != "edge" else c.found.edge.radius_m for c in cases if c.has_visible_pattern
        ]
        truth = np.array([c.truth.blast_radius_m for c in cases if c.has_visible_pattern], np.float64)
        error = np.abs(np.array(values) / truth - 1)
        text = interval(error[np.isfinite(error)], lambda v: float(np.median(v)))
        out.append(f"  by the {({'head_m': 'radius map', 'mask_m': 'mask', 'edge': 'colours'})[name]} alone: {text}")
    found = [
        abs(c.found.outer.radius_m / c.truth.secondary_radius_m - 1)
        for c in cases
        if c.truth.secondary_radius_m and np.isfinite(c.found.outer.radius_m)
    ]
    total = sum(c.truth.secondary_radius_m is not None for c in cases)
    out.append(f"secondary radius: {interval(np.array(found), lambda v: float(np.median(v)))}, of {total}")
    return [*out, *_direction_lines(cases, direction)]


def _direction_lines(cases: Sequence[Case], weights: DirectionWeights) -> list[str]:
    judged = [weigh_axis(c.found.sides, weights) for c in cases]
    chance = np.array([p for _, p in judged])
    seen = np.array([c.is_directional for c in cases])
    every = np.array([c.truth.axis_deg is not None for c in cases])
    free = np.array([c.is_free for c in cases])
    error = np.array(
        [abs(angle_deg(a.azimuth_deg, c.truth.axis_deg or 0.0)) for c, (a, _) in zip(cases, judged, strict=True)]
    )
    sd = np.array([a.sd_deg for a, _ in judged]) * weights.sd_scale
    given = (chance >= weights.least_probability) & (sd <= MAX_DIRECTION_SD_DEG)
    told = given & every
    sharp = sd <= np.median(sd[told]) if told.any() else told
    inside = error <= SIGMAS_90 * sd
    return [
        f"directional or not, AUROC (target 0.95), axes that can be seen: {auroc_text(chance[seen], chance[~every])}",
        f"  where neighbours leave two thirds of the rays: {auroc_text(chance[seen & free], chance[~every & free])}",
        f"  all axes, seen or not: {auroc_text(chance[every], chance[~every])}",
        f"directions given: of round {share(given[~every])}, of axes that can be seen {share(given[seen])}",
        f"axis where given (targets 6, 18 deg, 0.02): {axis_text(error[told])}",
        f"  of these that can be seen: {axis_text(error[told & seen])}",
        f"  within the stated 90 % interval (target 0.87-0.93): {share(inside[told])}",
        f"    sharper half {share(inside[told & sharp])}, the other {share(inside[told & ~sharp])}",
        f"axis of all that can be seen, given or not: {axis_text(error[seen])}",
        *witness_table(cases, weights),
    ]


def end_to_end_lines(folders: Sequence[Path], model: ModelInfo, weights: PatternWeights) -> list[str]:
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
    return _impact_lines(pairs, missed)


def _impact_lines(pairs: Sequence[tuple[TruthPattern, Impact]], missed: int) -> list[str]:
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
    given = np.array([i.direction_deg is not None for _, i in pairs], bool)
    told = [(t, i) for t, i in pairs if t.axis_deg is not None and i.direction_deg is not None]
    error = np.array([abs(angle_deg(i.direction_deg or 0.0, t.axis_deg or 0.0)) for t, i in told])
    inside = [e <= SIGMAS_90 * (i.direction_sd_deg or 0.0) for e, (_, i) in zip(error, told, strict=True)]
    return [
        f"strikes found {len(pairs)}, missed {missed}",
        f"blast radius, median relative error (target 0.08): "
        f"{interval(np.abs(radius[:, 0]), lambda v: float(np.median(v)))}",
        f"  within the stated 90 % interval: {share(np.abs(radius[:, 0]) <= SIGMAS_90 * radius[:, 1])}",
        f"directional or not, AUROC (target 0.95), axes that can be seen: {auroc_text(chance[seen], chance[~every])}",
        f"directions given: of round {share(given[~every])}, of axes that can be seen {share(given[seen])}",
        f"axis where given (targets 6, 18 deg, 0.02): {axis_text(error)}",
        f"  within the stated 90 % interval: {share(np.array(inside))}",
    ]
