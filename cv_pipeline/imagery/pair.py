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
    if before is not None:
        check_both_placed(before, after)
    after_source = open_after(after, config)
    if before is None:
        return ScenePair(after=after_source, before=None)
    return join(open_before(before, config, after_source), after_source)


def check_both_placed(before: str | Path, after: str | Path) -> None:
    """Raise PairError where only one of two images says where on earth it lies."""
    if has_crs(before) != has_crs(after):
        with_crs, without = (before, after) if has_crs(before) else (after, before)
        raise PairError(
            f"{without} has no CRS and {with_crs} has one, so they cannot be laid upon each other; "
            "give two georeferenced images, or two without (gdal_translate -a_srs and -a_ullr add a georeference)"
        )


def open_after(path: str | Path, config: AssessConfig) -> ImageSource:
    """The after image with its clouds; errors as :func:`open_source`."""
    return _with_clouds(open_source(path, gsd_m=config.gsd_m, bands=config.bands))


def open_before(path: str | Path, config: AssessConfig, after: ImageSource) -> ImageSource:
    """The before image with its clouds, not yet matched; errors as :func:`open_source`."""
    gsd_m = config.before_gsd_m
    if gsd_m is None and after.grid.crs is None:
        gsd_m = config.gsd_m
    bands = config.before_bands or config.bands
    return _with_clouds(open_source(path, gsd_m=gsd_m, bands=bands, bands_option="--before-bands"))


def join(before: ImageSource, after: ImageSource) -> ScenePair:
    """Two opened images as a pair, the before image's levels matched; PairError where they do not overlap."""
    _check_overlap(before, after)
    return ScenePair(after=after, before=match_levels(before, after))


def _with_clouds(source: ImageSource) -> ImageSource:
    return replace(source, obscured=find_obscured(source))


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
