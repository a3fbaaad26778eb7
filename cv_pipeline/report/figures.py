"""Figures of a result as PNG files, in one style: overview map, distances, histogram."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from cv_pipeline.accuracy.matched import CENTRE, LIKELY, MEASURES, likely_m
from cv_pipeline.frame import LocalFrame, local_frame
from cv_pipeline.report.layers import Layer, links_layer, patterns_layer, structures_layer
from cv_pipeline.report.rows import matches_by_impact
from cv_pipeline.types import AccuracySummary, Assessment, Float64Array, Grid, Match, Status, UInt8Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 150
_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "legend.fontsize": 8,
    "figure.facecolor": "white",
}
RED, AMBER, BLUE, GREY, PURPLE = "#c8201f", "#e69f00", "#0072b2", "#6b7280", "#a5478a"
_STATUS_COLOURS = {Status.NEW: RED, Status.OLD: GREY, Status.UNKNOWN: AMBER}


def write_figures(assessment: Assessment, overview: UInt8Array, grid: Grid, folder: Path) -> list[Path]:
    """Write ``overview.png`` and, for the first statistic that has distances, the two distance figures.

    Args:
        assessment: what to draw.
        overview: (h, w, 3) the after image on ``grid``.
        grid: where the overview lies.
        folder: made if missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = [_save(overview_figure(assessment, overview, grid), folder / "overview.png")]
    for summary in assessment.accuracy[:1]:
        distances_m, bearings_rad = hypothesis_offsets(assessment, summary.hypothesis)
        if len(distances_m):
            written.append(_save(distance_figure(summary, distances_m, bearings_rad), folder / "distances.png"))
            written.append(_save(histogram_figure(summary, distances_m), folder / "histogram.png"))
    return written


def overview_figure(assessment: Assessment, overview: UInt8Array, grid: Grid) -> Figure:
    """The after image with patterns, structures and links; axes in local metres."""
    frame = local_frame(assessment.pair.after.grid)
    corners = LocalFrame(grid, frame.crs).pixel_to_metres(
        np.array([0.0, grid.height]), np.array([0.0, grid.width])
    )  # the small turn between image and local north stays below what this figure shows
    (left, top), (right, bottom) = corners
    with _figure(7.2, 7.2 * grid.height / grid.width + 0.6) as (figure, axes):
        axes.imshow(overview, extent=(left, right, bottom, top), interpolation="antialiased")
        _draw_layer(axes, structures_layer(assessment), BLUE, 0.8)
        _draw_layer(axes, patterns_layer(assessment), AMBER, 1.0)
        _draw_layer(axes, links_layer(assessment), PURPLE, 1.2)
        for status, colour in _STATUS_COLOURS.items():
            points = np.array([[i.x_m, i.y_m] for i in assessment.impacts if i.status is status]).reshape(-1, 2)
            if len(points):
                axes.plot(
                    *points.T, "o", ms=4, mfc=colour, mec="white", mew=0.7, label=f"{status.value} ({len(points)})"
                )
        axes.set(xlim=(left, right), ylim=(bottom, top), xlabel="east (m)", ylabel="north (m)", aspect="equal")
        if assessment.impacts:
            axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
    return figure


def distance_figure(summary: AccuracySummary, distances_m: Float64Array, bearings_rad: Float64Array) -> Figure:
    """Impacts around the assumed aim point, with circles of mean and median distance.

    Args:
        summary: the statistics to show; circles are left out where they are None.
        distances_m: (n,) distances from the aim point.
        bearings_rad: (n,) directions from the aim point to the impact, clockwise from north.
    """
    with _figure(5.2, 4.8) as (figure, axes):
        east, north = distances_m * np.sin(bearings_rad), distances_m * np.cos(bearings_rad)
        reach = 1.1 * max(float(np.max(distances_m)), summary.mean_m or 0.0, 1e-3)
        angles = np.linspace(0, 2 * np.pi, 181)
        for name, radius, colour, dash in (
            ("mean", summary.mean_m, BLUE, "-"),
            ("median", summary.median_m, AMBER, "--"),
        ):
            if radius is not None:
                label = f"{name} {radius:.1f} m"
                axes.plot(radius * np.sin(angles), radius * np.cos(angles), dash, color=colour, lw=1.6, label=label)
        axes.plot(east, north, "o", ms=5, mfc=RED, mec="white", mew=0.7, label=f"impacts (n = {len(distances_m)})")
        axes.plot(0, 0, "+", ms=12, mew=1.6, color="black", label=summary.hypothesis)
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xlabel="east (m)", ylabel="north (m)")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return figure


