"""Coarse-to-fine co-registration of a pair of images."""

from __future__ import annotations

import numpy as np

from cv_pipeline.registration.coarse import IDENTITY, by_correlation, by_features, is_plausible
from cv_pipeline.registration.similarity import Fit, apply, fit_similarity, invert
from cv_pipeline.registration.structure import move, shrink
from cv_pipeline.registration.windows import Matches, match_windows, window_side_px
from cv_pipeline.types import Float32Array, Float64Array

COARSE_SIDE_PX = 1024
_CLEAR_SHARE = 0.5
"""With this share of windows agreeing, no other first guess can be better."""
_PASSES = 3
_POOR_SHARE = 0.25
_AGREE_PX, _AGREE_WIDE_PX = 0.6, 1.0
_WIDER = 1.5


def estimate(before: Float32Array, after: Float32Array) -> tuple[Matches, Fit | None]:
    """The similarity that moves the before image onto the after image.

    First guesses (none, one shift, features) are tried on a small version of the pair; the one that most
    local matches support is refined on the full one, the before image being moved anew each time.

    Args:
        before: local structure (height, width), see :func:`cv_pipeline.registration.structure.local_structure`.
        after: the same, on the same grid.

    Returns:
        The last matches, with sources in the before image as given, and the fit to them; None where
        there was none that is plausible.
    """
    factor = max(1, round(max(after.shape) / COARSE_SIDE_PX))
    small_before, small_after = (shrink(before, factor), shrink(after, factor)) if factor > 1 else (before, after)
    guess = _best_guess(small_before, small_after)
    guess = np.column_stack([guess[:, :2], guess[:, 2] * factor])
    fine = _refine(before, after, guess, wide=False)
    if _support(*fine) >= _POOR_SHARE:
        return fine
    wide = _refine(before, after, guess, wide=True)
    return wide if _support(*wide) > _support(*fine) else fine


def _refine(before: Float32Array, after: Float32Array, guess: Float64Array, wide: bool) -> tuple[Matches, Fit | None]:
    """Match and fit until the transform settles."""
    matches, fit = _match(before, after, guess, wide)
    for _ in range(_PASSES - 1):
        if fit is None or _settled(fit.matrix, guess, after.shape):
            break
        guess = fit.matrix
        matches, fit = _match(before, after, guess, wide)
    return matches, fit


def _support(matches: Matches, fit: Fit | None) -> float:
    """Share of the windows tried that agree with the fit."""
    return 0.0 if fit is None else float(fit.used.sum()) / max(matches.tried, 1)


def _best_guess(before: Float32Array, after: Float32Array) -> Float64Array:
    """The first guess that most windows support, after one refinement."""
    best, best_support = IDENTITY, -1.0
    for method in (_as_given, by_features, by_correlation):
        guess = method(before, after)
        if guess is None:
            continue
        matches, fit = _match(before, after, guess, wide=True)
        support = _support(matches, fit)
        if fit is not None and support > best_support:
            best, best_support = fit.matrix, support
        if support > _CLEAR_SHARE:
            break
    return best


def _as_given(_before: Float32Array, _after: Float32Array) -> Float64Array | None:
    return IDENTITY


def _match(before: Float32Array, after: Float32Array, guess: Float64Array, wide: bool) -> tuple[Matches, Fit | None]:
    """Local matches after moving by the guess, expressed in the unmoved before image, and their fit.

    ``wide`` takes windows half as large again, for pairs that hardly match and for first guesses.
    """
    side = window_side_px(after.shape)
    if wide:
        side = min(round(side * _WIDER), *after.shape)
    moved = match_windows(move(before, guess), after, side, _AGREE_WIDE_PX if wide else _AGREE_PX)
    matches = Matches(apply(invert(guess), moved.source), moved.target, moved.tried)
    fit = fit_similarity(matches.source, matches.target)
    return matches, fit if fit is not None and is_plausible(fit.matrix) else None


def _settled(matrix: Float64Array, guess: Float64Array, shape: tuple[int, ...]) -> bool:
    """Whether two transforms agree to 0.1 px at the corners."""
    corners = np.array([[0, 0], [shape[1], 0], [0, shape[0]], [shape[1], shape[0]]], dtype=np.float64)
    return bool(np.abs(apply(matrix, corners) - apply(guess, corners)).max() < 0.1)
