"""Samples for the close-up network: candidates of simulated scenes as a run would look at them, and what is there.

Candidates are the peaks of the model's own maps, so its false alarms are among them, and every crater once more from a
place near its centre, so that those that the maps miss are learnt from as well.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cv_pipeline.evaluation.crater_scenes import counts, network_scene, shown, write_scene
from cv_pipeline.evaluation.pattern_scenes import pattern_truth
from cv_pipeline.frame import LocalFrame, local_frame
from cv_pipeline.patterns.candidates import find_candidates
from cv_pipeline.patterns.closeup.pictures import CHANNELS, SIDE, read_pictures
from cv_pipeline.patterns.ground import GroundMap
from cv_pipeline.simulation.config import SimulationConfig, stream
from cv_pipeline.simulation.pair import SimulatedPair, simulate_pair
from cv_pipeline.simulation.strike import StrikeStatus
from cv_pipeline.types import BoolArray, Float64Array, ModelInfo, UInt8Array

if TYPE_CHECKING:
    from cv_pipeline.segmentation.backend import Backend
    from cv_pipeline.simulation.background import Backgrounds

GSD_RANGE_M = (0.22, 1.1)
EXTENT_M, _SIDE_PX = 160.0, (176, 560)
LOW_PEAK = 0.05
"""Peaks from here on are samples: far below what a run looks at."""
_NEAR_RADII, _NEAR_M = 1.0, 1.5
"""A candidate within either of a crater's centre is that crater; one farther off, up to twice that, is left out."""
_TWIN_RADII = 3.0
"""Another crater within so many mean radii is a neighbour that touches or nearly does."""
_JITTER_M = 0.6


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Pictures (n, channels, side, side) and the truth, (n,) or (n, 2); NaN where there is none or nobody could tell.

    Lengths are metres, positions and vectors east and north, from the picture's middle. ``axis`` is the unit vector
    towards which the pattern extends, ``one_sided`` whether it does, NaN where too faint to see. ``twin`` is where a
    neighbour lies, ``has_twin`` whether there is one. ``new`` is NaN without a before image.
    """

    near: UInt8Array
    wide: UInt8Array
    crater: Float64Array
    centre_m: Float64Array
    radius_m: Float64Array
    blast_m: Float64Array
    one_sided: Float64Array
    axis: Float64Array
    new: Float64Array
    has_twin: Float64Array
    twin_m: Float64Array
    gsd_m: Float64Array

    def take(self, index: np.ndarray) -> Samples:
        """The samples at ``index``, in its order."""
        return Samples(*(getattr(self, field.name)[index] for field in fields(self)))


def joined(parts: Sequence[Samples]) -> Samples:
    """All samples of several scenes, at least one, in their order."""
    return Samples(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Samples)))


AXIS_SEEN_SD = 0.7
"""Axes that stand out by less, in SDs of the ground, are neither one-sided nor round."""


def simulate(backgrounds: Backgrounds, seed: tuple[int, ...], config: SimulationConfig) -> SimulatedPair:
    """One pair of about :data:`EXTENT_M` a side, its GSD log-uniform over :data:`GSD_RANGE_M`."""
    low, high = np.log(GSD_RANGE_M)
    gsd_m = float(np.exp(stream(seed, "gsd").uniform(low, high)))
    side = int(np.clip(EXTENT_M / gsd_m, *_SIDE_PX))
    return simulate_pair(backgrounds, seed, (side, side), gsd_m, config)


def scene_samples(pair: SimulatedPair, backend: Backend, info: ModelInfo, *, paired: bool, seed: int) -> Samples:
    """All samples of one scene, with or without its before image; none where nothing is found and nothing was struck.

    ``seed`` decides from where each crater is looked at once more.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        aligned = write_scene(folder, pair, info.working_gsd_m, paired=paired)
        scene = network_scene(aligned, backend, info, folder / "maps.tif")
        source = aligned.pair.after.grid
        frame = local_frame(source)
        ground = GroundMap(scene.segmentation.grid, source, frame)
        found = find_candidates(scene.segmentation, ground, LOW_PEAK, 1024)
        at_m = np.concatenate([found.evidence.centre_m, _jittered(pair, frame, seed)])
        truth = _truth(pair, frame, at_m, paired=paired)
        used = np.nonzero(~np.isnan(truth["crater"]))[0]
        near, wide = np.zeros((2, 0, CHANNELS, SIDE, SIDE), np.uint8)
        read = list(read_pictures(aligned, scene.segmentation, frame, at_m[used], use_before=paired))
        if read:
            order = np.argsort(np.concatenate([p.index for p in read]))
            near, wide = (np.concatenate([getattr(p, s) for p in read])[order] for s in ("near", "wide"))
    return Samples(near, wide, **{key: values[used] for key, values in truth.items()})


