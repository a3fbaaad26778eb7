"""The verdict on a co-registration, in words."""

from __future__ import annotations

from cv_pipeline.types import Gate

MIN_WINDOWS = 6
MIN_SHARE = 0.08
"""Of the windows of unrelated pairs fewer than this agree on one transform by chance."""
WARN_SHARE = 0.2
WARN_RESIDUAL_PX = 1.0


def judge(used: int, tried: int, residual_px: float) -> tuple[Gate, str]:
    """Pass, warn or fail, with the reason.

    Args:
        used: windows that agree with the fitted transform.
        tried: windows that had imagery in both images.
        residual_px: what the transform leaves at the used windows, in px of the registration grid.
    """
    matched = f"{used} of {tried} windows matched"
    if tried == 0:
        return Gate.FAIL, "no window has imagery in both images; is the common ground nodata?"
    if used < MIN_WINDOWS or used / tried < MIN_SHARE:
        return Gate.FAIL, f"only {matched}; are these the same place?"
    if used / tried < WARN_SHARE:
        return Gate.WARN, f"only {matched}; check the alignment in the report before trusting distances"
    if residual_px > WARN_RESIDUAL_PX:
        return Gate.WARN, f"{matched}, but they disagree by {residual_px:.1f} px; relief or lens may differ"
    return Gate.PASS, f"{matched}, leaving {residual_px:.2f} px"
