"""Why a pattern was measured as it was: one figure per impact, from the impact alone and a picture of its ground."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cv_pipeline.types import Float64Array, Impact, PatternEvidence, SectorUse, UInt8Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CRATER, _BLAST, _OUTER, _AXIS = "#ffffff", "#e69f00", "#56b4e9", "#c8201f"
_USE_COLOURS = {
    SectorUse.USED: "#22c55e",
    SectorUse.NEIGHBOUR: "#a5478a",
    SectorUse.NO_IMAGERY: "#6b7280",
    SectorUse.STRUCTURE: "#0072b2",
    SectorUse.UNLIKE: "#c8201f",
}
_USE_WORDS = {
    SectorUse.USED: "used",
    SectorUse.NEIGHBOUR: "ends at a neighbour",
    SectorUse.NO_IMAGERY: "ends at the imagery's edge",
    SectorUse.STRUCTURE: "cut by a structure",
    SectorUse.UNLIKE: "unlike the others",
}
_NOT_GIVEN = "#6b7280"
_LEAST_HALF_M = 8.0
_LEAST_TOP = 8.0
"""The density's axis reaches at least this, in multiples of an even one."""
_ESTIMATE_DASHES = {"network": ":", "mask": "--", "colours": "-."}
_PLACES = {"left": 0.065, "right": 0.985, "bottom": 0.25, "top": 0.88, "wspace": 0.22}
"""Shares of the figure. A layout worked out for each would take as long as all the drawing."""
_STYLE: Any = {"font.size": 8, "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": 8}


def half_width_m(impact: Impact) -> float:
    """Half the width of a picture that shows all of an impact's pattern and some ground around it."""
    reach_m = 0.0 if impact.evidence is None else float(impact.evidence.reach_m.max())
    outer_m = max(impact.blast_radius_m or 0.0, impact.secondary_radius_m or 0.0, reach_m)
    return max(1.4 * outer_m, 3.0 * impact.crater_radius_m, _LEAST_HALF_M)