def histogram_figure(summary: AccuracySummary, distances_m: Float64Array) -> Figure:
    """Histogram of distances, with the observed mean and the interval of means that chance would give."""
    from matplotlib.ticker import MaxNLocator

    with _figure(5.2, 4.8) as (figure, axes):
        null = summary.null_model
        reach = max(float(np.max(distances_m)), null.mean_interval_m.high if null else 0.0, 1e-3)
        bins = np.linspace(0, 1.05 * reach, int(np.clip(2 * np.sqrt(len(distances_m)), 8, 40))).tolist()
        axes.hist(distances_m, bins=bins, color="#9db7d5", edgecolor="white", label=f"impacts (n = {len(distances_m)})")
        if null:
            axes.axvspan(*null.mean_interval_m, color=GREY, alpha=0.22, lw=0, label="mean by chance, interval")
            axes.axvline(null.mean_m, color=GREY, ls=":", lw=1.6, label=f"mean by chance {null.mean_m:.1f} m")
        if summary.mean_m is not None:
            axes.axvline(summary.mean_m, color=BLUE, lw=1.8, label=f"observed mean {summary.mean_m:.1f} m")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set(xlim=(0, 1.05 * reach), xlabel=f"distance to {summary.hypothesis} (m)", ylabel="impacts")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return figure


def hypothesis_offsets(assessment: Assessment, hypothesis: str) -> tuple[Float64Array, Float64Array]:
    """Distance (n,) in metres and bearing (n,) in radians from the assumed aim point to each impact.

    The distance is what the statistic of that name uses. The bearing is measured from
    the structure's centroid. Impacts without a distance are left out.
    """
    centres = {s.structure_id: s.geometry_m.centroid for s in assessment.structures}
    matches = matches_by_impact(assessment)
    found = []
    for impact in assessment.impacts:
        distance_m, structure_id = _aim_point(matches[impact.impact_id], hypothesis)
        if distance_m is not None:
            centre = centres.get(structure_id or "")
            bearing = 0.0 if centre is None else float(np.arctan2(impact.x_m - centre.x, impact.y_m - centre.y))
            found.append((distance_m, bearing))
    pairs = np.array(found, dtype=np.float64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _aim_point(match: Match, hypothesis: str) -> tuple[float | None, str | None]:
    """Distance to the assumed aim point and the structure it belongs to."""
    if hypothesis == LIKELY and match.hypotheses:
        return likely_m(match), match.hypotheses[0].structure_id
    return MEASURES.get(hypothesis, MEASURES[CENTRE])(match), match.structure_id


def _draw_layer(axes: Axes, layer: Layer, colour: str, width: float) -> None:
    """Outlines of a layer, all as one collection so that thousands stay quick."""
    from matplotlib.collections import LineCollection

    rings = [
        shapely.get_coordinates(line)
        for shape in layer.geometries_m
        for part in shapely.get_parts(shape)
        for line in ([part] if part.geom_type == "LineString" else shapely.get_parts(part.boundary))
    ]
    axes.add_collection(LineCollection(rings, colors=colour, linewidths=width), autolim=False)


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


def _save(figure: Figure, path: Path) -> Path:
    # Without the Software tag equal inputs give equal bytes.
    figure.savefig(path, dpi=DPI, metadata={"Software": None})
    return path
