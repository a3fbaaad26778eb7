"""Blast patterns of real scenes without truth: counts, and figures to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cv_pipeline.config import AssessConfig
from cv_pipeline.evaluation.labelled import LabelledScene
from cv_pipeline.frame import local_frame
from cv_pipeline.imagery.pair import open_pair
from cv_pipeline.imagery.view import GridView
from cv_pipeline.patterns.extract import extract_impacts
from cv_pipeline.patterns.weights import PatternWeights
from cv_pipeline.registration.register import register
from cv_pipeline.report.explain import north_up
from cv_pipeline.report.why import half_width_m, why_svg
from cv_pipeline.segmentation.predict import segment
from cv_pipeline.types import Grid, Impact, ModelInfo, PatternKind, UInt8Array, Window

if TYPE_CHECKING:
    from cv_pipeline.segmentation.backend import Backend


def scene_impacts(
    scene: LabelledScene, backend: Backend, model: ModelInfo, weights: PatternWeights, folder: Path, figures: int
) -> tuple[Impact, ...]:
    """Impacts of one scene, after image only, as a whole run finds them.

    The why-figures of the ``figures`` likeliest directions and of as many best-scored patterns without one are written
    to ``folder``, with the maps (``maps.tif``).

    Raises:
        CvPipelineError: the image cannot be used.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pair = open_pair(None, scene.image, AssessConfig(gsd_m=scene.gsd_m))
    aligned = register(pair, model.working_gsd_m)
    segmentation = segment(aligned, backend, model, folder / "maps.tif")
    frame = local_frame(pair.after.grid)
    impacts = extract_impacts(
        segmentation, frame, pair.after.grid, score_threshold=model.score_threshold, images=aligned, weights=weights
    )

    def read(_: str, grid: Grid) -> UInt8Array:
        with GridView(pair.after, grid) as view:
            return view.read(Window(0, 0, grid.height, grid.width))[0]

    for impact in _chosen(impacts, figures):
        half_m = half_width_m(impact)
        figure = why_svg(impact, north_up(impact, half_m, frame, read), half_m)
        kind = "directed" if impact.direction_deg is not None else "other"
        (folder / f"{kind}_{impact.impact_id}.svg").write_text(figure, encoding="utf-8")
    return impacts


def _chosen(impacts: Sequence[Impact], figures: int) -> list[Impact]:
    shown = [i for i in impacts if i.evidence is not None]
    directed = sorted(
        (i for i in shown if i.direction_deg is not None), key=lambda i: -(i.directional_probability or 0)
    )
    others = [i for i in shown if i.direction_deg is None]
    return directed[:figures] + others[:figures]


def summary_line(name: str, impacts: Sequence[Impact]) -> str:
    """Counts of one scene: impacts, patterns by kind, directions given, and how far those agree.

    ``R`` is the resultant length of the directions given, 1 where all point one way; it is no accuracy.
    """
    kinds = Counter(i.pattern for i in impacts)
    told = np.deg2rad([i.direction_deg for i in impacts if i.direction_deg is not None])
    resultant = f"{abs(np.exp(1j * told).mean()):.2f}" if len(told) else "-"
    radii = [i.blast_radius_m for i in impacts if i.blast_radius_m is not None]
    middle = f"{np.median(radii):.1f}" if radii else "-"
    counts = " ".join(f"{kind.value} {kinds[kind]}" for kind in PatternKind)
    return f"{name}: impacts {len(impacts)}; {counts}; blast radius {middle} m; directions {len(told)}, R {resultant}"
