"""What no method could do better: a drawn crater fitted as a disc of which all is known but place, size and ground.

Shape, steepness and the sensor's blur are the truth's; its depth in each colour, a level and a plane are fitted with
place and radius, by generalised least squares under the ground's own correlation (of neighbours, and between colours).
The only thing in the way is the texture of the bare ground at that very place, as the simulation draws it without
strikes, weakened as the crater hides it. Light on the bowl, shadows, collars and rays would come on top. The after
image alone is looked at.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from cv_pipeline.evaluation.crater_figures import BANDS, median
from cv_pipeline.evaluation.crater_scenes import CENTRE_SD_M, RADIUS_SD, shown, simulate
from cv_pipeline.evaluation.plain import Figure
from cv_pipeline.simulation.background import Backgrounds
from cv_pipeline.simulation.config import SimulationConfig
from cv_pipeline.simulation.pair import SimulatedPair
from cv_pipeline.simulation.strike import Strike, core_edge_m
from cv_pipeline.types import Float32Array, Float64Array

_REACH = 3.0  # crater radii
_LEAST_PX = 5
_FINE = 3  # samples a pixel and axis
_STEP_PX, _STEP_LOG = 0.2, 0.04  # of the differences by place and by radius
_MOST_ALIKE = 0.9
_FLOOR_DN = 1.5  # rounding and compression
_DAMPING = 0.7  # a core hides at least this share of the ground's texture


class Floor(NamedTuple):
    """Errors of the ideal fit of one crater: (down, right) in metres, of the radius' logarithm; their SDs as stated."""

    centre_m: Float64Array
    log_radius: float
    centre_sd_m: Float64Array
    log_radius_sd: float

    def with_peak(self, rng: np.random.Generator, centre_sd_m: float, radius_sd: float) -> Floor:
        """The mean, weighted by precision, of the fit and of a peak and a radius of these SDs."""
        share = self.centre_sd_m**-2 / (self.centre_sd_m**-2 + centre_sd_m**-2)
        centre_m = share * self.centre_m + (1 - share) * rng.normal(0, centre_sd_m, 2)
        part = self.log_radius_sd**-2 / (self.log_radius_sd**-2 + radius_sd**-2)
        log_radius = part * self.log_radius + (1 - part) * float(rng.normal(0, radius_sd))
        return Floor(centre_m, log_radius, np.sqrt(share) * self.centre_sd_m, float(np.sqrt(part)) * self.log_radius_sd)


def floor_figures(backgrounds: Backgrounds, seed: int, pairs: Sequence[SimulatedPair]) -> dict[str, Figure]:
    """What ideal fits reach, alone and with the oracle's peak, of all craters and by how far they stand out.

    ``pairs`` are the first of the seed, as :func:`~cv_pipeline.evaluation.crater_scenes.simulated_pairs` gives them.
    """
    without = SimulationConfig.model_validate({"strikes": {"empty_share": 1.0}})
    rng = np.random.default_rng(seed)
    rows = []
    for number, pair in enumerate(pairs):
        wanted = shown(pair)
        bare = simulate(backgrounds, (seed, number), without) if wanted else pair
        stands_out = dict(zip(pair.strikes, pair.conspicuity, strict=True))
        for strike in wanted:
            alone = ideal_fit(pair, bare, strike)
            if alone is not None:
                both = (alone, alone.with_peak(rng, CENTRE_SD_M, RADIUS_SD))
                errors = [(np.hypot(*fit.centre_m) / pair.gsd_m, abs(np.expm1(fit.log_radius))) for fit in both]
                rows.append((stands_out[strike], *np.ravel(errors)))
    table = np.array(rows).reshape(-1, 5)
    names = ("centre_native_px", "radius_error", "with_peak_centre_native_px", "with_peak_radius_error")
    figures: dict[str, Figure] = {}
    for low, high in ((0.0, np.inf), *itertools.pairwise(BANDS)):
        band = table[(table[:, 0] >= low) & (table[:, 0] < high)]
        if len(band):
            figures |= {f"from_{low:g}_to_{high:g}_sd_{name}": median(band[:, k + 1]) for k, name in enumerate(names)}
    return figures


