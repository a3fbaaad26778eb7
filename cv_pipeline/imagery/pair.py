"""Opening a before and an after image as one scene."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from affine import Affine

from cv_pipeline.config import AssessConfig
from cv_pipeline.errors import PairError
from cv_pipeline.imagery.clouds import find_obscured
from cv_pipeline.imagery.grid import overlap
from cv_pipeline.imagery.levels import match_levels
from cv_pipeline.imagery.source import has_crs, open_source
from cv_pipeline.types import Grid, ImageSource, ScenePair


def open_pair(before: str | Path | None, after: str | Path, config: AssessConfig) -> ScenePair:
    """Open and check both images of a scene.

    The before image takes ``config.before_gsd_m`` and ``config.before_bands``, and where these are
    unset the after image's (the GSD only if it has no CRS, as two dates rarely share one). The same file may be
    given twice. Clouds are looked for in both, and the before image's levels matched to the after image's.

    Args:
        before: the earlier image, or None for detection in the after image alone.
        after: the later image; all results are in its pixels.
        config: supplies GSD and bands.

    Raises:
        ImageError: one of the images cannot be used.
        GsdError: a GSD is missing or contradictory.
        PairError: only one of the two has a CRS, or they do not overlap.
    """
    if before is not None and has_crs(before) != has_crs(after):
        with_crs, without = (before, after) if has_crs(before) else (after, before)
        raise PairError(
            f"{without} has no CRS and {with_crs} has one, so they cannot be laid upon each other; "
            "give two georeferenced images, or two without (gdal_translate -a_srs and -a_ullr add a georeference)"
        )
    after_source = open_source(after, gsd_m=config.gsd_m, bands=config.bands)
    after_source = replace(after_source, obscured=find_obscured(after_source))
    if before is None:
        return ScenePair(after=after_source, before=None)
    gsd_m = config.before_gsd_m
    if gsd_m is None and after_source.grid.crs is None:
        gsd_m = config.gsd_m
    before_source = open_source(
        before, gsd_m=gsd_m, bands=config.before_bands or config.bands, bands_option="--before-bands"
    )
    _check_overlap(before_source, after_source)
    before_source = replace(before_source, obscured=find_obscured(before_source))
    return ScenePair(after=after_source, before=match_levels(before_source, after_source))


def _check_overlap(before: ImageSource, after: ImageSource) -> None:
    if overlap(after.grid, before.grid) is not None:
        return
    for image, other in ((before, after), (after, before)):
        if overlap(other.grid, _swapped(image.grid)) is not None:
            raise PairError(
                f"{before.path} and {after.path} do not overlap on the ground, but they would if {image.path} had its "
                "axes swapped (latitude first); mend its georeference with gdal_edit.py -a_ullr"
            )
    raise PairError(
        f"{before.path} and {after.path} do not overlap on the ground; "
        "check that they show the same place and that both georeferences are right"
    )


def _swapped(grid: Grid) -> Grid:
    """The grid where x and y of its CRS had been mistaken for each other."""
    t = grid.transform
    return replace(grid, transform=Affine(t.d, t.e, t.f, t.a, t.b, t.c))
