"""Coarse-to-fine co-registration of a pair, never holding more than a block of it at full size."""

from __future__ import annotations

import math

import numpy as np

from cv_pipeline.registration.coarse import IDENTITY, guesses, is_plausible
from cv_pipeline.registration.reader import Reader, array_reader, coarser
from cv_pipeline.registration.similarity import Fit, apply, fit_similarity
from cv_pipeline.registration.structure import Structure
from cv_pipeline.registration.windows import MAX_WINDOWS, Matches, match_windows, window_side_px
from cv_pipeline.types import Float64Array, Grid, Window

COARSE_SIDE_PX = 1024
_TRIAL_WINDOWS = 100
_CLEAR_SHARE = 0.5
"""With this share of windows agreeing, no other first guess can be better."""
_SOME_SHARE = 0.1
_REPEATING_SHARE = 0.5
"""Where so many windows repeat themselves and fewer than some support a guess, any guess is one of many."""
_LONG_STEP = 12.0
"""A step to pixels this much finer is made in two."""
_PASSES = 3
_POOR_SHARE = 0.25
_WIDER = 1.5


def estimate(before: Reader, after: Reader, grid: Grid) -> tuple[Matches, Fit | None]:
    """The similarity that moves the before image onto the after image.

    First guesses are tried on a small version of the pair; the one that most local matches support is refined on
    ever finer ones, by windows read one block at a time with the before image moved anew.

    Args:
        before: gives the before image.
        after: gives the after image.
        grid: the common ground at full size.

    Returns:
        The last matches, in pixels of ``grid`` with sources in the before image as given, and the fit to them; None
        where there was none that is plausible, or the ground repeats itself and many would do.

    Raises:
        ImageError: a file is damaged or has gone.
    """
    factor = max(1.0, max(grid.height, grid.width) / COARSE_SIDE_PX)
    guess, repeating = _first(before, after, coarser(grid, factor))
    if repeating is not None:
        return repeating, None
    if factor > _LONG_STEP:
        middle = math.sqrt(factor)
        guess, factor = _step(before, after, coarser(grid, middle), _rescaled(guess, factor / middle)), middle
    guess = _rescaled(guess, factor)
    if factor > 1:
        guess = _step(before, after, grid, guess)
    fine = _refine(before, after, grid, guess, None)
    if _support(*fine) >= _POOR_SHARE:
        return fine
    side = min(round(window_side_px((grid.height, grid.width)) * _WIDER), grid.height, grid.width)
    wide = _refine(before, after, grid, guess, side)
    return wide if _support(*wide) > _support(*fine) else fine


def _first(before: Reader, after: Reader, grid: Grid) -> tuple[Float64Array, Matches | None]:
    """The first guess that most windows support, refined once; in pixels of the (small) grid.

    Where nearly all ground repeats itself, the count of windows that do, without a match. Windows are larger here than
    later on, so that rows farther apart are noticed.
    """
    early, late = before(grid, IDENTITY), after(grid, IDENTITY)
    held = array_reader(*early, grid), array_reader(*late, grid)
    side = min(round(window_side_px((grid.height, grid.width)) * _WIDER), grid.height, grid.width)
    best, best_support = IDENTITY, 0.0
    nowhere, repeating = np.zeros((0, 2)), None
    for guess in guesses(early, late):
        matches, fit = _match(*held, grid, guess, side, _TRIAL_WINDOWS)
        support = _support(matches, fit)
        if matches.repeating > _REPEATING_SHARE * matches.tried:
            repeating = matches._replace(source=nowhere, target=nowhere)
        if fit is not None and support > best_support:
            best, best_support = fit.matrix, support
        if support > _CLEAR_SHARE:
            break
    return best, repeating if best_support < _SOME_SHARE else None


def _step(before: Reader, after: Reader, grid: Grid, guess: Float64Array) -> Float64Array:
    """One refinement with few windows; the guess itself where they hold nothing."""
    _, fit = _match(before, after, grid, guess, None, _TRIAL_WINDOWS)
    return guess if fit is None else fit.matrix


def _refine(
    before: Reader, after: Reader, grid: Grid, guess: Float64Array, side_px: int | None
) -> tuple[Matches, Fit | None]:
    """Match and fit until the transform settles."""
    held: dict[Window, Structure] = {}  # the after image stays where it is
    matches, fit = _match(before, after, grid, guess, side_px, MAX_WINDOWS, held)
    for _ in range(_PASSES - 1):
        if fit is None or _settled(fit.matrix, guess, grid):
            break
        guess = fit.matrix
        matches, fit = _match(before, after, grid, guess, side_px, MAX_WINDOWS, held)
    return matches, fit


def _match(
    before: Reader,
    after: Reader,
    grid: Grid,
    guess: Float64Array,
    side_px: int | None,
    most: int,
    held: dict[Window, Structure] | None = None,
) -> tuple[Matches, Fit | None]:
    matches = match_windows(before, after, grid, guess, side_px, most, held)
    fit = fit_similarity(matches.source, matches.target)
    return matches, fit if fit is not None and is_plausible(fit.matrix) else None


def _support(matches: Matches, fit: Fit | None) -> float:
    """Share of the windows tried that agree with the fit."""
    return 0.0 if fit is None else float(fit.used.sum()) / max(matches.tried, 1)


def _rescaled(matrix: Float64Array, factor: float) -> Float64Array:
    """A matrix in pixels ``factor`` times as small."""
    return np.column_stack([matrix[:, :2], matrix[:, 2] * factor])


def _settled(matrix: Float64Array, guess: Float64Array, grid: Grid) -> bool:
    """Whether two transforms agree to 0.1 px at the corners."""
    corners = np.array([[0, 0], [grid.width, 0], [0, grid.height], [grid.width, grid.height]], dtype=np.float64)
    return bool(np.abs(apply(matrix, corners) - apply(guess, corners)).max() < 0.1)
