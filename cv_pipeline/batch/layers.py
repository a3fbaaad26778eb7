"""All impacts of a batch as one table, and that table as one GeoPackage (and GeoParquet with the extra ``parquet``)."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cv_pipeline.batch.duplicates import Places, kept_for
from cv_pipeline.batch.record import PairRecord, PairStatus, result_folder
from cv_pipeline.types import Status

if TYPE_CHECKING:
    import pandas as pd

GEOPACKAGE = "impacts.gpkg"
GEOPARQUET = "impacts.parquet"
_RANK = {Status.NEW.value: 0, Status.OLD.value: 1, Status.UNKNOWN.value: 2}
_TEXT = ("impact_id", "status", "pattern", "structure_id", "structure_kind", "hypothesis", "second_structure_id")


def read_impacts(out_dir: Path, records: Sequence[PairRecord]) -> pd.DataFrame:
    """The rows of all ``impacts.csv``, with ``pair_id``, ``pair_status`` and which of them are one.

    ``duplicate_of`` is ``pair_id/impact_id`` of the impact that stands for this one, empty where it stands for itself;
    ``also_seen_as`` of such a one lists the others. An impact of a pair that can be trusted stands before others; then
    one that its pair saw appear before one that is old, as it is in every later pair, and that before one of which
    neither is known; then the higher score.
    """
    import pandas as pd

    tables = []
    for number, record in enumerate(records):
        path = result_folder(out_dir, record.pair_id) / "impacts.csv"
        table = pd.read_csv(path, dtype=dict.fromkeys(_TEXT, str), keep_default_na=False, na_values=[""])
        table.insert(0, "pair_id", record.pair_id)
        table.insert(1, "pair_status", record.status.value)
        table["_pair"], table["_sd_m"] = number, np.hypot(table["centre_sd_m"].astype(float), record.position_sd_m)
        tables.append(table)
    filled = [table for table in tables if len(table)]
    if not filled:
        return (tables[0] if tables else pd.DataFrame()).assign(duplicate_of="", also_seen_as="")
    table = pd.concat(filled, ignore_index=True)
    places = Places(
        table[["lon", "lat"]].to_numpy(np.float64),
        table["_sd_m"].to_numpy(np.float64),
        table["score"].to_numpy(np.float64),
        table["_pair"].to_numpy(np.int64),
        np.asarray(table["status"].map(_RANK) + len(_RANK) * (table["pair_status"] != PairStatus.DONE.value), np.int64),
    )
    kept = kept_for(places)
    names = (table["pair_id"] + "/" + table["impact_id"]).to_numpy()
    own = kept == np.arange(len(table))
    others: dict[int, list[str]] = {}
    for index in np.flatnonzero(~own):
        others.setdefault(int(kept[index]), []).append(names[index])
    table["duplicate_of"] = np.where(own, "", names[kept])
    table["also_seen_as"] = ["; ".join(others.get(index, ())) for index in range(len(table))]
    return table.drop(columns="_sd_m")


def write_layers(out_dir: Path, impacts: pd.DataFrame) -> list[Path]:
    """Write layers ``impacts`` (each crater once) and ``duplicates`` in longitude and latitude; both always exist.

    Impacts of images without a CRS have no geometry. Files appear whole.
    """
    import geopandas as gpd
    import pyogrio

    points = gpd.points_from_xy(impacts.get("lon", []), impacts.get("lat", []))
    frame = gpd.GeoDataFrame(impacts.drop(columns="_pair", errors="ignore"), geometry=points, crs="EPSG:4326")
    if len(frame):
        frame.loc[frame["lon"].isna(), "geometry"] = None
    once = frame["duplicate_of"] == ""
    written = []
    with _whole(out_dir / GEOPACKAGE) as path:
        for layer, part in (("impacts", frame[once]), ("duplicates", frame[~once])):
            pyogrio.write_dataframe(part, path, driver="GPKG", layer=layer, geometry_type="Point")
        written.append(out_dir / GEOPACKAGE)
    if find_spec("pyarrow") is not None:
        with _whole(out_dir / GEOPARQUET) as path:
            frame.to_parquet(path, index=False)
        written.append(out_dir / GEOPARQUET)
    return written


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A name to write to that becomes ``path`` when all is written."""
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        aside = Path(folder) / path.name
        yield aside
        aside.replace(path)
