"""``patterns.yaml`` of a model folder: what is fitted for that model, section by section.

Each section names the network weights it was fitted with. One of other weights is left out with a note, because odds
of one network say nothing of another's; a model without the file works, with the network's own scores.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self, TypedDict

import yaml
from pydantic import BaseModel, ConfigDict, Field

from cv_pipeline.errors import ModelError
from cv_pipeline.patterns.closeup.weights import CLOSEUP_FILE, CloseUpFile
from cv_pipeline.patterns.verdict import NEW_TERMS, SCORE_TERMS, PeakErrors, Weights
from cv_pipeline.patterns.weights import PLAIN, DirectionWeights, PatternWeights, RadiusWeights
from cv_pipeline.settings_file import read_settings

PATTERNS_FILE = "patterns.yaml"
_DIGITS = 6
_Positive = Annotated[float, Field(gt=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class _Section(_Strict):
    """What every section tells of itself."""

    weights_sha256: str
    fitted_on: str
    closeup_sha256: str | None = None


class SectionFacts(TypedDict):
    """What every section tells of itself, as arguments."""

    weights_sha256: str
    fitted_on: str
    closeup_sha256: str | None


class CloseUpSection(_Strict):
    """The close-up network that belongs to the weights; its file lies in the same folder."""

    weights_sha256: str
    closeup_sha256: str


class PeaksSection(_Section):
    """Factors on the SDs of peaks, see :class:`~cv_pipeline.patterns.verdict.PeakErrors`."""

    centre: _Positive
    radius: _Positive
    fitted_centre: _Positive = 1.0
    fitted_radius: _Positive = 1.0
    close_centre: _Positive = 1.0
    close_radius: _Positive = 1.0


class _Term(_Strict):
    middle: float
    scale: _Positive
    weight: float


class Logistic(_Strict):
    """Weights of a logistic regression by the names of its terms."""

    intercept: float
    terms: dict[str, _Term]

    @classmethod
    def of(cls, weights: Weights, names: tuple[str, ...]) -> Self:
        """Weights with their terms' names."""
        rows = zip(names, weights.middle, weights.scale, weights.weight, strict=True)
        terms = {name: _Term(middle=_short(m), scale=_short(s), weight=_short(w)) for name, m, s, w in rows}
        return cls(intercept=_short(weights.intercept), terms=terms)

    def weights(self, names: tuple[str, ...]) -> Weights:
        """The weights in the order of ``names``, which are the terms' names."""
        rows = [self.terms[name] for name in names]
        return Weights(
            tuple(t.middle for t in rows), tuple(t.scale for t in rows), tuple(t.weight for t in rows), self.intercept
        )


class ScoresSection(_Section):
    """Score of a crater from peak and images, see :mod:`cv_pipeline.patterns.verdict`."""

    score: Logistic

    def has_terms_of_today(self) -> bool:
        """Whether the terms are those that the program computes."""
        return set(self.score.terms) == set(SCORE_TERMS)


class StatusesSection(_Section):
    """New or old from maps and images, see :mod:`cv_pipeline.patterns.verdict`."""

    new: Logistic

    def has_terms_of_today(self) -> bool:
        """Whether the terms are those that the program computes."""
        return set(self.new.terms) == set(NEW_TERMS)


class DirectionsSection(_Section):
    """Blast radius and direction, by the fields of their weights."""

    radius: dict[str, float]
    direction: dict[str, float]

    def has_terms_of_today(self) -> bool:
        """Whether the fields are those that the program knows."""
        return set(self.radius) == set(RadiusWeights._fields) and set(self.direction) == set(DirectionWeights._fields)


_Fitted = PeaksSection | ScoresSection | StatusesSection | DirectionsSection


class PatternsFile(_Strict):
    """The content of ``patterns.yaml``; a section that is missing is None."""

    closeup: CloseUpSection | None = None
    peaks: PeaksSection | None = None
    scores: ScoresSection | None = None
    statuses: StatusesSection | None = None
    directions: DirectionsSection | None = None


