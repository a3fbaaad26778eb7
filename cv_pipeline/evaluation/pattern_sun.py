"""Whether directions follow the sun: the same strikes under a sun that is turned around them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cv_pipeline.evaluation.pattern_cases import VISIBLE_SD, scene_findings
from cv_pipeline.evaluation.pattern_scenes import (
    CONFIG,
    TruthPattern,
    maps_name,
    network_maps,
    oracle_maps,
    read_scene,
    simulate_scene,
    write_scene,
)
from cv_pipeline.patterns.closeup.weights import CloseUpFile
from cv_pipeline.patterns.measure import MAX_DIRECTION_SD_DEG
from cv_pipeline.patterns.one_sided import weigh_axis
from cv_pipeline.patterns.weights import DirectionWeights
from cv_pipeline.types import Float64Array, ModelInfo

if TYPE_CHECKING:
    from cv_pipeline.segmentation.backend import Backend
    from cv_pipeline.simulation.background import Backgrounds
    from cv_pipeline.simulation.pair import SimulatedPair

SUN_RUN = 73
_DRAWS = 2000
_SALVOS_PER_HA = 0.6
"""More than elsewhere: each scene is drawn once for every sun, and many hold but a few strikes at the usual number."""


class Track(NamedTuple):
    """One strike under every sun: whether it is directional; (suns,) axes, suns, and whether a direction is given."""

    directional: bool
    axes_deg: Float64Array
    suns_deg: Float64Array
    given: Float64Array


def sun_scenes(
    root: Path,
    backgrounds: Backgrounds,
    scenes: int,
    suns: int,
    backend: Backend | None,
    model: ModelInfo,
    *,
    seconds: float = float("inf"),
) -> list[list[Path]]:
    """Folders of the same scenes under ``suns`` azimuths each; strikes, ground, elevation and sensor stay.

    ``backend`` None gives oracle maps. Only scenes that are complete after ``seconds``; call again for the others.
    """
    every: list[list[Path]] = []
    end = time.monotonic() + seconds
    for number in range(scenes):
        folders = []
        for place in range(suns):
            folder = root / f"{SUN_RUN}_{number}_{place}_of_{suns}"
            wanted = folder / ("oracle.tif" if backend is None else maps_name(model))
            if not wanted.exists():
                if time.monotonic() > end:
                    return every
                seed = (SUN_RUN, number)
                pair = _under_sun(backgrounds, seed, 360.0 * place / suns)
                write_scene(folder, pair)
                if backend is None:
                    oracle_maps(folder, pair, model.working_gsd_m, seed)
                else:
                    network_maps(folder, backend, model)
            folders.append(folder)
        every.append(folders)
    return every


def _under_sun(backgrounds: Backgrounds, seed: tuple[int, ...], azimuth_deg: float) -> SimulatedPair:
    light = CONFIG.light.model_copy(update={"sun_azimuth_deg": azimuth_deg})
    strikes = CONFIG.strikes.model_copy(update={"salvos_per_ha": _SALVOS_PER_HA})
    return simulate_scene(backgrounds, seed, CONFIG.model_copy(update={"light": light, "strikes": strikes}))


def sun_lines(
    scenes: Sequence[Sequence[Path]],
    maps: str,
    model: ModelInfo,
    weights: DirectionWeights,
    closeup: CloseUpFile | None,
) -> list[str]:
    """Correlation of axis and sun with 95 % intervals (bootstrap over strikes) and permutation tests, as text."""
    tracks = list(_tracks(scenes, maps, model, weights, closeup))
    out = []
    for name, wanted in (("round strikes", False), ("strikes with an axis that can be seen", True)):
        chosen = [t for t in tracks if t.directional is wanted]
        if len(chosen) < 3:
            out.append(f"{name}: {len(chosen)}, too few")
            continue
        axes, suns = (np.array([getattr(t, field) for t in chosen]) for field in ("axes_deg", "suns_deg"))
        given = float(np.mean([t.given for t in chosen]))
        out.append(f"{name}: n = {len(chosen)} under {axes.shape[1]} suns; directions given in {given:.3f}")
        for times, what in ((1, "axis and sun"), (2, "axis and the sun's line (either end)")):
            value, low, high = following(axes, suns, times)
            chance = _chance(axes, suns, times)
            out.append(f"  correlation of {what}: {value:+.3f} [{low:+.3f}, {high:+.3f}], permutation p = {chance:.3f}")
        spread = np.abs(np.exp(1j * np.deg2rad(axes)).mean(axis=1)).clip(1e-9, 1 - 1e-12)
        sd_deg = np.rad2deg(np.sqrt(-2 * np.log(spread)))
        out.append(f"  circular SD of a strike's axis over the suns: median {np.median(sd_deg):.1f} deg")
    return out


def following(axes_deg: Float64Array, suns_deg: Float64Array, times: int = 1) -> tuple[float, float, float]:
    """Circular correlation of axes and suns, (strikes, suns) each, with its 95 % interval over strikes.

    Fisher and Lee's coefficient (doi:10.1093/biomet/70.2.327), a sum over pairs of observations; pairs are those of
    one strike under two suns, so that its own axis, or that axis' error, which the sun does not change, cancels out. 1
    where every axis turns with the sun, 0 where none does.

    Args:
        axes_deg: (strikes, suns) estimates.
        suns_deg: (strikes, suns) azimuths of the sun.
        times: 2 for lines instead of directions.
    """
    first, second = np.triu_indices(axes_deg.shape[1], 1)
    a, s = (np.sin(times * np.deg2rad(v[:, first] - v[:, second])) for v in (axes_deg, suns_deg))
    sums = np.stack([(a * s).sum(axis=1), (a**2).sum(axis=1), (s**2).sum(axis=1)])

    def coefficient(table: Float64Array) -> Float64Array:
        return np.asarray(table[0] / np.sqrt(np.maximum(table[1] * table[2], 1e-12)))

    draws = np.random.default_rng(0).integers(axes_deg.shape[0], size=(_DRAWS, axes_deg.shape[0]))
    low, high = np.quantile(coefficient(sums[:, draws].sum(axis=-1)), [0.025, 0.975])
    return float(coefficient(sums.sum(axis=1))), float(low), float(high)


def _chance(axes_deg: Float64Array, suns_deg: Float64Array, times: int, draws: int = 500) -> float:
    """Chance of so strong a resultant of ``times`` (axis - sun) if each strike's suns were shuffled."""
    axis, sun = np.exp(1j * times * np.deg2rad(axes_deg)), np.exp(-1j * times * np.deg2rad(suns_deg))
    length = float(np.abs((axis * sun).mean()))
    rng = np.random.default_rng(0)
    shuffled = [float(np.abs((axis * rng.permuted(sun, axis=1)).mean())) for _ in range(draws)]
    return float((1 + sum(s >= length for s in shuffled)) / (draws + 1))


