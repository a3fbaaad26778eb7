"""All impacts of a batch as one GeoPackage (and GeoParquet with the extra ``parquet``), written a few at a time."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cv_pipeline.batch.sightings import Sightings, read_rows
from cv_pipeline.report.rows import COLUMN_DECIMALS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

GEOPACKAGE = "impacts.gpkg"
GEOPARQUET = "impacts.parquet"
CHUNK_ROWS = 5000
"""Impacts that are held and written at once."""
_OWN = ("pair_id", "pair_status")
_LINKS = ("duplicate_of", "also_seen_as")
_COLUMNS: Mapping[str, int | None] = {
    **dict.fromkeys(_OWN), **COLUMN_DECIMALS, **dict.fromkeys(_LINKS)
}  # fmt: skip
"""Columns in their order; those with None hold text."""


def write_layers(out_dir: Path, found: Sightings) -> list[Path]:
    """Write layers ``impacts`` (each crater once) and ``duplicates`` in longitude and latitude; both always exist.

    ``duplicate_of`` is ``pair_id/impact_id`` of the impact that stands for this one, empty where it stands for itself;
    ``also_seen_as`` of such a one lists the others. Impacts of images without a CRS have no geometry. Files appear
    whole.
    """
    import pyogrio

    written = [out_dir / GEOPACKAGE]
    with contextlib.ExitStack() as stack:
        package = stack.enter_context(whole(written[0]))
        for layer in ("impacts", "duplicates"):
            pyogrio.write_dataframe(_frame([]), package, driver="GPKG", layer=layer, geometry_type="Point")
        parquet = None
        if find_spec("pyarrow") is not None:
            written.append(out_dir / GEOPARQUET)
            path = stack.enter_context(whole(written[1]))
            parquet = stack.enter_context(contextlib.closing(_Parquet(path, found)))
        for frame in _frames(out_dir, found):
            once = frame["duplicate_of"] == ""
            for layer, part in (("impacts", frame[once]), ("duplicates", frame[~once])):
                if len(part):
                    pyogrio.write_dataframe(
                        part, package, driver="GPKG", layer=layer, geometry_type="Point", append=True
                    )
            if parquet is not None:
                parquet.write(frame)
        if parquet is not None and not len(found.pair):
            parquet.write(_frame([]))
        _check(package, found)
    return written


def _check(package: Path, found: Sightings) -> None:
    """GDAL does not tell of every write that was cut short by a full disk, so what is there is counted."""
    import pyogrio

    count = sum(pyogrio.read_info(package, layer)["features"] for layer in ("impacts", "duplicates"))
    if count != len(found.pair):
        raise OSError(f"{count} of {len(found.pair)} impacts were written")


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A name to write to that becomes ``path`` when all is written."""
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        aside = Path(folder) / path.name
        yield aside
        aside.replace(path)


def _frames(out_dir: Path, found: Sightings) -> Iterator[gpd.GeoDataFrame]:
    """All impacts, in the order of the pairs, at most :data:`CHUNK_ROWS` and one pair at a time."""
    others: dict[int, list[int]] = {}
    for index in np.flatnonzero(~found.once).tolist():
        others.setdefault(int(found.kept[index]), []).append(index)
    names = found.names({*others, *(index for some in others.values() for index in some)})
    rows: list[dict[str, str]] = []
    index = 0
    for pair_id in found.pairs:
        for row in read_rows(out_dir, pair_id):
            kept = int(found.kept[index])
            row |= {
                "pair_id": pair_id,
                "pair_status": "done" if found.trusted[index] else "untrusted",
                "duplicate_of": "" if kept == index else names[kept],
                "also_seen_as": "; ".join(names[other] for other in others.get(index, ())),
            }
            rows.append(row)
            index += 1
        if len(rows) >= CHUNK_ROWS:
            yield _frame(rows)
            rows = []
    if rows:
        yield _frame(rows)


def _frame(rows: list[dict[str, str]]) -> gpd.GeoDataFrame:
    """Rows with the same columns and types, whatever they hold; what is not known is null."""
    import geopandas as gpd
    import pandas as pd

    columns: dict[str, Any] = {}
    for name, decimals in _COLUMNS.items():
        cells = [row.get(name) or None for row in rows]
        if name in _LINKS:
            cells = [cell or "" for cell in cells]
        columns[name] = pd.array(cells, dtype="string") if decimals is None else np.array(cells, np.float64)
    points = gpd.points_from_xy(columns["lon"], columns["lat"])
    frame = gpd.GeoDataFrame(columns, geometry=points, crs="EPSG:4326")
    frame.loc[frame["lon"].isna(), "geometry"] = None
    return frame


class _Parquet:
    """A GeoParquet file of many frames; close it when all are written.

    GeoPandas writes a frame as a file of its own. What such files hold follows here in one, under what GeoPandas says
    of the first, with the extent of all (https://geoparquet.org/releases/v1.0.0/).
    """

    def __init__(self, path: Path, found: Sightings) -> None:
        self._path = path
        self._lonlat_deg = found.lonlat_deg[np.isfinite(found.lonlat_deg).all(axis=1)]
        self._writer: Any = None

    def write(self, frame: gpd.GeoDataFrame) -> None:
        import pyarrow.parquet as pq  # type: ignore[import-untyped]

        buffer = io.BytesIO()
        frame.to_parquet(buffer, index=False)
        table = pq.read_table(buffer)
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema.with_metadata(self._metadata(table)))
        self._writer.write_table(table.replace_schema_metadata(self._writer.schema.metadata))

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()

    def _metadata(self, table: Any) -> dict[bytes, bytes]:
        metadata = dict(table.schema.metadata)
        geo = json.loads(metadata[b"geo"])
        column = geo["columns"]["geometry"]
        column["geometry_types"] = ["Point"]
        column.pop("bbox", None)
        if len(self._lonlat_deg):
            column["bbox"] = [*self._lonlat_deg.min(axis=0).tolist(), *self._lonlat_deg.max(axis=0).tolist()]
        return metadata | {b"geo": json.dumps(geo).encode()}
