"""Candidates after a closer look: better centres and radii, from which the fits in the image start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cv_pipeline.patterns.candidates import Candidates
from cv_pipeline.patterns.closeup.answers import joined
from cv_pipeline.patterns.closeup.looks import CloseLook, close_looks, merged
from cv_pipeline.patterns.closeup.weights import CloseUpFile
from cv_pipeline.patterns.evidence import no_evidence
from cv_pipeline.patterns.ground import GroundMap
from cv_pipeline.patterns.peaks import suppress
from cv_pipeline.patterns.share import ALL, Share
from cv_pipeline.patterns.verdict import PeakErrors
from cv_pipeline.types import AlignedPair, Segmentation


def look_closer(
    file: CloseUpFile,
    candidates: Candidates,
    aligned: AlignedPair,
    segmentation: Segmentation,
    ground: GroundMap,
    share: Share = ALL,
) -> list[CloseLook]:
    """Look at a share of the candidates.

    Raises:
        ImageError: a file is damaged or has gone.
        ModelError: the close-up network cannot be loaded.
    """
    at_m, paired = candidates.evidence.centre_m, segmentation.has_before
    return list(close_looks(file, aligned, segmentation, ground.frame, at_m, use_before=paired, share=share))


def closer(candidates: Candidates, found: Sequence[CloseLook], ground: GroundMap, errors: PeakErrors) -> Candidates:
    """The candidates with centre, radius and their SDs as the looks at all of them have it; as they are without looks.

    Where two turn out to be one crater the better is kept.
    """
    if not len(candidates.score):
        return replace(candidates, close=joined([]))
    if not found:  # nobody looked closer
        return candidates
    close = merged(list(found), len(candidates.score))
    known = no_evidence(
        close.centre_m,
        errors.close_centre * close.centre_sd_m,
        close.radius_m,
        errors.close_radius * close.radius_m * close.radius_log_sd,
    )
    at_px = ground.metres_to_working(close.centre_m)
    seen = replace(candidates, at_px=at_px, evidence=known, close=close)
    return seen.take(suppress(close.centre_m, candidates.score, close.radius_m / 2))