def _tracks(
    scenes: Sequence[Sequence[Path]],
    maps: str,
    model: ModelInfo,
    weights: DirectionWeights,
    closeup: CloseUpFile | None,
) -> Iterator[Track]:
    """Strikes that can be seen under every sun."""
    for folders in scenes:
        by_place: dict[tuple[float, float], list[tuple[TruthPattern, float, float, bool]]] = {}
        for folder in folders:
            scene = read_scene(folder, maps, model)
            if not scene.truth:
                continue
            findings = scene_findings(scene, np.random.default_rng(1), closeup)
            for truth, found in zip(scene.truth, findings, strict=True):
                axis, chance = weigh_axis(found.sides, weights)
                given = chance >= weights.least_probability and axis.sd_deg * weights.sd_scale <= MAX_DIRECTION_SD_DEG
                key = (round(truth.row_px, 3), round(truth.col_px, 3))
                by_place.setdefault(key, []).append((truth, axis.azimuth_deg, scene.sun_azimuth_deg, given))
        for track in by_place.values():
            if len(track) < len(folders):
                continue
            directional = track[0][0].axis_deg is not None
            if directional and float(np.median([t.axis_sd for t, *_ in track])) < VISIBLE_SD:
                continue
            yield Track(directional, *(np.array([t[k] for t in track], np.float64) for k in (1, 2, 3)))
