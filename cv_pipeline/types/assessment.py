"""Everything one run found, and what its review came to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cv_pipeline.types.accuracy import AccuracySummary
from cv_pipeline.types.imagery import ScenePair
from cv_pipeline.types.impacts import Impact
from cv_pipeline.types.intervals import Rate
from cv_pipeline.types.matches import Match
from cv_pipeline.types.registration import Registration
from cv_pipeline.types.segmentation import Segmentation
from cv_pipeline.types.structures import FootprintOffset, Landmark, Structure


@dataclass(frozen=True, slots=True)
class Review:
    """What a person's review of a result came to; see :mod:`cv_pipeline.review`.

    ``accepted`` and ``unreviewed`` count the run's impacts, ``rejected`` holds those left out, ``added`` counts the
    person's own. Of ``windows`` without a find, ``windows_seen`` were looked at; ``missed`` is how many impacts the run
    missed in the whole scene. ``edits`` is the length of the record and ``record_sha256`` the hash of its last line.
    ``result_sha256`` is that of the reviewed result's ``SHA256SUMS``. ``lapsed`` names impacts whose picked aim point
    is no longer among their choices.
    """

    reviewers: tuple[str, ...]
    accepted: int
    added: int
    unreviewed: int
    rejected: tuple[Impact, ...]
    precision: Rate | None
    missed: Rate | None
    recall: Rate | None
    windows: int
    windows_seen: int
    confidence: float
    edits: int
    record_sha256: str
    result_sha256: str
    lapsed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessment:
    """Everything one run found; the report writes it, Python users read it."""

    pair: ScenePair
    registration: Registration | None
    segmentation: Segmentation
    impacts: tuple[Impact, ...]
    structures: tuple[Structure, ...]
    matches: tuple[Match, ...]
    accuracy: tuple[AccuracySummary, ...]
    warnings: tuple[str, ...]
    out_dir: Path | None = None
    landmarks: tuple[Landmark, ...] = ()
    footprint_offset: FootprintOffset | None = None
    review: Review | None = None
    """None where nobody has reviewed the result."""
