"""The findings in plain sentences; one wording for the report, the summary and the command line."""

from __future__ import annotations

from collections import Counter

from cv_pipeline.accuracy.cep import LEVELS
from cv_pipeline.accuracy.matched import matched_combinations
from cv_pipeline.accuracy.words import (
    chance_caution,
    combination_sentence,
    dispersion_sentence,
    influence_sentence,
)
from cv_pipeline.report.review_words import count_sentence
from cv_pipeline.types import (
    AccuracySummary,
    Assessment,
    CombinationRange,
    ErrorBudget,
    Gate,
    Interval,
    LandmarkKind,
    NullModel,
    Registration,
    Status,
)

NOT_TRUSTED = (
    "Not to be trusted: the before image could not be brought onto the after image well enough. "
    "What is new and what is old, and every position that rests on the pair, may be wrong."
)
CEP_LEVELS = LEVELS
INTENDED_USE = (
    "This is a measurement after the event, from archived imagery. It supports damage assessment, investigation "
    "and clearance work; it is not meant for correcting aim, for tasking or for locating the origin of fire.",
    "A program found these impacts. A person has to look at each of them before a figure is relied on: "
    "tree shadows, pools, burnt rubbish and construction pits are taken for craters, and small or covered craters "
    "are missed.",
    "The statistics describe distances to an assumed aim point. The imagery does not show what was aimed at; "
    "the nearest structure is near some impact by chance alone, which the chance comparison states.",
    "The intervals cover chance in the sample of impacts; they do not cover missed impacts, false finds or a wrong "
    "assumption about the aim point.",
    "Direction means the orientation of the pattern on the ground, not where anything came from.",
)


def is_trusted(assessment: Assessment) -> bool:
    """False where the registration gate failed; after-only results have no gate to fail."""
    return assessment.registration is None or assessment.registration.gate is not Gate.FAIL


def counts(assessment: Assessment) -> dict[str, int]:
    """Numbers of impacts (all, by status, with a blast pattern, with a structure), structures and landmarks by kind."""
    by_status = Counter(impact.status for impact in assessment.impacts)
    derived = Counter(landmark.kind for landmark in assessment.landmarks)
    return {
        "impacts": len(assessment.impacts),
        **{f"impacts_{status.value}": by_status[status] for status in Status},
        "impacts_with_blast_pattern": sum(i.blast_radius_m is not None for i in assessment.impacts),
        "impacts_matched": sum(m.structure_id is not None for m in assessment.matches),
        "structures": len(assessment.structures),
        **{f"{kind.value}s": derived[kind] for kind in LandmarkKind},
    }


def headline(assessment: Assessment) -> str:
    """How many impacts were found, how many of them are new, and what a person who reviewed them made of them."""
    reviewed = "" if assessment.review is None else f" {count_sentence(assessment.review)}"
    return _found(assessment) + reviewed


def _found(assessment: Assessment) -> str:
    found = counts(assessment)
    n = found["impacts"]
    if n == 0:
        return "No impacts were found."
    start = f"{n} impact{'s' if n != 1 else ''} found"
    if assessment.pair.before is None:
        return f"{start}; without a before image it is unknown which of them are new."
    parts = [
        f"{found['impacts_new']} new",
        f"{found['impacts_old']} already there before",
        f"{found['impacts_unknown']} undecided",
    ]
    return f"{start}: {', '.join(part for part in parts if not part.startswith('0 '))}."


def hypothesis_name(hypothesis: str) -> str:
    """A hypothesis's key as words: ``structure_centre`` gives ``structure centre``."""
    return hypothesis.replace("_", " ")


def error_sentence(error: ErrorBudget | None) -> str:
    """The parts of a distance's SD that are not 0, largest first; empty where nothing is known."""
    named = {
        "centre": "the impact's centre",
        "pixel": "the pixel",
        "registration": "co-registration",
        "geolocation": "geolocation",
        "footprint": "the footprints",
        "offset": "the footprints' shift",
        "geometry": "the aim point's own definition",
    }
    parts = [] if error is None else [(getattr(error, f"{key}_sd_m"), name) for key, name in named.items()]
    return ", ".join(f"{name} {sd_m:.2f} m" for sd_m, name in sorted(parts, reverse=True) if sd_m > 0)


