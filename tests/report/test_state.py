"""The assessment as a file: everything comes back as it was, bit for bit."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shapely.geometry.base import BaseGeometry

from cv_pipeline.errors import OutputError
from cv_pipeline.report.explain import MAX_FIGURES
from cv_pipeline.report.state import NAME, read_state, write_state
from cv_pipeline.types import Gate, LocalShift, Obscured, PatternEvidence, TiePoint

from .factories import make_assessment
from .test_landmarks import with_landmarks


def differences(one: Any, other: Any, where: str = "") -> Iterator[str]:
    """Where two values differ; looks into arrays, geometries and NaN."""
    if isinstance(one, float) and isinstance(other, float):  # numpy's are floats too, and come back as Python's
        if repr(float(one)) != repr(float(other)):
            yield f"{where}: {one!r}, {other!r}"
    elif type(one) is not type(other):
        yield f"{where}: {type(one)}, {type(other)}"
    elif is_dataclass(one):
        for field in fields(one):
            yield from differences(getattr(one, field.name), getattr(other, field.name), f"{where}.{field.name}")
    elif isinstance(one, tuple | list | dict):
        pairs = [list(v.items()) if isinstance(v, dict) else list(v) for v in (one, other)]
        if len(pairs[0]) != len(pairs[1]):
            yield f"{where}: {len(pairs[0])}, {len(pairs[1])} long"
        for number, (a, b) in enumerate(zip(*pairs, strict=False)):
            yield from differences(a, b, f"{where}[{number}]")
    elif _bits(one) != _bits(other):
        yield f"{where}: {one!r}, {other!r}"


def _bits(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.dtype, value.shape, value.tobytes()
    return value.wkb if isinstance(value, BaseGeometry) else value


def evidence() -> PatternEvidence:
    rng = np.random.default_rng(0)
    return PatternEvidence(
        rng.random(8), np.arange(8, dtype=np.int8) % 5, rng.random(4), rng.random(4), rng.random(2), {"sectors": 7.1},
        np.full(8, 0.125), {},
    )  # fmt: skip


@pytest.mark.parametrize("crs", ["EPSG:32636", "EPSG:4326", None])
def test_everything_comes_back(tmp_path: Path, crs: str | None) -> None:
    made = with_landmarks(tmp_path, crs=crs)
    cells = np.random.default_rng(0).random((3, 5)) > 0.5
    after = replace(made.pair.after, obscured=Obscured(cells, 100, 0.1, 0.0, "thin cloud"), notes=("a note",))
    assert made.registration is not None
    bent = replace(
        made.registration,
        gate=Gate.WARN,
        sd_m=float("inf"),
        tie_points=(TiePoint(1.5, 2.5, 0.1, -0.2, 0.3, True),),
        local=LocalShift(np.eye(2, 3), np.ones((2, 2, 2))),
    )
    given = replace(made, pair=replace(made.pair, after=after), registration=bent)
    write_state(given, tmp_path)
    back = read_state(tmp_path, after=made.pair.after.path, before=made.pair.before.path)
    assert back.segmentation.path == tmp_path / "probabilities.tif"
    assert list(differences(replace(back, segmentation=given.segmentation), given)) == []


def test_evidence_is_kept_for_what_the_report_draws(tmp_path: Path) -> None:
    made = make_assessment(tmp_path, impacts=MAX_FIGURES + 5, structures=0, before=False)
    given = replace(made, impacts=tuple(replace(i, evidence=evidence()) for i in made.impacts))
    write_state(given, tmp_path)
    back = read_state(tmp_path)
    kept = [impact for impact in back.impacts if impact.evidence is not None]
    assert len(kept) == MAX_FIGURES
    assert min(i.score for i in kept) >= max(i.score for i in back.impacts if i.evidence is None)
    assert list(differences(kept[0].evidence, evidence())) == []


def test_it_says_nothing_of_the_machine(tmp_path: Path) -> None:
    write_state(make_assessment(tmp_path), tmp_path)
    assert str(tmp_path).encode() not in gzip.decompress((tmp_path / NAME).read_bytes())


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "is not there"),
        (b"no gzip", "damaged"),
        (gzip.compress(b'{"schema_version": 9}'), "schema version 9"),
        (gzip.compress(b'{"schema_version": 1, "assessment": {"pair": 3}}'), "damaged"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, content: bytes | None, says: str) -> None:
    if content is not None:
        (tmp_path / NAME).write_bytes(content)
    with pytest.raises(OutputError, match=says):
        read_state(tmp_path)
