"""The plain sentence that goes with every summary."""

from __future__ import annotations

from cv_pipeline.types import NullModel

CHANCE_LEVEL = 0.05
"""A rank below this, or above 1 minus this, is told from chance."""


def told_from_chance(null: NullModel | None) -> bool | None:
    """Whether the impacts lie nearer to the structures than chance explains; None where chance is not known."""
    return None if null is None else null.rank <= CHANCE_LEVEL


def statement(n: int, mean_m: float | None, median_m: float | None, null: NullModel | None) -> str:
    """What the distances say and what they do not; the word accuracy is kept for what chance cannot explain."""
    if mean_m is None or median_m is None:
        return "There are no distances, so nothing can be said (n = 0)."
    figures = f"mean {mean_m:.1f} m, empirical median (CEP-like) {median_m:.1f} m, n = {n}"
    small = " So few values carry little weight." if n < 5 else ""
    if null is None:
        return (
            f"What chance alone would give is not known here, so these distances are not evidence of accuracy: "
            f"{figures}.{small}"
        )
    chance = f"random points over the same ground average {null.mean_m:.1f} m"
    if told_from_chance(null):
        none_as_small = null.rank * (null.draws + 1) < 1.5
        share = "in none of" if none_as_small else f"in {null.rank:.1%} of"
        return (
            f"The impacts lie nearer to the structures than chance explains: {figures}; {chance}, and {share} "
            f"{null.draws} random samples the mean was as small.{small}"
        )
    if null.rank >= 1 - CHANCE_LEVEL:
        return f"The impacts lie farther from the structures than chance would put them: {figures}; {chance}.{small}"
    return (
        f"These distances cannot be told from chance: {figures}; {chance}, and {null.rank:.0%} of {null.draws} "
        f"random samples had a mean as small.{small}"
    )
