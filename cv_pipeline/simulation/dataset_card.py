"""What a data set of simulated scenes says about itself: index.csv, dataset.yaml, README.md."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from cv_pipeline.simulation.pair_scene import INVENTED_PLACE
from cv_pipeline.simulation.strike import StrikeStatus

if TYPE_CHECKING:
    from cv_pipeline.simulation.dataset import DatasetSettings
    from cv_pipeline.simulation.pair import SimulatedPair
    from cv_pipeline.simulation.scene_files import Scene

DATASET_FILE = "dataset.yaml"
"""By this file a data set is recognised before it is overwritten."""

_KNOWN_SOURCES = {
    "ucmerced": "UC Merced Land Use (Yang & Newsam 2010, doi:10.1145/1869790.1869829), cut from the USGS National Map: "
    "public domain in the United States",
    "kampala": "© OpenAerialMap contributors, Kampala: CC BY 4.0; changed: cut, resampled, drawn over",
}
_UNKNOWN = "not stated in the folder of backgrounds: ask whoever gave you the images before you pass these scenes on"


class IndexRow(NamedTuple):
    """One scene in ``index.csv``."""

    scene: str
    split: str
    new: int
    old: int
    gone: int
    not_visible: int
    structures: int
    damaged: int
    lookalikes: int
    gsd_m: float
    before_sun_elevation_deg: float
    after_sun_elevation_deg: float
    before_off_nadir_deg: float
    after_off_nadir_deg: float
    shift_row_px: float
    shift_col_px: float
    changes: str
    places: str

    @classmethod
    def of(cls, name: str, split: str, scene: Scene, pair: SimulatedPair) -> IndexRow:
        """The row of a scene; lists in one column are parted by ``|``."""
        count = {status: sum(row.status == status for row in scene.strikes) for status in StrikeStatus}
        shift_row_px, shift_col_px = pair.misalignment.shift_px
        return cls(
            scene=name,
            split=split,
            new=count[StrikeStatus.NEW],
            old=count[StrikeStatus.OLD],
            gone=count[StrikeStatus.GONE],
            not_visible=sum(not row.visible for row in scene.strikes),
            structures=len(scene.structures),
            damaged=sum(feature["properties"]["damage"] != "none" for feature in scene.structures),
            lookalikes=len(scene.lookalikes),
            gsd_m=pair.gsd_m,
            before_sun_elevation_deg=round(pair.before_acquisition.sun.elevation_deg, 1),
            after_sun_elevation_deg=round(pair.after_acquisition.sun.elevation_deg, 1),
            before_off_nadir_deg=round(pair.before_acquisition.view.off_nadir_deg, 1),
            after_off_nadir_deg=round(pair.after_acquisition.view.off_nadir_deg, 1),
            shift_row_px=round(shift_row_px, 3),
            shift_col_px=round(shift_col_px, 3),
            changes="|".join(sorted(pair.changes.kinds())),
            places="|".join(pair.places),
        )


def write_cards(folder: Path, settings: DatasetSettings, rows: Sequence[IndexRow]) -> None:
    """Write ``index.csv``, ``dataset.yaml`` and ``README.md`` for scenes that are already in ``folder``."""
    with (folder / "index.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(IndexRow._fields)
        writer.writerows(rows)
    facts = _facts(folder, settings, rows)
    text = yaml.safe_dump(facts, sort_keys=False, allow_unicode=True, width=110)
    (folder / DATASET_FILE).write_text(text, encoding="utf-8")
    (folder / "README.md").write_text(_readme(facts), encoding="utf-8")


def _facts(folder: Path, settings: DatasetSettings, rows: Sequence[IndexRow]) -> dict[str, Any]:
    names = [row.scene for row in rows]
    bands = _band_names(folder / names[0] / "truth.tif")
    places = sorted({place for row in rows for place in row.places.split("|") if place})
    return {
        "name": "simulated_scenes",
        "title": "Simulated strikes, before and after, with exact truth",
        "kind": "simulated; nothing in it is an observation of a real strike",
        "seed": settings.seed,
        "scenes": len(rows),
        "size_px": settings.size_px,
        "gsd_m": settings.gsd_m,
        "georeference": INVENTED_PLACE,
        "strikes": {name: sum(getattr(row, name) for row in rows) for name in ("new", "old", "gone", "not_visible")},
        "structures": sum(row.structures for row in rows),
        "lookalikes": sum(row.lookalikes for row in rows),
        "split": {
            "rule": "by place of the background: no place is in both; scenes without a place are synthetic ground",
            **{split: [row.scene for row in rows if row.split == split] for split in ("train", "validate")},
        },
        "files": {
            "before": "before.tif",
            "after": "after.tif",
            "truth": "truth.geojson",
            "truth_rasters": "truth.tif",
            "structures": "structures.geojson",
            "lookalikes": "lookalikes.geojson",
            "scene": "scene.yaml",
        },
        "truth_bands": bands,
        "backgrounds": _sources(settings.background, places),
        "places": places,
        "config": settings.config.model_dump(mode="json"),
    }


def _band_names(path: Path) -> list[str]:
    import rasterio

    with rasterio.open(path) as file:
        return [str(name) for name in file.descriptions]


def _sources(background: Path, places: Sequence[str]) -> dict[str, str]:
    """Source and licence of each background that is in a scene."""
    if not places:
        return {"synthetic": "no real imagery; drawn by cv_pipeline"}
    if (background / "ucmerced").is_dir():
        return {name: _KNOWN_SOURCES[name] for name in sorted({place.split("/")[0] for place in places})}
    return {background.name: _stated_licence(background)}


def _stated_licence(background: Path) -> str:
    """What a folder of images says of its licence: ``licence`` in its dataset.yaml, or a licence file's first line."""
    card = background / DATASET_FILE
    content = yaml.safe_load(card.read_text(encoding="utf-8")) if card.is_file() else None
    if isinstance(content, dict) and "licence" in content:
        return str(content["licence"])
    for path in sorted([*background.glob("LICEN[CS]E*")]):
        lines = [line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
        return next((line for line in lines if line), _UNKNOWN)
    return _UNKNOWN


def _readme(facts: dict[str, Any]) -> str:
    strikes, sources = facts["strikes"], facts["backgrounds"]
    source_lines = "\n".join(f"- `{name}`: {licence}" for name, licence in sources.items())
    train, validate = len(facts["split"]["train"]), len(facts["split"]["validate"])
    bands = ", ".join(f"`{name}`" for name in facts["truth_bands"])
    return f"""**The strikes in this data set are simulated. Nothing was hit at any place that it shows.**

# {facts["name"]}

{facts["scenes"]} pairs of {facts["size_px"]} × {facts["size_px"]} px at {facts["gsd_m"]:g} m, made by
`cv-pipeline simulate` with seed {facts["seed"]}; the same command gives the same bytes. Every setting stands in
`dataset.yaml`, every scene in `index.csv`. In each `scene_*/`:

- `before.tif`, `after.tif`: the two dates, RGB 8 bit, lossless. The before image keeps the residual misalignment
  stated in `scene.yaml`.
- `truth.geojson`: one point per strike at its true place, columns below.
- `truth.tif`: 32-bit bands {bands}.
- `structures.geojson`: the drawn buildings; `damage` none, part or destroyed, `fallen_share` of the roof at either
  date, `hit_by`.
- `lookalikes.geojson`: drawn things that are no craters, with `kind` and `radius_m`; some are on one date only.
- `scene.yaml`: sun, view, weather and sensor of both dates, misalignment, changes, background places.

{strikes["new"]} strikes are new, {strikes["old"]} on both dates (old), {strikes["gone"]} on the before image only
(gone); {strikes["not_visible"]} of all are not `visible`: under a cloud, or too faint for anyone to tell.

## Truth
`row_px`, `col_px`: where the after image shows the centre (pixel centre = integer + 0.5). The point itself,
`structure_id`, `distance_edge_m` and `distance_centre_m` belong to the true place on the ground; a hit on a leaning
roof is shown beside it. Azimuths are clockwise from true north. `crater_radius_m` is where the dark core has fallen
to half; `crater_semi_major_m`, `crater_semi_minor_m` and `crater_axis_deg` are the crater's ellipse;
`blast_radius_m` is the mean radius of the pattern without its cone, of wings alone that of a circle of their area with
the crater's; `directionality` is 0 for a round pattern and 1 for a narrow cone or a single tail towards
`direction_deg`; `age` is 0 for a fresh strike and 1 for one that has all but weathered
away. Footprints are of what was drawn: real imagery brings buildings of its own, and the band `structure_known`
marks where nothing is missing.

## Place and split
Georeference: {facts["georeference"]}.

Split by place of the background imagery: {train} scenes to train, {validate} to validate; no place is in both.

## Sources and licences of the backgrounds
{source_lines}
"""
