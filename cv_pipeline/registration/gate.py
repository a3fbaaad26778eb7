"""The verdict on a co-registration, in words."""

from __future__ import annotations

import math

from cv_pipeline.types import Gate

MIN_WINDOWS = 6
MIN_SHARE = 0.03
MIN_CONSENSUS = 0.5
"""Of the windows with a match at all, the share that must agree on one transform.

In unrelated pairs 0 to 2 windows of 200 match and none agree; by chance one match supports another with a
probability of about 0.001 (a disc of 1.5 px in a search square of 77 px), so six that agree are no accident.
"""
MAX_SD_PX = 2.0
WARN_WINDOWS = 20
WARN_SHARE = 0.2
WARN_SD_PX = 1.0
WARN_RESIDUAL_PX = 1.0
WARN_LEAN_PX = 1.0
_CLEAR_SHARE = 0.5
"""A small image has few windows; this share of them is enough."""


def judge(
    used: int, matched: int, tried: int, residual_px: float, sd_px: float, lean_px: float = 0.0
) -> tuple[Gate, str]:
    """Pass, warn or fail, with the reason.

    Args:
        used: windows that agree with the fitted transform.
        matched: windows in which both estimators found the same shift.
        tried: windows that had imagery in both images.
        residual_px: what the transform leaves at the used windows, in px of the registration grid.
        sd_px: how far off a place of the scene may be, per axis, in the same px.
        lean_px: how far the ground may be off along the line in which high things lean, in the same px.
    """
    said = f"{used} of {tried} windows matched"
    wrong = _refusal(said, used, matched, tried, sd_px)
    if wrong:
        return Gate.FAIL, wrong
    doubt = _doubt(said, used, used / tried, residual_px, sd_px, lean_px)
    if doubt:
        return Gate.WARN, doubt
    return Gate.PASS, f"{said}, leaving {residual_px:.2f} px"


def _refusal(said: str, used: int, matched: int, tried: int, sd_px: float) -> str:
    """Why the pair is refused; empty where it is not."""
    if tried == 0:
        return "no window has imagery in both images; is the common ground nodata?"
    if used < MIN_WINDOWS or used / tried < MIN_SHARE:
        return f"only {said}; are these the same place?"
    if used < MIN_CONSENSUS * matched:
        return f"only {said} and {matched - used} contradict them; are these the same place?"
    if not sd_px <= MAX_SD_PX:
        off = f"by {sd_px:.1f} px" if math.isfinite(sd_px) else "by any amount"
        return f"{said}, but so close together that the rest of the scene may be off {off}"
    return ""


def _doubt(said: str, used: int, share: float, residual_px: float, sd_px: float, lean_px: float) -> str:
    """What to look at before trusting the result; empty where there is nothing."""
    if share < WARN_SHARE or (used < WARN_WINDOWS and share < _CLEAR_SHARE):
        return f"only {said}; check the alignment in the report before trusting distances"
    if residual_px > WARN_RESIDUAL_PX:
        return f"{said}, but they disagree by {residual_px:.1f} px; relief or lens may differ"
    if lean_px > WARN_LEAN_PX:
        return (
            f"{said}, but they are spread along one line, as roofs are that lean; "
            f"the ground itself may be off by {lean_px:.1f} px, compare roads and corners on the ground"
        )
    if sd_px > WARN_SD_PX:
        return f"{said}, but parts of the scene may be off by {sd_px:.1f} px"
    return ""
