"""Data classes of :mod:`cv_pipeline.types` as plain JSON values and back, without losing a bit.

Written by value, read by the annotated type, so a class that gains a field needs nothing here. Arrays are little-endian
bytes in base64, geometries WKB, projections WKT, and of a path only the file's name.
"""

from __future__ import annotations

import base64
import math
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np
import shapely
from affine import Affine
from rasterio.crs import CRS
from shapely.geometry.base import BaseGeometry

_HEAVY = {"Affine": Affine, "CRS": CRS, "BaseGeometry": BaseGeometry}
"""What :mod:`cv_pipeline.types` imports for checking only, so that it starts quickly."""


def encode(value: Any) -> Any:
    """``value`` as JSON can hold it; :func:`decode` with its type gives it back.

    Raises:
        TypeError: there is no way to write a value of this type.
    """
    if is_dataclass(value):
        return {field.name: encode(getattr(value, field.name)) for field in fields(value)}
    for kind, write in _WRITERS:
        if isinstance(value, kind):
            return write(value)
    raise TypeError(f"no way to write a {type(value).__name__}")


def decode(kind: Any, data: Any) -> Any:
    """What :func:`encode` made of a value of type ``kind``.

    Raises:
        ValueError, KeyError, TypeError: the data are not of that type.
    """
    origin = get_origin(kind)
    if origin is not None:
        return _decode_generic(origin, get_args(kind), data)
    if is_dataclass(kind) and isinstance(kind, type):
        # What the data lack is of a later version than they are; it has a default, or cannot be made up.
        return kind(**{name: decode(hint, data[name]) for name, hint in _hints(kind).items() if name in data})
    for base, read in _READERS:
        if issubclass(kind, base):
            return read(data)
    return kind(*data) if hasattr(kind, "_fields") else kind(data)


def _decode_generic(origin: Any, parts: tuple[Any, ...], data: Any) -> Any:
    if origin in (Union, types.UnionType):
        return None if data is None else decode(next(part for part in parts if part is not types.NoneType), data)
    if origin is np.ndarray:
        dtype, shape, text = data
        # A copy, because numpy takes a bytes object for read-only.
        return np.frombuffer(base64.b64decode(text), np.dtype(dtype)).reshape(shape).copy()
    if origin is tuple:
        each = [parts[0]] * len(data) if parts[-1] is Ellipsis else parts
        return tuple(decode(part, item) for part, item in zip(each, data, strict=True))
    return {key: decode(parts[1], item) for key, item in data.items()}


def _array(value: Any) -> list[Any]:
    little = value.astype(value.dtype.newbyteorder("<"), order="C")
    return [little.dtype.str, list(value.shape), _text(little.tobytes())]


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


_WRITERS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (Enum, lambda value: value.value),  # before text and whole numbers, which enumerations are too
    ((types.NoneType, bool, int, str), lambda value: value),
    (float, lambda value: float(value) if math.isfinite(value) else repr(float(value))),
    (np.generic, lambda value: encode(value.item())),
    (Path, lambda value: value.name),
    (np.ndarray, _array),
    (BaseGeometry, lambda value: _text(shapely.to_wkb(value, byte_order=1))),
    (CRS, lambda value: value.to_wkt()),
    (Affine, lambda value: list(value)[:6]),
    (Mapping, lambda value: {str(key): encode(item) for key, item in value.items()}),
    ((tuple, list), lambda value: [encode(item) for item in value]),
)
_READERS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (BaseGeometry, lambda data: shapely.from_wkb(base64.b64decode(data))),
    (CRS, CRS.from_wkt),
    (Affine, lambda data: Affine(*data)),
)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind, globalns=vars(sys.modules[kind.__module__]) | _HEAVY)
