"""The ideal fit knows a crater on flat ground exactly, and states SDs that hold on rough ground."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from cv_pipeline.evaluation.crater_floor import Floor, ideal_fit
from cv_pipeline.simulation.pair import SimulatedPair
from cv_pipeline.simulation.strike import ColourDelta, Strike

GSD_M, SIDE, RADIUS_M, STEEPNESS = 0.5, 81, 3.0, 2.2


def strike() -> Strike:
    return Strike(40.3, 40.8, RADIUS_M, ColourDelta(-40, -40, -40), core_steepness=STEEPNESS, raggedness=0.0)


def scenes(noise_dn: float, seed: int = 0, blur_px: float = 0.5) -> tuple[SimulatedPair, SimulatedPair]:
    """A scene with the one crater and the same without it; only what the fit looks at is there."""
    rows, cols = np.indices((SIDE, SIDE)) + 0.5
    crater = strike()
    far = np.hypot(rows - crater.row_px, cols - crater.col_px) * GSD_M / RADIUS_M
    ground = 120 + np.random.default_rng(seed).normal(0, noise_dn, (SIDE, SIDE, 3))
    sensor: Any = SimpleNamespace(blur_px=blur_px, native_px=1.0)

    def scene(image: np.ndarray) -> SimulatedPair:
        acquisition = SimpleNamespace(sensor=sensor)
        return cast(SimulatedPair, SimpleNamespace(after=image, gsd_m=GSD_M, after_acquisition=acquisition))

    return scene(ground - 40 * 0.5 ** (far**STEEPNESS)[..., None]), scene(ground)


def fitted(noise_dn: float, seed: int = 0) -> Floor:
    found = ideal_fit(*scenes(noise_dn, seed), strike())
    assert found is not None
    return found


def test_flat_ground_leaves_no_error() -> None:
    assert np.abs(fitted(1e-6).centre_m).max() < 1e-4


def errors_and_sds(noise_dn: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    fits = [fitted(noise_dn, seed) for seed in range(count)]
    off = np.array([[*f.centre_m, f.log_radius] for f in fits])
    return off.std(axis=0), np.array([[*f.centre_sd_m, f.log_radius_sd] for f in fits]).mean(axis=0)


def test_stated_sds_hold_and_grow_with_the_noise() -> None:
    off, stated = errors_and_sds(8.0, 60)
    assert off / stated == pytest.approx(1.0, abs=0.35)
    assert (errors_and_sds(16.0, 5)[1] > 1.7 * stated).all()


def test_fusing_weighs_by_precision() -> None:
    known = Floor(np.array([0.2, 0.0]), 0.1, np.array([0.1, 0.1]), 0.05)
    rng = np.random.default_rng(1)
    same = known.with_peak(rng, 1e6, 1e6)
    assert np.sqrt(known.centre_sd_m**2 / 2) == pytest.approx(known.with_peak(rng, 0.1, 0.05).centre_sd_m)
    assert same.centre_sd_m == pytest.approx(known.centre_sd_m)


def test_none_at_the_border() -> None:
    at_edge = strike().at(3.0, 40.0)
    assert ideal_fit(*scenes(5.0), at_edge) is None
