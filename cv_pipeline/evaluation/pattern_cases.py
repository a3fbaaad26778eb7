"""Patterns of simulated scenes beside their truth, and the weights that fit them best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from cv_pipeline.evaluation.pattern_scenes import PatternScene, TruthPattern, read_scene
from cv_pipeline.frame import local_frame
from cv_pipeline.imagery.view import GridView
from cv_pipeline.patterns import rays
from cv_pipeline.patterns.direction import vector_log_density
from cv_pipeline.patterns.ground import GroundMap
from cv_pipeline.patterns.measure import Findings, direction_terms, look_around, weigh_axis
from cv_pipeline.patterns.measure import Window as PatternWindow
from cv_pipeline.patterns.radii import combined_radius
from cv_pipeline.patterns.weights import DirectionWeights, RadiusWeights
from cv_pipeline.registration.register import before_view
from cv_pipeline.segmentation.raster import read_channels
from cv_pipeline.types import Float64Array, ModelInfo, Window

VISIBLE_SD = 0.7
"""Patterns and axes that stand out less are taken for invisible: the least conspicuity of a strike, for the same reason
(:mod:`cv_pipeline.simulation.visibility`). Taken over from there after drawn cones had been looked at, of which about
two in three could not be seen by eye; figures without it are printed beside."""

_CENTRE_SD_PX, _RADIUS_SD = 0.35, 0.05  # of planted detections: what the targets for craters allow
_COVER, _SIGMAS = 0.90, 1.6449
_LEAST_TOLD = 30
"""The SD's scale rests on no fewer of the most directional patterns, even where fewer pass the threshold."""
_LEAST_SCALE = 0.5
"""A small sample that happens to fit well makes no SD less than half of what the densities say."""
_CONE_ODDS = 0.2
"""Directional strikes are five times as common in these scenes as in the simulation that the network learns from."""


class Case(NamedTuple):
    """One strike: its truth, what was found around it, its scene's GSD and the sun's azimuth."""

    truth: TruthPattern
    found: Findings
    gsd_m: float
    sun_azimuth_deg: float

    @property
    def is_directional(self) -> bool:
        """A cone or one-sided wings that can be seen."""
        return self.truth.axis_deg is not None and self.truth.axis_sd >= VISIBLE_SD

    @property
    def is_round(self) -> bool:
        """Not one-sided at all, whether or not there is a pattern."""
        return self.truth.axis_deg is None

    @property
    def has_visible_pattern(self) -> bool:
        """A blast pattern that can be seen."""
        return self.truth.blast_radius_m is not None and self.truth.pattern_sd >= VISIBLE_SD


def planted_cases(folders: Sequence[Path], maps: str, model: ModelInfo) -> Iterator[Case]:
    """Findings at the true centres, off by as much as a good detector is, with crater radii off by 5 %.

    Args:
        folders: of scenes.
        maps: ``network`` or ``oracle``.
        model: whose maps, and the working GSD.
    """
    for number, folder in enumerate(folders):
        scene = read_scene(folder, maps, model)
        if scene.truth:
            rng = np.random.default_rng((number, 5))
            for truth, found in zip(scene.truth, scene_findings(scene, rng), strict=True):
                yield Case(truth, slim(found), scene.aligned.pair.after.grid.gsd_m, scene.sun_azimuth_deg)


def slim(found: Findings) -> Findings:
    """Findings without their pictures, so that thousands fit into memory."""
    return found._replace(polar=None, change=None)


def scene_findings(scene: PatternScene, rng: np.random.Generator) -> list[Findings]:
    """Findings around each true strike of a scene, in its order."""
    grid, source = scene.aligned.working_grid, scene.aligned.pair.after.grid
    ground = GroundMap(grid, source, local_frame(source))
    at = ground.source_to_working(np.array([(t.row_px, t.col_px) for t in scene.truth]))
    at = at + rng.normal(0, _CENTRE_SD_PX, at.shape)
    centres_m = ground.working_to_metres(at)
    crater_m = np.array([t.crater_radius_m for t in scene.truth]) * np.exp(rng.normal(0, _RADIUS_SD, len(at)))
    whole = Window(0, 0, grid.height, grid.width)
    values, valid = read_channels(scene.segmentation, whole)
    with GridView(scene.aligned.pair.after, grid) as view:
        after, seen = view.read(whole)
    with before_view(scene.aligned) as view:
        before, _ = view.read(whole)
    sites = rays.Sites(at, ground.pixels_per_metre(centres_m), rays.neighbour_bounds(centres_m, crater_m))
    window = PatternWindow(values, valid & seen, after, before, grid.gsd_m)
    return look_around(window, sites, crater_m, np.full(len(at), _CENTRE_SD_PX * grid.gsd_m))


