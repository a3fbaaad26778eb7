"""Where the strikes of a scene lie, of which family each is, and on which dates they can be seen.

Salvos come as fields, lines, ellipses and single strikes. Fields are Poisson with a density that varies between
and within them, which gives the measured nearest-neighbour distances (9 / 25 / 60 m at the 10th, 50th
and 90th percentile) with one pair in twenty closer than 8.5 m. Some salvos also hold close pairs, down to craters
that overlap, because that is where detectors miss most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cv_pipeline.simulation.ageing import aged
from cv_pipeline.simulation.config import StrikeConfig
from cv_pipeline.simulation.contrast import look_at
from cv_pipeline.simulation.families import draw_family
from cv_pipeline.simulation.ground import Ground, Material
from cv_pipeline.simulation.large_strike import draw_large_strike
from cv_pipeline.simulation.light import Sun
from cv_pipeline.simulation.natural_strike import draw_natural_strike
from cv_pipeline.simulation.salvo_style import SalvoStyle, draw_salvo_style
from cv_pipeline.simulation.strike import Strike, StrikeStatus
from cv_pipeline.types import Float64Array

if TYPE_CHECKING:
    from cv_pipeline.simulation.buildings import Building

MIN_SPACING_M = 4.0
"""Two strikes nearer than this are rare outside salvos with close pairs."""
CLOSE_RADII, CLOSE_M = 1.2, 1.2
"""Nearer than this, in radii of the larger crater and in metres, two craters are one."""
_PAIR_RADII = (1.2, 2.4)
_FORBIDDEN = (Material.TREE, Material.WATER)
_MAX_STRIKES = 4000


def plan_strikes(
    ground: Ground, config: StrikeConfig, sun: Sun, rng: np.random.Generator, buildings: Sequence[Building] = ()
) -> list[Strike]:
    """All strikes of a scene in the order in which they fell, or none; see :class:`StrikeConfig` for the shares.

    Args:
        ground: The after image's ground before any strike: contrasts are set by its texture. Not changed.
        config: Shares, sizes, density.
        sun: The after image's sun, which decides how deep a relief leaves the measured shading.
        rng: The only source of randomness.
        buildings: What some of the salvos lie about; may be empty.
    """
    if rng.random() < config.empty_share:
        return []
    area_ha = ground.shape[0] * ground.shape[1] * ground.gsd_m**2 / 1e4
    strikes: list[Strike] = []
    for _ in range(max(int(rng.poisson(config.salvos_per_ha * area_ha)), 1)):
        salvo = _plan_salvo(ground, config, sun, rng, buildings, strikes)
        strikes += salvo[: _MAX_STRIKES - len(strikes)]
    fell = (StrikeStatus.GONE, StrikeStatus.OLD, StrikeStatus.NEW)
    return sorted(strikes, key=lambda strike: fell.index(strike.status))


def _plan_salvo(
    ground: Ground,
    config: StrikeConfig,
    sun: Sun,
    rng: np.random.Generator,
    buildings: Sequence[Building],
    earlier: Sequence[Strike],
) -> list[Strike]:
    """One salvo: positions, one style for all, one date and one history for nearly all."""
    style = draw_salvo_style(config, rng)
    positions = _positions_px(ground, style, config, rng, buildings)
    status = _draw_status(config, rng)
    history = _draw_history(config, rng)
    close = rng.random() < config.close_salvo_share
    taken = [(s.row_px, s.col_px, s.crater_radius_m) for s in earlier]
    strikes: list[Strike] = []

    def add(strike: Strike | None, near: bool) -> bool:
        """Take a strike unless it is too close to another; whether it was taken."""
        may_overlap = rng.random() < config.overlap_share
        if strike is None or _too_close(strike, taken, ground.gsd_m, may_overlap, near):
            return False
        taken.append((strike.row_px, strike.col_px, strike.crater_radius_m))
        mine = status if rng.random() < 0.95 else _draw_status(config, rng)
        older = status in (StrikeStatus.OLD, StrikeStatus.GONE) or rng.random() < 0.9
        for process, amount in history if older else ():
            strike = aged(strike, process, float(np.clip(amount * rng.uniform(0.7, 1.3), 0, 1)))
        strikes.append(replace(strike, status=mine, plough_azimuth_deg=style.heading_deg))
        return True

    for row_px, col_px in positions:
        taken_in = add(_plan_one(ground, float(row_px), float(col_px), style, sun, config, rng), near=False)
        if taken_in and close and rng.random() < config.close_pair_share:
            add(_plan_partner(strikes[-1], ground, style, sun, config, rng), near=True)
    return strikes


def _plan_partner(
    first: Strike,
    ground: Ground,
    style: SalvoStyle,
    sun: Sun,
    config: StrikeConfig,
    rng: np.random.Generator,
) -> Strike | None:
    """A strike of the same salvo beside ``first``, from touching to a little apart; None where none can lie."""
    turn, radii = rng.uniform(0, 2 * np.pi), rng.uniform(*_PAIR_RADII)
    partner = _plan_one(ground, first.row_px, first.col_px, style, sun, config, rng)
    if partner is None:
        return None
    apart_px = max(radii * max(first.crater_radius_m, partner.crater_radius_m), CLOSE_M) * 1.001 / ground.gsd_m
    row_px, col_px = first.row_px - apart_px * np.cos(turn), first.col_px + apart_px * np.sin(turn)
    return partner.at(float(row_px), float(col_px)) if _is_free(ground, row_px, col_px) else None


def _plan_one(
    ground: Ground,
    row_px: float,
    col_px: float,
    style: SalvoStyle,
    sun: Sun,
    config: StrikeConfig,
    rng: np.random.Generator,
) -> Strike | None:
    """A strike at this place; None outside the ground, in water and under trees."""
    if not _is_free(ground, row_px, col_px):
        return None
    material = Material(int(ground.material[int(row_px), int(col_px)]))
    look = look_at(ground, row_px, col_px)
    if style.charge_kg is not None:
        strike = draw_large_strike(row_px, col_px, look, material, style, sun, config, rng)
    else:
        family = draw_family(material, config, rng)
        strike = draw_natural_strike(row_px, col_px, family, look, material, style, sun, config, rng)
    return strike.on_surface(material)


def _is_free(ground: Ground, row_px: float, col_px: float) -> bool:
    """Whether a place lies on the ground, out of water and not under trees."""
    row, col = int(np.floor(row_px)), int(np.floor(col_px))
    if not (0 <= row < ground.shape[0] and 0 <= col < ground.shape[1]):
        return False
    near = max(round(1.0 / ground.gsd_m), 1)
    around = ground.material[max(row - near, 0) : row + near + 1, max(col - near, 0) : col + near + 1]
    return not np.isin(around, _FORBIDDEN).any()


def _too_close(
    strike: Strike, taken: Sequence[tuple[float, float, float]], gsd_m: float, may_overlap: bool, near: bool
) -> bool:
    """Whether another strike's crater is nearer than a neighbour's or a ``near`` one's, or touches where none may."""
    if not taken:
        return False
    others = np.array(taken)
    distance_m = np.hypot(others[:, 0] - strike.row_px, others[:, 1] - strike.col_px) * gsd_m
    both_m = others[:, 2] + strike.crater_radius_m
    if not may_overlap:
        least_m = np.maximum(MIN_SPACING_M, 1.6 * both_m)
    elif near:
        least_m = np.maximum(CLOSE_M, CLOSE_RADII * np.maximum(others[:, 2], strike.crater_radius_m))
    else:
        least_m = np.maximum(MIN_SPACING_M, 0.85 * both_m)
    return bool((distance_m < least_m).any())


