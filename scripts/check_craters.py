"""Craters measured in simulated scenes over places never trained on, 0.25-1 m GSD: with an oracle's maps and a model's.

python scripts/check_craters.py --part oracle --scenes 24
python scripts/check_craters.py --part floor --scenes 24
python scripts/check_craters.py --part network --scenes 24 --model small
python scripts/check_craters.py --part touching --scenes 16 --model small
python scripts/check_craters.py --part shadow --scenes 24 --model small
python scripts/check_craters.py --part speed --scenes 24 --model small

With ``--json models/small/figures/craters.json`` each puts its figures into its part of that file.

The oracle's maps are the truth with stated errors (evaluation/crater_scenes.py), so that measurement is judged apart
from the network. Pixels are stated twice: the image's own, and those of the model's working grid. Intervals are 95 %:
of medians by ranks, of shares by Wilson's formula. Places and seeds here are used for nothing else.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from cv_pipeline.evaluation.crater_figures import Found, band_lines, geometry, lines, matched, wilson
from cv_pipeline.evaluation.crater_floor import floor_figures
from cv_pipeline.evaluation.crater_scenes import (
    CENTRE_SD_M,
    ORACLE_PEAKS,
    RADIUS_SD,
    CraterScene,
    half_in_shadow,
    network_scene,
    oracle_scene,
    positions_m,
    shown,
    simulated_pairs,
    touching_pair,
    write_scene,
)
from cv_pipeline.evaluation.crater_table import label
from cv_pipeline.evaluation.crater_verdicts import calibration_error
from cv_pipeline.evaluation.plain import Figure, write_part
from cv_pipeline.evaluation.scenes import Half, half_of
from cv_pipeline.frame import local_frame
from cv_pipeline.patterns import extract_impacts
from cv_pipeline.patterns.weights import PLAIN, PatternWeights
from cv_pipeline.patterns.weights_file import read_pattern_weights
from cv_pipeline.segmentation.backend import Backend
from cv_pipeline.segmentation.onnx_backend import load_backend
from cv_pipeline.segmentation.zoo import find_model, read_model_file
from cv_pipeline.simulation.background import Backgrounds, list_tiles
from cv_pipeline.simulation.config import SimulationConfig
from cv_pipeline.simulation.pair import SimulatedPair, simulate_pair
from cv_pipeline.simulation.strike import Strike
from cv_pipeline.types import AlignedPair, Float64Array, Impact, ModelInfo

SEED, TOUCHING_SEED, SHADOW_SEED, SPEED_SEED = 19100, 19200, 19300, 19400
WIDE_M, WIDE_SCENES = 600.0, 2
LOW_THRESHOLD = 0.1
ORACLE = PLAIN._replace(peaks=ORACLE_PEAKS)
MERGED_M = 2.0
"""Peaks nearer than twice the SD of a trained one are one peak to begin with."""


Told = dict[str, Figure]
"""Figures by name."""


class Part(StrEnum):
    """What is measured."""

    ORACLE = "oracle"
    FLOOR = "floor"
    NETWORK = "network"
    TOUCHING = "touching"
    SHADOW = "shadow"
    SPEED = "speed"


def impacts_of(
    scene: CraterScene, threshold: float, weights: PatternWeights = PLAIN, *, images: bool = True
) -> tuple[Impact, ...]:
    """Impacts as a run finds them, or from the maps alone."""
    source = scene.aligned.pair.after.grid
    seen = scene.aligned if images else None
    return extract_impacts(
        scene.segmentation, local_frame(source), source, score_threshold=threshold, images=seen, weights=weights
    )


def show(title: str, found: Sequence[Found], prefix: str = "") -> Told:
    """Print the geometry of finds; return it by name."""
    figures = geometry(found)
    print(f"{title}: n {len(found)}", *lines(figures), *band_lines(found), sep="\n")
    return {f"{prefix}_{name}" if prefix else name: figure for name, figure in figures.items()}


def check_oracle(pairs: Sequence[SimulatedPair], model: ModelInfo, folder: Path) -> Told:
    """Geometry from an oracle's peaks, before and after the images were looked at."""
    raw: list[Found] = []
    looked: list[Found] = []
    for number, pair in enumerate(pairs):
        strikes = shown(pair)
        aligned = write_scene(folder, pair, model.working_gsd_m)
        scene = oracle_scene(aligned, pair, strikes, model, folder / "oracle.tif", number)
        raw += matched(pair, strikes, impacts_of(scene, LOW_THRESHOLD, ORACLE, images=False))
        looked += matched(pair, strikes, impacts_of(scene, 0.0, ORACLE))
    print(f"oracle maps: peaks off by N(0, {CENTRE_SD_M} m) per axis, radii by a factor exp N(0, {RADIUS_SD})")
    return show("oracle peaks alone", raw, "peaks") | show("with the images", looked)


