"""Real ground without craters: whatever is reported there is a false alarm.

- ``joplin``: a town before and after a tornado, real pairs of other sensor, season and sun, with massive change.
- ``ucmerced``: tiles of 21 classes of land use. Every class is in training too, but from other blocks of tiles.
- ``kampala``: the block that no model here is trained on. Small.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import rasterio
from pyproj import Geod
from rasterio.merge import merge
from rasterio.warp import transform_bounds
from scipy.stats import chi2

from cv_pipeline.errors import ImageError
from cv_pipeline.imagery.source import open_source
from cv_pipeline.simulation.background import UCMERCED_GSD_M, list_tiles, read_rgb
from cv_pipeline.simulation.mosaic import TileBlock, covered_grid, read_block, warp_block
from cv_pipeline.types import Impact, Interval, Window

KAMPALA_BLOCK = TileBlock(zoom=21, first_x=1238448, last_x=1238459, first_y=1046528, last_y=1046535)
COLUMNS, MIRRORED_PX = 5, 64
"""Of a sheet of tiles; some 20 m are mirrored, as far as the local mean of the network's input reaches."""

TRIMMED_PX = 28
"""Some 8 m at each edge of a tile do not count: whatever is dark there becomes round by being mirrored."""

KAMPALA_CRS, KAMPALA_GSD_M = "EPSG:32636", 0.25

LAND = {
    "open": ("agricultural", "beach", "chaparral", "forest", "golfcourse", "river", "baseballdiamond"),
    "pavement": ("airplane", "freeway", "intersection", "overpass", "parkinglot", "runway", "tenniscourt"),
    "built": (
        "buildings", "denseresidential", "harbor", "mediumresidential", "mobilehomepark", "sparseresidential",
        "storagetanks",
    ),
}  # fmt: skip
"""UC Merced's classes in three kinds of ground."""


class FreeScene(NamedTuple):
    """An image file of ground without craters; ``kind`` is its class of background. ``gsd_m`` where it has no CRS.

    With a before image only the ground that both show counts: ``bounds``, (left, bottom, right, top) in degrees. A
    sheet of tiles counts only within the tiles: ``cells``, as windows in its pixels.
    """

    kind: str
    name: str
    after: Path
    before: Path | None = None
    gsd_m: float | None = None
    bounds: tuple[float, float, float, float] | None = None
    cells: tuple[Window, ...] = ()

    def counts(self, impact: Impact) -> bool:
        """Whether an impact lies on ground that counts."""
        if self.cells:
            return any(
                0 <= impact.row_px - c.row < c.height and 0 <= impact.col_px - c.col < c.width for c in self.cells
            )
        if self.bounds is None or impact.lon_deg is None or impact.lat_deg is None:
            return self.bounds is None
        left, bottom, right, top = self.bounds
        return left <= impact.lon_deg <= right and bottom <= impact.lat_deg <= top


def crater_free_scenes(data_root: Path, scratch: Path) -> Iterator[FreeScene]:
    """All scenes of a data folder, after-only and, where there is a before image, as pairs too.

    Args:
        data_root: folder with ``joplin``, ``ucmerced`` and ``kampala``.
        scratch: folder for mosaics.

    Raises:
        ImageError: one of the three is missing.
    """
    pre, post = (sorted((data_root / "joplin" / date).glob("*.tif")) for date in ("pre", "post"))
    if not pre or not post:
        raise ImageError(f"{data_root}/joplin: no pre/*.tif or post/*.tif; give the data folder with --data")
    yield from (FreeScene("town before the tornado", path.stem, path) for path in pre)
    yield from (FreeScene("town after the tornado", path.stem, path) for path in post)
    mosaic = scratch / "joplin_before.tif"
    merge([str(path) for path in pre], dst_path=mosaic)
    for path in post:
        shared = _shared_bounds(path, mosaic)
        if shared is not None:
            yield FreeScene("town after the tornado, with before", path.stem, path, mosaic, None, shared)
    tiles = list_tiles(data_root, "validate")
    for kind in sorted({tile.kind for tile in tiles}):
        yield _sheet(kind, [tile.path for tile in tiles if tile.kind == kind], scratch)
    yield FreeScene("Kampala, built up", "kampala", _kampala(data_root / "kampala", scratch))


