"""Why a pattern was measured as it was: one SVG per impact, from the impact alone and a picture of its ground.

Written as text: a plotting library takes half a second for what is a few dozen lines and words.
"""

from __future__ import annotations

import numpy as np

from cv_pipeline.report.panel import SIDE, SMALL, TOP, USUAL, Panel, below, fill, legend, stroke, text
from cv_pipeline.report.pictures import jpeg_uri
from cv_pipeline.types import Impact, PatternEvidence, SectorUse, UInt8Array

_CRATER, _BLAST, _OUTER, _AXIS = "#ffffff", "#e69f00", "#56b4e9", "#c8201f"
_INK, _FAINT, _NOT_GIVEN = "#374151", "#9ca3af", "#6b7280"
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
_ESTIMATE_DASHES = {"network": "1 2", "mask": "4 2", "colours": "5 2 1 2"}
_LEAST_HALF_M = 8.0
_LEASTTOP = 8.0
"""The density's axis reaches at least this, in multiples of an even one."""
_WIDTH, _HEIGHT = 840, 340


def half_width_m(impact: Impact) -> float:
    """Half the width of a picture that shows all of an impact's pattern and some ground around it."""
    reach_m = 0.0 if impact.evidence is None else float(impact.evidence.reach_m.max())
    outer_m = max(impact.blast_radius_m or 0.0, impact.secondary_radius_m or 0.0, reach_m)
    return max(1.4 * outer_m, 3.0 * impact.crater_radius_m, _LEAST_HALF_M)


