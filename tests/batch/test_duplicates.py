"""One crater in several scenes is kept once, and two craters are never made one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from pyproj import Geod

from cv_pipeline.batch.duplicates import Places, kept_for

GEOD = Geod(ellps="WGS84")


def places(*rows: tuple[float, float, float, float, int], lon: float = 30.0, lat: float = 50.0) -> Places:
    """Impacts as (east_m, north_m, sd_m, score, pair) around a place on earth."""
    east, north, sd, score, pair = np.array(rows, float).T
    azimuth, distance = np.rad2deg(np.arctan2(east, north)), np.hypot(east, north)
    n = len(rows)
    x, y, _ = GEOD.fwd(np.full(n, lon), np.full(n, lat), azimuth, distance)
    return Places(np.column_stack([x, y]), sd, score, pair.astype(np.int64), np.zeros(n, np.int64))


def test_the_higher_score_is_kept_within_the_uncertainty_only() -> None:
    # 95 % of chi squared with two degrees: 2.448 times the SD of the difference, here sqrt(2) m
    near, far = 2.44 * 2**0.5, 2.46 * 2**0.5
    assert kept_for(places((0, 0, 1, 0.6, 0), (near, 0, 1, 0.9, 1))).tolist() == [1, 1]
    assert kept_for(places((0, 0, 1, 0.6, 0), (0, far, 1, 0.9, 1))).tolist() == [0, 1]
    assert kept_for(places((0, 0, 1, 0.6, 0), (near, 0, 1, 0.6, 1))).tolist() == [0, 0]


def test_what_a_pair_saw_appear_stands_for_the_others() -> None:
    three = places((0, 0, 1, 0.9, 0), (0.1, 0, 1, 0.8, 1), (0.2, 0, 1, 0.1, 2))
    for rank, kept in (((2, 1, 0), 2), ((2, 1, 1), 1), ((1, 1, 2), 0), ((2, 2, 2), 0)):
        assert kept_for(replace(three, rank=np.array(rank))).tolist() == [kept] * 3


def test_craters_of_one_scene_stay_apart() -> None:
    assert kept_for(places((0, 0, 1, 0.6, 0), (0.1, 0, 1, 0.9, 0))).tolist() == [0, 1]
    # the nearer of two craters takes the sighting of the other scene; a chain does not join them either
    found = kept_for(places((0, 0, 1, 0.6, 0), (2, 0, 1, 0.7, 0), (1.4, 0, 1, 0.9, 1), (0.7, 0, 1, 0.5, 2)))
    assert found.tolist() == [0, 2, 2, 0] or found.tolist() == [0, 2, 2, 2]
    assert found[0] != found[1]


def test_date_line_pole_and_unknown_places() -> None:
    for lon, lat in ((180.0, 10.0), (77.0, 89.9999)):
        assert kept_for(places((-1, 0, 1, 0.6, 0), (1, 0, 1, 0.9, 1), lon=lon, lat=lat)).tolist() == [1, 1]
    nowhere = places((0, 0, 1, 0.6, 0), (0, 0, 1, 0.9, 1))
    nowhere.lonlat_deg[:] = np.nan
    assert kept_for(nowhere).tolist() == [0, 1]
    nothing = np.zeros(0, np.int64)
    assert kept_for(Places(np.zeros((0, 2)), np.zeros(0), np.zeros(0), nothing, nothing)).tolist() == []


def test_planted_overlaps_are_recovered() -> None:
    rng = np.random.default_rng(5)
    truth = rng.uniform(0, 20_000, (400, 2))
    rows, crater = [], []
    for pair in range(3):
        for k in np.flatnonzero(rng.random(400) < 0.7):
            rows.append((*(truth[k] + rng.normal(0, 0.5, 2)), 0.5, rng.random(), pair))
            crater.append(k)
    kept = kept_for(places(*rows))
    crater_of = np.array(crater)
    assert (crater_of[kept] == crater_of).all()  # never two craters as one
    score, pair = np.array(rows)[:, 3], np.array(rows)[:, 4]
    best = {k: max(np.flatnonzero(crater_of == k), key=lambda i: (score[i], -pair[i])) for k in set(crater)}
    right = np.mean([kept[i] == best[crater_of[i]] for i in range(len(rows))])
    assert right > 0.9  # 5 % of true couples lie farther apart than that
    assert len(set(kept.tolist())) < 1.1 * len(best)
