"""What stays in memory of all impacts of a batch: about a hundred bytes each, whatever their tables hold.

The tables themselves are read pair by pair, here for these figures and once more when they are written out.
"""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cv_pipeline.batch.duplicates import IntArray, Places, kept_for
from cv_pipeline.batch.record import PairRecord, PairStatus, result_folder
from cv_pipeline.types import BoolArray, Float64Array, Status

_RANK = {Status.NEW.value: 0, Status.OLD.value: 1, Status.UNKNOWN.value: 2}
_NUMBERS = ("lon", "lat", "score", "centre_sd_m")


@dataclass(frozen=True, slots=True, eq=False)
class Sightings:
    """Impacts of all pairs with a result, in the manifest's order, n of each.

    ``pairs`` are the pairs' names; ``pair`` (n,) is the number in it. ``ids`` holds the impacts' names, one text a
    pair. ``kept`` (n,) is the index of the one that stands for each (:func:`~cv_pipeline.batch.duplicates.kept_for`):
    an impact of a pair that can be trusted stands before others; then one that its pair saw appear before one that is
    old, as it is in every later pair, and that before one of which neither is known; then the higher score.
    ``lonlat_deg`` (n, 2) is NaN without a CRS, ``distances_m`` where a distance is unknown.
    """

    pairs: Sequence[str]
    ids: Sequence[str]
    pair: IntArray
    trusted: BoolArray
    old: BoolArray
    lonlat_deg: Float64Array
    distances_m: Mapping[str, Float64Array]
    kept: IntArray

    @property
    def once(self) -> BoolArray:
        """(n,) which stand for themselves."""
        return np.asarray(self.kept == np.arange(len(self.kept)))

    def names(self, indices: Iterable[int]) -> dict[int, str]:
        """``pair_id/impact_id`` of some impacts."""
        first = np.searchsorted(self.pair, np.arange(len(self.pairs)))
        found = {}
        for index in indices:
            number = int(self.pair[index])
            own = self.ids[number].split("\n")
            found[index] = f"{self.pairs[number]}/{own[index - int(first[number])]}"
        return found


def read_rows(out_dir: Path, pair_id: str) -> Iterator[dict[str, str]]:
    """The rows of a pair's ``impacts.csv``; unknown values are empty."""
    with (result_folder(out_dir, pair_id) / "impacts.csv").open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


def read_sightings(out_dir: Path, records: Iterable[PairRecord], distances: Sequence[str]) -> Sightings:
    """Read all impacts of the pairs with a result.

    Args:
        out_dir: the batch's folder.
        records: of these pairs, in the manifest's order.
        distances: names of the columns to keep.
    """
    columns = {name: array("d") for name in (*_NUMBERS, *distances)}
    pairs, ids, position_sd_m = list[str](), list[str](), array("d")
    pair, rank, old, trusted = array("q"), array("q"), array("b"), array("b")
    for number, record in enumerate(records):
        pairs.append(record.pair_id)
        own = []
        for row in read_rows(out_dir, record.pair_id):
            own.append(row["impact_id"])
            for name, values in columns.items():
                values.append(float(row.get(name) or "nan"))
            done, status = record.status is PairStatus.DONE, row["status"]
            pair.append(number)
            position_sd_m.append(record.position_sd_m)
            rank.append(_RANK[status] + len(_RANK) * (not done))
            old.append(status == Status.OLD.value)
            trusted.append(done)
        ids.append("\n".join(own))
    lon, lat, score, centre_sd_m = (np.array(columns[name]) for name in _NUMBERS)
    lonlat_deg, numbers = np.column_stack([lon, lat]), np.array(pair, np.int64)
    places = Places(lonlat_deg, np.hypot(centre_sd_m, position_sd_m), score, numbers, np.array(rank, np.int64))
    return Sightings(
        pairs, ids, numbers, np.array(trusted, bool), np.array(old, bool), lonlat_deg,
        {name: np.array(columns[name]) for name in distances}, kept_for(places),
    )  # fmt: skip