def check_network(
    scenes: Sequence[tuple[SimulatedPair, CraterScene]], threshold: float, weights: PatternWeights
) -> Told:
    """A model end to end."""
    found: list[Found] = []
    raw: list[Found] = []
    score: dict[str, list[float]] = {"peak": [], "score": []}
    hit: dict[str, list[bool]] = {"peak": [], "score": []}
    alarms: dict[str, Counter[str]] = {"peak": Counter(), "score": Counter()}
    craters = 0
    things: Counter[str] = Counter()
    for pair, scene in scenes:
        strikes = shown(pair)
        craters += len(strikes)
        things.update(thing.kind for thing in pair.lookalikes)
        for name, impacts in (
            ("peak", impacts_of(scene, LOW_THRESHOLD, weights, images=False)),
            ("score", impacts_of(scene, LOW_THRESHOLD, weights)),
        ):
            row, col, value = (np.array([getattr(i, k) for i in impacts]) for k in ("row_px", "col_px", "score"))
            labels = label(pair, strikes, row, col, value)
            kept = np.nonzero(labels.scored)[0]
            score[name] += [float(value[i]) for i in kept]
            hit[name] += [bool(labels.strike[i] >= 0) for i in kept]
            for i in kept:
                if labels.strike[i] < 0 and value[i] >= threshold:
                    alarms[name][labels.lookalike[i] or "(no look-alike)"] += 1
            here = found if name == "score" else raw
            here += matched(pair, strikes, [i for i in impacts if i.score >= threshold])
    told: Told = {}
    for name in ("peak", "score"):
        value, true = np.array(score[name]), np.array(hit[name], dtype=bool)
        above = value >= threshold
        told[f"{name}_recall"] = wilson(int((true & above).sum()), craters)
        told[f"{name}_precision"] = wilson(int((true & above).sum()), int(above.sum()))
        print(
            f"{name}: recall {told[f'{name}_recall']}, precision {told[f'{name}_precision']} at {threshold:.3f}; "
            f"ECE {calibration_error(value, true):.3f} of {len(value)} finds above {LOW_THRESHOLD}"
        )
    told |= show("maps alone", raw, "peaks") | show("with the images", found)
    print("false alarms by kind (things there, raised by the network, after the verdict):")
    for kind, count in (alarms["peak"] + alarms["score"]).most_common():
        del count
        print(f"  {kind:26s} {things.get(kind, 0):5d} {alarms['peak'][kind]:5d} {alarms['score'][kind]:5d}")
    print(f"  {'all':26s} {things.total():5d} {alarms['peak'].total():5d} {alarms['score'].total():5d}")
    return told


