"""The figures by which blast patterns are judged on simulated scenes, as lines of text with n and intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import rankdata

from cv_pipeline.evaluation.objects import match_scene
from cv_pipeline.evaluation.pattern_cases import VISIBLE_SD, Case, angle_deg, scene_findings, slim
from cv_pipeline.evaluation.pattern_scenes import (
    CONFIG,
    TruthPattern,
    maps_name,
    network_maps,
    read_scene,
    simulate_scene,
    write_scene,
)
from cv_pipeline.frame import local_frame
from cv_pipeline.patterns.direction import combined_axis, vector_log_density
from cv_pipeline.patterns.extract import extract_impacts
from cv_pipeline.patterns.measure import MAX_DIRECTION_SD_DEG, direction_terms, weigh, weigh_axis
from cv_pipeline.patterns.rays import AZIMUTHS_RAD, SECTORS
from cv_pipeline.patterns.weights import DirectionWeights, PatternWeights, RadiusWeights
from cv_pipeline.types import BoolArray, Float64Array, Impact, ModelInfo, SectorUse

if TYPE_CHECKING:
    from cv_pipeline.segmentation.backend import Backend
    from cv_pipeline.simulation.background import Backgrounds
    from cv_pipeline.simulation.pair import SimulatedPair

_DRAWS = 400
_SIGMAS_90 = 1.6449
TOLERANCE_M = 5.0


def interval(values: Float64Array, statistic: Callable[[Float64Array], float]) -> str:
    """A statistic with its 95 % bootstrap interval, as text; ``-`` where there are fewer than 5 values."""
    if len(values) < 5:
        return f"- (n={len(values)})"
    rng = np.random.default_rng(0)
    draws = [statistic(values[rng.integers(len(values), size=len(values))]) for _ in range(_DRAWS)]
    low, high = np.quantile(draws, [0.025, 0.975])
    return f"{statistic(values):.3g} [{low:.3g}, {high:.3g}] (n={len(values)})"


def auroc(positive: Float64Array, negative: Float64Array) -> float:
    """Chance that a positive's value is above a negative's, ties counting half; NaN where either is empty."""
    if not len(positive) or not len(negative):
        return float("nan")
    ranks = rankdata(np.r_[positive, negative])[: len(positive)]
    return float((ranks.sum() - len(positive) * (len(positive) + 1) / 2) / len(positive) / len(negative))


def _auroc_text(positive: Float64Array, negative: Float64Array) -> str:
    rng = np.random.default_rng(0)
    draws = [
        auroc(rng.choice(positive, len(positive)), rng.choice(negative, len(negative)))
        for _ in range(_DRAWS)
        if len(positive) and len(negative)
    ]
    low, high = np.quantile(draws, [0.025, 0.975]) if draws else (np.nan, np.nan)
    value = auroc(positive, negative)
    return f"{value:.3f} [{low:.3f}, {high:.3f}] ({len(positive)} directional, {len(negative)} round)"


def _share(hits: BoolArray | Float64Array) -> str:
    return interval(np.asarray(hits, np.float64), lambda v: float(v.mean()))


def _axis_text(errors_deg: Float64Array) -> str:
    """Median, 90th percentile and flips of absolute errors."""
    return (
        f"median {interval(errors_deg, lambda v: float(np.median(v)))}, "
        f"90th percentile {interval(errors_deg, lambda v: float(np.quantile(v, 0.9)))}, "
        f"flips {_share(errors_deg > 90)}"
    )


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
        out.append(f"    within the stated 90 % interval: {_share(np.abs(error) <= _SIGMAS_90 * sd)}")
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
    judged = [weigh_axis(c.found, weights) for c in cases]
    chance = np.array([p for _, p in judged])
    seen = np.array([c.is_directional for c in cases])
    every = np.array([c.truth.axis_deg is not None for c in cases])
    error = np.array(
        [abs(angle_deg(a.azimuth_deg, c.truth.axis_deg or 0.0)) for c, (a, _) in zip(cases, judged, strict=True)]
    )
    sd = np.array([a.sd_deg for a, _ in judged]) * weights.sd_scale
    given = (chance >= weights.least_probability) & (sd <= MAX_DIRECTION_SD_DEG)
    out = [
        f"directional or not, AUROC (target 0.95), axes that can be seen: {_auroc_text(chance[seen], chance[~every])}",
        f"  all axes, seen or not: {_auroc_text(chance[every], chance[~every])}",
        f"directions given: of round {_share(given[~every])}, of axes that can be seen {_share(given[seen])}",
        f"axis where given (targets 6, 18 deg, 0.02): {_axis_text(error[given & every])}",
        f"  within the stated 90 % interval: {_share(error[given & every] <= _SIGMAS_90 * sd[given & every])}",
        f"axis of all that can be seen, given or not: {_axis_text(error[seen])}",
        "by one kind of evidence alone, axes that can be seen:",
    ]
    for name, axis_of in _MEANS.items():
        both = [axis_of(c) for c in cases]
        wrong = np.array([abs(angle_deg(d, c.truth.axis_deg or 0.0)) for c, (d, _) in zip(cases, both, strict=True)])
        strength = np.array([s for _, s in both])
        told = seen & (strength > 0)
        out.append(f"  {name}: {_axis_text(wrong[told])}, AUROC {auroc(strength[seen], strength[~every]):.3f}")
    return out


def _lobe(place: int) -> Callable[[Case], tuple[float, float]]:
    def axis_of(case: Case) -> tuple[float, float]:
        density = case.found.densities[place]
        return combined_axis([density], [1.0]).azimuth_deg, float(direction_terms(case.found)[place])

    return axis_of


def _head(case: Case) -> tuple[float, float]:
    axis = combined_axis([vector_log_density(case.found.east, case.found.north, 1.0)], [1.0])
    return axis.azimuth_deg, float(np.hypot(case.found.east, case.found.north))


def bootstrap_axis(reach_m: Float64Array, used: Float64Array, draws: int = 200) -> tuple[float, float]:
    """Axis by the vector sum of the sectors' areas, and its concentration over bootstrap draws of rays (0 to 1).

    What the project used before; here to be compared with. 0 where nothing is reached.
    """
    area = np.where(used > 0, reach_m**2, 0.0)
    total = area @ np.exp(1j * AZIMUTHS_RAD)
    if abs(total) < 1e-9:
        return 0.0, 0.0
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(SECTORS // 2, np.full(SECTORS, 1 / SECTORS), size=draws) @ (
        area * np.exp(1j * AZIMUTHS_RAD)
    )
    concentration = float(np.abs((drawn / np.maximum(np.abs(drawn), 1e-9)).mean()))
    return float(np.rad2deg(np.angle(total)) % 360), concentration * float(np.abs(total) / area.sum())


def _rays(case: Case) -> tuple[float, float]:
    return bootstrap_axis(case.found.reach_m, case.found.use == SectorUse.USED)


_MEANS: dict[str, Callable[[Case], tuple[float, float]]] = {
    "von Mises lobe in the mask's reach": _lobe(0),
    "von Mises lobe in the colours": _lobe(1),
    "von Mises lobe in the core's hue": _lobe(2),
    "bootstrap over the mask's rays": _rays,
    "network's axis maps": _head,
}


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
    inside = [e <= _SIGMAS_90 * (i.direction_sd_deg or 0.0) for e, (_, i) in zip(error, told, strict=True)]
    return [
        f"strikes found {len(pairs)}, missed {missed}",
        f"blast radius, median relative error (target 0.08): "
        f"{interval(np.abs(radius[:, 0]), lambda v: float(np.median(v)))}",
        f"  within the stated 90 % interval: {_share(np.abs(radius[:, 0]) <= _SIGMAS_90 * radius[:, 1])}",
        f"directional or not, AUROC (target 0.95), axes that can be seen: {_auroc_text(chance[seen], chance[~every])}",
        f"directions given: of round {_share(given[~every])}, of axes that can be seen {_share(given[seen])}",
        f"axis where given (targets 6, 18 deg, 0.02): {_axis_text(error)}",
        f"  within the stated 90 % interval: {_share(np.array(inside))}",
    ]


def sun_scenes(
    root: Path, backgrounds: Backgrounds, scenes: int, suns: int, backend: Backend, model: ModelInfo
) -> list[list[Path]]:
    """Folders of the same scenes under ``suns`` azimuths each; strikes, ground, elevation and sensor stay."""
    every = []
    for number in range(scenes):
        folders = []
        for place in range(suns):
            folder = root / f"sun_{number}_{place}"
            if not (folder / maps_name(model)).exists():
                write_scene(folder, _under_sun(backgrounds, (73, number), 360.0 * place / suns))
                network_maps(folder, backend, model)
            folders.append(folder)
        every.append(folders)
    return every


def _under_sun(backgrounds: Backgrounds, seed: tuple[int, ...], azimuth_deg: float) -> SimulatedPair:
    light = CONFIG.light.model_copy(update={"sun_azimuth_deg": azimuth_deg})
    return simulate_scene(backgrounds, seed, CONFIG.model_copy(update={"light": light}))


def sun_lines(scenes: Sequence[Sequence[Path]], model: ModelInfo, weights: DirectionWeights) -> list[str]:
    """Whether the axis follows the sun: the mean resultant length of (axis - sun), by strikes and under permutation."""
    tracks = list(_tracks(scenes, model, weights))
    out = []
    for name, wanted in (("round strikes", False), ("strikes with an axis that can be seen", True)):
        chosen = [t for t in tracks if t[0] is wanted]
        if not chosen:
            out.append(f"{name}: none")
            continue
        axes = np.array([t[1] for t in chosen])
        suns = np.array([t[2] for t in chosen])
        given = np.array([t[3] for t in chosen])
        out.append(f"{name}: n = {len(chosen)} under {axes.shape[1]} suns; directions given in {given.mean():.3f}")
        for times, what in ((1, "towards or away from the sun"), (2, "along the sun's line")):
            length, chance = _following(axes, suns, times)
            out.append(f"  resultant of axis minus sun, {what}: R = {length:.3f}, p = {chance:.3f} (permutation)")
        spread = np.abs(np.exp(1j * np.deg2rad(axes)).mean(axis=1)).clip(1e-9, 1 - 1e-12)
        sd_deg = np.rad2deg(np.sqrt(-2 * np.log(spread)))
        out.append(f"  circular SD of a strike's axis over the suns: median {np.median(sd_deg):.1f} deg")
    return out


def _following(axes_deg: Float64Array, suns_deg: Float64Array, times: int, draws: int = 2000) -> tuple[float, float]:
    """Resultant of ``times`` (axis - sun) over all, and the chance of as much if each strike's suns were shuffled."""
    axis, sun = np.exp(1j * times * np.deg2rad(axes_deg)), np.exp(-1j * times * np.deg2rad(suns_deg))
    length = float(np.abs((axis * sun).mean()))
    rng = np.random.default_rng(0)
    shuffled = [float(np.abs((axis * rng.permuted(sun, axis=1)).mean())) for _ in range(draws)]
    return length, float((1 + sum(s >= length for s in shuffled)) / (draws + 1))