def why_svg(impact: Impact, picture: UInt8Array, half_m: float) -> str:
    """What an impact's measures rest on, as an SVG document.

    Left: fitted circles over the picture, each sector's reach coloured by whether it was used, and the axis with its
    spread. Middle: the change of colour from the centre outwards, with the radius by each means and by all. Right: the
    density over the axis' azimuth, grey where no direction is given, with what each witness says alone. An impact
    without a pattern gets its crater's circle and two empty panels.

    Args:
        impact: as :func:`cv_pipeline.patterns.extract.extract_impacts` gives it.
        picture: (h, w, 3) of the ground around it, north up, the impact in the middle.
        half_m: half the width of the picture on the ground.
    """
    parts = [*_ground(impact, picture, half_m), *_profile(impact), *_axis(impact)]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        f'font-size="{USUAL:g}" fill="none">'
    )
    return "\n".join([head, f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>', *parts, "</svg>\n"])


def _stretched(picture: UInt8Array) -> UInt8Array:
    """The picture with its darkest and brightest hundredth made black and white; a flat one stays as it is."""
    low, high = np.percentile(picture, [1, 99])
    if high - low < 1:
        return picture
    return np.asarray(np.clip((picture - low) * (255 / (high - low)), 0, 255), np.uint8)


def _circle(panel: Panel, radius_m: float, style: str) -> str:
    turn = np.linspace(0, 2 * np.pi, 73)
    return panel.path(radius_m * np.sin(turn), radius_m * np.cos(turn), style)


def _ground(impact: Impact, picture: UInt8Array, half_m: float) -> list[str]:
    panel = Panel("ground", 52, (-half_m, half_m), (-half_m, half_m))
    uri = jpeg_uri(_stretched(picture))
    found = [
        f'<image x="{panel.left_px}" y="{TOP}" width="{SIDE}" height="{SIDE}" href="{uri}"/>',
        *panel.frame("east (m)", "north (m)", [f"{impact.impact_id}: {impact.pattern.value}"]),
        _circle(panel, impact.crater_radius_m, stroke(_CRATER, 1.2)),
    ]
    for radius_m, sd_m, colour in (
        (impact.blast_radius_m, impact.blast_radius_sd_m, _BLAST),
        (impact.secondary_radius_m, impact.secondary_radius_sd_m, _OUTER),
    ):
        if radius_m is not None:
            found.append(_circle(panel, radius_m, stroke(colour, 1.6)))
            found += [
                _circle(panel, max(radius_m + sign * (sd_m or 0.0), 0.0), stroke(colour, 0.8, "1 2"))
                for sign in (-1, 1)
            ]
    if impact.evidence is not None:
        found += _sectors(panel, impact.evidence)
    if impact.direction_deg is not None:
        found += _arrow(panel, impact.direction_deg, impact.direction_sd_deg or 0.0, 0.92 * half_m)
    return found


def _arrow(panel: Panel, direction_deg: float, sd_deg: float, reach_m: float) -> list[str]:
    """The axis from the middle outwards, over a sector of one SD to each side."""
    spread = np.deg2rad(np.linspace(direction_deg - sd_deg, direction_deg + sd_deg, 21))
    turn = np.deg2rad(direction_deg)
    along, across = np.array([np.sin(turn), np.cos(turn)]), np.array([np.cos(turn), -np.sin(turn)])
    shaft = np.outer([0.0, 0.95], along)
    head = np.outer([1.0, 0.93, 0.93], along) + np.outer([0.0, 0.03, -0.03], across)
    return [
        panel.path(np.r_[0, reach_m * np.sin(spread)], np.r_[0, reach_m * np.cos(spread)], fill(_AXIS, 0.25)),
        panel.path(reach_m * shaft[:, 0], reach_m * shaft[:, 1], stroke(_AXIS, 1.6)),
        panel.path(reach_m * head[:, 0], reach_m * head[:, 1], fill(_AXIS)),
    ]


def _sectors(panel: Panel, evidence: PatternEvidence) -> list[str]:
    turn = 2 * np.pi * np.arange(len(evidence.reach_m)) / len(evidence.reach_m)
    found = [text(below(panel, 0)[0], below(panel, 0)[1] + 2.5, "where the mask ends, by ray:", SMALL, "start")]
    shown = [(use, evidence.use == use) for use in _USE_COLOURS if (evidence.use == use).any()]
    for place, (use, here) in enumerate(shown):
        reach_m = evidence.reach_m[here]
        style = f'fill="{_USE_COLOURS[use]}" stroke="#000" stroke-width="0.3"'
        dots = panel.points(reach_m * np.sin(turn[here]), reach_m * np.cos(turn[here]))
        found += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="1.6" clip-path="url(#{panel.name})" {style}/>' for x, y in dots
        ]
        x, y = below(panel, place + 2)
        found += [
            f'<circle cx="{x}" cy="{y}" r="2" {style}/>',
            text(x + 5, y + 2.5, f"{_USE_WORDS[use]} ({100 * here.mean():.0f} %)", SMALL, "start"),
        ]
    return found


def _profile(impact: Impact) -> list[str]:
    evidence = impact.evidence
    labels = "distance from the centre (m)", "change of colour (SDs of the ground)", ["change over the sectors in use"]
    if evidence is None:
        return Panel("profile", 335, (0.0, 1.0), (0.0, 1.0)).frame(*labels, [], [])
    farthest_m = 2.5 * max(impact.blast_radius_m or 0.0, 2 * impact.crater_radius_m)
    shown = evidence.profile_reach_m <= farthest_m
    reach_m, change = evidence.profile_reach_m[shown], evidence.profile[shown]
    known = change[np.isfinite(change)]
    low, high = (min(0.0, float(known.min())), max(0.0, float(known.max()))) if len(known) else (0.0, 1.0)
    margin = 0.05 * max(high - low, 0.1)
    panel = Panel("profile", 335, (0.0, farthest_m), (low - margin, high + margin))
    entries = [('stroke="#d1d5db" stroke-width="7"', "crater")]
    drawn = [panel.band(0.0, impact.crater_radius_m, fill("#d1d5db"))]
    for name, radius_m in evidence.estimates_m.items():
        style = stroke(_BLAST, 1.1, _ESTIMATE_DASHES[name])
        drawn.append(panel.upright(radius_m, style))
        entries.append((style, f"{name} {radius_m:.1f} m"))
    if impact.blast_radius_m is not None:
        sd_m = impact.blast_radius_sd_m or 0.0
        drawn.append(panel.band(impact.blast_radius_m - sd_m, impact.blast_radius_m + sd_m, fill(_BLAST, 0.3)))
        drawn.append(panel.upright(impact.blast_radius_m, stroke(_BLAST, 2.0)))
        entries.append((stroke(_BLAST, 2.0), f"all {impact.blast_radius_m:.1f} ± {sd_m:.1f} m"))
    drawn.append(panel.path(np.array([0.0, farthest_m]), 0.0, stroke(_FAINT, 0.8)))
    drawn.append(panel.path(reach_m[np.isfinite(change)], known, stroke(_INK, 1.2)) if len(known) else "")
    return [*panel.frame(*labels), *drawn, *legend(panel, entries)]


def _axis(impact: Impact) -> list[str]:
    evidence = impact.evidence
    ticks = range(0, 361, 90)
    if evidence is None:
        bare = Panel("axis", 600, (0.0, 360.0), (0.0, 1.0))
        return bare.frame("azimuth from north (deg)", "", ["no pattern, no axis"], ticks, [])
    azimuth_deg = 360 * np.arange(len(evidence.axis_density) + 1) / len(evidence.axis_density)
    density = len(evidence.axis_density) * np.r_[evidence.axis_density, evidence.axis_density[0]]
    # A density that is nearly even must look so.
    top = max(float(density.max()), _LEASTTOP)
    panel = Panel("axis", 600, (0.0, 360.0), (-0.05 * top * (len(evidence.axis_candidates_deg) + 1), 1.12 * top))
    chance = impact.directional_probability
    told = impact.direction_deg is not None
    titles = [
        "" if chance is None else f"one-sided: probability {chance:.2f}",
        f"extends to {impact.direction_deg:.0f} ± {impact.direction_sd_deg or 0:.0f}°"
        if told
        else "no direction is given",
    ]
    colour, even = _AXIS if told else _NOT_GIVEN, stroke(_INK, 0.8, "1 2")
    drawn = [
        *panel.frame("azimuth from north (deg)", "", titles, ticks, []),
        panel.path(np.r_[0.0, azimuth_deg, 360.0], np.r_[0.0, density, 0.0], fill(colour, 0.25)),
        panel.path(azimuth_deg, density, stroke(colour, 1.2)),
        panel.path(np.array([0.0, 360.0]), 1.0, even),
        *legend(panel, [(even, "all azimuths alike")]),
    ]
    for place, (name, best_deg) in enumerate(evidence.axis_candidates_deg.items()):
        x, y = panel.points(best_deg % 360, -0.05 * top * (place + 1))[0]
        side, away = ("end", -5) if best_deg > 240 else ("start", 5)
        drawn.append(f'<path d="M{x:.1f} {y - 3:.1f}l3 5h-6z" {fill(_INK)}/>')
        drawn.append(text(x + away, y + 2.5, name, SMALL, side))
    return drawn
