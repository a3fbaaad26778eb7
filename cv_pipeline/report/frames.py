"""Layers as GeoDataFrames, the form in which pyogrio writes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import shapely

from cv_pipeline.report.layers import Layer
from cv_pipeline.types import Float64Array

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from shapely.geometry.base import BaseGeometry


def geo_frame(layer: Layer, project: Callable[[Float64Array], Float64Array] | None, crs: Any) -> GeoDataFrame:
    """A layer as a GeoDataFrame in ``crs``.

    Args:
        layer: what to write; an empty layer keeps its columns and their types.
        project: local metres (n, 2) to the wanted coordinates; None drops every geometry (null).
        crs: anything geopandas takes; None leaves it undefined.
    """
    import geopandas as gpd
    import pandas as pd

    data = {
        name: pd.Series([row[name] for row in layer.rows], dtype=cast(Any, dtype))
        for name, dtype in layer.columns.items()
    }
    shapes = projected(layer, project) if project is not None else [None] * len(layer.rows)
    return gpd.GeoDataFrame(data, geometry=gpd.GeoSeries(shapes, crs=crs), crs=crs)


def projected(layer: Layer, project: Callable[[Float64Array], Float64Array]) -> list[BaseGeometry]:
    """A layer's geometries with all coordinates passed through ``project`` in one call."""
    if not layer.geometries_m:
        return []
    return list(shapely.transform(np.array(layer.geometries_m, dtype=object), project))
