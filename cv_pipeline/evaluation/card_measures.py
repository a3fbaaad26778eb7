"""Tables of a model card about the network itself, what is measured of craters and patterns, and the demo."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from cv_pipeline.evaluation.card_tables import Document, low_high, markdown, with_interval

_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
"""Tensors that are stored but not trained."""


def model(described: Document, weights: Document) -> str:
    """What the network is, from its ``model.yaml`` and the header of its weights."""
    tensors = {name: tensor for name, tensor in weights.items() if name != "__metadata__"}
    trained = sum(math.prod(tensor["shape"]) for name, tensor in tensors.items() if not name.endswith(_STATISTICS))
    megabytes = max(tensor["data_offsets"][1] for tensor in tensors.values()) / 1e6
    facts = (
        (
            "parameters",
            f"{trained / 1e6:.2f} million, {megabytes:.1f} MB; the SHA-256 stands in `model.yaml`",
        ),
        ("trained for", f"{described['steps']:,} steps"),
        ("read at", f"{described['working_gsd_m']:g} m per pixel, whatever the image's own size of pixel"),
        ("accepted GSD", f"{described['min_gsd_m']:g} to {described['max_gsd_m']:g} m; others are refused"),
        ("threshold", f"{described['score_threshold']:g} of the calibrated score"),
    )
    return markdown(("", ""), facts)


class _Row(NamedTuple):
    """A measure: what it is, its target, and where its figure stands, ``PART NAME`` in each of three columns."""

    label: str
    target: str
    percent: bool
    oracle: str
    network: str
    found: str


_CRATERS = (
    _Row("centre, native px, median", "0.35", False, "oracle centre_native_px", "", "network centre_native_px"),
    _Row("the same, an ideal fit", "-", False, "floor from_0_to_inf_sd_with_peak_centre_native_px", "", ""),
    _Row("its 95th percentile", "1.2", False, "oracle centre_native_px_p95", "", "network centre_native_px_p95"),
    _Row("crater radius, median relative error", "4 %", True, "oracle radius_error", "", "network radius_error"),
    _Row("the same, an ideal fit", "-", True, "floor from_0_to_inf_sd_with_peak_radius_error", "", ""),
    _Row("within 1 stated SD", "68 %", True, "oracle radius_within_1_sd", "", "network radius_within_1_sd"),
    _Row("new or old told right", "97 %", True, "oracle status_right", "", "network status_right"),
    _Row("touching pairs told apart", "90 %", True, "touching oracle_told_apart", "", "touching network_told_apart"),
    _Row("craters half in shadow found", "-", True, "", "", "shadow found"),
    _Row("of these as one", "-", True, "", "", "shadow found_once"),
    _Row("10,000 impacts at 2.6 per ha: post-processing's share of time", "20 %", True, "", "",
         "speed share_at_2.6_per_ha"),
)  # fmt: skip
_PATTERNS = tuple(
    _Row(label, target, percent, f"oracle {name}", f"network {name}", f"end_to_end {name}")
    for label, target, percent, name in (
        ("blast radius, median relative error", "8 %", True, "blast_radius"),
        ("within the stated 90 % interval", "90 %", True, "blast_radius_within_90"),
        ("directional or not, AUROC, axes that can be seen", "0.95", False, "auroc"),
        ("directional or not, AUROC, axes that stand out by 2 SDs", "0.95", False, "auroc_clear"),
        ("a direction given, of axes that can be seen", "-", True, "given_of_seen"),
        ("a direction given, of axes that stand out by 2 SDs", "-", True, "given_of_clear"),
        ("a direction given, of round ones", "-", True, "given_of_round"),
        ("axis where given, median error, deg", "6", False, "axis_deg_median"),
        ("its 90th percentile, deg", "18", False, "axis_deg_p90"),
        ("flips", "2 %", True, "axis_flips"),
        ("within the stated 90 % interval", "87 to 93 %", True, "axis_within_90"),
    )
)


def measures(described: Document, craters: Document, patterns: Document) -> str:
    """Craters and patterns beside the targets; parts that were measured with other weights are named."""
    rows = []
    for document, some in ((craters, _CRATERS), (patterns, _PATTERNS)):
        for row in some:
            cells = (_cell(document, place, percent=row.percent) for place in (row.oracle, row.network, row.found))
            rows.append((row.label, row.target, *cells))
    heads = ("measure", "target", "oracle maps", "this network's maps, at true centres", "this network, what it finds")
    sha = str(described["weights_sha256"])
    parts = [("check_craters", craters), ("check_patterns", patterns)]
    old = [f"{script} {name}" for script, doc in parts for name, part in doc.items() if part["weights_sha256"] != sha]
    note = f"\n\n**Measured with other weights than those shipped:** {', '.join(old)}." if old else ""
    return markdown(heads, rows) + note


def _cell(document: Document, place: str, *, percent: bool) -> str:
    if not place:
        return ""
    part, name = place.split()
    figure: dict[str, Any] | None = document.get(part, {}).get("figures", {}).get(name)
    if figure is None:
        return "not measured"
    if figure["value"] is None:
        return f"too few (n {figure['n']})"
    scale, digits, unit = (100.0, 1, " %") if percent else (1.0, 2, "")
    interval = figure["interval_95"]
    scaled = None if interval is None else [scale * bound for bound in interval]
    return f"{with_interval(scale * figure['value'], scaled, digits)}{unit}, n {figure['n']}"


def demo(document: Document) -> str:
    """What the demo found, as sentences."""
    found, planted, alarms = document["found"], document["planted"], document["false_alarms"]
    some = "no false alarm" if not alarms else f"{alarms} false alarm{'s' * (alarms > 1)}"
    sentences = [f"Of {planted} planted strikes {found} are found, with {some}."]
    for name, text in (
        ("centre_error_px", "the centre by {:.1f} px"),
        ("distance_error_m", "the distance to the nearest structure by {:.1f} m"),
        ("blast_radius_error", "the blast radius by {:.0%}"),
    ):
        if document["median"][name] is not None:
            sentences.append(text.format(document["median"][name]))
    off = f"In the median they are off in {', '.join(sentences[1:])}." if len(sentences) > 1 else ""
    told, given = document["status_told"], document["directions_told"]
    return " ".join(
        part
        for part in (
            sentences[0],
            off,
            f"New or old is told right for {document['status_right']} of {told}.",
            f"A direction is told for {given} of the {document['directions']} strikes that have one.",
        )
        if part
    )


def real_without(document: Document) -> str:
    """The pooled score without some scenes, as a sentence."""
    score, left_out = document["scores"][-1], ", ".join(document["without"])
    ap = with_interval(score["ap"], low_high(score["ap_interval"]))
    f1 = with_interval(score["default"]["f1"], low_high(score["default_f1_interval"]))
    return f"Without scene {left_out} the other {document['scenes']} scenes have AP {ap} and F1 {f1}."


def by_eye(document: Document) -> str:
    """What a person and the network found at the same places."""
    rows = [(row["name"], *(str(row[key]) for key in ("places", "person", "detector"))) for row in document["rows"]]
    return markdown(("conspicuity, SDs", "places", "a person says crater", "the network says crater"), rows)
