"""What time does to a strike: each process is a pure function from strike to strike.

Rates are not modelled, only amounts 0..1: soil, weather and farming differ too much for a clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cv_pipeline.simulation.strike import Strike, StrikeStatus


def fill(strike: Strike, amount: float) -> Strike:
    """Soil washed and pushed into the bowl: shallower, walls slumped, rim gone at 1."""
    return replace(
        strike,
        depth_ratio=strike.depth_ratio * (1 - amount),
        rim_ratio=strike.rim_ratio * (1 - amount),
        slump=max(strike.slump, 0.8 * amount),
        age=max(strike.age, amount),
    )


def weather(strike: Strike, amount: float) -> Strike:
    """Rain and wind: contrast fades (fine streaks and soot first), edges soften, relief rounds off.

    A pattern that has lost most of its contrast no longer counts as visible.
    """
    left, fine_left = 1 - 0.8 * amount, max(1 - 1.5 * amount, 0.0)
    faded = replace(
        strike,
        core_delta=strike.core_delta.scaled(left),
        ring_delta=strike.ring_delta.scaled(left),
        soot_delta=strike.soot_delta.scaled(fine_left),
        spike_delta=strike.spike_delta.scaled(fine_left),
        cone_delta=strike.cone_delta.scaled(fine_left),
        secondary_delta=strike.secondary_delta.scaled(fine_left),
        wing_delta=strike.wing_delta.scaled(left),
        core_steepness=strike.core_steepness - 0.35 * amount * (strike.core_steepness - 1.5),
        depth_ratio=strike.depth_ratio * (1 - 0.4 * amount),
        rim_ratio=strike.rim_ratio * (1 - 0.7 * amount),
        texture_damping=strike.texture_damping * (1 - 0.5 * amount),
        flattening=strike.flattening * fine_left,
        age=max(strike.age, amount),
    )
    return faded if amount < 0.6 else _without_pattern(faded)


def flood(strike: Strike, amount: float) -> Strike:
    """Water standing in the bowl up to ``amount`` of its depth."""
    return replace(strike, water=max(strike.water, amount), age=max(strike.age, 0.2))


def overgrow(strike: Strike, amount: float) -> Strike:
    """Plants return, first in the damp bowl."""
    faded = weather(strike, 0.6 * amount)
    return replace(faded, regrowth=max(strike.regrowth, amount), age=max(strike.age, amount))


def plough(strike: Strike, amount: float) -> Strike:
    """Tilled over: relief levelled, colours smeared along ``plough_azimuth_deg``; nearly nothing is left at 1."""
    levelled = replace(
        fill(strike, amount),
        ploughed=max(strike.ploughed, amount),
        faint_radius_m=strike.pattern_radius_m,
    )
    return levelled if amount < 0.5 else _without_pattern(levelled)


def _without_pattern(strike: Strike) -> Strike:
    """The strike with nothing around its crater that counts as visible; what is faint stays."""
    return replace(
        strike,
        blast_radius_m=0.0,
        faint_radius_m=strike.pattern_radius_m,
        secondary_radius_m=0.0,
        cone_azimuth_deg=None,
        cone_length_m=0.0,
        wing_length_m=0.0,
    )


PROCESSES: dict[str, Callable[[Strike, float], Strike]] = {
    "filling": fill,
    "weathering": weather,
    "water": flood,
    "regrowth": overgrow,
    "ploughing": plough,
}


def aged(strike: Strike, process: str, amount: float) -> Strike:
    """``strike`` after one of :data:`PROCESSES` to the degree ``amount`` (0 changes nothing but counts as none).

    Raises:
        ValueError: an unknown process, or an amount outside 0..1.
    """
    if process not in PROCESSES:
        raise ValueError(f"Unknown process {process!r}; known are {', '.join(PROCESSES)}.")
    if not 0.0 <= amount <= 1.0:
        raise ValueError(f"An amount of ageing is within 0..1, not {amount}.")
    return PROCESSES[process](strike, amount) if amount > 0 else strike


def on_before(strike: Strike) -> Strike | None:
    """The strike as the before image shows it; None where it was not there yet."""
    return None if strike.status == StrikeStatus.NEW else strike


def on_after(strike: Strike) -> Strike | None:
    """The strike as the after image shows it; what is left of a GONE one is a filled, nearly faded patch or nothing."""
    if strike.status != StrikeStatus.GONE:
        return strike
    if strike.ray_seed % 2:
        return None
    return aged(aged(aged(strike, "ploughing", 0.85), "weathering", 0.75), "filling", 1.0)
