"""Sentences on combinations, influence and dispersion, for the command line and the report."""

from __future__ import annotations

import math

from cv_pipeline.accuracy.statement import told_from_chance
from cv_pipeline.types import AccuracySummary, CombinationRange, Dispersion, Range


def combination_sentence(combinations: CombinationRange) -> str:
    """Ranges of mean, median and SD over every choice of one aim point per impact."""
    c = combinations
    if c.count == 1:
        return f"Each of the {c.n} impacts has one aim point only, so there is nothing to combine."
    parts = [f"mean {_range(c.mean_m)}", f"median {_range(c.median_m)}"]
    if c.sd_population_m is not None and c.sd_sample_m is not None:
        parts += [f"population SD {_range(c.sd_population_m)}", f"sample SD {_range(c.sd_sample_m)}"]
    if c.count < 1e6:
        count = str(c.count)
    else:  # of thousands of impacts it has thousands of digits, more than a float can take
        count = f"{c.count:.1e}" if c.count < 1e300 else f"10^{math.log10(c.count):.0f}"
    return (
        f"Over all {count} combinations of aim points ({c.with_choice} of {c.n} impacts have a choice): "
        f"{'; '.join(parts)}."
    )


def influence_sentence(summary: AccuracySummary) -> str:
    """Which impact moves the mean most, and which stand out; empty for fewer than three impacts."""
    mean_m = summary.mean_m
    if mean_m is None:
        return ""
    moved = [(abs(i.mean_without_m - mean_m), i) for i in summary.influences if i.mean_without_m is not None]
    if len(moved) < 3:
        return ""
    most = max(moved, key=lambda pair: pair[0])[1]
    outliers = [i.impact_id for i in summary.influences if i.is_outlier]
    stand_out = f"apart from the rest: {', '.join(outliers)}" if outliers else "no impact stands apart from the rest"
    return (
        f"Without impact {most.impact_id} ({most.distance_m:.1f} m) the mean would be {most.mean_without_m:.1f} m and "
        f"the median {most.median_without_m:.1f} m; no other impact moves the mean more; {stand_out} "
        "(3.5 scaled median deviations)."
    )


def dispersion_sentence(dispersion: Dispersion | None) -> str:
    """Bias and scatter in words; empty where the aim points' places are not known or there is no impact."""
    d = dispersion
    if d is None or d.bias_east_m is None or d.bias_north_m is None:
        return ""
    text = f"Mean offset from the aim points {_side(d.bias_east_m, 'east', 'west')}, "
    text += _side(d.bias_north_m, "north", "south")
    if d.sd_east_m is not None and d.sd_north_m is not None and d.mean_radius_m is not None:
        text += (
            f"; SD {d.sd_east_m:.1f} m east-west and {d.sd_north_m:.1f} m north-south; mean radius about the mean "
            f"impact {d.mean_radius_m:.1f} m, maximum spread {d.maximum_spread_m:.1f} m"
        )
    if d.bias_along_m is not None and d.bias_across_m is not None:
        text += f"; along {d.axis_deg:.0f} degrees {d.bias_along_m:+.1f} m, across it {d.bias_across_m:+.1f} m"
    return text + "."


def chance_caution(summary: AccuracySummary) -> str:
    """What must stand beside radii and scatter that chance could have made; empty where it could not."""
    told = told_from_chance(summary.null_model)
    if told:
        return ""
    if told is None:
        return "What chance alone would give is not known, so these figures are no evidence of accuracy."
    return "These distances cannot be told from chance, so these figures are no evidence of accuracy."


def _side(value_m: float, positive: str, negative: str) -> str:
    return f"{abs(value_m):.1f} m {positive if value_m >= 0 else negative}"


def _range(value: Range) -> str:
    return f"{value.low:.1f} to {'' if value.is_exact else 'at most '}{value.high:.1f} m"
