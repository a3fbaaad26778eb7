"""A model run over the scenes of a data set as a whole run does, for what it finds, its masks and its registration."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import rasterio

from cv_pipeline.conclusions import matched
from cv_pipeline.config import AssessConfig
from cv_pipeline.datasets.scene import DataScene, RasterBand
from cv_pipeline.evaluation.found import Found
from cv_pipeline.frame import local_frame
from cv_pipeline.imagery.source import has_crs
from cv_pipeline.matching.nearest import index_structures
from cv_pipeline.patterns.extract import extract_impacts
from cv_pipeline.patterns.weights_file import read_pattern_weights
from cv_pipeline.pipeline import Prepared, prepare, segment_prepared
from cv_pipeline.registration.bent import shift_at
from cv_pipeline.registration.similarity import apply, invert
from cv_pipeline.segmentation.raster import read_channels
from cv_pipeline.simulation.alignment import Misalignment, displacement_px
from cv_pipeline.simulation.pair import MARGIN_PX
from cv_pipeline.types import (
    Channel,
    Float64Array,
    Gate,
    Impact,
    Match,
    PatternKind,
    Registration,
    Segmentation,
    Window,
)

LOW_THRESHOLD = 0.02
"""AP and calibration need the tail of weak detections, far below a useful threshold."""

MASK_THRESHOLD = 0.5
_MASKS = (Channel.CRATER, Channel.BLAST)
_NODES, _EDGE_PX = 12, 20


class Run(NamedTuple):
    """What a model found in one scene; ``masks`` by class on the after image's grid."""

    found: Found
    masks: Mapping[str, RasterBand]
    registration_error_px: float | None


def run_model(
    scenes: Sequence[DataScene], config: AssessConfig, masks_dir: Path, *, use_before: bool = True
) -> Iterator[tuple[DataScene, Run]]:
    """Run a model over scenes, one after another.

    Args:
        scenes: with their images.
        config: as for a run; its ``gsd_m`` and threshold are replaced.
        masks_dir: folder for one raster of masks a scene.
        use_before: whether the before image is given to it, where there is one.

    Raises:
        CvPipelineError: an image or the model cannot be used.
    """
    masks_dir.mkdir(parents=True, exist_ok=True)
    for scene in scenes:
        yield scene, _run(scene, config, masks_dir / f"{scene.name}.tif", use_before=use_before)


def _run(scene: DataScene, config: AssessConfig, masks: Path, *, use_before: bool) -> Run:
    gsd_m = None if has_crs(scene.after) else scene.gsd_m
    before = scene.before if use_before else None
    prepared = prepare(before, scene.after, scene.structures, config.model_copy(update={"gsd_m": gsd_m}))
    source, grid = prepared.aligned.pair.after, prepared.aligned.pair.after.grid
    frame, registration = local_frame(grid), prepared.aligned.registration
    with tempfile.TemporaryDirectory() as folder:
        segmentation = segment_prepared(prepared, Path(folder) / "maps.tif")
        weights, _ = read_pattern_weights(prepared.model_dir, prepared.model.weights_sha256)
        impacts = extract_impacts(
            segmentation, frame, grid, score_threshold=LOW_THRESHOLD, images=prepared.aligned, weights=weights
        )
        _write_masks(masks, segmentation, source.path)
    index = index_structures(prepared.given.structures)
    matches = matched(impacts, index, frame, registration, config, None) if index.structures else ()
    error = None if before is None else registration_error_px(scene, registration, (grid.height, grid.width))
    bands = {str(channel): RasterBand(masks, number) for number, channel in enumerate(_MASKS, start=1)}
    return Run(found_of(impacts, matches, prepared), bands, error)


