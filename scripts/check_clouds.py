"""How well the cloud mask finds simulated clouds, and how much clear ground it masks.

    python scripts/check_clouds.py                      simulated, held-out places
    python scripts/check_clouds.py --images FILES...    real clear images: share masked, and pictures with --out
    python scripts/check_clouds.py --claims small       what a model claims beside thick cloud, where there is no crater

Simulated scenes are 960 m a side at 1 m, with thick cloud, thick cloud over half or more of the scene, nothing, thin
cloud, haze or snow, in turn. The truth is where a cloud hides more than 0.6 of the ground's light; what lies within one
cell (16 m) of it counts as neither.
With ``--claims`` all scenes have thick cloud; each is looked at again without, to tell what the ground itself brings.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import rasterio
from scipy.ndimage import distance_transform_edt

from cv_pipeline import AssessConfig, Assessment, detect
from cv_pipeline.imagery.clouds import find_obscured
from cv_pipeline.imagery.source import has_crs, open_source
from cv_pipeline.imagery.view import GridView, overview
from cv_pipeline.simulation.acquisition import draw_acquisitions, take
from cv_pipeline.simulation.background import Backgrounds, list_tiles
from cv_pipeline.simulation.config import SimulationConfig, stream
from cv_pipeline.simulation.setting import draw_setting
from cv_pipeline.simulation.weather import CLEAR, Weather
from cv_pipeline.types import BoolArray, ImageSource, UInt8Array, Window

KINDS = ("thick", "half", "clear", "thin", "haze", "snow")
GSD_M, SIDE_PX, CELL_PX = 1.0, 960, 16
BANDS_M = (0.0, 0.5, 16.0, 32.0, 64.0, np.inf)
"""Of the distance to the nearest hidden ground; the first is hidden ground itself."""


def weather(kind: str, rng: np.random.Generator) -> Weather:
    cover, seed = float(rng.uniform(0.1, 0.5)), int(rng.integers(2**31))
    if kind == "half":
        cover = float(rng.uniform(0.5, 0.9))
    if kind in ("thick", "half"):
        return Weather(0.0, 0.0, cover, float(rng.uniform(0.85, 1.0)), float(rng.uniform(500, 2000)), (), seed)
    if kind == "thin":
        return Weather(0.0, 0.0, cover, float(rng.uniform(0.12, 0.5)), 800.0, (), seed)
    if kind == "haze":
        return Weather(float(rng.uniform(0.1, 0.35)), 0.6, 0.0, 0.0, 1.0, (), seed)
    return CLEAR


def scene(backgrounds: Backgrounds, kind: str, number: int, seed: int) -> tuple[UInt8Array, BoolArray]:
    config = SimulationConfig()
    if kind == "snow":
        config = config.model_copy(update={"ground": config.ground.model_copy(update={"snow_weight": 1e6})})
    key = (seed, number)
    ground = draw_setting(
        backgrounds, config.ground, config.built, (SIDE_PX, SIDE_PX), GSD_M, stream(key, "setting")
    ).ground
    acquisition = draw_acquisitions(key, GSD_M, config)[1]
    return take(ground, replace(acquisition, weather=weather(kind, stream(key, "clouds"))))


def write(path: Path, image: UInt8Array) -> None:
    with rasterio.open(path, "w", driver="GTiff", count=3, height=SIDE_PX, width=SIDE_PX, dtype="uint8") as file:
        file.write(np.moveaxis(image, -1, 0))


def masked(source: ImageSource) -> BoolArray:
    with GridView(replace(source, obscured=find_obscured(source)), source.grid) as view:
        return ~view.read(Window(0, 0, source.grid.height, source.grid.width))[1]


def simulated(data: Path, split: str, scenes: int, seed: int) -> None:
    backgrounds = Backgrounds(list_tiles(data, split))
    counts = {kind: np.zeros(4) for kind in KINDS}
    worst = dict.fromkeys(KINDS, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(scenes):
            kind = KINDS[number % len(KINDS)]
            image, hidden = scene(backgrounds, kind, number, seed)
            write(Path(folder) / "scene.tif", image)
            found = masked(open_source(Path(folder) / "scene.tif", gsd_m=GSD_M))
            near = cv2.dilate(hidden.astype(np.uint8), np.ones((2 * CELL_PX + 1,) * 2, np.uint8)) > 0
            counts[kind] += (hidden & found).sum(), hidden.sum(), (found & near).sum(), found.sum()
            worst[kind] = max(worst[kind], float((found & ~near).mean()))
            print(f"{number:3d} {kind:6s} truth {hidden.mean():.3f} masked {found.mean():.3f}", flush=True)
    for kind, (hit, truth, right, masked_px) in counts.items():
        number = len(range(KINDS.index(kind), scenes, len(KINDS)))
        recall = f"recall {hit / truth:.3f}" if truth else "no truth   "
        precision = f"precision {right / masked_px:.3f}" if masked_px else "nothing masked "
        false = (masked_px - right) / max(number * SIDE_PX**2, 1)
        print(f"{kind:6s} {number} scenes: {recall} {precision} falsely masked {false:.4f}, worst {worst[kind]:.4f}")


def claims(data: Path, split: str, scenes: int, seed: int, model: str) -> None:
    """All claims are false: the scenes have no crater. By distance from hidden ground, with and without the cloud."""
    backgrounds = Backgrounds(list_tiles(data, split))
    config = AssessConfig(model=model, gsd_m=GSD_M, threads=1)
    counted, clear_count, ground_px, left_px = (np.zeros(len(BANDS_M) - 1) for _ in range(4))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scene.tif"
        for number in range(scenes):
            clear, _ = scene(backgrounds, "clear", number, seed)
            image, hidden = scene(backgrounds, "thick", number, seed)
            away_m = np.asarray(distance_transform_edt(~hidden)) * GSD_M
            write(path, clear)
            clear_count += by_distance(detect(path, config), away_m)
            write(path, image)
            now = by_distance(detect(path, config), away_m)
            counted += now
            ground_px += np.histogram(away_m, BANDS_M)[0]
            left_px += np.histogram(away_m[~masked(open_source(path, gsd_m=GSD_M))], BANDS_M)[0]
            print(f"{number:3d} hidden {hidden.mean():.3f} claims by distance {now.astype(int).tolist()}", flush=True)
    for k, (low, high) in enumerate(pairwise(BANDS_M)):
        where = "hidden ground" if k == 0 else f"{low if k > 1 else 0:g} to {high:g} m off"
        print(
            f"{where:16s} {ground_px[k] * GSD_M**2 / 1e6:.3f} km2, masked {1 - left_px[k] / max(ground_px[k], 1):.3f}: "
            f"{counted[k]:.0f} claims, {clear_count[k]:.0f} without the cloud"
        )


def by_distance(found: Assessment, away_m: np.ndarray) -> np.ndarray:
    rows, cols = (np.array([int(getattr(i, name)) for i in found.impacts], int) for name in ("row_px", "col_px"))
    return np.histogram(away_m[rows, cols], BANDS_M)[0]


def real(files: list[Path], gsd_m: float, out: Path | None) -> None:
    for path in files:
        source = open_source(path, gsd_m=None if has_crs(path) else gsd_m)
        obscured = find_obscured(source)
        print(
            f"{path.name}: cloud {obscured.cloud_share:.4f} blank {obscured.blank_share:.4f} {obscured.note}",
            flush=True,
        )
        if out is not None:
            rgb, valid, _ = overview(replace(source, obscured=obscured), 800)
            rgb[~valid] = (255, 0, 255)
            cv2.imwrite(str(out / f"{path.stem}.png"), rgb[..., ::-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--split", default="validate")
    parser.add_argument("--scenes", type=int, default=25)
    parser.add_argument("--seed", type=int, default=777)
    parser.add_argument("--images", type=Path, nargs="*")
    parser.add_argument("--gsd", type=float, default=0.3)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--claims", metavar="MODEL")
    args = parser.parse_args()
    if args.images:
        real(args.images, args.gsd, args.out)
    elif args.claims:
        claims(args.data, args.split, args.scenes, args.seed, args.claims)
    else:
        simulated(args.data, args.split, args.scenes, args.seed)


if __name__ == "__main__":
    main()
