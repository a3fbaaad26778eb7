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
from cv_pipeline.patterns.closeup.looks import close_looks, merged
from cv_pipeline.patterns.closeup.weights import CloseUpFile
from cv_pipeline.patterns.direction import vector_log_density
from cv_pipeline.patterns.ground import GroundMap
from cv_pipeline.patterns.measure import Findings, look_around
from cv_pipeline.patterns.measure import Window as PatternWindow
from cv_pipeline.patterns.one_sided import direction_terms, weigh_axis
from cv_pipeline.patterns.radii import combined_radius
from cv_pipeline.patterns.weights import PLAIN, DirectionWeights, RadiusWeights
from cv_pipeline.registration.register import before_view
from cv_pipeline.segmentation.raster import read_channels
from cv_pipeline.types import Float64Array, ModelInfo, SectorUse, Window

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
    def is_free(self) -> bool:
        """Most of the pattern's ground is its own: fewer than a third of its rays end at a neighbour's."""
        return float((self.found.use == SectorUse.NEIGHBOUR).mean()) < 1 / 3

    @property
    def has_visible_pattern(self) -> bool:
        """A blast pattern that can be seen."""
        return self.truth.blast_radius_m is not None and self.truth.pattern_sd >= VISIBLE_SD


def planted_cases(
    folders: Sequence[Path], maps: str, model: ModelInfo, closeup: CloseUpFile | None = None
) -> Iterator[Case]:
    """Findings at the true centres, off by as much as a good detector is, with crater radii off by 5 %.

    Args:
        folders: of scenes.
        maps: ``network`` or ``oracle``.
        model: whose maps, and the working GSD.
        closeup: the model's close-up network, which looks at the strikes as well; None for none.
    """
    for number, folder in enumerate(folders):
        scene = read_scene(folder, maps, model)
        if scene.truth:
            rng = np.random.default_rng((number, 5))
            for truth, found in zip(scene.truth, scene_findings(scene, rng, closeup), strict=True):
                yield Case(truth, slim(found), scene.aligned.pair.after.grid.gsd_m, scene.sun_azimuth_deg)


def slim(found: Findings) -> Findings:
    """Findings without their pictures, so that thousands fit into memory."""
    return found._replace(polar=None, change=None)


def scene_findings(scene: PatternScene, rng: np.random.Generator, closeup: CloseUpFile | None = None) -> list[Findings]:
    """Findings around each true strike of a scene, in its order."""
    grid, source = scene.aligned.working_grid, scene.aligned.pair.after.grid
    frame = local_frame(source)
    ground = GroundMap(grid, source, frame)
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
    close = None
    if closeup is not None:
        looks = close_looks(closeup, scene.aligned, scene.segmentation, frame, centres_m, use_before=True)
        close = merged(list(looks), len(at))
    return look_around(window, sites, crater_m, np.full(len(at), _CENTRE_SD_PX * grid.gsd_m), close)


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
            combined_radius(c.found.head, c.found.mask_m, c.found.edge.radius_m, c.found.edge.strength, gsd_m, w)
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

    A direction is given from the probability that one in a hundred of the round strikes passes. The scale makes 90 %
    of the errors lie within 1.645 SDs; each half of the cases is judged with weights of the other half, since errors
    of the cases that weights were fitted on are too small.
    """
    fitted = _fit_without_scale(cases)
    middle = len(cases) // 2
    first, second = cases[:middle], cases[middle:]
    ratio = np.r_[_sd_ratios(first, _fit_without_scale(second)), _sd_ratios(second, _fit_without_scale(first))]
    return fitted._replace(sd_scale=max(float(np.quantile(ratio, _COVER) / _SIGMAS), _LEAST_SCALE))


def _fit_without_scale(cases: Sequence[Case]) -> DirectionWeights:
    directional = [c for c in cases if c.is_directional]
    around = [c for c in cases if c.is_round]
    fitted = PLAIN.direction._replace(**_fit_exponents(directional), least_probability=0.5, sd_scale=1.0)
    fitted = fitted._replace(**_fit_logistic(directional, around, fitted))
    chance = np.array([weigh_axis(c.found.sides, fitted)[1] for c in around])
    return fitted._replace(least_probability=float(max(np.quantile(chance, 0.99), 0.05)))


def _sd_ratios(cases: Sequence[Case], weights: DirectionWeights) -> Float64Array:
    """Errors in SDs of the most directional cases: those that pass the threshold, but no fewer than some tens."""
    told = [(c, *weigh_axis(c.found.sides, weights)) for c in cases if c.is_directional]
    told.sort(key=lambda t: -t[2])
    given = sum(chance >= weights.least_probability for *_, chance in told)
    told = told[: max(given, min(_LEAST_TOLD, len(told)))]
    return np.array([abs(angle_deg(a.azimuth_deg, float(c.truth.axis_deg or 0))) / a.sd_deg for c, a, _ in told])


def _fit_exponents(directional: Sequence[Case]) -> dict[str, float]:
    densities = np.array(
        [
            (*c.found.sides.densities, vector_log_density(c.found.sides.east, c.found.sides.north, 1.0))
            for c in directional
        ]
    )
    true_deg = np.array([float(c.truth.axis_deg or 0) for c in directional])
    index = np.rint(true_deg / 360 * rays.SECTORS).astype(int) % rays.SECTORS

    def loss(p: Float64Array) -> float:
        total = np.einsum("k,nks->ns", np.exp(p), densities)
        total = total - np.logaddexp.reduce(total, axis=1)[:, None]
        at_truth = np.exp(total[np.arange(len(total)), index])
        return float(-np.mean(np.log(0.97 * at_truth + 0.03 / rays.SECTORS)) + 1e-3 * np.sum(p**2))

    start = np.log([1.0, 0.3, 0.1, 3.0])
    best = minimize(loss, start, method="Nelder-Mead", options={"maxiter": 400, "xatol": 0.01, "fatol": 1e-5}).x
    names = ("mask_exponent", "ring_exponent", "core_exponent", "head_concentration")
    return dict(zip(names, np.exp(best).tolist(), strict=True))


def _fit_logistic(directional: Sequence[Case], around: Sequence[Case], exponents: DirectionWeights) -> dict[str, float]:
    """Weights of at least 0: no witness speaks against a direction by seeing one."""
    every = [c.found.sides for c in (*directional, *around)]
    terms = np.array([direction_terms(s, weigh_axis(s, exponents)[0], exponents) for s in every])
    label = np.r_[np.ones(len(directional)), np.zeros(len(around))]
    weight = np.where(label > 0, _CONE_ODDS, 1.0)

    def loss(p: Float64Array) -> tuple[float, Float64Array]:
        logit = p[0] + terms @ p[1:]
        value = weight @ (np.logaddexp(0, logit) - label * logit) / weight.sum() + 1e-3 * np.sum(p[1:] ** 2)
        slope = weight * (1 / (1 + np.exp(-logit)) - label) / weight.sum()
        return float(value), np.r_[slope.sum(), slope @ terms + 2e-3 * p[1:]]

    bounds = [(None, None), *[(0.0, None)] * terms.shape[1]]
    best = minimize(loss, np.r_[-3.0, np.ones(terms.shape[1])], jac=True, method="L-BFGS-B", bounds=bounds).x
    names = ("intercept", "evidence_weight", "reach_weight", "colour_weight", "head_weight", "odds_weight")
    return dict(zip(names, best.tolist(), strict=True))


def angle_deg(found_deg: float, true_deg: float) -> float:
    """Signed difference of two azimuths, -180 to 180."""
    return (found_deg - true_deg + 180) % 360 - 180
