"""The styles that QGIS applies to the GeoPackage's layers by itself, as QML.

Colours are those of the report's map: red craters, amber patterns, blue structures, green the likely aim point, lilac
the less likely one. Symbols differ in shape too, for people who see colours otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree

_RED, _AMBER, _BLUE, _SKY, _PINK = "214,39,40", "255,176,0", "0,114,178", "86,180,233", "204,121,167"
_GREEN, _LILAC, _GREY, _WHITE, _NONE = "0,158,93", "144,99,205", "127,127,127", "255,255,255", "0,0,0,0"
_GEOMETRY = {"marker": "0", "line": "1", "fill": "2"}


@dataclass(frozen=True, slots=True)
class Symbol:
    """How features are drawn whose attribute has ``value``; all of them where the style has no attribute."""

    options: Mapping[str, str]
    value: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Style:
    """A layer's style: ``kind`` marker, line or fill; ``text`` an expression for labels, none where empty."""

    kind: str
    symbols: tuple[Symbol, ...]
    attribute: str = ""
    text: str = ""


def _marker(name: str, colour: str, outline: str = _WHITE, size_mm: float = 3.4) -> Mapping[str, str]:
    return {
        "name": name,
        "color": colour,
        "outline_color": outline,
        "outline_style": "solid",
        "outline_width": "0.3",
        "outline_width_unit": "MM",
        "size": str(size_mm),
        "size_unit": "MM",
    }


def _line(colour: str, style: str = "solid", width_mm: float = 0.5) -> Mapping[str, str]:
    return {"line_color": colour, "line_style": style, "line_width": str(width_mm), "line_width_unit": "MM"}


def _fill(colour: str, outline: str, *, fill: str = "solid", edge: str = "solid", width_mm: float) -> Mapping[str, str]:
    return {
        "color": colour,
        "style": fill,
        "outline_color": outline,
        "outline_style": edge,
        "outline_width": str(width_mm),
        "outline_width_unit": "MM",
        "joinstyle": "round",
    }


STYLES: Mapping[str, Style] = {
    "impacts": Style(
        "marker",
        (
            Symbol(_marker("cross_fill", _RED), "new", "new"),
            Symbol(_marker("cross_fill", _GREY), "old", "already there before"),
            Symbol(_marker("cross_fill", "255,127,14"), "unknown", "unknown"),
        ),
        "status",
        "impact_id",
    ),
    "patterns": Style(
        "fill",
        (
            Symbol(_fill(f"{_AMBER},40", _AMBER, width_mm=0.4), "blast", "blast pattern"),
            Symbol(_fill(_NONE, _AMBER, fill="no", edge="dash", width_mm=0.3), "secondary", "secondary radius"),
            Symbol(_fill(f"{_RED},50", _RED, width_mm=0.6), "crater", "crater"),
        ),
        "part",
    ),
    "structures": Style("fill", (Symbol(_fill(f"{_SKY},60", _BLUE, width_mm=0.35)),)),
    "links": Style("line", (Symbol(_line(_PINK, "dash")),), text="format_number(\"distance_edge_m\", 1) || ' m'"),
    "groups": Style("fill", (Symbol(_fill(_NONE, _BLUE, fill="no", edge="dot", width_mm=0.6)),), text="landmark_id"),
    "centrelines": Style("line", (Symbol(_line(_BLUE, "dot")),)),
    "junctions": Style("marker", (Symbol(_marker("triangle", _SKY, _BLUE, 2.6)),)),
    "aim_points": Style(
        "marker",
        (
            Symbol(_marker("circle", _GREEN, _WHITE, 3.0), "likely", "likely aim point"),
            Symbol(_marker("diamond", _LILAC, _WHITE, 3.0), "less likely", "less likely aim point"),
            Symbol(_marker("circle", _NONE, _GREY, 1.8), "considered", "other aim point considered"),
        ),
        "likelihood",
    ),
    "masked": Style("fill", (Symbol(_fill(_GREY, _GREY, fill="b_diagonal", width_mm=0.2)),)),
    "rejected": Style("marker", (Symbol(_marker("cross2", _GREY, _GREY)),), text="impact_id"),
}
"""By layer of :func:`cv_pipeline.report.layers.all_layers`."""

_LAYER_CLASS = {"marker": "SimpleMarker", "line": "SimpleLine", "fill": "SimpleFill"}


def style_qml(layer_name: str) -> str:
    """The QML of a layer; KeyError for a layer without a style."""
    style = STYLES[layer_name]
    root = ElementTree.Element("qgis", version="3.28.0", styleCategories="Symbology|Labeling")
    kind = "categorizedSymbol" if style.attribute else "singleSymbol"
    fixed = {"type": kind, "enableorderby": "0", "forceraster": "0", "symbollevels": "0"}
    renderer = ElementTree.SubElement(root, "renderer-v2", fixed)
    if style.attribute:
        renderer.set("attr", style.attribute)
        categories = ElementTree.SubElement(renderer, "categories")
        for number, symbol in enumerate(style.symbols):
            ElementTree.SubElement(
                categories, "category", render="true", symbol=str(number), value=symbol.value, label=symbol.label
            )
    symbols = ElementTree.SubElement(renderer, "symbols")
    for number, symbol in enumerate(style.symbols):
        _add_symbol(symbols, style.kind, str(number), symbol)
    if style.text:
        _add_labels(root, style)
    ElementTree.SubElement(root, "layerGeometryType").text = _GEOMETRY[style.kind]
    ElementTree.indent(root)
    doctype = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>"
    return f"{doctype}\n{ElementTree.tostring(root, encoding='unicode')}\n"


def _add_symbol(symbols: ElementTree.Element, kind: str, name: str, symbol: Symbol) -> None:
    element = ElementTree.SubElement(symbols, "symbol", type=kind, name=name, alpha="1", clip_to_extent="1")
    options = {"class": _LAYER_CLASS[kind], "enabled": "1", "locked": "0", "pass": "0"}
    layer = ElementTree.SubElement(element, "layer", options)
    listed = ElementTree.SubElement(layer, "Option", type="Map")
    for key, value in symbol.options.items():
        # QGIS takes a colour of three numbers for one without an alpha, which is opaque only if it is said.
        opaque = f"{value},255" if value.count(",") == 2 else value
        ElementTree.SubElement(listed, "Option", type="QString", name=key, value=opaque)


def _add_labels(root: ElementTree.Element, style: Style) -> None:
    labeling = ElementTree.SubElement(root, "labeling", type="simple")
    settings = ElementTree.SubElement(labeling, "settings", calloutType="simple")
    text = ElementTree.SubElement(
        settings,
        "text-style",
        fieldName=style.text,
        isExpression="0" if style.text.isidentifier() else "1",
        fontSize="8",
        fontSizeUnit="Point",
        textColor="20,20,20,255",
    )
    ElementTree.SubElement(
        text, "text-buffer", bufferDraw="1", bufferSize="0.8", bufferSizeUnits="MM", bufferColor="255,255,255,255"
    )
    placement = "2" if style.kind == "line" else "1" if style.kind == "fill" else "0"
    ElementTree.SubElement(settings, "placement", placement=placement, dist="1.5", distUnits="MM")
