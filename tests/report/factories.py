"""Factories of made-up assessments: CRS x number of impacts x structures x before x registration gate."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import rasterio
import shapely
from affine import Affine
from rasterio.crs import CRS

from cv_pipeline.frame import LocalFrame, local_frame
from cv_pipeline.types import (
    AccuracySummary,
    Assessment,
    Channel,
    Gate,
    Grid,
    Hypothesis,
    ImageSource,
    Impact,
    Interval,
    Match,
    ModelInfo,
    NullModel,
    PatternKind,
    Registration,
    ScenePair,
    Segmentation,
    Status,
    Structure,
    StructureKind,
)

HEIGHT, WIDTH, GSD_M = 300, 400, 0.5
LON, LAT = 32.58, 0.33
SHIFT_ROW, SHIFT_COL = -1, 2


def make_grid(crs: str | None, height: int = HEIGHT, width: int = WIDTH) -> Grid:
    if crs is None:
        return Grid(height, width, Affine(GSD_M, 0, 0, 0, -GSD_M, 0), None, GSD_M)
    if crs == "EPSG:4326":
        step = GSD_M / 111_320
        return Grid(height, width, Affine(step, 0, LON, 0, -step, LAT), CRS.from_string(crs), GSD_M)
    from pyproj import Transformer

    x, y = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(LON, LAT)
    return Grid(height, width, Affine(GSD_M, 0, x, 0, -GSD_M, y), CRS.from_string(crs), GSD_M)


def make_impact(index: int, frame: LocalFrame, rng: np.random.Generator) -> Impact:
    row, col = rng.uniform(40, frame.grid.height - 40), rng.uniform(40, frame.grid.width - 40)
    x_m, y_m = (float(v) for v in frame.pixel_to_metres(np.array([row]), np.array([col]))[0])
    lon, lat = frame.to_lonlat(np.array([[x_m, y_m]]))[0] if frame.is_georeferenced else (None, None)
    has_blast, cone = index % 4 != 3, index % 4 == 1
    blast = 7.0 + index % 3
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    radii = blast * (1 + 0.15 * np.sin(3 * angles))
    outline = np.column_stack([x_m + radii * np.cos(angles), y_m + radii * np.sin(angles)])
    return Impact(
        impact_id=f"I{index + 1:03d}",
        row_px=float(row),
        col_px=float(col),
        x_m=x_m,
        y_m=y_m,
        lon_deg=None if lon is None else float(lon),
        lat_deg=None if lat is None else float(lat),
        score=float(0.95 - 0.5 * rng.random()),
        status=(Status.NEW, Status.NEW, Status.OLD, Status.UNKNOWN)[index % 4],
        status_probability=0.9,
        centre_sd_m=0.3,
        crater_radius_m=2.5 + 0.1 * (index % 5),
        crater_radius_sd_m=0.2,
        blast_radius_m=blast if has_blast else None,
        secondary_radius_m=12.0 if index % 5 == 0 else None,
        pattern=PatternKind.CONE if cone else PatternKind.CIRCLE if has_blast else PatternKind.NONE,
        direction_deg=123.45 if cone else None,
        direction_sd_deg=8.0 if cone else None,
        outline_m=outline if has_blast else np.zeros((0, 2)),
    )


def make_structures(frame: LocalFrame, count: int) -> tuple[Structure, ...]:
    rng = np.random.default_rng(5)
    found = []
    for index in range(count):
        row, col = rng.uniform(20, frame.grid.height - 20), rng.uniform(20, frame.grid.width - 20)
        x, y = frame.pixel_to_metres(np.array([row]), np.array([col]))[0]
        box = shapely.box(x - 8, y - 5, x + 8, y + 5)
        found.append(
            Structure(f"S{index + 1}", StructureKind.BUILDING, box, "<b>Mill & Co</b>" if index == 0 else None)
        )
    return tuple(found)


def make_match(impact: Impact, structures: tuple[Structure, ...]) -> Match:
    if not structures:
        return Match(impact.impact_id)
    point = shapely.Point(impact.x_m, impact.y_m)
    ranked = sorted(structures, key=lambda s: s.geometry_m.distance(point))
    first, second = ranked[0], ranked[min(1, len(ranked) - 1)]
    edge, centre = first.geometry_m.distance(point), first.geometry_m.centroid.distance(point)
    return Match(
        impact.impact_id,
        first.structure_id,
        first.kind,
        edge,
        centre,
        0.6,
        second.structure_id if len(ranked) > 1 else None,
        second.geometry_m.distance(point) if len(ranked) > 1 else None,
        0.25,
        (
            Hypothesis("structure_centre", first.structure_id, centre, 0.6, 0.7),
            Hypothesis("structure_centre", second.structure_id, second.geometry_m.centroid.distance(point), 0.6, 0.3),
        ),
    )


def make_accuracy(distances: list[float]) -> AccuracySummary:
    n, d = len(distances), np.array(distances)
    return AccuracySummary(
        hypothesis="nearest structure's centre",
        n=n,
        mean_m=float(d.mean()) if n else None,
        sd_sample_m=float(d.std(ddof=1)) if n > 1 else None,
        sd_population_m=float(d.std()) if n else None,
        median_m=float(np.median(d)) if n else None,
        quantiles_m={"0.25": float(np.quantile(d, 0.25))} if n else {},
        intervals_m={"mean_m": Interval(d.mean() * 0.8, d.mean() * 1.2), "median_m": Interval(d.min(), d.max())}
        if n > 1
        else {},
        confidence=0.95,
        mean_crater_radius_m=2.6 if n else None,
        mean_blast_radius_m=float("nan") if n else None,
        null_model=NullModel(1000, 31.0, 29.0, Interval(24.0, 39.0), 0.013) if n else None,
        statement="",
    )


def make_registration(gate: Gate) -> Registration:
    matrix = np.array([[1.0, 0.0, SHIFT_COL], [0.0, 1.0, SHIFT_ROW]])
    return Registration(matrix, 1.68, 0.01, 1.0001, 0.4, 0.2, 0.2, 40, 33 if gate is Gate.PASS else 4, gate, "Made up.")


def make_assessment(
    folder: Path,
    *,
    crs: str | None = "EPSG:32636",
    impacts: int = 3,
    structures: int = 5,
    before: bool = True,
    gate: Gate = Gate.PASS,
    grid: Grid | None = None,
) -> Assessment:
    """A consistent assessment whose files lie in ``folder``."""
    grid = grid or make_grid(crs)
    frame = local_frame(grid)
    rng = np.random.default_rng(3)
    found = tuple(make_impact(i, frame, rng) for i in range(impacts))
    footprints = make_structures(frame, structures)
    matches = tuple(make_match(impact, footprints) for impact in found)
    ground = _ground(grid, footprints, frame)
    struck = _strike(ground, found)
    pair = ScenePair(
        _image(folder / "after.tif", struck, grid),
        _image(folder / "before.tif", np.roll(ground, (-SHIFT_ROW, -SHIFT_COL), (0, 1)), grid) if before else None,
    )
    distances = [m.distance_centre_m for m in matches if m.distance_centre_m is not None]
    return Assessment(
        pair=pair,
        registration=make_registration(gate) if before else None,
        segmentation=_segmentation(folder / "segmentation.tif", grid, found, before),
        impacts=found,
        structures=footprints,
        matches=matches,
        accuracy=(make_accuracy(distances),) if structures else (),
        warnings=("Two impacts touch the image's edge.",) if impacts > 1 else (),
    )


def _ground(grid: Grid, structures: tuple[Structure, ...], frame: LocalFrame) -> np.ndarray:
    rng = np.random.default_rng(1)
    coarse = rng.normal(0, 14, (grid.height // 8 + 2, grid.width // 8 + 2)).repeat(8, 0).repeat(8, 1)
    noise = coarse[: grid.height, : grid.width] + rng.normal(0, 6, (grid.height, grid.width))
    rgb = np.array([150, 132, 104]) + noise[..., None]
    for structure in structures:
        corners = frame.metres_to_pixel(shapely.get_coordinates(structure.geometry_m))
        (top, left), (bottom, right) = (
            np.clip(corners.min(axis=0), 0, None).astype(int),
            corners.max(axis=0).astype(int),
        )
        rgb[top:bottom, left:right] = (196, 190, 184)
    return np.clip(rgb, 0, 255).astype(np.uint8)


def _strike(ground: np.ndarray, impacts: tuple[Impact, ...]) -> np.ndarray:
    rows, cols = np.mgrid[: ground.shape[0], : ground.shape[1]] + 0.5
    struck = ground.astype(np.float32)
    for impact in impacts:
        radius = np.hypot(rows - impact.row_px, cols - impact.col_px) * GSD_M
        blast = impact.blast_radius_m or 0.1
        struck *= 1 - 0.45 * np.exp(-((radius / blast) ** 4))[..., None]
        struck *= 1 - 0.6 * (radius < impact.crater_radius_m)[..., None]
    return struck.astype(np.uint8)


def _image(path: Path, rgb: np.ndarray, grid: Grid) -> ImageSource:
    with rasterio.open(
        path, "w", "GTiff", grid.width, grid.height, 3, grid.crs, grid.transform, "uint8", photometric="RGB"
    ) as file:
        file.write(np.moveaxis(rgb, -1, 0))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return ImageSource(path, grid, (1, 2, 3), "uint8", None, (0.0,) * 3, (255.0,) * 3, sha256)


def _segmentation(path: Path, grid: Grid, impacts: tuple[Impact, ...], has_before: bool) -> Segmentation:
    from cv_pipeline.segmentation.raster import SegmentationWriter
    from cv_pipeline.types import Window

    rows, cols = np.mgrid[: grid.height, : grid.width] + 0.5
    values = {channel: np.zeros((grid.height, grid.width), np.float32) for channel in Channel}
    for impact in impacts:
        radius = np.hypot(rows - impact.row_px, cols - impact.col_px) * GSD_M
        values[Channel.CRATER][radius < impact.crater_radius_m] = 0.9
        values[Channel.BLAST][radius < (impact.blast_radius_m or 0.0)] = 0.8
    valid = np.ones((grid.height, grid.width), bool)
    valid[:, -10:] = False
    with SegmentationWriter.create(path, grid) as writer:
        writer.write(Window(0, 0, grid.height, grid.width), values, valid)
    model = ModelInfo("small", "ab" * 32, grid.gsd_m, 0.2, 1.0, 0.4)
    return Segmentation(path, grid, model, has_before, float(valid.mean()))
