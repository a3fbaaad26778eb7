"""Simulated scenes over held-out places, rendered once and kept on disk.

The places are in two halves that share no ground: on ``FIT`` a model is calibrated and its threshold
chosen, on ``JUDGE`` it is scored. Rendering costs more than running a network, so scenes are kept on disk. That
the simulator still draws them so is checked on a few, drawn afresh, each time they are used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path

import numpy as np

from cv_pipeline.output_dir import whole_file
from cv_pipeline.simulation.background import Backgrounds, Tile, list_tiles
from cv_pipeline.simulation.config import SimulationConfig
from cv_pipeline.simulation.pair import SimulatedPair, simulate_pair
from cv_pipeline.simulation.strike import StrikeStatus, core_edge_m
from cv_pipeline.types import BoolArray, Float64Array, UInt8Array

SIZE_PX = 256
AZIMUTHS = 72


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

    Images are (h, w, 3), masks (h, w) as in :class:`~cv_pipeline.simulation.truth.TruthRasters`. The rest has a row
    for each crater that is there in the after image, seen or not: ``at_px`` (n, 2) as (row, col), ``radius_m``,
    the exact edge ``edge_m`` (n, AZIMUTHS) at even azimuths clockwise from image up, ``conspicuity``, ``family``.
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
    edge_m: Float64Array
    at_px: Float64Array
    radius_m: Float64Array
    conspicuity: Float64Array
    family: np.ndarray
    gsd_m: float


def scene_of(pair: SimulatedPair) -> HeldOutScene:
    """What of a simulated pair is needed for scoring."""
    shown = [i for i, strike in enumerate(pair.strikes) if strike.status != StrikeStatus.GONE]
    strikes = [pair.strikes[i] for i in shown]
    azimuth_rad = np.arange(AZIMUTHS) * 2 * np.pi / AZIMUTHS
    return HeldOutScene(
        after=pair.after,
        before=pair.before,
        **{name: getattr(pair.truth, name) for name in _MASKS},
        edge_m=np.array([core_edge_m(s, azimuth_rad) for s in strikes]).reshape(-1, AZIMUTHS),
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

    def draw(number: int) -> HeldOutScene:
        return scene_of(simulate_pair(backgrounds, (_SEED[half], number), (SIZE_PX, SIZE_PX), gsd_m, config))

    folder = None if cache is None else cache / _name(half, gsd_m, config)
    if folder is not None:
        _drop_stale(folder, draw)
    for number in range(count):
        if folder is None:
            yield draw(number)
            continue
        path = folder / f"{number:04d}.npz"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            _write(path, draw(number))
        yield _read(path)


def _name(half: Half, gsd_m: float, config: SimulationConfig) -> str:
    settings = [_SEED[half], SIZE_PX, gsd_m, config.model_dump(mode="json")]
    return f"{half}-{hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]}"


def _drop_stale(folder: Path, draw: Callable[[int], HeldOutScene]) -> None:
    """Delete kept scenes where some of them, drawn afresh, come out otherwise."""
    kept = sorted(folder.glob("????.npz"))
    for path in {kept[i] for i in (0, len(kept) // 2, -1)} if kept else ():
        fresh, old = draw(int(path.stem)), _read(path)
        if not all(np.array_equal(getattr(fresh, f.name), getattr(old, f.name)) for f in fields(old)):
            for stale in kept:
                stale.unlink()
            return


def _write(path: Path, scene: HeldOutScene) -> None:
    masks = np.stack([getattr(scene, name) for name in _MASKS])
    rest = {f.name: getattr(scene, f.name) for f in fields(scene) if f.name not in _MASKS}
    with whole_file(path) as unfinished:
        np.savez_compressed(unfinished, masks=np.packbits(masks, axis=-1), **rest)


def _read(path: Path) -> HeldOutScene:
    with np.load(path, allow_pickle=False) as file:
        rest = {name: file[name] for name in file.files if name != "masks"}
        masks = np.unpackbits(file["masks"], axis=-1).astype(bool)
    rest["gsd_m"] = float(rest["gsd_m"])
    return HeldOutScene(**dict(zip(_MASKS, masks, strict=True)), **rest)
