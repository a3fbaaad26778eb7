from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from cv_pipeline.errors import ImageError
from cv_pipeline.simulation.background import Backgrounds, Tile, list_folder, list_tiles
from cv_pipeline.simulation.config import BuiltConfig, GroundConfig
from cv_pipeline.simulation.ground import Material
from cv_pipeline.simulation.setting import draw_setting
from cv_pipeline.simulation.tile_ground import guess_material, tile_ground

UNBUILT = BuiltConfig(village_share=0, single_building_share=0, pavement_share=0, road_share=0)


def write_image(path: Path, seed: int = 0, shape: tuple[int, int] = (48, 48)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    tile = np.clip(np.random.default_rng(seed).normal(120, 20, (*shape, 3)), 0, 255).astype(np.uint8)
    cv2.imwrite(str(path), tile)
    return path


@pytest.fixture
def backgrounds(make_data_root: Callable[..., Path]) -> Backgrounds:
    return Backgrounds(list_tiles(make_data_root(), "train"))


def test_the_same_seed_gives_the_same_setting_and_another_seed_another(backgrounds: Backgrounds) -> None:
    first, again, other = (
        draw_setting(backgrounds, GroundConfig(), BuiltConfig(), (100, 120), 0.6, np.random.default_rng(seed))
        for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first.ground.colour, again.ground.colour)
    np.testing.assert_array_equal(first.ground.height_m, again.ground.height_m)
    assert first.parcels == again.parcels
    assert np.abs(first.ground.colour - other.ground.colour).max() > 5


@pytest.mark.parametrize("gsd_m", [0.2, 0.6, 1.2])
def test_a_setting_is_whole_and_names_every_parcel(backgrounds: Backgrounds, gsd_m: float) -> None:
    for seed in range(6):
        setting = draw_setting(
            backgrounds, GroundConfig(), BuiltConfig(), (110, 90), gsd_m, np.random.default_rng(seed)
        )
        ground = setting.ground
        assert ground.shape == (110, 90) and ground.colour.dtype == ground.height_m.dtype == np.float32
        assert np.isfinite(ground.colour).all() and ground.colour.min() >= 0 and ground.colour.max() <= 255
        assert ground.colour.mean() > 25
        assert set(np.unique(setting.parcel_of)) == {p.label for p in setting.parcels}


@pytest.mark.parametrize(("share", "real"), [(0.0, 0.0), (0.9, 1.0)])
def test_the_share_of_real_ground_is_what_was_asked(backgrounds: Backgrounds, share: float, real: float) -> None:
    config = GroundConfig(real_share=share, arid_weight=0, snow_weight=0, parcel_width_m=(30, 50))
    places = [
        bool(parcel.place)
        for seed in range(25)
        for parcel in draw_setting(backgrounds, config, UNBUILT, (90, 90), 0.3, np.random.default_rng(seed)).parcels
    ]
    assert np.mean(places) == pytest.approx(real, abs=0.12)


def test_without_tiles_all_ground_is_synthetic_and_a_landscape_can_be_left_out() -> None:
    config = GroundConfig(farmland_weight=0, grassland_weight=0, arid_weight=0, wet_weight=0)
    for seed in range(4):
        setting = draw_setting(Backgrounds([]), config, UNBUILT, (60, 60), 0.6, np.random.default_rng(seed))
        assert {p.kind for p in setting.parcels} == {"snow"} and not any(p.place for p in setting.parcels)


def test_belts_stand_on_borders_and_can_be_turned_off() -> None:
    wooded = GroundConfig(belt_share=1, wood_share=0, orchard_share=0, parcel_width_m=(40, 60), arid_weight=0)

    def tree_share(config: GroundConfig, seed: int) -> float:
        setting = draw_setting(Backgrounds([]), config, UNBUILT, (150, 150), 0.6, np.random.default_rng(seed))
        return float((setting.ground.material == Material.TREE).mean())

    bare = wooded.model_copy(update={"belt_share": 0.0})
    assert min(tree_share(wooded, seed) for seed in range(4)) > 0.02
    assert max(tree_share(bare, seed) for seed in range(4)) == 0


def test_places_of_a_folder_stay_on_one_side_of_the_split(tmp_path: Path) -> None:
    for place in range(40):
        for number in range(3):
            write_image(tmp_path / f"site{place}" / f"tile_{number}.png", 3 * place + number)
    train, validate = (list_folder(tmp_path, split, 0.5) for split in ("train", "validate"))
    assert not {t.place for t in train} & {t.place for t in validate}
    assert len(train) + len(validate) == 120 and 0 < len(validate) < 45
    assert {t.gsd_m for t in train} == {0.5}
    assert list_folder(tmp_path, "train", 0.5) == train


def test_a_folder_refuses_what_it_cannot_place(tmp_path: Path, make_tiff: Callable[..., Path]) -> None:
    with pytest.raises(ImageError, match=str(tmp_path / "none")):
        list_folder(tmp_path / "none", "train", 0.5)
    make_tiff(name="placed.tif")
    both = [t for split in ("train", "validate") for t in list_folder(tmp_path, split)]
    assert [t.gsd_m for t in both] == [pytest.approx(0.5, rel=0.01)]
    write_image(tmp_path / "bare.png")
    with pytest.raises(ImageError, match=r"bare\.png.*--gsd"):
        list_folder(tmp_path, "train")
        list_folder(tmp_path, "validate")


def test_a_tile_too_small_is_joined_without_mirrors(tmp_path: Path) -> None:
    tiles = [Tile(write_image(tmp_path / f"a{k}.png", k), 0.6, 1.0, "agricultural", "a") for k in range(4)]
    ground = tile_ground(Backgrounds(tiles), tiles[0], (150, 170), 0.6, np.random.default_rng(1))
    assert ground.shape == (150, 170)
    grey = ground.colour.mean(axis=-1)
    grey = grey - grey.mean()
    for axis in (0, 1):
        for line in range(30, 120, 3):
            near = np.moveaxis(grey, axis, 0)
            one, two = near[line - 20 : line][::-1].ravel(), near[line : line + 20].ravel()
            assert abs(np.corrcoef(one, two)[0, 1]) < 0.35


@pytest.mark.parametrize(
    ("colour", "kind", "material"),
    [
        ((80, 110, 70), "agricultural", Material.CROP),
        ((80, 110, 70), "golfcourse", Material.GRASS),
        ((120, 100, 80), "agricultural", Material.SOIL),
        ((120, 100, 80), "", Material.SOIL),
        ((130, 130, 130), "runway", Material.CONCRETE),
        ((110, 112, 112), "freeway", Material.ASPHALT),
        ((40, 70, 90), "river", Material.WATER),
        ((30, 45, 28), "forest", Material.TREE),
    ],
)
def test_material_follows_colour_and_class(colour: tuple[int, int, int], kind: str, material: Material) -> None:
    image = np.full((20, 24, 3), colour, np.float32)
    assert (guess_material(image, kind, 0.5) == material).all()
