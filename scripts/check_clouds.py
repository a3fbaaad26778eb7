"""How well the cloud mask finds simulated clouds, and how much clear ground it masks.

    python scripts/check_clouds.py                      simulated, held-out places
    python scripts/check_clouds.py --images FILES...    real clear images: share masked, and pictures with --out

Simulated scenes are 960 m a side at 1 m, with thick cloud, thin cloud, haze, snow or nothing, in turn. The truth is
where a cloud hides more than 0.6 of the ground's light; what lies within one cell (16 m) of it counts as neither.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import rasterio

from cv_pipeline.imagery.clouds import find_obscured
from cv_pipeline.imagery.source import has_crs, open_source
from cv_pipeline.imagery.view import GridView, overview
from cv_pipeline.simulation.acquisition import draw_acquisitions, take
from cv_pipeline.simulation.background import Backgrounds, list_tiles
from cv_pipeline.simulation.config import SimulationConfig, stream
from cv_pipeline.simulation.setting import draw_setting
from cv_pipeline.simulation.weather import CLEAR, Weather
from cv_pipeline.types import BoolArray, ImageSource, UInt8Array, Window

KINDS = ("thick", "clear", "thin", "haze", "snow")
GSD_M, SIDE_PX, CELL_PX = 1.0, 960, 16


def weather(kind: str, rng: np.random.Generator) -> Weather:
    cover, seed = float(rng.uniform(0.1, 0.5)), int(rng.integers(2**31))
    if kind == "thick":
        return Weather(0.0, 0.0, cover, float(rng.uniform(0.85, 1.0)), float(rng.uniform(500, 2000)), (), seed)
    if kind == "thin":
        return Weather(0.0, 0.0, cover, float(rng.uniform(0.12, 0.5)), 800.0, (), seed)
    if kind == "haze":
        return Weather(float(rng.uniform(0.1, 0.35)), 0.6, 0.0, 0.0, 1.0, (), seed)
    return CLEAR


def scene(backgrounds: Backgrounds, number: int, seed: int) -> tuple[str, UInt8Array, BoolArray]:
    kind, config = KINDS[number % len(KINDS)], SimulationConfig()
    if kind == "snow":
        config = config.model_copy(update={"ground": config.ground.model_copy(update={"snow_weight": 1e6})})
    key = (seed, number)
    ground = draw_setting(
        backgrounds, config.ground, config.built, (SIDE_PX, SIDE_PX), GSD_M, stream(key, "setting")
    ).ground
    acquisition = draw_acquisitions(key, GSD_M, config)[1]
    return kind, *take(ground, replace(acquisition, weather=weather(kind, stream(key, "clouds"))))


def masked(source: ImageSource) -> BoolArray:
    with GridView(replace(source, obscured=find_obscured(source)), source.grid) as view:
        return ~view.read(Window(0, 0, source.grid.height, source.grid.width))[1]


def simulated(data: Path, split: str, scenes: int, seed: int) -> None:
    backgrounds = Backgrounds(list_tiles(data, split))
    counts = {kind: np.zeros(4) for kind in KINDS}
    worst = dict.fromkeys(KINDS, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(scenes):
            kind, image, hidden = scene(backgrounds, number, seed)
            path = Path(folder) / "scene.tif"
            with rasterio.open(
                path, "w", driver="GTiff", count=3, height=SIDE_PX, width=SIDE_PX, dtype="uint8"
            ) as file:
                file.write(np.moveaxis(image, -1, 0))
            found = masked(open_source(path, gsd_m=GSD_M))
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
    args = parser.parse_args()
    if args.images:
        real(args.images, args.gsd, args.out)
    else:
        simulated(args.data, args.split, args.scenes, args.seed)


if __name__ == "__main__":
    main()
