"""Candidates after a closer look: better centres and radii to start the fits from, and craters that touch others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from cv_pipeline.patterns.candidates import Candidates
from cv_pipeline.patterns.closeup.answers import CloseUp, joined
from cv_pipeline.patterns.closeup.looks import CloseLook, close_looks, merged
from cv_pipeline.patterns.closeup.weights import CloseUpFile
from cv_pipeline.patterns.evidence import no_evidence
from cv_pipeline.patterns.ground import GroundMap
from cv_pipeline.patterns.peaks import suppress
from cv_pipeline.patterns.share import ALL, Share
from cv_pipeline.patterns.verdict import PeakErrors
from cv_pipeline.types import AlignedPair, Float64Array, Segmentation

_BACK_RADII = 0.6
"""A neighbour must see the crater that told of it, so many radii from its centre at most."""


class Closer(NamedTuple):
    """What a closer look gave: answers for the candidates ``which`` (m,), and for neighbours of ``beside`` (k,)."""

    which: np.ndarray
    answers: CloseUp
    beside: np.ndarray
    neighbours: CloseUp


def look_closer(
    file: CloseUpFile,
    candidates: Candidates,
    aligned: AlignedPair,
    segmentation: Segmentation,
    ground: GroundMap,
    share: Share = ALL,
) -> list[Closer]:
    """Look at a share of the candidates, and at the neighbours that they are said to touch.

    A neighbour counts if it is more likely than not, looks like a crater from its own place, and sees the first one.

    Raises:
        ImageError: a file is damaged or has gone.
        ModelError: the close-up network cannot be loaded.
    """

    def looks(at_m: Float64Array, share: Share = ALL) -> list[CloseLook]:
        return list(
            close_looks(
                file, aligned, segmentation, ground.frame, at_m, use_before=segmentation.has_before, share=share
            )
        )

    found = []
    for which, answers in looks(candidates.evidence.centre_m, share):
        telling = np.nonzero((answers.has_twin > 0) & (answers.crater > 0))[0]
        told = answers.take(telling)
        there = merged(looks(told.twin_m), len(told.crater))
        back_m = np.linalg.norm(there.twin_m - told.centre_m, axis=1)
        sure = (there.crater > 0) & (there.has_twin > 0) & (back_m <= _BACK_RADII * told.radius_m)
        found.append(Closer(which, answers, which[telling[sure]], there.take(np.nonzero(sure)[0])))
    return found


def closer(candidates: Candidates, found: Sequence[Closer], ground: GroundMap, errors: PeakErrors) -> Candidates:
    """The candidates with centre, radius and their SDs as the closer look has them, and the neighbours it found.

    A neighbour has the score of the candidate that it touches, times the probability that it is there. Where two turn
    out to be one crater, as candidates and neighbours that are the same do, the better is kept.
    """
    if not len(candidates.score):
        return replace(candidates, close=joined([]))
    if not found:  # nobody looked closer
        return candidates
    which = np.concatenate([np.concatenate([part.which for part in found]), *(part.beside for part in found)])
    whole = joined([*(part.answers for part in found), *(part.neighbours for part in found)])
    count = sum(len(part.which) for part in found)
    order = np.r_[np.argsort(which[:count]), np.arange(count, len(which))]
    which, close = which[order], whole.take(order)
    share = np.ones(len(which))
    share[count:] = 1 / (1 + np.exp(-close.has_twin[which[count:]]))
    peak = candidates.peak[which] * share
    known = no_evidence(
        close.centre_m,
        errors.close_centre * close.centre_sd_m,
        close.radius_m,
        errors.close_radius * close.radius_m * close.radius_log_sd,
    )
    at_px = ground.metres_to_working(close.centre_m)
    seen = Candidates(at_px, peak, peak, candidates.new[which], known, close)
    return seen.take(suppress(close.centre_m, peak, close.radius_m / 2))