def accuracy_sentence(summary: AccuracySummary) -> str:
    """Mean, median and SD with their intervals and the sample size, under the hypothesis."""
    start = f"Distance to the {summary.hypothesis} (n = {summary.n})"
    if summary.n == 0 or summary.mean_m is None:
        return f"{start}: there is nothing to summarise."
    parts = [
        _with_interval("mean", summary.mean_m, summary.intervals_m.get("mean_m"), summary.confidence),
        _with_interval("median", summary.median_m, summary.intervals_m.get("median_m"), summary.confidence),
        _with_interval(
            "standard deviation", summary.sd_sample_m, summary.intervals_m.get("sd_sample_m"), summary.confidence
        ),
    ]
    return f"{start}: {'; '.join(part for part in parts if part)}."


def counted_combinations(assessment: Assessment) -> CombinationRange | None:
    """Ranges over all choices of aim points, of the impacts that the statistics count; None without statistics."""
    if not assessment.accuracy:
        return None
    old = {impact.impact_id for impact in assessment.impacts if impact.status is Status.OLD}
    return matched_combinations([match for match in assessment.matches if match.impact_id not in old])


def detail_sentences(assessment: Assessment) -> list[str]:
    """Dispersion, influence and the range over all combinations, of the first summary; none without statistics."""
    combinations = counted_combinations(assessment)
    if not assessment.accuracy or combinations is None:
        return []
    first = assessment.accuracy[0]
    found = (
        dispersion_sentence(first.dispersion),
        influence_sentence(first),
        combination_sentence(combinations),
        chance_caution(first),
    )
    return [sentence for sentence in found if sentence]


def cep_rows(summary: AccuracySummary) -> list[tuple[str, str, list[str]]]:
    """Rows of a CEP table: estimator, about the mean or the aim point, the radii by level or the reason for none."""
    estimates = () if summary.dispersion is None else summary.dispersion.cep
    rows: dict[tuple[str, str], list[str]] = {}
    for e in estimates:
        cell = e.reason if e.radius_m is None else f"{e.radius_m:.1f} m"
        rows.setdefault((e.estimator.replace("_", " "), e.about), []).append(cell)
    return [(name, about, cells) for (name, about), cells in rows.items()]


def null_sentence(null: NullModel | None, confidence: float) -> str:
    """What random impacts would have given, beside the share of draws at least as near."""
    if null is None:
        return "The comparison with chance could not be made."
    low, high = null.mean_interval_m
    return (
        f"By chance alone, impacts strewn over the same ground would lie {null.mean_m:.1f} m away on average "
        f"({confidence:.0%} of {null.draws} draws: {low:.1f} to {high:.1f} m; median {null.median_m:.1f} m); "
        f"{null.rank:.1%} of the draws were as near as what was observed or nearer."
    )


def registration_sentence(registration: Registration | None) -> str:
    """How well the two images were brought together, with the gate's verdict and reason."""
    if registration is None:
        return "There was no before image, so nothing had to be registered."
    r = registration
    verdict = {Gate.PASS: "passed", Gate.WARN: "passed with a warning", Gate.FAIL: "failed"}[r.gate]
    reason = r.reason[:1].upper() + r.reason[1:]
    if r.gate is Gate.FAIL:
        return f"Registration {verdict}. {reason}"
    return (
        f"Registration {verdict}. The before image was moved by {r.shift_px:.2f} px, turned by {r.rotation_deg:.3f}° "
        f"and scaled by {r.scale:.5f}. {reason} ({r.residual_m:.2f} m)."
    )


def _with_interval(name: str, value_m: float | None, interval: Interval | None, confidence: float) -> str:
    if value_m is None:
        return f"{name} unknown at this sample size"
    if interval is None:
        return f"{name} {value_m:.1f} m"
    return f"{name} {value_m:.1f} m ({confidence:.0%} interval {interval.low:.1f} to {interval.high:.1f} m)"