def _tracks(
    scenes: Sequence[Sequence[Path]], model: ModelInfo, weights: DirectionWeights
) -> Iterator[tuple[bool, Float64Array, Float64Array, Float64Array]]:
    """Of each strike that can be seen under every sun: directional or not, axes, suns, and whether one was given."""
    for folders in scenes:
        by_place: dict[tuple[float, float], list[tuple[TruthPattern, float, float, bool]]] = {}
        for folder in folders:
            scene = read_scene(folder, "network", model)
            if not scene.truth:
                continue
            for truth, found in zip(scene.truth, scene_findings(scene, np.random.default_rng(1)), strict=True):
                axis, chance = weigh_axis(slim(found), weights)
                given = chance >= weights.least_probability and axis.sd_deg * weights.sd_scale <= MAX_DIRECTION_SD_DEG
                key = (round(truth.row_px, 3), round(truth.col_px, 3))
                by_place.setdefault(key, []).append((truth, axis.azimuth_deg, scene.sun_azimuth_deg, given))
        for track in by_place.values():
            if len(track) < len(folders):
                continue
            visible = float(np.median([t.axis_sd for t, *_ in track])) >= VISIBLE_SD
            directional = track[0][0].axis_deg is not None
            if directional and not visible:
                continue
            axes, suns, told = (np.array([t[k] for t in track], np.float64) for k in (1, 2, 3))
            yield directional, axes, suns, told