def _jittered(pair: SimulatedPair, frame: LocalFrame, seed: int) -> Float64Array:
    """A place (n, 2) near the centre of each crater that can be seen."""
    centres_m = _metres(frame, [(s.row_px, s.col_px) for s in shown(pair)])
    return centres_m + np.random.default_rng((seed, 41)).normal(0, _JITTER_M, centres_m.shape)


def _metres(frame: LocalFrame, at_px: list[tuple[float, float]]) -> Float64Array:
    at = np.array(at_px, dtype=np.float64).reshape(-1, 2)
    return frame.pixel_to_metres(at[:, 0], at[:, 1]).reshape(-1, 2)


def _truth(pair: SimulatedPair, frame: LocalFrame, at_m: Float64Array, *, paired: bool) -> dict[str, Any]:
    """What lies at each of n places, by field of :class:`Samples`; ``crater`` is NaN where nothing is asked."""
    n = len(at_m)
    nothing, vectors = np.full(n, np.nan), np.full((n, 2), np.nan)
    truth: dict[str, Any] = {key: nothing.copy() for key in ("radius_m", "blast_m", "one_sided", "new", "has_twin")}
    truth |= {key: vectors.copy() for key in ("centre_m", "axis", "twin_m")}
    truth["crater"] = np.where(_asked(pair, frame, at_m), 0.0, np.nan)
    truth["gsd_m"] = np.full(n, pair.gsd_m)
    strikes = shown(pair)
    if not strikes or not n:
        return truth
    centres_m = _metres(frame, [(s.row_px, s.col_px) for s in strikes])
    radii_m = np.array([s.crater_radius_m for s in strikes])
    patterns = [pattern_truth(s, pair) for s in strikes]
    away = np.linalg.norm(at_m[:, None] - centres_m, axis=2) / np.maximum(_NEAR_RADII * radii_m, _NEAR_M)
    owner = away.argmin(axis=1)
    nearest = away[np.arange(n), owner]
    truth["crater"] = np.where(nearest <= 1, 1.0, np.where(nearest <= 2, np.nan, truth["crater"]))
    for i in np.nonzero(nearest <= 1)[0]:
        k = int(owner[i])
        pattern = patterns[k]
        truth["centre_m"][i] = centres_m[k] - at_m[i]
        truth["radius_m"][i] = radii_m[k]
        truth["blast_m"][i] = np.nan if pattern.blast_radius_m is None else pattern.blast_radius_m
        if pattern.axis_deg is None:
            truth["one_sided"][i] = 0.0
        elif pattern.axis_sd >= AXIS_SEEN_SD:
            truth["one_sided"][i] = 1.0
            turn = np.deg2rad(pattern.axis_deg)
            truth["axis"][i] = np.sin(turn), np.cos(turn)
        if paired:
            truth["new"][i] = float(strikes[k].status is StrikeStatus.NEW)
        apart = np.linalg.norm(centres_m - centres_m[k], axis=1) / ((radii_m + radii_m[k]) / 2)
        apart[k] = np.inf
        twin = int(apart.argmin())
        truth["has_twin"][i] = float(apart[twin] <= _TWIN_RADII)
        if apart[twin] <= _TWIN_RADII:
            truth["twin_m"][i] = centres_m[twin] - at_m[i]
    return truth


def _asked(pair: SimulatedPair, frame: LocalFrame, at_m: Float64Array) -> BoolArray:
    at_px = frame.metres_to_pixel(at_m)
    return np.array([counts(pair, row, col) for row, col in at_px], dtype=bool)