def _positions_px(
    ground: Ground, style: SalvoStyle, config: StrikeConfig, rng: np.random.Generator, buildings: Sequence[Building]
) -> Float64Array:
    """(n, 2) positions (row, col) of one salvo, in the order in which they fell; some may lie outside the ground."""
    kinds = np.array([config.field_share, config.line_share, config.ellipse_share, config.single_share])
    kind = int(rng.choice(4, p=kinds / kinds.sum())) if kinds.sum() > 0 else 3
    extent_m = np.array(ground.shape) * ground.gsd_m
    centre_m = rng.uniform(0, 1, 2) * extent_m
    if len(buildings) and rng.random() < config.near_building_share:
        corners = np.array(buildings[int(rng.integers(len(buildings)))].corners_px)
        centre_m = corners.mean(axis=0) * ground.gsd_m + rng.normal(0, 8.0, 2)
    heading = np.deg2rad(style.heading_deg)
    ahead, aside = np.array([-np.cos(heading), np.sin(heading)]), np.array([np.sin(heading), np.cos(heading)])
    if style.charge_kg is not None:
        count = 1 + int(rng.poisson(0.8))
        offsets = np.vstack([np.zeros((1, 2)), rng.normal(0, 60.0, (count - 1, 2))])
    elif kind == 0:
        return _field_m(extent_m, centre_m, config, rng) / ground.gsd_m
    elif kind == 1:
        count, step_m = int(rng.integers(3, 12)), rng.uniform(8, 35)
        along = (np.arange(count) - count / 2 + rng.normal(0, 0.2, count)) * step_m
        offsets = along[:, None] * ahead + rng.normal(0, 0.15 * step_m, count)[:, None] * aside
    elif kind == 2:
        count, long_m = int(rng.integers(4, 30)), rng.uniform(20, 80)
        across_m = long_m * rng.uniform(0.25, 0.8)
        offsets = rng.normal(0, long_m, count)[:, None] * ahead + rng.normal(0, across_m, count)[:, None] * aside
    else:
        offsets = np.zeros((1, 2))
    positions: Float64Array = (centre_m + offsets) / ground.gsd_m
    return positions


