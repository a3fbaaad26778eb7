"""Whether tile size, overlap, precision and test-time augmentation change what is found, and what they cost.

    python scripts/check_tiles.py --data ../shared/data --scenes 2

Simulated pairs on held-out places, the before image taken as it lies. Every way is compared with the first one; recall
and precision are against strikes that can be seen. Costs are CPU time relative to the first.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Annotated, NamedTuple, cast

import numpy as np
import typer
from scipy.spatial import cKDTree

from cv_pipeline.config import AssessConfig
from cv_pipeline.evaluation.repeated import write_pair
from cv_pipeline.frame import local_frame
from cv_pipeline.imagery.grid import working_grid
from cv_pipeline.imagery.pair import open_pair
from cv_pipeline.patterns.extract import Located, locate_craters
from cv_pipeline.registration.coarse import IDENTITY
from cv_pipeline.segmentation.backend import Backend, Precision, TorchBackend
from cv_pipeline.segmentation.predict import segment
from cv_pipeline.segmentation.symmetry import Symmetric
from cv_pipeline.segmentation.zoo import find_model, load_network, read_model_file
from cv_pipeline.simulation.background import Backgrounds, list_tiles
from cv_pipeline.simulation.pair import SimulatedPair, simulate_pair
from cv_pipeline.simulation.strike import StrikeStatus
from cv_pipeline.types import AlignedPair, Gate, Registration

SEED = 882_001
GSD_M = 0.5
HIT_M = 5.0
AS_IT_LIES = Registration(IDENTITY, 0, 0, 1, 0, 0, 0, 9, 9, Gate.PASS, "taken as it lies")


class Way(NamedTuple):
    """One way to run the network over a scene."""

    tile_px: int
    overlap_px: int
    precision: str
    tta: bool = False

    def name(self) -> str:
        """As printed."""
        return f"tile {self.tile_px}, overlap {self.overlap_px}, {self.precision}" + (", tta" if self.tta else "")


WAYS = (
    Way(2048, 192, "fp32"), Way(1024, 160, "fp32"), Way(640, 160, "fp32"), Way(512, 160, "fp32"),
    Way(1024, 128, "fp32"), Way(512, 128, "fp32"), Way(512, 96, "fp32"), Way(512, 160, "bf16"),
    Way(512, 160, "bf16", True),
)  # fmt: skip
"""The first sees scenes of up to 2048 px at the working GSD whole: what the others cut is held against the uncut."""


def locate(aligned: AlignedPair, way: Way, model_name: str, folder: Path) -> tuple[Located, float]:
    """Craters found in one way, and the CPU seconds it took."""
    model_dir = find_model(model_name)
    model = read_model_file(model_dir)
    backend: Backend = TorchBackend(load_network(model_dir, model), model, cast(Precision, way.precision))
    if way.tta:
        backend = Symmetric(backend)
    start = time.process_time()
    maps = segment(aligned, backend, model.info(), folder / "maps.tif", tile_px=way.tile_px, overlap_px=way.overlap_px)
    taken_s = time.process_time() - start
    grid = aligned.pair.after.grid
    return locate_craters(maps, local_frame(grid), grid, score_threshold=model.score_threshold), taken_s


def truth_px(pair: SimulatedPair) -> np.ndarray:
    """(n, 2) as (col_px, row_px) of the strikes that can be seen."""
    height, width = pair.after.shape[:2]
    inside = [s for s in pair.strikes if 0 <= s.row_px < height and 0 <= s.col_px < width]
    seen = [s for s in inside if s.status != StrikeStatus.GONE and pair.truth.visible[int(s.row_px), int(s.col_px)]]
    return np.array([(s.col_px, s.row_px) for s in seen]).reshape(-1, 2)


def _nearest(points: np.ndarray, to: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    apart, index = cKDTree(points).query(to)
    return np.asarray(apart), np.asarray(index)


def compare(found: Located, first: Located) -> str:
    """How two results differ."""
    if not len(found.score) or not len(first.score):
        return f"{len(found.score)} against {len(first.score)} craters"
    apart, nearest = _nearest(first.at_px, found.at_px)
    same = apart < 2.0
    missed = len(first.score) - len(set(nearest[same]))
    change = np.abs(found.score - first.score[nearest])[same]
    return (
        f"{int(same.sum())} the same, {int((~same).sum())} more, {missed} fewer; centres within "
        f"{apart[same].max(initial=0):.3f} px, scores within {change.max(initial=0):.4f}"
    )


def hits(found: Located, truth: np.ndarray) -> int:
    """Strikes with a crater found within :data:`HIT_M`."""
    if not len(truth) or not len(found.score):
        return 0
    return int((_nearest(found.at_px, truth)[0] * GSD_M <= HIT_M).sum())


def main(
    data: Annotated[Path, typer.Option(help="folder that holds ucmerced/ and kampala/")] = Path("../shared/data"),
    scenes: Annotated[int, typer.Option(min=1)] = 2,
    side_px: Annotated[int, typer.Option(min=600, help="px a side of a scene")] = 1400,
    model: Annotated[str, typer.Option(help="name of a shipped model or a model folder")] = "small",
) -> None:
    """Print, scene by scene, how each way differs from the first."""
    backgrounds = Backgrounds(list_tiles(data, "validate"))
    for number in range(scenes):
        scene = simulate_pair(backgrounds, (SEED, number), (side_px, side_px), GSD_M)
        truth = truth_px(scene)
        with tempfile.TemporaryDirectory() as folder:
            before, after = write_pair(scene.before, scene.after, GSD_M, side_px, Path(folder))
            pair = open_pair(before, after, AssessConfig())
            grid = working_grid(pair.after.grid, read_model_file(find_model(model)).working_gsd_m)
            aligned = AlignedPair(pair, grid, AS_IT_LIES)
            first, first_s = locate(aligned, WAYS[0], model, Path(folder))
            for way in WAYS:
                found, taken_s = (first, first_s) if way == WAYS[0] else locate(aligned, way, model, Path(folder))
                typer.echo(
                    f"scene {number}, {way.name()}: {compare(found, first)}; {hits(found, truth)} of {len(truth)} "
                    f"strikes hit by {len(found.score)} craters; cost {taken_s / first_s:.2f}"
                )


if __name__ == "__main__":
    typer.run(main)
