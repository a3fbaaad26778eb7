"""Figures of a result, in one style, as PNG and SVG: overview map, distances, histogram.

Sized for a page: the map is as wide as two columns (183 mm), the others as one (89 mm), text is 7 to 8 points there.
Colours are those of Okabe and Ito (https://jfly.uni-koeln.de/color), which people see apart who see colours otherwise;
lines differ in their dashes too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import compress
from operator import not_
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from cv_pipeline.accuracy.choices import less_likely, likely, match_choices
from cv_pipeline.accuracy.matched import EDGE, FIXED, LESS_LIKELY, LIKELY, MEASURES
from cv_pipeline.frame import LocalFrame, local_frame
from cv_pipeline.report.layers import links_layer, patterns_layer, structures_layer
from cv_pipeline.report.rows import matches_by_impact
from cv_pipeline.types import (
    AccuracySummary,
    Assessment,
    Float64Array,
    Grid,
    Hypothesis,
    Impact,
    Match,
    Status,
    Structure,
    UInt8Array,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from shapely.geometry.base import BaseGeometry

DPI = 300
TWO_COLUMNS_IN, ONE_COLUMN_IN = 7.2, 3.5
FORMATS = ("png", "svg")
MANY = 60
"""More impacts than this are dots alone: their circles would hide each other."""
_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 7.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 7,
    "legend.handlelength": 1.8,
    "legend.columnspacing": 1.2,
    "figure.facecolor": "white",
    "svg.hashsalt": "cv-pipeline",  # equal figures get equal identifiers, so equal bytes
    "svg.fonttype": "path",  # a program without the font shows the same figure
}
RED, AMBER, BLUE, GREY, PURPLE = "#c8201f", "#e69f00", "#0072b2", "#6b7280", "#a5478a"
_STATUS_COLOURS = {Status.NEW: RED, Status.OLD: GREY, Status.UNKNOWN: AMBER}


def write_figures(assessment: Assessment, overview: UInt8Array, grid: Grid, folder: Path) -> list[Path]:
    """Write ``overview`` and, for the first statistic that has distances, ``distances`` and ``histogram``.

    Args:
        assessment: what to draw.
        overview: (h, w, 3) the after image on ``grid``.
        grid: where the overview lies.
        folder: made if missing.

    Returns:
        The files, each figure as PNG and as SVG; equal inputs give equal bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = save_figure(overview_figure(assessment, overview, grid), folder / "overview")
    for summary in assessment.accuracy[:1]:
        distances_m, bearings_rad = assumed_offsets(assessment, summary.hypothesis)
        if len(distances_m):
            blast_m = [i.blast_radius_m for i in counted_impacts(assessment, summary.hypothesis)]
            figure = distance_figure(summary, distances_m, bearings_rad, blast_m)
            written += save_figure(figure, folder / "distances")
            written += save_figure(histogram_figure(summary, distances_m), folder / "histogram")
    return written


def save_figure(figure: Figure, path: Path) -> list[Path]:
    """Write a figure beside ``path`` with each suffix of :data:`FORMATS`, without the time and the program's name."""
    import matplotlib as mpl

    written = []
    for suffix in FORMATS:
        target = path.with_suffix(f".{suffix}")
        with mpl.rc_context(_STYLE):
            if suffix == "png":  # the first level takes a third of the time and a twentieth more space
                figure.savefig(target, dpi=DPI, metadata={"Software": None}, pil_kwargs={"compress_level": 1})
            else:
                figure.savefig(target, metadata={"Date": None, "Creator": None})
        written.append(target)
    return written


def overview_figure(assessment: Assessment, overview: UInt8Array, grid: Grid) -> Figure:
    """The after image with patterns, structures and links; axes in local metres."""
    frame = local_frame(assessment.pair.after.grid)
    corners = LocalFrame(grid, frame.crs).pixel_to_metres(
        np.array([0.0, grid.height]), np.array([0.0, grid.width])
    )  # the small turn between image and local north stays below what this figure shows
    (left, top), (right, bottom) = corners
    from cv_pipeline.report.ground_artist import GroundArtist

    with _figure(TWO_COLUMNS_IN, TWO_COLUMNS_IN * grid.height / grid.width + 0.5) as (figure, axes):
        patterns = patterns_layer(assessment)
        craters = [row["part"] == "crater" for row in patterns.rows]
        _draw(axes, structures_layer(assessment).geometries_m, BLUE, 0.8, "structure")
        _draw(axes, list(compress(patterns.geometries_m, map(not_, craters))), AMBER, 1.0, "blast pattern")
        _draw(axes, list(compress(patterns.geometries_m, craters)), RED, 1.0, "crater")
        _draw(axes, links_layer(assessment).geometries_m, PURPLE, 1.2, "line to the nearest structure")
        for status, colour in _STATUS_COLOURS.items():
            points = np.array([[i.x_m, i.y_m] for i in assessment.impacts if i.status is status]).reshape(-1, 2)
            if len(points):
                axes.plot(
                    *points.T, "o", ms=4, mfc=colour, mec="white", mew=0.7, label=f"{status.value} ({len(points)})"
                )
        axes.set(xlim=(left, right), ylim=(bottom, top), xlabel="east (m)", ylabel="north (m)", aspect="equal")
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=7)
        _settle(figure)
        axes.add_artist(GroundArtist(overview))
    return figure


