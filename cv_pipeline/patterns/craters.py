"""Crater radius, centre uncertainty and status from rasters around the centre."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cv_pipeline.patterns.rays import Sites
from cv_pipeline.types import BoolArray, Float32Array, Float64Array, Status

_CORE_SD_M = 1.0
"""SD of the heat map's trained peaks."""

_RADIUS_SHARE_SD = 0.1
_LEAST_CENTRE_SD_M, _DOUBT_M, _SMEAR_SHARE = 0.15, 0.35, 0.3

_DISC_POINTS = 61
_GOLDEN_RAD = np.pi * (3 - np.sqrt(5))


class Core(NamedTuple):
    """Median and robust spread of a channel around centres, each (n,)."""

    median: Float64Array
    spread: Float64Array


def core_statistics(channel: Float32Array, valid: BoolArray, centres_px: Float64Array) -> Core:
    """Median and spread (1.4826 MAD) of a channel over the 3x3 pixels at each centre.

    Args:
        channel: (h, w).
        valid: (h, w); invalid pixels are left out.
        centres_px: (n, 2) row, col inside the array.

    Returns:
        (n,) each; 0 and 0 where all nine pixels are invalid.
    """
    steps = np.array([(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1)])
    at = np.floor(centres_px).astype(int)[:, None, :] + steps
    rows, cols = at[..., 0].clip(0, channel.shape[0] - 1), at[..., 1].clip(0, channel.shape[1] - 1)
    values = np.where(valid[rows, cols], channel[rows, cols].astype(np.float64), np.nan)
    some = valid[rows, cols].any(axis=1)
    median, spread = np.zeros(len(at)), np.zeros(len(at))
    if some.any():
        median[some] = np.nanmedian(values[some], axis=1)
        spread[some] = 1.4826 * np.nanmedian(np.abs(values[some] - median[some, None]), axis=1)
    return Core(median, spread)


def radius_sd_m(radius_m: Float64Array, spread_m: Float64Array, gsd_m: float) -> Float64Array:
    """Standard deviation (n,) of the crater radius that the network predicts.

    Three independent parts in quadrature: a share of the radius, the prediction's spread around the centre, and
    the pixel's own size (gsd / sqrt 12). The share is the error on simulated craters (``scripts/check_craters.py``).
    """
    return np.asarray(np.sqrt((_RADIUS_SHARE_SD * radius_m) ** 2 + spread_m**2 + gsd_m**2 / 12))


def centre_sd_m(score: Float64Array, width_m: Float64Array, gsd_m: float) -> Float64Array:
    """Standard deviation (n,) of a peak along one axis.

    A fifth of a pixel, and what grows with the score that is missing from 1 and with the width that the peak has
    beyond the trained one: a network that is not sure of a place smears its peak. ``width_m`` is NaN for a peak of
    no Gaussian shape, which counts as twice the trained width. Weights as fitted by ``scripts/fit_verdicts.py``.
    """
    width = np.where(np.isnan(width_m), 2 * _CORE_SD_M, width_m).clip(_CORE_SD_M, 3 * _CORE_SD_M)
    smeared = np.sqrt(np.maximum(width**2 - _CORE_SD_M**2, 0.0))
    return np.asarray(
        np.sqrt((0.2 * gsd_m) ** 2 + _LEAST_CENTRE_SD_M**2 + (_DOUBT_M * (1 - score.clip(0, 1))) ** 2
                + (_SMEAR_SHARE * smeared) ** 2)
    )  # fmt: skip


def new_probability(
    new: Float32Array, crater: Float32Array, valid: BoolArray, sites: Sites, radius_m: Float64Array
) -> Float64Array:
    """Probability (n,) that a crater was not there before.

    The mean of NEW over a disc of the crater's radius, weighted by the crater's own probability. The
    disc is sampled at points of equal area (a sunflower spiral).

    Args:
        new: (h, w) NEW channel.
        crater: (h, w) CRATER channel.
        valid: (h, w); invalid pixels are left out. NaN is returned where all are.
        sites: centres in these arrays.
        radius_m: (n,) crater radii.
    """
    k = np.arange(_DISC_POINTS)
    disc = np.sqrt(k / _DISC_POINTS)[:, None] * np.column_stack([np.sin(k * _GOLDEN_RAD), np.cos(k * _GOLDEN_RAD)])
    at = sites.at_px[:, None, :] + np.einsum("nij,n,kj->nki", sites.jacobians, radius_m, disc)
    index = np.floor(at).astype(int)
    rows, cols = index[..., 0], index[..., 1]
    inside = (rows >= 0) & (cols >= 0) & (rows < new.shape[0]) & (cols < new.shape[1])
    rows, cols = rows.clip(0, new.shape[0] - 1), cols.clip(0, new.shape[1] - 1)
    known = inside & valid[rows, cols]
    # The small constant lets a centre without a crater mask fall back to the plain mean.
    weight = known * (crater[rows, cols].astype(np.float64) + 1e-6)
    total = weight.sum(axis=1)
    return np.asarray(np.where(total > 0, (weight * new[rows, cols]).sum(axis=1) / np.maximum(total, 1e-12), np.nan))


def status_of(probability: float) -> tuple[Status, float | None]:
    """Status and its probability; unknown and None for NaN. Exactly one half counts as new."""
    if np.isnan(probability):
        return Status.UNKNOWN, None
    return (Status.NEW if probability >= 0.5 else Status.OLD), float(probability)
