"""What is done about a shift between footprints and image: told, or undone when asked to; never in silence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from cv_pipeline.frame import LocalFrame
from cv_pipeline.structures.offset import MIN_FOOTPRINTS, estimate_offset, moved
from cv_pipeline.types import FootprintOffset, ImageSource, Structure


def place(
    structures: tuple[Structure, ...], image: ImageSource, frame: LocalFrame, *, fix: bool
) -> tuple[tuple[Structure, ...], FootprintOffset]:
    """Structures and their offset against ``image``; moved by it where ``fix`` is set and it is reliable."""
    offset = estimate_offset(structures, image, frame)
    if not (fix and offset.reliable):
        return structures, offset
    return moved(structures, offset), replace(offset, applied=True)


def offset_sd_m(offset: FootprintOffset | None) -> float:
    """The offset's part in a distance's error, per axis.

    What is left after a move is the estimate's own SD. A shift that is known and not undone counts with
    its root mean square over all directions, length / sqrt(2). One that could not be told counts as 0,
    which is unknown, not small.
    """
    if offset is None or not offset.reliable:
        return 0.0
    left_m = 0.0 if offset.applied else math.hypot(offset.dx_m, offset.dy_m) / math.sqrt(2)
    return math.hypot(left_m, offset.sd_m)


def offset_notes(offset: FootprintOffset | None, gsd_m: float, *, fix: bool) -> Sequence[str]:
    """What a reader must know of the offset: nothing where it is too small to tell, or was not looked for."""
    sentence = None if offset is None else _offset_sentence(offset, gsd_m, fix=fix)
    return () if sentence is None else (sentence,)


def _offset_sentence(offset: FootprintOffset, gsd_m: float, *, fix: bool) -> str | None:
    length_m = math.hypot(offset.dx_m, offset.dy_m)
    shift = f"{offset.dx_m:+.1f} m east and {offset.dy_m:+.1f} m north (SD {offset.sd_m:.1f} m)"
    backed = f"{offset.support} of {offset.tried} footprints agree, peak ratio {offset.peak_ratio:.1f}"
    if offset.applied:
        return (
            f"All structures were moved by {shift} onto the edges in the after image: {backed}. "
            "The image's geolocation error is no longer part of the distances' error, because it moves both alike."
        )
    if not offset.reliable and fix:
        return f"The footprints were not moved, because their shift could not be told: {offset.reason}."
    if not offset.reliable and offset.tried >= MIN_FOOTPRINTS:
        return f"Whether the footprints lie on the image could not be told: {offset.reason}."
    if not offset.reliable or length_m <= max(2 * offset.sd_m, gsd_m):
        return None
    return (
        f"The footprints do not lie on the image: moving them by {shift} would fit it best ({backed}). Nothing was "
        "moved; the shift is in the distances' SD. Look at the overlay, then run again with --footprint-offset fix, "
        "or with better footprints."
    )
