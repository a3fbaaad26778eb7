"""A review in plain sentences; one wording for the page, the report, the summary and the command line."""

from __future__ import annotations

from collections.abc import Sequence

from cv_pipeline.types import Rate, Review


def count_sentence(review: Review) -> str:
    """Who reviewed, and how many impacts were accepted, rejected, added and not yet looked at."""
    parts = [
        f"{review.accepted} accepted",
        f"{len(review.rejected)} rejected and left out",
        f"{review.added} added",
        f"{review.unreviewed} not yet reviewed",
    ]
    who = f"by {_listed(review.reviewers)}" if review.reviewers else "by nobody yet"
    return f"Reviewed {who}: {', '.join(parts)}."


def precision_sentence(review: Review) -> str:
    """Precision with its interval, and on how many decisions it rests."""
    decided = review.accepted + len(review.rejected)
    if review.precision is None:
        return "Precision is not known: no impact was decided on."
    left = f" Not decided on, and not in it: {review.unreviewed}." if review.unreviewed else ""
    return (
        f"Precision {_rate(review.precision, review)}, Clopper-Pearson: {review.accepted} of {decided} impacts that "
        f"were decided on are craters in the reviewer's eyes.{left}"
    )


def recall_sentence(review: Review) -> str:
    """Recall with its interval and what it is extrapolated from."""
    if not review.windows:
        return "Recall is not known: no window of ground without a find could be drawn."
    if review.missed is None:
        return f"Recall is not known: none of the {review.windows} windows without a find was looked at."
    low, high = review.missed.interval
    if review.recall is None:
        return (
            "Recall is not known: no impact was accepted, and nothing was missed in the "
            f"{review.windows_seen} of {review.windows} windows that were looked at (at most {high:.0f} in all)."
        )
    waiting = f" Not yet reviewed, and not counted as found: {review.unreviewed}." if review.unreviewed else ""
    return (
        f"Recall {_rate(review.recall, review)}: {review.accepted} accepted, and about {review.missed.value:.0f} "
        f"missed ({low:.0f} to {high:.0f}), extrapolated from {review.windows_seen} of {review.windows} windows "
        f"without a find, drawn at random.{waiting}"
    )


def review_sentences(review: Review) -> Sequence[str]:
    """All of the above, and whose picked aim point fell away."""
    lapsed = (
        [f"The aim point picked for {_listed(review.lapsed)} is no longer a choice there; the likeliest one counts."]
        if review.lapsed
        else []
    )
    return (count_sentence(review), precision_sentence(review), recall_sentence(review), *lapsed)


def _rate(rate: Rate, review: Review) -> str:
    low, high = rate.interval
    return f"{rate.value:.2f} ({review.confidence:.0%} interval {low:.2f} to {high:.2f})"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