def check_touching(
    backgrounds: Backgrounds, count: int, model: ModelInfo, backend: Backend, weights: PatternWeights, folder: Path
) -> Told:
    """Twins at 1.2 radii: how many are two impacts, each within 0.6 radii of its own centre's side."""
    apart: dict[str, list[tuple[float, bool]]] = {"oracle": [], "network": []}
    for number in range(count):
        pair = touching_pair(backgrounds, (TOUCHING_SEED, number))
        if not pair.strikes:
            continue
        aligned = write_scene(folder, pair, model.working_gsd_m)
        scenes = {"oracle": oracle_scene(aligned, pair, pair.strikes, model, folder / "oracle.tif", number)}
        (folder / "network.tif").unlink(missing_ok=True)
        scenes["network"] = network_scene(aligned, backend, model, folder / "network.tif")
        for name, scene in scenes.items():
            fitted, threshold = (weights, model.score_threshold) if name == "network" else (ORACLE, 0.0)
            impacts = impacts_of(scene, threshold, fitted)
            at_m = np.array([(i.col_px, i.row_px) for i in impacts]).reshape(-1, 2) * pair.gsd_m
            for first, second in zip(pair.strikes[::2], pair.strikes[1::2], strict=True):
                away_m = float(np.hypot(*np.diff(positions_m(pair, [first, second]), axis=0)[0]))
                apart[name].append((away_m, _both_found(pair, first, second, at_m)))
    told = {}
    for name, found in apart.items():
        far = [both for away_m, both in found if away_m >= MERGED_M]
        every = [both for _, both in found]
        told[f"{name}_told_apart"] = wilson(sum(every), len(every))
        told[f"{name}_told_apart_far"] = wilson(sum(far), len(far))
        print(
            f"touching pairs told apart, {name} maps: {told[f'{name}_told_apart']}; "
            f"of those {MERGED_M:g} m apart or more {told[f'{name}_told_apart_far']}"
        )
    return told


def _both_found(pair: SimulatedPair, first: Strike, second: Strike, at_m: Float64Array) -> bool:
    """Whether each of two craters has a find of its own within its radius."""
    truth = positions_m(pair, [first, second])
    if len(at_m) < 2:
        return False
    away = np.hypot(*(truth[:, None] - at_m[None]).transpose(2, 0, 1))
    near = away <= np.array([[first.crater_radius_m], [second.crater_radius_m]])
    own = near & (away <= away.min(axis=0))
    return bool(own.any(axis=1).all())


def check_shadow(
    pairs: Sequence[SimulatedPair], model: ModelInfo, backend: Backend, weights: PatternWeights, folder: Path
) -> Told:
    """Craters half in shadow: one impact, none, or more within 1.5 radii."""
    counts: Counter[str] = Counter()
    for number, pair in enumerate(pairs):
        for strike in shown(pair)[:1]:
            shaded = half_in_shadow(pair, strike, number)
            aligned = write_scene(folder, shaded, model.working_gsd_m)
            (folder / "network.tif").unlink(missing_ok=True)
            scene = network_scene(aligned, backend, model, folder / "network.tif")
            impacts = impacts_of(scene, model.score_threshold, weights)
            reach_px = max(1.5 * strike.crater_radius_m, 3.0) / pair.gsd_m
            others = [s for s in pair.strikes if s is not strike]
            near = 0
            for i in impacts:
                mine = np.hypot(i.row_px - strike.row_px, i.col_px - strike.col_px)
                theirs = min((np.hypot(i.row_px - s.row_px, i.col_px - s.col_px) for s in others), default=np.inf)
                near += bool(mine <= reach_px and mine < theirs)
            counts["none" if near == 0 else "one" if near == 1 else "several"] += 1
    found = counts["one"] + counts["several"]
    told = {"found": wilson(found, counts.total()), "found_once": wilson(counts["one"], found)}
    print(f"half in shadow: found {told['found']}; of these one impact {told['found_once']}")
    return told


def wide_pairs(backgrounds: Backgrounds, count: int, gsd_m: float) -> list[SimulatedPair]:
    """Strikes as wide as a window of a run: in a small scene what a window costs would count as an impact's."""
    field = {"empty_share": 0.0, "salvos_per_ha": 0.4, "large_share": 0.0}
    config = SimulationConfig.model_validate({"strikes": field})
    side_px = round(WIDE_M / gsd_m)
    seeds = ((SPEED_SEED, number) for number in range(count))
    return [simulate_pair(backgrounds, seed, (side_px, side_px), gsd_m, config) for seed in seeds]


