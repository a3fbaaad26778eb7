"""Segmentations of parts of one grid, each below the other, seen as one: a virtual raster (VRT) over their files.

Nothing is copied, so a large scene's maps are written once. https://gdal.org/en/stable/drivers/raster/vrt.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from uuid import uuid4
from xml.etree import ElementTree as ET

from cv_pipeline.segmentation.raster import scale_offset
from cv_pipeline.types import Channel, Grid, Segmentation


def stacked(parts: Sequence[Segmentation], grid: Grid, path: Path) -> Segmentation:
    """One segmentation of parts that follow each other from the top of ``grid``.

    Args:
        parts: as wide as the grid; together as high.
        grid: the whole.
        path: the ``.vrt`` to write; it appears whole, and is of use as long as the parts' files are there.
    """
    root = ET.Element("VRTDataset", rasterXSize=str(grid.width), rasterYSize=str(grid.height))
    if grid.crs is not None:
        ET.SubElement(root, "SRS").text = grid.crs.to_wkt()
    ET.SubElement(root, "GeoTransform").text = ", ".join(map(repr, grid.transform.to_gdal()))
    for number, channel in enumerate(Channel, start=1):
        scale, offset = scale_offset(channel)
        band = ET.SubElement(root, "VRTRasterBand", dataType="UInt16", band=str(number))
        for name, value in (("Description", channel.value), ("NoDataValue", 0), ("Offset", offset), ("Scale", scale)):
            ET.SubElement(band, name).text = str(value)
        top = 0
        for part in parts:
            source = ET.SubElement(band, "SimpleSource")
            ET.SubElement(source, "SourceFilename", relativeToVRT="0").text = str(part.path.absolute())
            ET.SubElement(source, "SourceBand").text = str(number)
            size = {"xOff": "0", "xSize": str(grid.width), "ySize": str(part.grid.height)}
            ET.SubElement(source, "SrcRect", size | {"yOff": "0"})
            ET.SubElement(source, "DstRect", size | {"yOff": str(top)})
            top += part.grid.height
    aside = path.with_suffix(f".{uuid4().hex}.vrt")
    ET.ElementTree(root).write(aside, encoding="utf-8")
    aside.rename(path)
    valid_px = sum(round(part.valid_share * part.grid.height * part.grid.width) for part in parts)
    return replace(parts[0], path=path, grid=grid, valid_share=valid_px / (grid.height * grid.width))
