"""A pair with clouds on both dates from end to end: nothing is claimed in cloud, and its share is said."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
import torch
from affine import Affine
from torch import Tensor

from cv_pipeline import AssessConfig, assess, detect
from cv_pipeline.imagery import pair
from cv_pipeline.report.layers import masked_layer
from cv_pipeline.segmentation import zoo
from cv_pipeline.simulation.light import Sun
from cv_pipeline.simulation.weather import Weather, apply_weather
from cv_pipeline.types import BoolArray, Impact, Status
from tests.conftest import texture
from tests.segmentation.factories import PlantedNet, make_model

SIDE, GSD_M = 640, 1.0
PLACE = Affine(GSD_M, 0, 500_000, 0, -GSD_M, 5_300_000)
CRATER_M, BLAST_M = 5.0, 11.0


def clouded(seed: int) -> tuple[np.ndarray, BoolArray]:
    """Ground (height, width, 3) of one hue under clouds, and what they hide."""
    image = (texture(SIDE, SIDE, 1)[..., :1] * 0.4 + (60, 50, 35)).astype(np.float32)
    hidden = apply_weather(image, Weather(0.0, 0.0, 0.25, 0.95, 800.0, (), seed), Sun(50.0, 150.0), GSD_M)
    return image, hidden


def deepest(mask: BoolArray, count: int, apart_px: float) -> list[tuple[int, int]]:
    """Places (row, col) farthest inside a mask, some way apart."""
    from scipy.ndimage import distance_transform_edt

    depth = np.asarray(distance_transform_edt(np.pad(mask, 1)))[1:-1, 1:-1]
    rows, cols = np.indices(mask.shape)
    found = []
    for _ in range(count):
        row, col = (int(at) for at in np.unravel_index(int(depth.argmax()), depth.shape))
        found.append((row, col))
        depth[np.hypot(rows - row, cols - col) < apart_px] = 0
    return found


def planted(image: np.ndarray, places: list[tuple[int, int]]) -> np.ndarray:
    rows, cols = np.indices(image.shape[:2]) + 0.5
    for row, col in places:
        distance = np.hypot(rows - row, cols - col)
        image[distance <= BLAST_M] = (0, 0, 255)
        image[distance <= CRATER_M] = (255, 0, 0)
    return image


class Eager(PlantedNet):
    """Takes all that is as bright as a cloud for a crater, too."""

    @staticmethod
    def more(image: Tensor, channel: int) -> Tensor:
        found = PlantedNet.more(image, channel)
        return torch.maximum(found, torch.sigmoid(40 * (image[:, 3:4] - 0.7))) if channel == 0 else found


def hidden_at(impacts: Iterable[Impact], hidden: BoolArray) -> int:
    """How many impacts lie on hidden ground."""
    return sum(bool(hidden[int(impact.row_px), int(impact.col_px)]) for impact in impacts)


def test_nothing_is_claimed_in_cloud(
    make_tiff: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_model(tmp_path / "model", working_gsd_m=GSD_M)
    monkeypatch.setattr(zoo, "load_network", lambda folder, model: Eager(CRATER_M, BLAST_M).eval())
    (early, hidden_early), (late, hidden_late) = clouded(10), clouded(12)
    clear = deepest(~hidden_early & ~hidden_late, 3, 120)
    under_early = deepest(hidden_early & ~hidden_late, 1, 120)
    after = make_tiff(planted(late, [*clear, *under_early]), name="after.tif", transform=PLACE)
    before = make_tiff(early, name="before.tif", transform=PLACE)
    config = AssessConfig(model=str(tmp_path / "model"), precision="fp32")

    found = assess(before, after, config=config)

    at = {(round(i.row_px), round(i.col_px)): i.status for i in found.impacts}
    wanted = dict.fromkeys(clear, Status.NEW) | dict.fromkeys(under_early, Status.UNKNOWN)
    assert {place: at.get(place) for place in wanted} == wanted
    masked = found.pair.after.obscured
    assert masked is not None
    assert not any(
        masked.cells[int(i.row_px) // masked.cell_px, int(i.col_px) // masked.cell_px] for i in found.impacts
    )
    shares = {}
    for kind, hidden in (("after", hidden_late), ("before", hidden_early)):
        (said,) = [line for line in found.warnings if line.startswith(f"Of the {kind} image") and "cloud" in line]
        shares[kind] = float(said.removeprefix(f"Of the {kind} image ").partition("%")[0]) / 100
        assert 0.9 < shares[kind] / hidden.mean() < 1.4  # fringes are masked too
    drawn_m2 = sum(shape.area for shape in masked_layer(found).geometries_m)
    assert drawn_m2 / (SIDE * GSD_M) ** 2 == pytest.approx(shares["after"], rel=0.05)

    # What is left are fringes that the mask misses; shown the clouds such a network would claim plenty there.
    monkeypatch.setattr(pair, "find_obscured", lambda source: None)
    assert hidden_at(detect(after, config).impacts, hidden_late) > 3 * hidden_at(found.impacts, hidden_late)
