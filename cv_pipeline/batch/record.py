"""What is known of one pair of a batch, and the folder that its outputs appear in."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

RECORD_FILE = "pair.json"
RESULT_FOLDER = "result"


class PairStatus(StrEnum):
    """How far a pair is. UNTRUSTED: done, but the registration's gate failed."""

    PENDING = "pending"
    DONE = "done"
    UNTRUSTED = "untrusted"
    FAILED = "failed"


FINISHED = (PairStatus.DONE, PairStatus.UNTRUSTED)


@dataclass(frozen=True, slots=True)
class PairRecord:
    """The outcome of a pair.

    ``key`` is the hash of all that the result depends on (:func:`cv_pipeline.batch.key.pair_key`), empty where it could
    not be worked out. ``position_sd_m``, per axis, is how well the image's place on earth is known. ``seconds`` come
    from a clock that is never set, ``started_utc`` from one that may be, so nothing is decided by it.
    ``peak_memory_bytes`` is of the process, whatever it ran before. ``stop`` says why no other pair can succeed
    either; the pair itself is then still pending.
    """

    pair_id: str
    status: PairStatus
    key: str = ""
    impacts: int = 0
    position_sd_m: float = 0.0
    warnings: tuple[str, ...] = ()
    error: str = ""
    seconds: float = 0.0
    started_utc: str = ""
    peak_memory_bytes: int = 0
    output_bytes: int = 0
    stop: str = ""


def pair_folder(out_dir: Path, pair_id: str) -> Path:
    """Where a pair's outputs are; it exists only when they are whole."""
    return out_dir / "pairs" / pair_id


def result_folder(out_dir: Path, pair_id: str) -> Path:
    """The folder that ``assess`` wrote, as ``cv-pipeline verify`` takes it."""
    return pair_folder(out_dir, pair_id) / RESULT_FOLDER


def write_record(record: PairRecord, folder: Path) -> None:
    """Put the record into a folder of outputs that is still aside."""
    (folder / RECORD_FILE).write_text(json.dumps(asdict(record), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_record(folder: Path) -> PairRecord | None:
    """The record in a folder of outputs; None where there is none or it is not ours."""
    try:
        values = json.loads((folder / RECORD_FILE).read_text(encoding="utf-8"))
        return PairRecord(**values | {"status": PairStatus(values["status"]), "warnings": tuple(values["warnings"])})
    except (OSError, ValueError, KeyError, TypeError):
        return None