_COMMANDS = {
    "peaks": "scripts/fit_verdicts.py --what peaks",
    "scores": "scripts/fit_verdicts.py --what scores",
    "statuses": "scripts/fit_verdicts.py --what statuses",
    "directions": "scripts/check_patterns.py fit",
}
_WITHOUT = {
    "peaks": "the SDs of centres and radii are those of a typical model",
    "scores": "scores are the network's own",
    "statuses": "new or old is the network's own",
    "directions": "blast radii and directions are weighed as for exact maps",
}


def read_pattern_weights(folder: Path, weights_sha256: str) -> tuple[PatternWeights, tuple[str, ...]]:
    """What is fitted for the model in a folder, and a note for each section that is of other weights.

    A section that the file leaves out is left out on purpose, and the card says why; without the file all are noted.

    Raises:
        ModelError: the file is there and malformed.
    """
    present = (folder / PATTERNS_FILE).is_file()
    file = read_patterns_file(folder)
    weights, notes = PLAIN, []
    if file.closeup is not None and file.closeup.weights_sha256 == weights_sha256:
        weights = weights._replace(closeup=CloseUpFile(folder / CLOSEUP_FILE, file.closeup.closeup_sha256))
    elif file.closeup is not None:
        notes.append(
            f"{folder.name}/{PATTERNS_FILE}: the close-up network was trained with other network weights, so it is "
            "left out; a maker runs scripts/train_closeup.py"
        )
    closeup_sha256 = None if weights.closeup is None else weights.closeup.sha256
    for name, command in _COMMANDS.items():
        section: _Fitted | None = getattr(file, name)
        if section is None and present:
            continue
        if section is None:
            why = "is missing"
        elif section.weights_sha256 != weights_sha256:
            why = "was fitted with other network weights"
        elif section.closeup_sha256 != closeup_sha256:
            why = "was fitted with another close-up network, or without one"
        elif not isinstance(section, PeaksSection) and not section.has_terms_of_today():
            why = "was fitted with other terms"
        else:
            weights = weights._replace(**_used(section))
            continue
        notes.append(f"{folder.name}/{PATTERNS_FILE}: {name} {why}, so {_WITHOUT[name]}; a maker runs {command}")
    return weights, tuple(notes)


def _used(section: _Fitted) -> dict[str, Any]:
    """A section as fields of :class:`PatternWeights`."""
    if isinstance(section, PeaksSection):
        return {"peaks": PeakErrors(*(getattr(section, name) for name in PeakErrors._fields))}
    if isinstance(section, ScoresSection):
        return {"score": section.score.weights(SCORE_TERMS)}
    if isinstance(section, StatusesSection):
        return {"new": section.new.weights(NEW_TERMS)}
    return {"radius": RadiusWeights(**section.radius), "direction": DirectionWeights(**section.direction)}


def read_patterns_file(folder: Path) -> PatternsFile:
    """The checked content of ``patterns.yaml``; empty where there is none.

    Raises:
        ModelError: the file cannot be read or is malformed.
    """
    path = folder / PATTERNS_FILE
    if not path.is_file():
        return PatternsFile()
    what, advice = "a valid file of fitted weights; fetch it again or remove it", "change its permissions or fetch it"
    return read_settings(path, PatternsFile, what, advice, ModelError)


def write_section(folder: Path, **sections: _Fitted | CloseUpSection) -> None:
    """Write sections by name and leave the others as they are.

    Raises:
        ModelError: the file that is there is malformed.
    """
    file = read_patterns_file(folder).model_copy(update=sections)
    text = yaml.safe_dump(file.model_dump(mode="json", exclude_none=True), sort_keys=False)
    head = "# Written by scripts/train_closeup.py, fit_verdicts.py and check_patterns.py; do not edit.\n"
    (folder / PATTERNS_FILE).write_text(head + text, encoding="utf-8")


def directions_section(radius: RadiusWeights, direction: DirectionWeights, facts: SectionFacts) -> DirectionsSection:
    """The section of these weights."""
    short = [{name: _short(value) for name, value in part._asdict().items()} for part in (radius, direction)]
    return DirectionsSection(**facts, radius=short[0], direction=short[1])


def _short(value: float) -> float:
    """A number with the digits that matter."""
    return float(f"{value:.{_DIGITS}g}")
