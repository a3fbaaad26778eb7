"""Which bands of a raster are red, green and blue."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from rasterio.enums import ColorInterp
from rasterio.io import DatasetReader

from cv_pipeline.errors import ImageError

_RGB = (ColorInterp.red, ColorInterp.green, ColorInterp.blue)
_NAMES = ("red", "green", "blue")
_USUAL = {
    4: ((3, 2, 1), "blue, green, red, near infrared"),
    8: ((5, 3, 2), "coastal, blue, green, yellow, red, red edge and two near infrared"),
}
"""Order of satellite products that say nothing about their bands: Maxar and Planet with 4, WorldView with 8."""


class BandChoice(NamedTuple):
    """The 1-based bands read as red, green and blue, and what had to be assumed ("" where the file says it)."""

    bands: tuple[int, int, int]
    note: str = ""


def choose_bands(
    dataset: DatasetReader, path: Path, bands: tuple[int, int, int] | None, option: str = "--bands"
) -> BandChoice:
    """The bands to read as red, green and blue.

    A choice by the user always wins, then the file's colour interpretation, then its band names. One band
    (and one with alpha) is read as grey, three without a word in file order, 4 and 8 in the order that is
    usual for satellites; all of these with a note.

    Raises:
        ImageError: a chosen band does not exist, or nothing says which bands are colours.
    """
    if bands is not None:
        return BandChoice(_check_chosen(dataset, path, bands, option))
    interp = dataset.colorinterp
    if all(colour in interp for colour in _RGB):
        red, green, blue = (interp.index(colour) + 1 for colour in _RGB)
        return BandChoice((red, green, blue))
    if ColorInterp.palette in interp:
        raise ImageError(
            f"{path}: the image has a colour palette; expand it with gdal_translate -expand rgb and use the result"
        )
    named = _by_name(dataset)
    if named is not None:
        return BandChoice(named)
    colours = [number for number, kind in enumerate(interp, start=1) if kind != ColorInterp.alpha]
    return _by_count(dataset, path, colours, option)


def _by_name(dataset: DatasetReader) -> tuple[int, int, int] | None:
    """Bands whose descriptions are a colour's name; None unless each colour is there exactly once."""
    words = [re.split(r"[^a-z]+", (name or "").lower()) for name in dataset.descriptions]
    found = []
    for colour in _NAMES:
        plain = [number for number, parts in enumerate(words, start=1) if [p for p in parts if p] == [colour]]
        if len(plain) != 1:
            return None
        found.append(plain[0])
    red, green, blue = found
    return red, green, blue


def _by_count(dataset: DatasetReader, path: Path, colours: list[int], option: str) -> BandChoice:
    if not colours:
        raise ImageError(f"{path}: the only band is an alpha band; pass {option} 1,1,1 to read it as grey")
    if len(colours) == 1:
        return BandChoice((colours[0],) * 3, f"{path.name} has one band, which is read as grey.")
    if len(colours) == 3:
        red, green, blue = colours
        return BandChoice(
            (red, green, blue),
            f"{path.name} does not say which of its three bands are which colours; they are read as red, green, blue.",
        )
    if len(colours) in _USUAL:
        usual, order = _USUAL[len(colours)]
        red, green, blue = (colours[number - 1] for number in usual)
        return BandChoice(
            (red, green, blue),
            f"{path.name} does not say which of its {len(colours)} bands are which colours; bands "
            f"{red},{green},{blue} are read as red, green, blue, as in products of {order}; "
            f"if that is wrong, pass {option} R,G,B.",
        )
    names = ", ".join(f"{number} {kind.name}" for number, kind in enumerate(dataset.colorinterp, start=1))
    raise ImageError(
        f"{path}: the image has {dataset.count} bands and does not say which are red, green and blue ({names}); "
        f"pass {option} R,G,B, for instance {option} {'4,3,2' if len(colours) > 3 else '1,1,1'}"
    )


def _check_chosen(dataset: DatasetReader, path: Path, bands: tuple[int, int, int], option: str) -> tuple[int, int, int]:
    wrong = [band for band in bands if not 1 <= band <= dataset.count]
    if wrong:
        raise ImageError(
            f"{path}: band {wrong[0]} does not exist, the file has {dataset.count}; "
            f"pass {option} R,G,B with numbers from 1 to {dataset.count}"
        )
    return bands
