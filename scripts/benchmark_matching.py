"""How fast nearest structures are found, beside ``geopandas.sjoin_nearest`` in the same run.

    python scripts/benchmark_matching.py --count 10000

Both get the same points and footprints, build their own index, and take turns; the least of several
times counts. ``nearest`` finds the nearest and the second nearest by edge and the nearest by centre,
``sjoin_nearest`` the nearest by edge alone. The distances of both are compared before the ratio is printed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import geopandas as gpd
import numpy as np
import shapely

from cv_pipeline.matching import index_structures, nearest
from cv_pipeline.types import Structure, StructureKind

SPACING_M = 50.0


def footprints(count: int, corners: int, rng: np.random.Generator) -> list[shapely.Geometry]:
    """Irregular turned footprints of 8 to 25 m with so many corners, one to a 50 m square on average."""
    centres = rng.uniform(0, SPACING_M * np.sqrt(count), (count, 1, 2))
    angles = np.sort(rng.uniform(0, 2 * np.pi, (count, corners)), axis=1)
    radii = rng.uniform(4, 12.5, (count, corners))
    rings = centres + radii[..., None] * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    return [shape.buffer(0) if not shape.is_valid else shape for shape in shapely.polygons(rings)]


def least_s(tasks: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """The least time of each task, taking turns so that a busy machine hits all alike."""
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(repeats):
        for name, task in tasks.items():
            start = time.perf_counter()
            task()
            times[name].append(time.perf_counter() - start)
    return {name: min(taken) for name, taken in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="impacts, and as many footprints")
    parser.add_argument("--corners", type=int, default=8, help="corners of a footprint")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    shapes = footprints(given.count, given.corners, rng)
    points = rng.uniform(0, SPACING_M * np.sqrt(given.count), (given.count, 2))
    structures = [Structure(str(k), StructureKind.BUILDING, shape) for k, shape in enumerate(shapes)]
    left = gpd.GeoDataFrame(geometry=shapely.points(points), crs=32638)
    right = gpd.GeoDataFrame(geometry=shapes, crs=32638)

    def ours() -> object:
        return nearest(points, index_structures(structures))

    def theirs() -> object:
        # A copy has no spatial index yet, as the structures have none on our side.
        return gpd.sjoin_nearest(left, right.copy(), distance_col="distance_m")

    joined = gpd.sjoin_nearest(left, right, distance_col="distance_m")
    their_m = joined.groupby(level=0)["distance_m"].first().to_numpy()
    our_m = nearest(points, index_structures(structures)).first_edge_m
    if not np.allclose(our_m, their_m, rtol=0, atol=1e-9):
        raise SystemExit("the two disagree on a distance")
    taken = least_s({"nearest": ours, "sjoin_nearest": theirs}, given.repeats)
    for name, seconds in taken.items():
        print(f"{name}: {seconds * 1000:.1f} ms for {given.count:,} x {given.count:,}")
    print(f"ratio sjoin_nearest / nearest: {taken['sjoin_nearest'] / taken['nearest']:.2f}")


if __name__ == "__main__":
    main()
