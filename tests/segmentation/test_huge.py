"""Prediction over a pair of 50,000 px a side, with a stub for the network: what is held does not grow with the width.

Of the height 1.3 kB a pixel are held for the seams between strips, which two rows of tiles do not show.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cv_pipeline.evaluation.repeated import write_pair
from tests.conftest import texture

GSD_M = 0.5
SCRIPT = """
import json, sys
from pathlib import Path
import numpy as np
from cv_pipeline.evaluation.throughput import peak_mib
from cv_pipeline.imagery.grid import working_grid
from cv_pipeline.imagery.source import open_source
from cv_pipeline.segmentation.predict import segment
from cv_pipeline.types import AlignedPair, Channel, Gate, ModelInfo, Registration, ScenePair

before, after, out = sys.argv[1:]
pair = ScenePair(after=open_source(after), before=open_source(before))
grid = working_grid(pair.after.grid, 0.6)
turned = np.array([[1.0, 1e-4, 3.3], [-1e-4, 1.0, -2.2]])
registration = Registration(turned, 4.0, 0.0, 1.0, 0.1, 0.05, 0.1, 100, 90, Gate.PASS, "", ())
start = peak_mib()
found = segment(
    AlignedPair(pair, grid, registration),
    lambda after, before, has: np.zeros((len(after), len(Channel), *after.shape[2:]), np.float32),
    ModelInfo("stub", "", 0.6, 0.1, 1.2, 0.5),
    Path(out),
    rows=range(2),
)
print(json.dumps({"width": grid.width, "start": start, "peak": peak_mib()}))
"""


def peak(side_px: int, folder: Path) -> dict[str, float]:
    folder.mkdir()
    ground = np.asarray(texture(1000, 1000), np.uint8)
    pair = write_pair(ground, np.ascontiguousarray(ground[::-1]), GSD_M, side_px, folder)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *map(str, pair), str(folder / "out.tif")],
        check=True, capture_output=True, text=True, timeout=3000,
    )  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
def test_memory_of_two_rows_of_tiles(tmp_path: Path) -> None:
    small, huge = peak(5_000, tmp_path / "small"), peak(50_000, tmp_path / "huge")
    taken = [each["peak"] - each["start"] for each in (small, huge)]
    print(small, huge, taken)
    assert taken[0] < 600
    assert taken[1] < taken[0] + 100