def check_speed(
    scenes: Sequence[tuple[SimulatedPair, AlignedPair]],
    model: ModelInfo,
    backend: Backend,
    weights: PatternWeights,
    folder: Path,
) -> Told:
    """Time per impact of post-processing against time per pixel of the network, from one run."""
    network_s, pixels, post_s, impacts = 0.0, 0, 0.0, 0
    fitted = ORACLE._replace(closeup=weights.closeup)
    for number, (pair, aligned) in enumerate(scenes):
        start = time.process_time()
        network_scene(aligned, backend, model, folder / f"{number}.tif")
        network_s, pixels = network_s + time.process_time() - start, pixels + pair.after.shape[0] * pair.after.shape[1]
        made = oracle_scene(aligned, pair, shown(pair), model, folder / "oracle.tif", 0)
        start = time.process_time()
        impacts += len(impacts_of(made, 0.0, fitted))
        post_s += time.process_time() - start
    area_ha = sum(p.after.shape[0] * p.after.shape[1] * p.gsd_m**2 for p, _ in scenes) / 1e4
    per_impact, per_ha = post_s / max(impacts, 1), network_s / area_ha
    told: Told = {}
    for density in (1.0, 2.6, 10.0):
        network = 10_000 / density * per_ha
        share = 10_000 * per_impact / (10_000 * per_impact + network)
        print(f"10,000 impacts at {density:g} per ha: post-processing {share:.1%} of network and post-processing")
        told[f"share_at_{density:g}_per_ha"] = Figure(share, None, None, impacts)
    print(
        f"processor time: {1e3 * per_impact:.1f} ms an impact, {1e3 * per_ha:.0f} ms a hectare of network, n {impacts}"
    )
    return told


def main(
    part: Annotated[Part, typer.Option(help="what to measure")],
    scenes: Annotated[int, typer.Option(help="how many scenes")] = 60,
    model: Annotated[str, typer.Option(help="name of a shipped model or a model folder")] = "small",
    data: Annotated[Path, typer.Option(help="folder with ucmerced")] = Path("../shared/data"),
    cache: Annotated[Path | None, typer.Option(help="folder that keeps the simulated pairs and maps")] = None,
    out: Annotated[
        Path | None, typer.Option("--json", help="put the figures into this file's part of that name")
    ] = None,
) -> None:
    """Measure craters in simulated scenes."""
    folder = find_model(model)
    file = read_model_file(folder)
    info = file.info()
    weights, notes = read_pattern_weights(folder, file.weights_sha256)
    backgrounds = Backgrounds(half_of(list_tiles(data, "validate"), Half.JUDGE))
    print(f"simulated, held-out places, 0.25-1 m GSD; model {file.name}, weights {file.weights_sha256[:16]}")
    print(*notes, sep="\n")
    with tempfile.TemporaryDirectory() as scratch:
        where = Path(scratch)
        seed = SHADOW_SEED if part is Part.SHADOW else SEED
        pairs = simulated_pairs(backgrounds, seed, range(scenes), cache)
        backend = load_backend(folder, file)
        if part is Part.ORACLE:
            told = check_oracle(list(pairs), info, where)
        elif part is Part.FLOOR:
            told = floor_figures(backgrounds, SEED, list(pairs))
            print(*(f"{name}: {figure}" for name, figure in told.items()), sep="\n")
        elif part is Part.TOUCHING:
            told = check_touching(backgrounds, scenes, info, backend, weights, where)
        elif part is Part.SHADOW:
            told = check_shadow(list(pairs), info, backend, weights, where)
        elif part is Part.NETWORK:
            mapped = []
            for number, pair in enumerate(pairs):
                aligned = write_scene(where / str(number), pair, info.working_gsd_m)
                path = (cache or where) / f"{info.sha256[:12]}_{seed}_{number}_pair.tif"
                mapped.append((pair, network_scene(aligned, backend, info, path)))
            told = check_network(mapped, file.score_threshold, weights)
        else:
            large = wide_pairs(backgrounds, min(scenes, WIDE_SCENES), info.working_gsd_m)
            made = [(pair, write_scene(where / str(i), pair, info.working_gsd_m)) for i, pair in enumerate(large)]
            told = check_speed(made, info, backend, weights, where)
    if out is not None:
        figures = {name: figure.document() for name, figure in told.items()}
        write_part(out, part.value, {"weights_sha256": file.weights_sha256, "scenes": scenes, "figures": figures})


if __name__ == "__main__":
    typer.run(main)