def fit_radius(cases: Sequence[Case], gsd_m: float) -> RadiusWeights:
    """Weights under which the logarithmic errors of the joint radius are likeliest (Student's t, 4 degrees).

    The scale then makes 90 % of the errors lie within 1.645 SDs. Needs some tens of patterns that can be seen.
    """
    used = [c for c in cases if c.has_visible_pattern and c.found.exists]
    truth = np.log([float(c.truth.blast_radius_m or np.nan) for c in used])

    def weights(p: Float64Array) -> RadiusWeights:
        return RadiusWeights._make([*p[:3].tolist(), *np.exp(p[3:8]).tolist(), 1.0])

    def errors(w: RadiusWeights) -> tuple[Float64Array, Float64Array]:
        both = [
            combined_radius(c.found.head_m, c.found.mask_m, c.found.edge.radius_m, c.found.edge.strength, gsd_m, w)
            for c in used
        ]
        radius = np.array([r.radius_m for r in both])
        return np.log(radius) - truth, np.array([r.sd_m for r in both]) / radius

    def loss(p: Float64Array) -> float:
        error, sd = errors(weights(p))
        known = np.isfinite(error)
        z = error[known] / sd[known]
        return float(np.mean(np.log(sd[known]) + 2.5 * np.log1p(z**2 / 4)) + 1e-3 * np.sum((p[3:] + 3) ** 2))

    start = np.array([0.0, 0.0, 0.0, -4.0, -4.0, -3.5, -3.0, -1.0])
    best = weights(np.asarray(minimize(loss, start, method="Nelder-Mead", options={"maxiter": 500}).x))
    error, sd = errors(best)
    known = np.isfinite(error)
    ratio = np.abs(np.exp(error[known]) - 1) / (sd[known] * np.exp(error[known]))
    return best._replace(sd_scale=float(np.quantile(ratio, _COVER) / _SIGMAS))


def fit_direction(cases: Sequence[Case]) -> DirectionWeights:
    """Exponents under which the true axes are likeliest, a logistic law for being directional, and the SD's scale.

    A direction is given from the probability that one in a hundred of the round strikes passes.
    """
    directional = [c for c in cases if c.is_directional]
    exponents = _fit_exponents(directional)
    logistic = _fit_logistic(directional, [c for c in cases if c.is_round])
    fitted = DirectionWeights._make([*exponents, *logistic, 0.5, 1.0])
    chance = np.array([weigh_axis(c.found, fitted)[1] for c in cases if c.is_round])
    fitted = fitted._replace(least_probability=float(max(np.quantile(chance, 0.99), 0.05)))
    told = [(c, *weigh_axis(c.found, fitted)) for c in directional]
    told.sort(key=lambda t: -t[2])
    given = sum(t[2] >= fitted.least_probability for t in told)
    told = told[: max(given, min(_LEAST_TOLD, len(told)))]
    ratio = np.array(
        [abs(angle_deg(axis.azimuth_deg, float(c.truth.axis_deg or 0))) / axis.sd_deg for c, axis, _ in told]
    )
    scale = float(np.quantile(ratio, _COVER) / _SIGMAS)
    return fitted._replace(sd_scale=max(scale, _LEAST_SCALE))


def _fit_exponents(directional: Sequence[Case]) -> tuple[float, ...]:
    densities = np.array(
        [(*c.found.densities, vector_log_density(c.found.east, c.found.north, 1.0)) for c in directional]
    )
    true_deg = np.array([float(c.truth.axis_deg or 0) for c in directional])
    index = np.rint(true_deg / 360 * rays.SECTORS).astype(int) % rays.SECTORS

    def loss(p: Float64Array) -> float:
        total = np.einsum("k,nks->ns", np.exp(p), densities)
        total = total - np.logaddexp.reduce(total, axis=1)[:, None]
        at_truth = np.exp(total[np.arange(len(total)), index])
        return float(-np.mean(np.log(0.97 * at_truth + 0.03 / rays.SECTORS)) + 1e-3 * np.sum(p**2))

    start = np.log([1.0, 1.0, 0.3, 3.0])
    best = minimize(loss, start, method="Nelder-Mead", options={"maxiter": 800}).x
    return tuple(float(v) for v in np.exp(best))


def _fit_logistic(directional: Sequence[Case], around: Sequence[Case]) -> tuple[float, ...]:
    terms = np.array([direction_terms(c.found) for c in (*directional, *around)])
    label = np.r_[np.ones(len(directional)), np.zeros(len(around))]
    weight = np.where(label > 0, _CONE_ODDS, 1.0)

    def loss(p: Float64Array) -> float:
        logit = p[0] + terms @ np.exp(p[1:])
        return float(weight @ (np.logaddexp(0, logit) - label * logit) / weight.sum() + 1e-3 * np.sum(p[1:] ** 2))

    best = minimize(loss, np.array([-3.0, 0.0, 0.0, -1.0, 0.0]), method="Nelder-Mead", options={"maxiter": 1500}).x
    return float(best[0]), *(float(v) for v in np.exp(best[1:]))


def angle_deg(found_deg: float, true_deg: float) -> float:
    """Signed difference of two azimuths, -180 to 180."""
    return (found_deg - true_deg + 180) % 360 - 180
