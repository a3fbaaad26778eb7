"""``index.html``: all pairs of a batch on one page, with what they say together; ``batch.json`` for other programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cv_pipeline.batch.layers import read_impacts, write_layers
from cv_pipeline.batch.pooled import LEAST_PAIRS, Pooled, pool
from cv_pipeline.batch.progress import ending
from cv_pipeline.batch.record import FINISHED, PairRecord, PairStatus
from cv_pipeline.batch.state import Counts, read_counts, read_last_run, read_records
from cv_pipeline.errors import OutputError
from cv_pipeline.output_dir import replace_text

if TYPE_CHECKING:
    import pandas as pd

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
    once. Pairs without a result are listed with the reason.

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
    records = list(read_records(out_dir))
    impacts = read_impacts(out_dir, [record for record in records if record.status in FINISHED])
    write_layers(out_dir, impacts)
    counted = _counted(impacts)
    statistics = [found for name in DISTANCES if (found := _pool(name, counted)) is not None]
    counts = read_counts(out_dir)
    own = dict(iter(impacts.groupby("pair_id"))) if len(impacts) else {}
    lines = [_line(record, own.get(record.pair_id)) for record in _grouped(records)]
    replace_text(out_dir / "batch.json", json.dumps(_document(counts, statistics, records, impacts), indent=1) + "\n")
    page = _page(out_dir, counts, statistics, lines, impacts)
    replace_text(out_dir / "index.html", page)
    return out_dir / "index.html"


def _grouped(records: list[PairRecord]) -> list[PairRecord]:
    """What needs a look first: failures, then doubtful pairs, then the others, each in the manifest's order."""
    order = [PairStatus.FAILED, PairStatus.UNTRUSTED, PairStatus.PENDING, PairStatus.DONE]
    return sorted(records, key=lambda record: order.index(record.status))


def _counted(impacts: pd.DataFrame) -> pd.DataFrame:
    if not len(impacts):
        return impacts
    trusted = impacts["pair_status"] == PairStatus.DONE.value
    return impacts[trusted & (impacts["status"] != "old") & (impacts["duplicate_of"] == "")]


def _pool(name: str, counted: pd.DataFrame) -> Pooled | None:
    if not len(counted) or name not in counted:
        return None
    return pool(name, counted[name].to_numpy(np.float64), counted["_pair"].to_numpy(np.int64))


def _line(record: PairRecord, own: pd.DataFrame | None) -> PairLine:
    if own is None:
        return PairLine(record, 0, 0, None)
    counted = own[own["status"] != "old"]
    edges = counted["distance_edge_m"].dropna() if "distance_edge_m" in counted else counted["score"][:0]
    mean = float(edges.mean()) if len(edges) else None
    return PairLine(record, len(counted), int((own["duplicate_of"] != "").sum()), mean)


def _document(
    counts: Counts, statistics: list[Pooled], records: list[PairRecord], impacts: pd.DataFrame
) -> dict[str, Any]:
    return {
        "counts": asdict(counts),
        "impacts": int((impacts["duplicate_of"] == "").sum()),
        "duplicates": int((impacts["duplicate_of"] != "").sum()),
        "statistics": [asdict(found) for found in statistics],
        "pairs": [asdict(record) for record in records],
    }


def _page(out_dir: Path, counts: Counts, statistics: list[Pooled], lines: list[PairLine], impacts: pd.DataFrame) -> str:
    import jinja2

    folder = files("cv_pipeline.report")
    text = (folder / "batch_index.html.j2").read_text(encoding="utf-8")
    template = jinja2.Template(text, autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined)
    page: str = template.render(
        css=(folder / "report.css").read_text(encoding="utf-8"),
        headline=ending(counts),
        started=read_last_run(out_dir).get("started_utc", ""),
        statistics=statistics,
        distances=DISTANCES,
        least=LEAST_PAIRS,
        lines=lines,
        impacts=int((impacts["duplicate_of"] == "").sum()),
        duplicates=int((impacts["duplicate_of"] != "").sum()),
    )
    return page
