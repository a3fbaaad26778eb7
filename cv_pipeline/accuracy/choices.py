"""The aim points among which an impact leaves a choice, each under the names by which a user may pick it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from cv_pipeline.accuracy.points_file import PointRecord
from cv_pipeline.matching.hypotheses import ITSELF
from cv_pipeline.types import Hypothesis, Match

LIKELY_NAME = "likely"
LESS_LIKELY_NAME = "less_likely"


@dataclass(frozen=True, slots=True)
class Choice:
    """One aim point of one impact. ``hypothesis`` is None for a distance that someone stated."""

    names: tuple[str, ...]
    distance_m: float
    hypothesis: Hypothesis | None = None


def likely(match: Match) -> Hypothesis | None:
    """The likeliest aim point; None without hypotheses."""
    return match.hypotheses[0] if match.hypotheses else None


def less_likely(match: Match) -> Hypothesis | None:
    """The second likeliest aim point, or the likeliest where there is no other.

    The point itself is passed over: its distance is 0 by construction, so a mean that takes it in
    would count misses as hits. It stays in the list of hypotheses for a reviewer to see.
    """
    aimed = [hypothesis for hypothesis in match.hypotheses if hypothesis.kind != ITSELF]
    return aimed[min(1, len(aimed) - 1)] if aimed else None


def match_choices(match: Match) -> tuple[Choice, ...]:
    """The hypotheses of a match, likeliest first, named by ID, by kind where it is the only one, and by rank."""
    kinds = Counter(hypothesis.kind for hypothesis in match.hypotheses)
    ranks = ((LIKELY_NAME, likely(match)), (LESS_LIKELY_NAME, less_likely(match)))
    return tuple(
        Choice(
            names=(
                *((h.hypothesis_id,) if h.hypothesis_id else ()),
                *((h.kind,) if kinds[h.kind] == 1 else ()),
                *(name for name, ranked in ranks if ranked is h),
            ),
            distance_m=h.distance_m,
            hypothesis=h,
        )
        for h in match.hypotheses
    )


def record_choices(record: PointRecord) -> tuple[Choice, ...]:
    """The one or two stated distances of a published impact; none where the likely one is unknown."""
    found = []
    for name, distance_m, aim_point in (
        (LIKELY_NAME, record.likely_m, record.likely_aim_point),
        (LESS_LIKELY_NAME, record.less_likely_m, record.less_likely_aim_point),
    ):
        if distance_m is not None:
            found.append(Choice((*((aim_point,) if aim_point else ()), name), distance_m))
    return tuple(found)


def is_itself(choice: Choice) -> bool:
    """Whether the choice takes the impact as meant for its own spot."""
    return choice.hypothesis is not None and choice.hypothesis.kind == ITSELF
