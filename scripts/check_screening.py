"""What ``--screen`` would lose and save on simulated pairs: visible strikes in skipped tiles, and tiles skipped.

    python scripts/check_screening.py --data ../shared/data

A threshold is chosen on training places and judged on held-out ones; ``screen.THRESHOLD_SD``
is the one in use.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import typer

from cv_pipeline.segmentation.normalise import normalise
from cv_pipeline.segmentation.screen import THRESHOLD_SD, blob_strength
from cv_pipeline.simulation.background import Backgrounds, list_tiles
from cv_pipeline.simulation.pair import simulate_pair
from cv_pipeline.simulation.strike import StrikeStatus

SEED = 771_001
THRESHOLDS_SD = (0.3, 0.45, THRESHOLD_SD, 0.8, 1.0, 1.3, 1.6, 2.0)


class Looked(NamedTuple):
    """The strongest blob or change of one tile, and how many visible strikes lie in it."""

    strength_sd: float
    strikes: int


def look(backgrounds: Backgrounds, scenes: int, side_px: int, gsd_m: float) -> list[Looked]:
    """Each scene taken as one tile."""
    found = []
    valid = np.ones((side_px, side_px), bool)
    for number in range(scenes):
        pair = simulate_pair(backgrounds, (SEED, number), (side_px, side_px), gsd_m)
        after, before = (normalise(image, valid, gsd_m) for image in (pair.after, pair.before))
        strength = max(blob_strength(after, gsd_m).max(), blob_strength(after - before, gsd_m).max())
        strikes = sum(
            s.status != StrikeStatus.GONE and bool(pair.truth.visible[int(s.row_px), int(s.col_px)])
            for s in pair.strikes
            if 0 <= s.row_px < side_px and 0 <= s.col_px < side_px
        )
        found.append(Looked(float(strength), strikes))
    return found


def main(
    data: Annotated[Path, typer.Option(help="folder that holds ucmerced/ and kampala/")] = Path("../shared/data"),
    scenes: Annotated[int, typer.Option(min=1, help="tiles of each split")] = 100,
    side_px: Annotated[int, typer.Option(min=128, help="px a side of a tile")] = 512,
    gsd: Annotated[float, typer.Option(min=0.1, help="metres per pixel")] = 0.6,
) -> None:
    """Print, for each threshold and split, how many tiles would be skipped and how many strikes lost with them."""
    typer.echo(f"{scenes} tiles of {side_px} px at {gsd:g} m of each split; in use: {THRESHOLD_SD:g} SD")
    for split in ("train", "validate"):
        tiles = look(Backgrounds(list_tiles(data, split)), scenes, side_px, gsd)
        strikes = sum(tile.strikes for tile in tiles)
        for limit in THRESHOLDS_SD:
            skipped = [tile for tile in tiles if tile.strength_sd < limit]
            lost = sum(tile.strikes for tile in skipped)
            typer.echo(
                f"{split:>8}  below {limit:.2f} SD: {len(skipped)} of {len(tiles)} tiles skipped, "
                f"{lost} of {strikes} visible strikes lost"
            )


if __name__ == "__main__":
    typer.run(main)
