"""The pictures that a finished ``report.html`` holds, for writing the report again where the images are not at hand."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import cast

import numpy as np

from cv_pipeline.errors import OutputError
from cv_pipeline.frame import local_frame
from cv_pipeline.imagery.grid import pixel_matrix
from cv_pipeline.report.pictures import NO_IMAGERY_GREY, ImageKind, PixelReader, chip_grid, overview_grid
from cv_pipeline.report.rows import matches_by_impact
from cv_pipeline.types import Assessment, Grid, UInt8Array

_START = "data:image/jpeg;base64,"


@dataclass(frozen=True, slots=True)
class _Picture:
    grid: Grid
    rgb: UInt8Array


def stored_reader(html: Path, assessment: Assessment) -> PixelReader:
    """Read pixels from a report's own pictures: the overview, and over it the finer chips of the cards.

    On a grid that the report has a picture of, this gives the picture as it is; elsewhere the finest there is.

    Raises:
        OutputError: the file holds no picture of the scene.
    """
    found = _Pictures(html.read_text(encoding="utf-8")).uris
    if ("after", None) not in found:
        raise OutputError(f"{html}: holds no picture of the scene; give the image with --after")
    frame, matches = local_frame(assessment.pair.after.grid), matches_by_impact(assessment)
    grids: dict[str | None, Grid] = {None: overview_grid(assessment.pair.after.grid)}
    grids |= {i.impact_id: chip_grid(i, matches[i.impact_id], frame) for i in assessment.impacts}
    kept: dict[ImageKind, list[_Picture]] = {"after": [], "before": []}
    for (kind, impact_id), uri in found.items():
        grid = grids.get(impact_id)
        rgb = _decode(uri)
        # A chip of another size comes from a program that cut them otherwise, so where it lies is not known.
        if grid is not None and rgb is not None and rgb.shape[:2] == (grid.height, grid.width):
            kept[kind].append(_Picture(grid, rgb))
    for pictures in kept.values():
        pictures.sort(key=lambda picture: -picture.grid.gsd_m)

    def read(kind: ImageKind, grid: Grid) -> UInt8Array:
        for picture in kept[kind]:
            if picture.grid == grid:
                return picture.rgb
        shown = np.full((grid.height, grid.width, 3), NO_IMAGERY_GREY, np.uint8)
        for picture in kept[kind]:
            _paint(shown, grid, picture)
        return shown

    return read


def _paint(shown: UInt8Array, grid: Grid, picture: _Picture) -> None:
    """Lay a picture over what it covers of ``shown``, in place."""
    import cv2

    to_picture = pixel_matrix(grid, picture.grid)
    # OpenCV counts from pixel centres.
    x, y = to_picture @ (0.5, 0.5)
    matrix = np.array([[to_picture.a, to_picture.b, x - 0.5], [to_picture.d, to_picture.e, y - 0.5]])
    size, flags = (grid.width, grid.height), cv2.WARP_INVERSE_MAP
    inside = cv2.warpAffine(
        np.ones(picture.rgb.shape[:2], np.uint8), matrix, size, flags=flags | cv2.INTER_NEAREST, borderValue=0
    )
    if inside.any():
        moved = cv2.warpAffine(
            picture.rgb, matrix, size, flags=flags | cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        shown[inside > 0] = moved[inside > 0]


def _decode(uri: str) -> UInt8Array | None:
    import cv2

    if not uri.startswith(_START):
        return None
    bgr = cv2.imdecode(np.frombuffer(base64.b64decode(uri[len(_START) :]), np.uint8), cv2.IMREAD_COLOR)
    return None if bgr is None else np.asarray(bgr[..., ::-1])


class _Pictures(HTMLParser):
    """The data URIs of a report's pictures by (before or after, impact; None: the whole scene)."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.uris: dict[tuple[ImageKind, str | None], str] = {}
        self._card: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values: Mapping[str, str | None] = dict(attrs)
        if tag == "article":
            self._card = (values.get("id") or "").removeprefix("card-")
        name = values.get("data-picture" if self._card is None else "data-chip")
        uri = values.get("href") or values.get("src")
        if name in ("before", "after") and uri:
            self.uris[cast(ImageKind, name), self._card] = uri

    def handle_endtag(self, tag: str) -> None:
        if tag == "article":
            self._card = None
