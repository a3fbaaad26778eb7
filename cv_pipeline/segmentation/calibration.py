"""From a network's logits to probabilities that mean what they say: a slope and an intercept for each channel.

They are fitted on simulated scenes over held-out places when a model is exported, kept in its ``model.yaml``,
and applied wherever raw maps become values, so that every stored probability is a calibrated one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from cv_pipeline.types import Channel, Float64Array

MAX_LOGIT = 15.0
"""Where a fit's logits are cut off: beyond, single precision knows only 0 and 1."""


class Platt(BaseModel):
    """The probability is ``sigmoid(slope * logit + intercept)``; the default leaves it as it was.

    A positive slope keeps the order, so calibration moves thresholds but no detection overtakes another.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    slope: float = Field(1.0, gt=0, le=20)
    intercept: float = Field(0.0, ge=-50, le=50)

    def __call__(self, odds: Float64Array) -> Float64Array:
        """Probabilities of raw logits, same shape."""
        return sigmoid(self.slope * np.asarray(odds, dtype=np.float64) + self.intercept)

    def inverse(self, probability: Float64Array) -> Float64Array:
        """What probabilities were before calibration."""
        return sigmoid((logit(probability) - self.intercept) / self.slope)


Calibration = Mapping[Channel, Platt]
"""By channel; one that is missing is left as the network gives it."""


class Calibrations(BaseModel):
    """Calibrations of a model: it is surer of itself, and with better reason, where there is a before image."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pair: dict[Channel, Platt] = {}
    after_only: dict[Channel, Platt] = {}


IDENTITY = Calibrations()


def sigmoid(logit: Float64Array) -> Float64Array:
    """Probabilities of log odds, without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * np.asarray(logit, dtype=np.float64))))


def logit(probability: Float64Array) -> Float64Array:
    """Log odds of probabilities, cut off at :data:`MAX_LOGIT`."""
    low = 1.0 / (1.0 + math.exp(MAX_LOGIT))
    p = np.clip(np.asarray(probability, dtype=np.float64), low, 1 - low)
    return np.asarray(np.log(p) - np.log1p(-p))


_LEAST_SLOPE, _MOST_SLOPE = 0.05, 20.0


def fit_platt(logits: Float64Array, positive: Float64Array, total: Float64Array | None = None) -> Platt:
    """Slope and intercept of greatest likelihood.

    With few samples the fit leans towards leaving things as they are: four samples' worth is added that say
    what the logits already said, so that perfectly separated samples do not give an endless slope.
    Method: Platt 1999; compared with others by Niculescu-Mizil and Caruana, doi:10.1145/1102351.1102430.

    Args:
        logits: (n,) raw logits, or centres of bins of them.
        positive: (n,) how many of each were true: 0 or 1 for single samples.
        total: (n,) how many there were of each; None is one of each.

    Returns:
        The identity where there is nothing, or nothing true, or nothing false.
    """
    x = np.clip(np.asarray(logits, dtype=np.float64), -MAX_LOGIT, MAX_LOGIT)
    hits = np.asarray(positive, dtype=np.float64)
    count = np.ones_like(x) if total is None else np.asarray(total, dtype=np.float64)
    if not 0 < hits.sum() < count.sum():
        return Platt()
    prior = np.array([-2.0, -1.0, 1.0, 2.0])
    x, count = np.append(x, prior), np.append(count, np.ones(4))
    hits = np.append(hits, sigmoid(prior))
    design = np.column_stack([x, np.ones_like(x)])
    weight = np.array([1.0, 0.0])
    for _ in range(100):
        p = sigmoid(design @ weight)
        gradient = design.T @ (hits - count * p)
        curvature = (design * (count * p * (1 - p))[:, None]).T @ design + 1e-9 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        step /= max(1.0, float(np.abs(step).max()))  # far from the optimum a full step may run away
        weight = weight + step
        if np.abs(step).max() < 1e-10:
            break
    slope = float(np.clip(weight[0], _LEAST_SLOPE, _MOST_SLOPE))
    return Platt(slope=round(slope, 6), intercept=round(float(np.clip(weight[1], -50, 50)), 6))
