"""What of a pair's ground shows nothing, as shares and in words."""

from __future__ import annotations

from typing import NamedTuple

from cv_pipeline.imagery.grid import overlap_share
from cv_pipeline.types import ImageSource, ScenePair

WORTH_TELLING = 0.001


class MaskedShares(NamedTuple):
    """Shares of an image's area, 0 to 1: estimated nodata, cloud with its fringes, blank (one colour) otherwise."""

    nodata: float
    cloud: float
    blank: float


def masked_shares(source: ImageSource) -> MaskedShares:
    """How much of an image is masked, and why. Cloud and blank are 0 where nobody looked for them."""
    obscured = source.obscured
    shown = 1.0 - source.nodata_share
    if obscured is None:
        return MaskedShares(source.nodata_share, 0.0, 0.0)
    return MaskedShares(source.nodata_share, obscured.cloud_share * shown, obscured.blank_share * shown)


def pair_notes(pair: ScenePair) -> list[str]:
    """Plain sentences on what was assumed of the images and where nothing is claimed."""
    notes = []
    for kind, source in (("after", pair.after), ("before", pair.before)):
        if source is not None:
            notes += [*source.notes, *_masked_sentences(kind, source)]
    if pair.before is not None:
        covered = overlap_share(pair.after.grid, pair.before.grid)
        if covered < 1 - WORTH_TELLING:
            notes.append(
                f"The before image reaches over {covered:.1%} of the after image; the status of craters elsewhere is "
                "unknown."
            )
    return notes


def _masked_sentences(kind: str, source: ImageSource) -> list[str]:
    shares = masked_shares(source)
    named = {"nodata": shares.nodata, "cloud with its fringes": shares.cloud, "blank or saturated": shares.blank}
    parts = [f"{share:.1%} {name}" for name, share in named.items() if share >= WORTH_TELLING]
    consequence = "no impact is claimed there." if kind == "after" else "the status of craters there is unknown."
    sentences = [f"Of the {kind} image {', '.join(parts)} was masked; {consequence}"] if parts else []
    if source.obscured is not None and source.obscured.note:
        sentences.append(source.obscured.note)
    return sentences