def why_figure(impact: Impact, picture: UInt8Array, half_m: float) -> Figure:
    """What an impact's measures rest on.

    Left: fitted circles over the picture, each sector's reach coloured by whether it was used, and the axis with its
    spread. Middle: the change of colour from the centre outwards, with the radius by each means and by all. Right: the
    density over the axis' azimuth, grey where no direction is given, with what each witness says alone. An impact
    without a pattern gets its crater's circle and two empty panels.

    Args:
        impact: as :func:`cv_pipeline.patterns.extract.extract_impacts` gives it.
        picture: (h, w, 3) of the ground around it, north up, the impact in the middle.
        half_m: half the width of the picture on the ground.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=(8.4, 3.4))
        left, middle, right = figure.subplots(1, 3, width_ratios=(1.1, 1.0, 1.0), gridspec_kw=_PLACES)
        _draw_ground(left, impact, picture, half_m)
        _draw_profile(middle, impact)
        _draw_axis(right, impact)
    return figure


def _circle(radius_m: float) -> tuple[Float64Array, Float64Array]:
    turn = np.linspace(0, 2 * np.pi, 121)
    return radius_m * np.sin(turn), radius_m * np.cos(turn)


def _stretched(picture: UInt8Array) -> UInt8Array:
    """The picture with its darkest and brightest hundredth made black and white; a flat one stays as it is."""
    low, high = np.percentile(picture, [1, 99])
    if high - low < 1:
        return picture
    return np.asarray(np.clip((picture - low) * (255 / (high - low)), 0, 255), np.uint8)


def _draw_ground(axes: Axes, impact: Impact, picture: UInt8Array, half_m: float) -> None:
    axes.imshow(_stretched(picture), extent=(-half_m, half_m, -half_m, half_m), interpolation="antialiased")
    axes.plot(*_circle(impact.crater_radius_m), color=_CRATER, lw=1.0)
    for radius_m, sd_m, colour in (
        (impact.blast_radius_m, impact.blast_radius_sd_m, _BLAST),
        (impact.secondary_radius_m, impact.secondary_radius_sd_m, _OUTER),
    ):
        if radius_m is not None:
            axes.plot(*_circle(radius_m), color=colour, lw=1.3)
            for bound_m in (radius_m - (sd_m or 0.0), radius_m + (sd_m or 0.0)):
                axes.plot(*_circle(max(bound_m, 0.0)), color=colour, lw=0.6, ls=":")
    if impact.evidence is not None:
        _draw_sectors(axes, impact.evidence)
    if impact.direction_deg is not None:
        reach_m = 0.92 * half_m
        sd_deg = impact.direction_sd_deg or 0.0
        spread = np.deg2rad(np.linspace(impact.direction_deg - sd_deg, impact.direction_deg + sd_deg, 21))
        axes.fill(np.r_[0, reach_m * np.sin(spread)], np.r_[0, reach_m * np.cos(spread)], color=_AXIS, alpha=0.25, lw=0)
        turn = np.deg2rad(impact.direction_deg)
        tip = (reach_m * np.sin(turn), reach_m * np.cos(turn))
        axes.annotate("", tip, (0, 0), arrowprops={"arrowstyle": "-|>", "color": _AXIS, "lw": 1.3, "shrinkA": 0})
    axes.set(xlim=(-half_m, half_m), ylim=(-half_m, half_m), xlabel="east (m)", ylabel="north (m)")
    axes.set_title(f"{impact.impact_id}: {impact.pattern.value}")


def _draw_sectors(axes: Axes, evidence: PatternEvidence) -> None:
    turn = 2 * np.pi * np.arange(len(evidence.reach_m)) / len(evidence.reach_m)
    for use, colour in _USE_COLOURS.items():
        here = evidence.use == use
        if here.any():
            where = evidence.reach_m[here] * np.sin(turn[here]), evidence.reach_m[here] * np.cos(turn[here])
            label = f"{_USE_WORDS[use]} ({100 * here.mean():.0f} %)"
            axes.plot(*where, "o", ms=2.2, color=colour, mec="black", mew=0.2, label=label)
    # Below the picture, of which it would hide a quarter.
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2, fontsize=5.5, frameon=False, handletextpad=0.2,
        columnspacing=0.8, title="where the mask ends, by ray", title_fontsize=5.5,
    )  # fmt: skip


def _draw_profile(axes: Axes, impact: Impact) -> None:
    evidence = impact.evidence
    axes.set(xlabel="distance from the centre (m)", ylabel="change of colour (SDs of the ground)")
    axes.set_title("change over the sectors in use")
    if evidence is None:
        return
    farthest_m = 2.5 * max(impact.blast_radius_m or 0.0, 2 * impact.crater_radius_m)
    shown = evidence.profile_reach_m <= farthest_m
    axes.plot(evidence.profile_reach_m[shown], evidence.profile[shown], color="#374151", lw=1.0)
    axes.axhline(0.0, color="#9ca3af", lw=0.6)
    axes.axvspan(0, impact.crater_radius_m, color="#d1d5db", lw=0, label="crater")
    for name, radius_m in evidence.estimates_m.items():
        axes.axvline(radius_m, color=_BLAST, lw=0.9, ls=_ESTIMATE_DASHES[name], label=f"{name} {radius_m:.1f} m")
    if impact.blast_radius_m is not None:
        sd_m = impact.blast_radius_sd_m or 0.0
        axes.axvspan(impact.blast_radius_m - sd_m, impact.blast_radius_m + sd_m, color=_BLAST, alpha=0.3, lw=0)
        axes.axvline(
            impact.blast_radius_m, color=_BLAST, lw=1.6, label=f"all {impact.blast_radius_m:.1f} ± {sd_m:.1f} m"
        )
    axes.set_xlim(0, farthest_m)
    axes.legend(fontsize=6, frameon=False)


def _draw_axis(axes: Axes, impact: Impact) -> None:
    evidence = impact.evidence
    axes.set(xlabel="azimuth from north (deg)", yticks=[], xlim=(0, 360), xticks=range(0, 361, 90))
    if evidence is None:
        axes.set_title("no pattern, no axis")
        return
    azimuth_deg = 360 * np.arange(len(evidence.axis_density) + 1) / len(evidence.axis_density)
    density = len(evidence.axis_density) * np.r_[evidence.axis_density, evidence.axis_density[0]]
    colour = _AXIS if impact.direction_deg is not None else _NOT_GIVEN
    axes.fill_between(azimuth_deg, density, color=colour, alpha=0.25, lw=0)
    axes.plot(azimuth_deg, density, color=colour, lw=0.9)
    axes.axhline(1.0, color="#374151", lw=0.6, ls=":", label="all azimuths alike")
    axes.legend(loc="upper right", fontsize=5.5, frameon=False)
    # A density that is nearly even must look so.
    top = max(float(density.max()), _LEAST_TOP)
    axes.set_ylim(-0.05 * top * (len(evidence.axis_candidates_deg) + 1), 1.12 * top)
    for place, (name, best_deg) in enumerate(evidence.axis_candidates_deg.items()):
        axes.plot(best_deg, -0.05 * top * (place + 1), "^", ms=4, color="#374151")
        side = "right" if best_deg > 240 else "left"
        axes.annotate(name, (best_deg, -0.05 * top * (place + 1)), fontsize=5.5, ha=side, va="center",
                      xytext=(-4 if side == "right" else 4, 0), textcoords="offset points")  # fmt: skip
    chance = impact.directional_probability
    words = "" if chance is None else f"one-sided: probability {chance:.2f}"
    if impact.direction_deg is None:
        axes.set_title(f"{words}\nno direction is given")
    else:
        axes.set_title(f"{words}\nextends to {impact.direction_deg:.0f} ± {impact.direction_sd_deg or 0:.0f}°")