def distance_figure(
    summary: AccuracySummary,
    distances_m: Float64Array,
    bearings_rad: Float64Array,
    blast_radii_m: Sequence[float | None] = (),
) -> Figure:
    """Impacts around the assumed aim point, with circles of mean and median distance and blast circles to scale.

    Args:
        summary: the statistics to show; circles are left out where they are None.
        distances_m: (n,) distances from the aim point.
        bearings_rad: (n,) directions from the aim point to the impact, clockwise from north.
        blast_radii_m: (n,) each impact's own; drawn for up to :data:`MANY` impacts, None and an empty list are not.
    """
    from matplotlib.collections import LineCollection

    with _figure(ONE_COLUMN_IN, ONE_COLUMN_IN * 1.12) as (figure, axes):
        east, north = distances_m * np.sin(bearings_rad), distances_m * np.cos(bearings_rad)
        mean_blast_m = summary.mean_blast_radius_m
        mean_blast_m = mean_blast_m if mean_blast_m is not None and np.isfinite(mean_blast_m) else None
        known = [(x, y, r) for x, y, r in zip(east, north, blast_radii_m, strict=False) if r]
        known = known if len(distances_m) <= MANY else []
        farthest = max([float(np.max(distances_m)), *(float(np.hypot(x, y)) + r for x, y, r in known)])
        reach = 1.05 * max(farthest, summary.mean_m or 0.0, mean_blast_m or 0.0, 1e-3)
        angles = np.linspace(0, 2 * np.pi, 181)
        if known:
            turns = np.column_stack([np.sin(angles), np.cos(angles)])
            circles = [np.array([x, y]) + r * turns for x, y, r in known]
            axes.add_collection(
                LineCollection(circles, colors=RED, linewidths=0.5, alpha=0.6, label="blast radius of each"),
                autolim=False,
            )
        for name, radius, colour, dash in (
            ("mean", summary.mean_m, BLUE, "-"),
            ("median", summary.median_m, AMBER, "--"),
            ("mean blast radius", mean_blast_m, PURPLE, ":"),
        ):
            if radius is not None:
                label = f"{name} {radius:.1f} m"
                axes.plot(radius * np.sin(angles), radius * np.cos(angles), dash, color=colour, lw=1.3, label=label)
        axes.plot(east, north, "o", ms=3.6, mfc=RED, mec="white", mew=0.5, label=f"impacts (n = {len(distances_m)})")
        axes.plot(0, 0, "+", ms=9, mew=1.3, color="black", label="assumed aim point")
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xlabel="east (m)", ylabel="north (m)")
        axes.legend(loc="lower left", bbox_to_anchor=(-0.12, 1), ncols=2)
    return figure


def histogram_figure(summary: AccuracySummary, distances_m: Float64Array) -> Figure:
    """Histogram of distances beside the one that chance would give, with both means and the interval of chance's."""
    from matplotlib.ticker import MaxNLocator

    with _figure(ONE_COLUMN_IN, ONE_COLUMN_IN * 0.95) as (figure, axes):
        n, null = len(distances_m), summary.null_model
        reach = max(float(np.max(distances_m)), null.mean_interval_m.high if null else 0.0, 1e-3)
        bins = np.linspace(0, 1.05 * reach, int(np.clip(2 * np.sqrt(n), 8, 40)) + 1)
        axes.hist(
            distances_m, bins=bins.tolist(), color="#9db7d5", edgecolor="white", lw=0.6, label=f"impacts (n = {n})"
        )
        if null and null.distance_quantiles_m:
            expected = n * np.diff(share_below(null.distance_quantiles_m, bins))
            axes.stairs(expected, bins, color="black", lw=1.0, label="expected by chance")
        if null:
            axes.axvspan(
                *null.mean_interval_m, color=GREY, alpha=0.18, lw=0, label=f"mean by chance, {summary.confidence:.0%}"
            )
            axes.axvline(null.mean_m, color=GREY, ls=":", lw=1.4, label=f"mean by chance {null.mean_m:.1f} m")
        if summary.mean_m is not None:
            axes.axvline(summary.mean_m, color=BLUE, lw=1.5, label=f"observed mean {summary.mean_m:.1f} m")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set(xlim=(0, 1.05 * reach), xlabel=f"distance to {summary.hypothesis} (m)", ylabel="impacts")
        axes.legend(loc="lower left", bbox_to_anchor=(-0.12, 1), ncols=2)
    return figure


