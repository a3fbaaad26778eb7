"""Change between dates: each element alone does what the record says and nothing else."""

from typing import Any

import numpy as np
import pytest

from cv_pipeline.simulation.change import ChangeRecord, change_between
from cv_pipeline.simulation.config import BuiltConfig, ChangeConfig
from cv_pipeline.simulation.ground import Ground, Material, level_ground
from cv_pipeline.simulation.setting import Parcel, Setting

SHARES = [name for name in ChangeConfig.model_fields if name.endswith("_share")]
NOTHING: dict[str, Any] = dict.fromkeys(SHARES, 0.0)


def make_ground(material: Material = Material.CROP) -> Ground:
    texture = np.random.default_rng(0).normal(0, 4, (120, 120, 1))
    return level_ground((np.array([96.0, 110.0, 70.0]) + texture).astype(np.float32), material, 0.6)


def changed(
    config: ChangeConfig, seed: int = 0, material: Material = Material.CROP
) -> tuple[Ground, Ground, ChangeRecord]:
    before = make_ground(material)
    after = before.copy()
    record = change_between(before, after, config, BuiltConfig(), np.random.default_rng(seed))
    return before, after, record


def only(name: str, **more: Any) -> ChangeConfig:
    return ChangeConfig(**{**NOTHING, name: 1.0, **more})


def test_with_every_share_zero_nothing_changes() -> None:
    before, after, record = changed(ChangeConfig(**NOTHING))
    np.testing.assert_array_equal(before.colour, make_ground().colour)
    np.testing.assert_array_equal(after.colour, before.colour)
    assert record.changes == ()


@pytest.mark.parametrize(
    ("share", "kinds"),
    [
        ("season_share", {"season"}),
        ("snow_share", {"snow"}),
        ("mottle_share", {"growth"}),
        ("light_share", {"light"}),
        ("farm_work_share", {"plough", "harvest", "mow"}),
        ("damp_share", {"damp"}),
        ("track_share", {"track"}),
        ("construction_share", {"built", "demolished"}),
        ("tree_cut_share", {"tree_cut"}),
        ("storm_share", {"rubble", "tarpaulin", "fallen_tree"}),
        ("vehicles_share", set()),
        ("tents_share", {"tent"}),
    ],
)
def test_an_element_changes_the_date_that_the_record_names(share: str, kinds: set[str]) -> None:
    seen: set[str] = set()
    for seed in range(4):
        before, after, record = changed(only(share), seed)
        seen |= record.kinds()
        for date, ground in (("before", before), ("after", after)):
            named = any(change.date == date for change in record.changes)
            touched = not np.array_equal(ground.colour, make_ground().colour)
            assert touched <= named, (share, seed, date)
        assert np.isfinite(before.colour).all()
        assert np.isfinite(after.colour).all()
    assert seen, share
    assert not kinds or seen <= kinds


def test_the_same_seed_makes_the_same_change() -> None:
    one, two = changed(ChangeConfig(), 5), changed(ChangeConfig(), 5)
    np.testing.assert_array_equal(one[0].colour, two[0].colour)
    np.testing.assert_array_equal(one[1].colour, two[1].colour)
    assert one[2] == two[2]


def test_leaving_one_element_out_leaves_the_others_as_they_are() -> None:
    everything = dict.fromkeys(SHARES, 0.5)
    for seed in range(10):
        full = changed(ChangeConfig(**everything), seed)[2]
        less = changed(ChangeConfig(**{**everything, "light_share": 0.0}), seed)[2]
        assert [
            change for change in full.changes if change.kind in ("plough", "mow", "harvest", "season", "track")
        ] == [change for change in less.changes if change.kind in ("plough", "mow", "harvest", "season", "track")]


def test_ploughing_turns_a_field_bounded_by_straight_lines_to_soil() -> None:
    config = only("farm_work_share", farm_work_kinds=(1.0, 0.0, 0.0))
    found = 0
    for seed in range(12):
        before, after, record = changed(config, seed)
        (change,) = record.changes
        ground = after if change.date == "after" else before
        ploughed = ground.material == Material.SOIL
        assert ploughed.sum() * 0.36 == pytest.approx(np.pi * change.radius_m**2, rel=0.05)
        if 0.1 < ploughed.mean() < 0.9:
            found += 1
            assert np.abs(ground.colour - make_ground().colour)[~ploughed].mean() < 1.0
            outline = (
                np.abs(np.diff(ploughed.astype(int), axis=0)).sum()
                + np.abs(np.diff(ploughed.astype(int), axis=1)).sum()
            )
            assert outline < 3 * 120  # no ragged border
    assert found > 2


def test_snow_covers_open_ground_and_says_so() -> None:
    before, after, record = changed(only("snow_share"), 1)
    ground = after if record.changes[0].date == "after" else before
    covered = ground.material == Material.SNOW
    assert covered.any()
    assert ground.colour[covered].mean() > 160


def test_farm_work_leaves_roofs_and_roads_alone() -> None:
    for material in (Material.ROOF, Material.ASPHALT):
        _, after, record = changed(only("farm_work_share"), 3, material)
        assert record.changes == ()
        np.testing.assert_array_equal(after.colour, make_ground().colour)


def test_a_demolished_building_stands_only_before() -> None:
    for seed in range(8):
        before, after, record = changed(only("construction_share", demolition_rubble_share=0.0), seed)
        for change in record.changes:
            assert change.centre_px is not None
            place = int(change.centre_px[0]), int(change.centre_px[1])
            here, there = (after, before) if change.kind == "built" else (before, after)
            if 0 <= place[0] < 120 and 0 <= place[1] < 120:
                assert here.height_m[place] > 1.5
                assert there.height_m[place] == 0


def test_farm_work_keeps_to_the_parcels_of_the_setting() -> None:
    parcel_of = np.zeros((120, 120), np.int64)
    parcel_of[:, 70:] = 1
    setting = Setting(make_ground(), (), (Parcel(0, "crop", "", 0.3), Parcel(1, "crop", "", 1.2)), parcel_of, 0.0)
    sides = set()
    for seed in range(20):
        before, after = make_ground(), make_ground()
        config = only("farm_work_share", farm_work_kinds=(1.0, 0.0, 0.0))
        record = change_between(before, after, config, BuiltConfig(), np.random.default_rng(seed), setting)
        ground = after if record.changes[0].date == "after" else before
        soil = ground.material == Material.SOIL
        for label in (0, 1):
            if np.array_equal(soil, parcel_of == label):
                sides.add(label)
    assert sides == {0, 1}


def test_a_large_scene_sees_more_farm_work() -> None:
    before = level_ground(np.full((400, 400, 3), 90, np.float32), Material.CROP, 2.0)  # 64 ha
    counts = [
        len(change_between(before.copy(), before.copy(), only("farm_work_share"), BuiltConfig(), rng).changes)
        for rng in map(np.random.default_rng, range(6))
    ]
    assert np.mean(counts) > 1.5
