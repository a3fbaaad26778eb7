"""Registration against what was planted: how far off it is, what its gate says, and whether its SD holds.

The error is that of the fit before the gate has its say: a refused pair, too, was off or was not. The gate's word is
worked out from the evidence that is kept with each score, so other limits can be tried without registering again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cv_pipeline.evaluation.crater_figures import wilson
from cv_pipeline.evaluation.planted_pairs import PlantedPair
from cv_pipeline.registration.bent import shift_at
from cv_pipeline.registration.gate import Evidence, judge
from cv_pipeline.registration.reader import array_reader, plain_grid
from cv_pipeline.registration.register import describe, measure, registration_grid
from cv_pipeline.registration.similarity import apply, invert
from cv_pipeline.types import Float64Array, Gate, Registration

OFF_PX = 2.0
"""A pair that is off by more must be gated."""
GOOD_PX = 0.7
"""One that is off by no more than this must not be refused."""
_NODES = 12
_MARGIN_PX = 20
_Z95 = 1.96


class Score(NamedTuple):
    """One pair: what makes it hard, its error in px (median and greatest over the after image), and the evidence.

    The error is infinite where nothing was fitted and for ``unrelated`` pairs, which show two places. ``within`` is
    the share of places, axis by axis, where the truth lies within 1.96 SD.
    """

    name: str
    cause: str
    unrelated: bool
    median_px: float
    greatest_px: float
    evidence: Evidence
    within: float
    bent: bool

    @property
    def gate(self) -> Gate:
        """The verdict."""
        return judge(self.evidence)[0]

    @property
    def reason(self) -> str:
        """Why."""
        return judge(self.evidence)[1]


def score(name: str, cause: str, pair: PlantedPair, *, unrelated: bool = False) -> Score:
    """Register a planted pair and compare; an unrelated one has nothing to compare with."""
    early, late = (plain_grid(image.shape, 1.0) for image in (pair.before, pair.after))
    known = np.ones(pair.after.shape[:2], dtype=bool)
    readers = array_reader(pair.before, pair.before_valid, early), array_reader(pair.after, known, late)
    measured = measure(*readers, registration_grid(late, early))
    bent, evidence = measured.bend is not None, measured.evidence
    if unrelated or measured.fit is None:
        return Score(name, cause, unrelated, math.inf, math.inf, evidence, math.nan, bent)
    errors = errors_px(describe(measured, late, Gate.WARN, "as fitted"), pair)
    length = np.linalg.norm(errors, axis=1)
    within = float((np.abs(errors) <= _Z95 * evidence.sd_px).mean())
    return Score(name, cause, False, float(np.median(length)), float(length.max()), evidence, within, bent)


def append_score(path: Path, found: Score) -> None:
    """Add one line to a file of scores."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(found._asdict()) + "\n")


def read_scores(path: Path) -> list[Score]:
    """The scores of such a file; a last line that was cut short is an error of :mod:`json`."""
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [Score(**(row | {"evidence": Evidence(*row["evidence"])})) for row in rows]


def errors_px(found: Registration, pair: PlantedPair) -> Float64Array:
    """At places (n, 2) spread over the after image, by how much the before pixel put there is wrong, (col, row)."""
    height, width = pair.after.shape[:2]
    cols, rows = (np.linspace(_MARGIN_PX, size - _MARGIN_PX, _NODES) for size in (width, height))
    places = np.stack(np.meshgrid(cols, rows), axis=-1).reshape(-1, 2)
    relief = pair.relief_px[places[:, 1].astype(int), places[:, 0].astype(int)]
    bent = np.zeros_like(places) if found.local is None else shift_at(found.local, places)
    wrong: Float64Array = apply(invert(found.matrix), places - bent) - apply(invert(pair.matrix), places - relief)
    return wrong


def summary_lines(scores: Sequence[Score]) -> list[str]:
    """The figures of a run in words: errors, then what was gated and refused, overall and by cause."""
    related = [s for s in scores if not s.unrelated]
    accepted = [s for s in related if s.gate is not Gate.FAIL]
    lines = [f"{len(related)} related pairs, {len(scores) - len(related)} unrelated"]
    if accepted:
        errors = np.array([s.median_px for s in accepted])
        lines.append(
            f"error of accepted pairs: median {np.median(errors):.2f} px, 95th percentile "
            f"{np.percentile(errors, 95):.2f}, greatest {errors.max():.2f} (n={len(errors)})"
        )
        squares = np.array([s.median_px / max(s.evidence.sd_px, 1e-9) for s in accepted])
        lines.append(
            f"truth within 1.96 SD per axis: {np.mean([s.within for s in accepted]):.1%} of places; "
            f"error over SD: median {np.median(squares):.2f}, greatest {squares.max():.2f}"
        )
    off, good = [s for s in related if s.median_px > OFF_PX], [s for s in related if s.median_px <= GOOD_PX]
    unrelated = [s for s in scores if s.unrelated]
    lines += [
        f"off by more than {OFF_PX:g} px: refused {_share(off, Gate.FAIL)}; refused or told {_share(off, *_TOLD)}",
        f"unrelated: refused {_share(unrelated, Gate.FAIL)}; refused or told {_share(unrelated, *_TOLD)}",
        f"within {GOOD_PX:g} px: refused {_share(good, Gate.FAIL)}; refused or told {_share(good, *_TOLD)}",
    ]
    causes = list(dict.fromkeys(s.cause for s in scores))
    return lines + [_cause_line(cause, [s for s in scores if s.cause == cause]) for cause in causes if len(causes) > 1]


_TOLD = (Gate.FAIL, Gate.WARN)


def _share(scores: Sequence[Score], *gates: Gate) -> str:
    hits = sum(s.gate in gates for s in scores)
    found = wilson(hits, len(scores))
    if found.value is None or found.low is None or found.high is None:
        return "none of none"
    return f"{hits} of {len(scores)}, {found.value:.1%} ({found.low:.1%} to {found.high:.1%})"


def _cause_line(cause: str, scores: Sequence[Score]) -> str:
    """Pass/warn/fail of the pairs of one cause that are off, good, and between."""
    kinds = {
        "off": [s for s in scores if s.median_px > OFF_PX],
        "between": [s for s in scores if GOOD_PX < s.median_px <= OFF_PX],
        "good": [s for s in scores if s.median_px <= GOOD_PX],
    }
    counts = (
        f"{kind} {'/'.join(str(sum(s.gate is gate for s in some)) for gate in (Gate.PASS, Gate.WARN, Gate.FAIL))}"
        for kind, some in kinds.items()
    )
    return f"  {cause}: {', '.join(counts)} (pass/warn/fail)"