def share_below(quantiles_m: Sequence[float], at_m: Float64Array) -> Float64Array:
    """Share (k,) of a distribution below ``at_m`` (k,), from its evenly spaced quantiles; 0 and 1 beyond their ends.

    Where many quantiles are equal, such as the zeros of points inside footprints, all of them lie below the next value.
    """
    shares = np.linspace(0, 1, len(quantiles_m))
    values, first = np.unique(quantiles_m, return_index=True)
    last = np.append(first[1:] - 1, len(shares) - 1)
    # A jump at the lower end belongs to the first bin, which starts there.
    found = np.interp(at_m, values, shares[last], left=0.0, right=1.0)
    return np.where(at_m <= values[0], 0.0, found)


def counted_impacts(assessment: Assessment, hypothesis: str) -> list[Impact]:
    """The impacts that a statistic counts: not known to be old, and with a distance."""
    matches = matches_by_impact(assessment)
    return [
        impact
        for impact in assessment.impacts
        if impact.status is not Status.OLD and _assumed(impact, matches[impact.impact_id], hypothesis)[0] is not None
    ]


def assumed_offsets(assessment: Assessment, hypothesis: str) -> tuple[Float64Array, Float64Array]:
    """Distance (n,) in metres and bearing (n,) in radians from the assumed aim point to each counted impact.

    The distance is what the statistic of that name uses. The bearing is measured from the aim point where its place is
    known, else from the point of the structure that the distance leads to.
    """
    structures = {s.structure_id: s for s in assessment.structures}
    matches = matches_by_impact(assessment)
    found = []
    for impact in counted_impacts(assessment, hypothesis):
        match = matches[impact.impact_id]
        distance_m, aim = _assumed(impact, match, hypothesis)
        from_m = aim.aim_m if aim and aim.aim_m else None
        structure = structures.get((aim.structure_id if aim else match.structure_id) or "")
        if from_m is None and structure is not None:
            from_m = _nearest_of(structure, impact, to_edge=hypothesis == EDGE)
        bearing = 0.0 if from_m is None else float(np.arctan2(impact.x_m - from_m[0], impact.y_m - from_m[1]))
        found.append((distance_m, bearing))
    pairs = np.array(found, dtype=np.float64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _nearest_of(structure: Structure, impact: Impact, *, to_edge: bool) -> tuple[float, float]:
    """The point of a structure that a distance is measured to: of its edge, its centreline, or its centre."""
    inner = structure.geometry_m.centroid if structure.centreline_m is None else structure.centreline_m
    target = structure.geometry_m if to_edge else inner
    x_m, y_m = shapely.get_coordinates(shapely.shortest_line(target, shapely.Point(impact.x_m, impact.y_m)))[0]
    return float(x_m), float(y_m)


def _assumed(impact: Impact, match: Match, hypothesis: str) -> tuple[float | None, Hypothesis | None]:
    """Distance to the aim point that a statistic assumes, and that aim point where the statistic picks one."""
    if hypothesis in MEASURES and hypothesis not in (LIKELY, LESS_LIKELY):
        return MEASURES[hypothesis](match), None
    picked = less_likely(match) if hypothesis == LESS_LIKELY else likely(match)
    decided = None if impact.review is None else impact.review.aim
    if hypothesis.startswith(FIXED) and decided is not None:
        picked = next((choice.hypothesis for choice in match_choices(match) if decided in choice.names), picked)
    return (None if picked is None else picked.distance_m), picked


def _draw(axes: Axes, shapes_m: Sequence[BaseGeometry], colour: str, width: float, label: str) -> None:
    """Outlines of shapes, all as one collection so that thousands stay quick; nothing for none."""
    from matplotlib.collections import LineCollection

    rings = [
        shapely.get_coordinates(line)
        for shape in shapes_m
        for part in shapely.get_parts(shape)
        for line in ([part] if part.geom_type == "LineString" else shapely.get_parts(part.boundary))
    ]
    if rings:
        axes.add_collection(LineCollection(rings, colors=colour, linewidths=width, label=label), autolim=False)


def _settle(figure: Figure) -> None:
    """Work out where everything goes, now and not again."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        figure.set_layout_engine("none")


@contextmanager
def _figure(width_in: float, height_in: float) -> Iterator[tuple[Figure, Axes]]:
    """A figure in the house style, without pyplot: no window system and no global state."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width_in, height_in), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure, figure.add_subplot()
