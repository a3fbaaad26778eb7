"""``index.html``: all pairs of a batch on one page, with what they say together; ``batch.json`` for other programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from cv_pipeline.batch.duplicates import IntArray
from cv_pipeline.batch.layers import whole, write_layers
from cv_pipeline.batch.pooled import LEAST_PAIRS, Pooled, pool
from cv_pipeline.batch.progress import ending
from cv_pipeline.batch.record import FINISHED, PairRecord, PairStatus
from cv_pipeline.batch.sightings import Sightings, read_sightings
from cv_pipeline.batch.state import Counts, read_counts, read_last_run, read_records
from cv_pipeline.errors import OutputError
from cv_pipeline.types import BoolArray

DISTANCES: Mapping[str, str] = {
    "distance_edge_m": "to the edge of the nearest structure",
    "likely_m": "to the likeliest aim point",
    "less_likely_m": "to the second likeliest aim point",
}
"""Columns that are pooled, in words."""


@dataclass(frozen=True, slots=True)
class PairLine:
    """A pair's line in the index; distances are those of its own impacts, duplicates included, None without any."""

    record: PairRecord
    counted: int
    duplicates: int
    mean_edge_m: float | None


def write_index(out_dir: Path) -> Path:
    """Write ``index.html``, ``batch.json``, ``impacts.gpkg`` and, with the extra, ``impacts.parquet``.

    Statistics are of impacts that are not known to be old, in pairs whose registration can be trusted, each crater
    once. Pairs without a result are listed with the reason. Tables, page and records are read and written a few rows at
    a time, so that memory grows by some hundred bytes an impact and no more.

    Raises:
        OutputError: ``out_dir`` holds no batch, or cannot be written.
    """
    try:
        return _write(out_dir)
    except (OSError, RuntimeError) as error:  # RuntimeError is all that pyogrio's errors share
        raise OutputError(
            f"{out_dir}: the pairs are done, but the index over them cannot be written ({error}); free some space if "
            "the disk is full, then start again with --resume"
        ) from error


def _write(out_dir: Path) -> Path:
    found = read_sightings(out_dir, read_records(out_dir, FINISHED), tuple(DISTANCES))
    write_layers(out_dir, found)
    counted = found.trusted & ~found.old & found.once
    pooled = (pool(name, values[counted], found.pair[counted]) for name, values in found.distances_m.items())
    statistics = [one for one in pooled if one is not None]
    counts = read_counts(out_dir)
    _replace(out_dir / "batch.json", _document(out_dir, counts, statistics, found))
    _replace(out_dir / "index.html", _page(out_dir, counts, statistics, found))
    return out_dir / "index.html"


def _replace(path: Path, pieces: Iterable[str]) -> None:
    """Write a file piece by piece; it is, at every moment, either the old one or the new one."""
    with whole(path) as aside, aside.open("w", encoding="utf-8") as stream:
        stream.writelines(pieces)


def _lines(out_dir: Path, found: Sightings) -> Iterator[PairLine]:
    """What needs a look first: failures, then doubtful pairs, then the others, each in the manifest's order."""
    number = {pair_id: k for k, pair_id in enumerate(found.pairs)}
    edge_m = found.distances_m["distance_edge_m"]
    known = ~found.old & np.isfinite(edge_m)
    counted, duplicates, measured = (_by_pair(found, which) for which in (~found.old, ~found.once, known))
    total_m = np.bincount(found.pair[known], edge_m[known], minlength=len(found.pairs))
    for status in (PairStatus.FAILED, PairStatus.UNTRUSTED, PairStatus.PENDING, PairStatus.DONE):
        for record in read_records(out_dir, [status]):
            k = number.get(record.pair_id)
            if k is None:
                yield PairLine(record, 0, 0, None)
                continue
            mean_m = float(total_m[k] / measured[k]) if measured[k] else None
            yield PairLine(record, int(counted[k]), int(duplicates[k]), mean_m)


def _by_pair(found: Sightings, which: BoolArray) -> IntArray:
    """(pairs,) how many of each pair's impacts."""
    return np.bincount(found.pair[which], minlength=len(found.pairs))


def _document(out_dir: Path, counts: Counts, statistics: list[Pooled], found: Sightings) -> Iterator[str]:
    once = int(found.once.sum())
    head = {
        "counts": asdict(counts),
        "impacts": once,
        "duplicates": len(found.once) - once,
        "statistics": [asdict(one) for one in statistics],
    }
    yield json.dumps(head, indent=1).removesuffix("\n}") + ',\n "pairs": ['
    for k, record in enumerate(read_records(out_dir)):
        yield ("," if k else "") + "\n  " + json.dumps(asdict(record))
    yield "\n ]\n}\n"


def _page(out_dir: Path, counts: Counts, statistics: list[Pooled], found: Sightings) -> Iterator[str]:
    import jinja2

    folder = files("cv_pipeline.report")
    text = (folder / "batch_index.html.j2").read_text(encoding="utf-8")
    template = jinja2.Template(text, autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined)
    once = int(found.once.sum())
    pieces: Iterator[str] = template.generate(
        css=(folder / "report.css").read_text(encoding="utf-8"),
        headline=ending(counts),
        started=read_last_run(out_dir).get("started_utc", ""),
        statistics=statistics,
        distances=DISTANCES,
        least=LEAST_PAIRS,
        lines=_lines(out_dir, found),
        impacts=once,
        duplicates=len(found.once) - once,
    )
    return pieces
