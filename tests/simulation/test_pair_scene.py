from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cv_pipeline.frame import local_frame
from cv_pipeline.simulation.buildings import Building
from cv_pipeline.simulation.ground import Material
from cv_pipeline.simulation.light import NADIR
from cv_pipeline.simulation.pair_scene import _fallen_share, _Placed, invented_grid, plain
from cv_pipeline.simulation.sensor import Sensor
from cv_pipeline.simulation.strike import NO_CHANGE, Strike, StrikeStatus

GSD_M = 0.5
HOUSE = Building(1, ((20.0, 20.0), (20.0, 60.0), (50.0, 60.0), (50.0, 20.0)), 8.0, "flat", "concrete", (170, 170, 165))
HIT = Strike(30.5, 40.5, 1.5, NO_CHANGE, material=Material.ROOF)


def test_damage_is_the_share_of_the_roof_that_fell() -> None:
    grid = invented_grid(1, (80, 100), GSD_M)
    hole = next(
        replace(HIT, ray_seed=seed) for seed in range(100) if np.random.default_rng((seed, 0xFA11)).random() < 0.5
    )
    placed = _Placed("S001", hole, hole)
    share = _fallen_share(HOUSE, [placed], grid)
    roof_m2 = 30 * 40 * GSD_M**2
    assert share == pytest.approx(np.pi * 1.5**2 / roof_m2, rel=0.5)
    assert _fallen_share(HOUSE, [], grid) == 0


def test_invented_places_do_not_overlap_and_have_true_scale() -> None:
    grids = [invented_grid(number, (1024, 2048), 1.0) for number in range(1, 60)]
    corners = {(grid.transform.c, grid.transform.f) for grid in grids}
    assert len(corners) == len(grids)
    steps = np.diff(sorted({grid.transform.f for grid in grids}))
    assert steps.min() > 1024
    frame = local_frame(grids[0])
    left, right = frame.pixel_to_metres(np.array([512.0, 512.0]), np.array([0.0, 2048.0]))
    assert np.hypot(*(right - left)) == pytest.approx(2048, rel=2e-5)
    lon, lat = frame.to_lonlat(np.zeros((1, 2)))[0]
    assert 0 < lon < 3 and 0 < lat < 2  # open sea


def test_plain_types_only() -> None:
    sensor = Sensor((1.0, 1.0, 1.0), (0.0, 0.0, 0.0), 1.0, 1.0, 0.2, 0.0, 0.0, None, 1)
    content = plain({"view": NADIR, "sensor": sensor, "status": StrikeStatus.OLD, "n": np.float32(0.5)})
    assert content["view"] == {"off_nadir_deg": 0.0, "azimuth_deg": 0.0}
    assert content["sensor"]["gain"] == [1.0, 1.0, 1.0] and content["status"] == "old"
    assert type(content["n"]) is float
