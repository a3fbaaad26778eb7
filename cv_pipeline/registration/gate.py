"""The verdict on a co-registration, in words."""

from __future__ import annotations

from cv_pipeline.types import Gate

MIN_WINDOWS = 6
MIN_SHARE = 0.03
MIN_CONSENSUS = 0.5
"""Of the windows with a match at all, the share that must agree on one transform.

In unrelated pairs 0 to 2 windows of 200 match and none agree; by chance one match supports another with a
probability of about 0.001 (a disc of 1.5 px in a search square of 77 px), so six that agree are no accident.
"""
WARN_WINDOWS = 20
WARN_SHARE = 0.2
WARN_RESIDUAL_PX = 1.0
_CLEAR_SHARE = 0.5
"""A small image has few windows; this share of them is enough."""


def judge(used: int, matched: int, tried: int, residual_px: float) -> tuple[Gate, str]:
    """Pass, warn or fail, with the reason.

    Args:
        used: windows that agree with the fitted transform.
        matched: windows in which both estimators found the same shift.
        tried: windows that had imagery in both images.
        residual_px: what the transform leaves at the used windows, in px of the registration grid.
    """
    said = f"{used} of {tried} windows matched"
    if tried == 0:
        return Gate.FAIL, "no window has imagery in both images; is the common ground nodata?"
    share = used / tried
    if used < MIN_WINDOWS or share < MIN_SHARE:
        return Gate.FAIL, f"only {said}; are these the same place?"
    if used < MIN_CONSENSUS * matched:
        return Gate.FAIL, f"only {said} and {matched - used} contradict them; are these the same place?"
    if share < WARN_SHARE or (used < WARN_WINDOWS and share < _CLEAR_SHARE):
        return Gate.WARN, f"only {said}; check the alignment in the report before trusting distances"
    if residual_px > WARN_RESIDUAL_PX:
        return Gate.WARN, f"{said}, but they disagree by {residual_px:.1f} px; relief or lens may differ"
    return Gate.PASS, f"{said}, leaving {residual_px:.2f} px"