def found_of(impacts: Sequence[Impact], matches: Sequence[Match], prepared: Prepared) -> Found:
    """Impacts in the form of any tool's detections. Azimuths are from true north; a scene's truth must be too."""
    distance = {match.impact_id: match for match in matches}
    near = [distance.get(impact.impact_id) for impact in impacts]
    numbers: dict[str, list[float | None]] = {
        "centre_sd_m": [i.centre_sd_m for i in impacts],
        "crater_radius_m": [i.crater_radius_m for i in impacts],
        "crater_radius_sd_m": [i.crater_radius_sd_m for i in impacts],
        "crater_semi_major_m": [i.crater_major_m for i in impacts],
        "crater_semi_minor_m": [i.crater_minor_m for i in impacts],
        "crater_axis_deg": [i.crater_azimuth_deg for i in impacts],
        "blast_radius_m": [None if i.pattern is PatternKind.NONE else i.blast_radius_m for i in impacts],
        "direction_deg": [i.direction_deg for i in impacts],
        "direction_sd_deg": [i.direction_sd_deg for i in impacts],
        "distance_edge_m": [None if m is None else m.distance_edge_m for m in near],
        "distance_sd_m": [None if m is None else m.distance_sd_m for m in near],
    }
    texts = {
        "status": np.array([str(i.status) for i in impacts], dtype="U40"),
        "structure_id": np.array([(m.structure_id or "") if m else "" for m in near], dtype="U40"),
    }
    if not prepared.given.structures:
        del numbers["distance_edge_m"], numbers["distance_sd_m"], texts["structure_id"]
    return Found(
        np.array([(i.row_px, i.col_px) for i in impacts], np.float64).reshape(-1, 2),
        np.array([i.score for i in impacts], np.float64),
        {name: np.array([np.nan if v is None else v for v in values], np.float64) for name, values in numbers.items()},
        texts,
    )


def _write_masks(path: Path, segmentation: Segmentation, after: Path) -> None:
    """The network's masks at one half, brought from the working grid onto the after image's."""
    from rasterio.warp import Resampling, reproject

    grid = segmentation.grid
    maps, _ = read_channels(segmentation, Window(0, 0, grid.height, grid.width), _MASKS)
    with rasterio.open(after) as file:
        profile = {"height": file.height, "width": file.width, "crs": file.crs, "transform": file.transform}
    with rasterio.open(path, "w", driver="GTiff", count=2, dtype="uint8", compress="deflate", **profile) as out:
        for number, channel in enumerate(_MASKS, start=1):
            fine = np.zeros((profile["height"], profile["width"]), np.float32)
            reproject(
                maps[channel], fine, src_transform=grid.transform, src_crs=grid.crs,
                dst_transform=profile["transform"], dst_crs=profile["crs"], resampling=Resampling.bilinear,
            )  # fmt: skip
            out.write((fine >= MASK_THRESHOLD).astype(np.uint8), number)


def registration_error_px(scene: DataScene, registration: Registration | None, shape: tuple[int, int]) -> float | None:
    """Median distance over the scene between where ground is said to lie and where it lies, px of the after image.

    None where the true shift is not known. A registration that was refused leaves the dates as they are.
    """
    if "shift_row_px" not in scene.facts or registration is None:
        return None
    facts = scene.facts
    true = Misalignment(
        (facts["shift_row_px"], facts["shift_col_px"]), facts["rotation_deg"], facts["scale"], facts["relief_px"],
        facts["relief_wavelength_px"], int(facts["relief_seed"]),
    )  # fmt: skip
    drawn = (shape[0] + 2 * MARGIN_PX, shape[1] + 2 * MARGIN_PX)
    down, right = displacement_px(true, drawn)[:, MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]
    rows, cols = (np.linspace(_EDGE_PX, side - _EDGE_PX - 1, _NODES).astype(int) for side in shape)
    row, col = (axis.ravel() for axis in np.meshgrid(rows, cols, indexing="ij"))
    ground: Float64Array = np.column_stack([col + 0.5, row + 0.5]).astype(np.float64)
    shown = ground + np.column_stack([right[row, col], down[row, col]])
    if registration.gate is Gate.FAIL:
        return float(np.median(np.hypot(*(shown - ground).T)))
    bent = np.zeros_like(ground) if registration.local is None else shift_at(registration.local, ground)
    return float(np.median(np.hypot(*(apply(invert(registration.matrix), ground - bent) - shown).T)))
