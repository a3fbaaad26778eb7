"""The picture under a figure's axes: each corner where it belongs, in pixels and in an SVG."""

from __future__ import annotations

import base64
import io

import cv2
import numpy as np
import pytest
from defusedxml import ElementTree
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from cv_pipeline.report.ground_artist import GroundArtist
from cv_pipeline.types import UInt8Array

COLOURS = np.array([[[200, 0, 0], [0, 200, 0]], [[0, 0, 200], [200, 200, 0]]], np.uint8)
"""Top left, top right; bottom left, bottom right."""


@pytest.fixture
def picture() -> UInt8Array:
    return np.asarray(np.kron(COLOURS, np.ones((300, 400, 1), np.uint8)), np.uint8)


def figure_of(picture: UInt8Array) -> Figure:
    figure = Figure(figsize=(4, 3))
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.25, 0.25, 0.5, 0.5))
    axes.set_axis_off()
    axes.add_artist(GroundArtist(picture))
    return figure


def decoded(data: bytes) -> UInt8Array:
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(found, np.uint8)[..., ::-1]


def quadrants(found: UInt8Array) -> UInt8Array:
    height, width = found.shape[:2]
    return found[np.ix_([height // 4, 3 * height // 4], [width // 4, 3 * width // 4])]


def test_fills_its_axes_in_pixels(picture: UInt8Array) -> None:
    buffer = io.BytesIO()
    figure_of(picture).savefig(buffer, dpi=200, format="png")
    drawn = decoded(buffer.getvalue())
    assert drawn.shape == (600, 800, 3)
    np.testing.assert_array_equal(quadrants(drawn[150:450, 200:600]), COLOURS)
    assert (drawn[:149] == 255).all() and (drawn[:, 601:] == 255).all()


def test_lies_in_an_svg_as_a_jpeg_no_larger_than_needed(picture: UInt8Array) -> None:
    buffer = io.BytesIO()
    figure_of(picture).savefig(buffer, format="svg")
    (image,) = ElementTree.fromstring(buffer.getvalue()).iter("{http://www.w3.org/2000/svg}image")
    assert [float(image.get(key)) for key in ("x", "y", "width", "height")] == [72, 54, 144, 108]
    data = image.get("{http://www.w3.org/1999/xlink}href").removeprefix("data:image/jpeg;base64,")
    held = decoded(base64.b64decode(data))
    assert held.shape == (300, 400, 3)
    np.testing.assert_allclose(quadrants(held), COLOURS, atol=4)
