"""The verdict on a co-registration, in words."""

from __future__ import annotations

import math
from typing import NamedTuple

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
WARN_MINORITY = 0.4
WARN_MINORITY_RESIDUAL_PX = 0.6
"""Where the greater part of the scene does not match, what does may all stand on the ground, and then lies at as many
places as it has heights. No reason to refuse: a Joplin pair whose shift is that of its neighbours is like that, as
noisy pairs are."""
WARN_UNMOVED_PX = 0.1
WARN_UNMOVED_SHARE = 0.6
"""Two dates never lie upon each other so well as given; words and frames drawn on both images do."""
_MANY = 0.25
_CLEAR_SHARE = 0.5
"""A small image has few windows; this share of them is enough."""


class Evidence(NamedTuple):
    """What is known of a fit, all in px of the registration grid.

    ``used``: windows that agree with the fitted transform. ``matched``: windows in which both estimators found the same
    shift. ``tried``: windows that had imagery in both images. ``residual_px``: what the transform leaves at the used
    windows. ``sd_px``: how far off a place of the scene may be, per axis. ``lean_px``: how far the ground may be off
    along the line in which high things lean. ``repeating``: windows that did not count as the ground repeats itself.
    ``moved_px``: how far the fit moves the corner that it moves most.
    """

    used: int
    matched: int
    tried: int
    residual_px: float
    sd_px: float
    lean_px: float = 0.0
    repeating: int = 0
    moved_px: float = math.inf


def judge(evidence: Evidence) -> tuple[Gate, str]:
    """Pass, warn or fail, with the reason."""
    said = f"{evidence.used} of {evidence.tried} windows matched"
    if evidence.repeating > _MANY * evidence.tried:
        said += f" (in {evidence.repeating} the ground repeats itself, which leaves the shift open)"
    wrong = _refusal(said, evidence)
    if wrong:
        return Gate.FAIL, wrong
    doubt = _doubt(said, evidence)
    if doubt:
        return Gate.WARN, doubt
    return Gate.PASS, f"{said}, leaving {evidence.residual_px:.2f} px"


def _refusal(said: str, evidence: Evidence) -> str:
    """Why the pair is refused; empty where it is not."""
    used, matched, tried, sd_px = evidence.used, evidence.matched, evidence.tried, evidence.sd_px
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


def _doubt(said: str, evidence: Evidence) -> str:
    """What to look at before trusting the result; empty where there is nothing."""
    share, residual_px = evidence.used / evidence.tried, evidence.residual_px
    doubts = {
        f"only {said}; check the alignment in the report before trusting distances": share < WARN_SHARE
        or (evidence.used < WARN_WINDOWS and share < _CLEAR_SHARE),
        f"only {said}, and those where nothing had to be moved; are there marks drawn on both images?": (
            evidence.moved_px < WARN_UNMOVED_PX and share < WARN_UNMOVED_SHARE
        ),
        f"only {said}, and they disagree by {residual_px:.1f} px; if they are on roofs or crowns that lean, the ground "
        "is elsewhere: compare roads and corners on the ground": (
            share < WARN_MINORITY and residual_px > WARN_MINORITY_RESIDUAL_PX
        ),
        f"{said}, but they disagree by {residual_px:.1f} px; relief or lens may differ": residual_px > WARN_RESIDUAL_PX,
        f"{said}, but they are spread along one line, as roofs are that lean; the ground itself may be off by "
        f"{evidence.lean_px:.1f} px, compare roads and corners on the ground": evidence.lean_px > WARN_LEAN_PX,
        f"{said}, but parts of the scene may be off by {evidence.sd_px:.1f} px": evidence.sd_px > WARN_SD_PX,
    }
    return next((words for words, is_so in doubts.items() if is_so), "")
