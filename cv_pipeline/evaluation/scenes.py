"""Simulated scenes over held-out places, rendered once and kept on disk.

The places are in two halves that share no ground: on ``FIT`` a model is calibrated and its threshold
chosen, on ``JUDGE`` it is scored. Rendering costs far more than running a network, so scenes are kept
under a name that changes with whatever they depend on: settings, seed and the simulator's own code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path

import numpy as np

from cv_pipeline import simulation
from cv_pipeline.simulation.background import Backgrounds, Tile, list_tiles
from cv_pipeline.simulation.config import SimulationConfig
from cv_pipeline.simulation.ground import patch_around
from cv_pipeline.simulation.pair import SimulatedPair, simulate_pair
from cv_pipeline.simulation.strike import StrikeStatus, core_edge_m
from cv_pipeline.types import BoolArray, Float64Array, UInt8Array

SIZE_PX = 256


class Half(StrEnum):
    """What the scenes of a half of the held-out places are for."""

    FIT = "fit"
    JUDGE = "judge"


_SEED = {Half.FIT: 990_002, Half.JUDGE: 990_003}
_MASKS = ("crater", "blast", "secondary", "new", "structure", "structure_known", "visible")
_DEFAULT = SimulationConfig()


@dataclass(frozen=True, slots=True)
class HeldOutScene:
    """One simulated pair with what is needed to score a network on it.

    Images are (h, w, 3), masks (h, w) as in :class:`~cv_pipeline.simulation.truth.TruthRasters`. ``owner``
    (h, w) is the row in the table of craters whose core holds a pixel, -1 outside; where cores overlap, a pixel
    belongs to the one whose centre is nearest in crater radii. The table has a row for each crater that is there
    in the after image, seen or not: ``at_px`` (n, 2) as (row, col), ``radius_m``, ``conspicuity``, ``family``.
    """

    after: UInt8Array
    before: UInt8Array
    crater: BoolArray
    blast: BoolArray
    secondary: BoolArray
    new: BoolArray
    structure: BoolArray
    structure_known: BoolArray
    visible: BoolArray
    owner: np.ndarray
    at_px: Float64Array
    radius_m: Float64Array
    conspicuity: Float64Array
    family: np.ndarray
    gsd_m: float


def scene_of(pair: SimulatedPair) -> HeldOutScene:
    """What of a simulated pair is needed for scoring."""
    shown = [i for i, strike in enumerate(pair.strikes) if strike.status != StrikeStatus.GONE]
    strikes = [pair.strikes[i] for i in shown]
    shape = pair.truth.visible.shape
    owner, nearest = np.full(shape, -1, np.int16), np.full(shape, np.inf)
    for number, strike in enumerate(strikes):
        patch = patch_around(shape, strike.row_px, strike.col_px, strike.reach_m, pair.gsd_m)
        if patch is not None:
            where = (patch.rows, patch.cols)
            relative = patch.radius_m / core_edge_m(strike, patch.azimuth_rad)
            mine = (relative <= 1.0) & (relative < nearest[where])
            nearest[where][mine], owner[where][mine] = relative[mine], number
    return HeldOutScene(
        after=pair.after,
        before=pair.before,
        **{name: getattr(pair.truth, name) for name in _MASKS},
        owner=owner,
        at_px=np.array([(s.row_px, s.col_px) for s in strikes]).reshape(-1, 2),
        radius_m=np.array([s.crater_radius_m for s in strikes]),
        conspicuity=np.array([pair.conspicuity[i] for i in shown]),
        family=np.array([s.family for s in strikes], dtype="U40"),
        gsd_m=pair.gsd_m,
    )


def half_of(tiles: list[Tile], half: Half) -> list[Tile]:
    """The tiles of every other place, in the order of the places' names."""
    places = sorted({tile.place or str(tile.path) for tile in tiles})
    wanted = set(places[list(Half).index(half) :: 2])
    return [tile for tile in tiles if (tile.place or str(tile.path)) in wanted]


def held_out_scenes(
    data_root: Path, half: Half, count: int, gsd_m: float, cache: Path | None, config: SimulationConfig = _DEFAULT
) -> Iterator[HeldOutScene]:
    """Scenes 0 to ``count`` of a half, the same for the same arguments and simulator.

    Args:
        data_root: folder with ``ucmerced/``.
        half: which places.
        count: how many scenes of 256 x 256 px.
        gsd_m: metres per pixel.
        cache: folder in which rendered scenes are kept; None renders anew.
        config: what is drawn.

    Raises:
        ImageError: there are no background tiles.
    """
    backgrounds = Backgrounds(half_of(list_tiles(data_root, "validate"), half))
    folder = None if cache is None else cache / _name(half, gsd_m, config)
    for number in range(count):
        path = None if folder is None else folder / f"{number:04d}.npz"
        if path is not None and path.exists():
            yield _read(path)
            continue
        scene = scene_of(simulate_pair(backgrounds, (_SEED[half], number), (SIZE_PX, SIZE_PX), gsd_m, config))
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, scene)
        yield scene


def _name(half: Half, gsd_m: float, config: SimulationConfig) -> str:
    code = hashlib.sha256()
    for path in sorted(Path(simulation.__path__[0]).rglob("*.py")):
        code.update(path.read_bytes())
    settings = json.dumps([_SEED[half], SIZE_PX, gsd_m, config.model_dump(mode="json")], sort_keys=True)
    code.update(settings.encode())
    return f"{half}-{code.hexdigest()[:12]}"


def _write(path: Path, scene: HeldOutScene) -> None:
    masks = np.stack([getattr(scene, name) for name in _MASKS])
    rest = {f.name: getattr(scene, f.name) for f in fields(scene) if f.name not in _MASKS}
    unfinished = path.with_suffix(".part.npz")
    np.savez_compressed(unfinished, masks=np.packbits(masks, axis=-1), **rest)
    unfinished.rename(path)


def _read(path: Path) -> HeldOutScene:
    with np.load(path, allow_pickle=False) as file:
        rest = {name: file[name] for name in file.files if name != "masks"}
        masks = np.unpackbits(file["masks"], axis=-1).astype(bool)
    rest["gsd_m"] = float(rest["gsd_m"])
    return HeldOutScene(**dict(zip(_MASKS, masks, strict=True)), **rest)