def ideal_fit(pair: SimulatedPair, bare: SimulatedPair, strike: Strike) -> Floor | None:
    """The ideal fit of a strike of ``pair``; ``bare`` is the same scene without strikes. None at the border."""
    reach = max(int(np.ceil(_REACH * strike.crater_radius_m / pair.gsd_m)), _LEAST_PX)
    top, left, side = int(strike.row_px) - reach, int(strike.col_px) - reach, 2 * reach + 1
    if min(top, left) < 0 or top + side > pair.after.shape[0] or left + side > pair.after.shape[1]:
        return None
    window = (slice(top, top + side), slice(left, left + side))
    disc = _disc(pair, strike, top, left, side)

    def difference(down_px: float, right_px: float, growth: float) -> Float32Array:
        ahead, behind = (
            _disc(pair, strike, top - sign * down_px, left - sign * right_px, side, np.exp(sign * growth))
            for sign in (1, -1)
        )
        return np.asarray(ahead - behind, np.float32)

    moves = [
        difference(_STEP_PX, 0, 0) / (2 * _STEP_PX * pair.gsd_m),
        difference(0, _STEP_PX, 0) / (2 * _STEP_PX * pair.gsd_m),
        difference(0, 0, _STEP_LOG) / (2 * _STEP_LOG),
    ]
    down, right = np.indices(disc.shape) / reach - 1
    smooth: list[Float64Array] = [np.ones(disc.shape), down, right, disc.astype(np.float64)]
    levels = np.stack(smooth, axis=-1).reshape(-1, 4)
    depth = np.linalg.lstsq(levels, pair.after[window].reshape(-1, 3).astype(np.float64), rcond=None)[0][3]
    ground = bare.after[window].reshape(-1, 3).astype(np.float64)
    ground -= levels[:, :3] @ np.linalg.lstsq(levels[:, :3], ground, rcond=None)[0]
    whiten = np.linalg.inv(np.linalg.cholesky(np.cov(ground.T) + _FLOOR_DN**2 * np.eye(3))).T
    white = (ground @ whiten).reshape(side, side, 3)
    alike = float(np.clip((white[1:] * white[:-1]).mean() / (white**2).mean(), 0, _MOST_ALIKE))
    terms = [move[..., None] * (depth @ whiten) for move in moves]
    terms += [part[..., None] * colour for part in smooth for colour in np.eye(3)]
    design = np.stack([_innovations(term, alike).ravel() for term in terms])
    hidden = 1 - max(strike.texture_damping, _DAMPING) * disc[..., None]
    noise = _innovations(white * hidden, alike).ravel()
    normal = design @ design.T
    normal[np.diag_indices(len(normal))] += 1e-9 * np.trace(normal) / len(normal)
    error = np.linalg.solve(normal, design @ noise)
    sd = np.sqrt(np.diag(np.linalg.inv(normal)) * (noise**2).mean())
    return Floor(np.asarray(error[:2]), float(error[2]), np.asarray(sd[:2], np.float64), float(sd[2]))


def _disc(pair: SimulatedPair, strike: Strike, top: float, left: float, side: int, growth: float = 1.0) -> Float32Array:
    """The core's strength (side, side) as the sensor sees it; ``top`` and ``left`` may lie between pixels."""
    rows, cols = (np.indices((side * _FINE, side * _FINE)) + 0.5) / _FINE
    up_m, right_m = -(rows + top - strike.row_px) * pair.gsd_m, (cols + left - strike.col_px) * pair.gsd_m
    relative = np.hypot(up_m, right_m) / (core_edge_m(strike, np.arctan2(right_m, up_m)) * growth)
    strength = np.exp2(-np.minimum(relative**strike.core_steepness, 60)).astype(np.float32)
    seen = cv2.resize(strength, (side, side), interpolation=cv2.INTER_AREA)
    sensor = pair.after_acquisition.sensor
    blur_px = float(np.hypot(sensor.blur_px, 0.3 * max(sensor.native_px, 1.0)))  # optics, and pixels coarser than these
    return np.asarray(cv2.GaussianBlur(seen, (0, 0), blur_px), np.float32)


def _innovations(picture: Float64Array, alike: float) -> Float64Array:
    """What neighbours above and to the left do not tell of a picture (h, w, c), ``alike`` being their correlation."""
    first = np.sqrt(1 - alike**2)
    across = np.concatenate([first * picture[:, :1], picture[:, 1:] - alike * picture[:, :-1]], axis=1)
    return np.asarray(np.concatenate([first * across[:1], across[1:] - alike * across[:-1]], axis=0))
