"""A picture of the ground under the axes of a figure, at no more cost than its pixels.

Matplotlib's own images take 100 bytes of memory for a pixel and half the time of a figure, and lie in an SVG as PNG.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from matplotlib.artist import Artist

from cv_pipeline.report.pictures import jpeg_uri
from cv_pipeline.types import UInt8Array

SVG_DPI = 200
"""At most, of the picture in an SVG, where it is a JPEG."""


class GroundArtist(Artist):
    """A picture (h, w, 3) that fills its axes: resized once to the figure's pixels, in an SVG a JPEG."""

    def __init__(self, picture: UInt8Array) -> None:
        super().__init__()
        self._picture = picture
        self.set_zorder(0)

    def draw(self, renderer: Any) -> None:
        """See matplotlib; an SVG's pixels are points."""
        assert self.axes is not None
        box = self.axes.bbox
        writer = getattr(renderer, "writer", None)
        if writer is None:
            width, height = round(box.width), round(box.height)
            rgba = cv2.cvtColor(_resized(self._picture, width, height), cv2.COLOR_RGB2RGBA)
            renderer.draw_image(renderer.new_gc(), round(box.x0), round(box.y0), np.ascontiguousarray(rgba[::-1]))
            return
        share = min(1.0, SVG_DPI / 72 * box.width / self._picture.shape[1])
        height, width = (max(round(share * side), 1) for side in self._picture.shape[:2])
        place = {"x": box.x0, "y": renderer.height - box.y1, "width": box.width, "height": box.height}
        writer.element(
            "image",
            attrib={key: f"{value:.4g}" for key, value in place.items()}
            | {"preserveAspectRatio": "none", "xlink:href": jpeg_uri(_resized(self._picture, width, height))},
        )


def _resized(picture: UInt8Array, width: int, height: int) -> UInt8Array:
    if (height, width) == picture.shape[:2]:
        return picture
    shrinks = width < picture.shape[1]
    found = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(found, np.uint8)