def _sheet(kind: str, paths: Sequence[Path], scratch: Path) -> FreeScene:
    """Tiles of a class on one sheet, each mirrored beyond its edges, so that no other tile is its surroundings."""
    pictures = [read_rgb(path) for path in paths]
    padded = [np.pad(p, ((MIRRORED_PX,) * 2, (MIRRORED_PX,) * 2, (0, 0)), mode="symmetric") for p in pictures]
    height, width = (max(p.shape[axis] for p in padded) for axis in (0, 1))
    sheet = np.zeros((height * -(-len(padded) // COLUMNS), width * COLUMNS, 3), np.uint8)
    cells = []
    for number, (picture, wide) in enumerate(zip(pictures, padded, strict=True)):
        row, col = number // COLUMNS * height, number % COLUMNS * width
        sheet[row : row + wide.shape[0], col : col + wide.shape[1]] = wide
        inner = MIRRORED_PX + TRIMMED_PX
        cells.append(Window(row + inner, col + inner, *(side - 2 * TRIMMED_PX for side in picture.shape[:2])))
    path = scratch / f"{kind}.png"
    cv2.imwrite(str(path), sheet[..., ::-1])
    return FreeScene(kind, kind, path, None, UCMERCED_GSD_M, None, tuple(cells))


def _kampala(folder: Path, scratch: Path) -> Path:
    grid = covered_grid(KAMPALA_BLOCK, KAMPALA_CRS, KAMPALA_GSD_M)
    rgb = warp_block(read_block(folder, KAMPALA_BLOCK), KAMPALA_BLOCK, grid)
    path = scratch / "kampala.tif"
    profile = {"driver": "GTiff", "count": 3, "dtype": "uint8", "photometric": "RGB"}
    place = {"height": grid.height, "width": grid.width, "transform": grid.transform, "crs": grid.crs}
    with rasterio.open(path, "w", **profile, **place) as target:
        target.write(np.rint(rgb).astype(np.uint8).transpose(2, 0, 1))
    return path


def _shared_bounds(after: Path, before: Path) -> tuple[float, float, float, float] | None:
    """What both images show, in degrees; None where nothing."""
    corners = []
    for path in (after, before):
        with rasterio.open(path) as source:
            corners.append(transform_bounds(source.crs, "EPSG:4326", *source.bounds))
    (l0, b0, r0, t0), (l1, b1, r1, t1) = corners
    shared = max(l0, l1), max(b0, b1), min(r0, r1), min(t0, t1)
    return shared if shared[0] < shared[2] and shared[1] < shared[3] else None


def area_km2(scene: FreeScene) -> float:
    """Ground that counts."""
    if scene.cells and scene.gsd_m is not None:
        return sum(cell.height * cell.width for cell in scene.cells) * scene.gsd_m**2 / 1e6
    if scene.bounds is None:
        grid = open_source(scene.after).grid
        return grid.width * grid.height * grid.gsd_m**2 / 1e6
    left, bottom, right, top = scene.bounds
    lons, lats = [left, right, right, left], [bottom, bottom, top, top]
    return abs(float(Geod(ellps="WGS84").polygon_area_perimeter(lons, lats)[0])) / 1e6


def poisson_interval(count: int, confidence: float = 0.95) -> Interval:
    """Exact interval of a Poisson mean of which ``count`` was seen (Garwood 1936, doi:10.1093/biomet/28.3-4.437)."""
    tail = (1 - confidence) / 2
    low = 0.0 if count == 0 else float(chi2.ppf(tail, 2 * count) / 2)
    return Interval(low, float(chi2.ppf(1 - tail, 2 * count + 2) / 2))