def _field_m(
    extent_m: Float64Array, centre_m: Float64Array, config: StrikeConfig, rng: np.random.Generator
) -> Float64Array:
    """(n, 2) positions in metres of a field of strikes: Poisson, thinned by a slowly varying density."""
    radius_m = np.exp(rng.uniform(np.log(60), np.log(400)))
    density_m2 = config.density_per_ha / 1e4 * np.exp(rng.normal(0, config.density_log_sd))
    low = np.maximum(centre_m - radius_m, 0)
    high = np.minimum(centre_m + radius_m, extent_m)
    peak = 3.0
    count = int(rng.poisson(peak * density_m2 * np.prod(np.maximum(high - low, 0))))
    points = rng.uniform(low, high, (min(count, 3 * _MAX_STRIKES), 2))
    wave = rng.normal(0, 1 / 90.0, (4, 2))
    phase = rng.uniform(0, 2 * np.pi, 4)
    ripple = np.cos(2 * np.pi * points @ wave.T + phase).sum(axis=1) / np.sqrt(2)
    local = np.exp(config.density_log_sd * ripple) / peak
    inside = np.hypot(*(points - centre_m).T) < radius_m * 1.2
    kept: Float64Array = points[inside & (rng.random(len(points)) < local)]
    return kept


def _draw_status(config: StrikeConfig, rng: np.random.Generator) -> StrikeStatus:
    chance = rng.random()
    if chance < config.gone_share:
        return StrikeStatus.GONE
    return StrikeStatus.OLD if chance < config.gone_share + config.old_share else StrikeStatus.NEW


def _draw_history(config: StrikeConfig, rng: np.random.Generator) -> list[tuple[str, float]]:
    """One or two ageing processes with their amounts; usually none."""
    weights = {
        "filling": config.filling_weight,
        "weathering": config.weathering_weight,
        "water": config.water_weight,
        "regrowth": config.regrowth_weight,
        "ploughing": config.ploughing_weight,
    }
    total = sum(weights.values())
    if rng.random() >= config.ageing_share or total <= 0:
        return []
    names = list(weights)
    shares = np.array([weights[name] for name in names]) / total
    chosen = rng.choice(len(names), size=1 + int(rng.random() < 0.4), p=shares)
    return [(names[i], float(rng.beta(1.6, 2.2))) for i in dict.fromkeys(int(i) for i in chosen)]
