"""Manifests of every form, and that every problem is listed before anything runs."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cv_pipeline.batch.manifest import read_manifest
from cv_pipeline.config import AssessConfig
from cv_pipeline.errors import ManifestError


def image(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"pixels")
    return path


def test_csv_gives_pairs_with_paths_from_its_folder_and_settings_of_their_own(tmp_path: Path) -> None:
    for name in ("b.tif", "a.tif", "c.tif", "houses.gpkg"):
        image(tmp_path / "images" / name)
    (tmp_path / "pairs.csv").write_text(
        "pair_id,before,after,structures,gsd,bands,score_threshold\n"
        'first,images/b.tif,images/a.tif,images/houses.gpkg,0.5,"3,2,1",0.4\n'
        ",,images/c.tif,osm,,,\n\n"
    )
    first, second = read_manifest(tmp_path / "pairs.csv")
    assert first.pair_id == "first"
    assert first.before == str(tmp_path / "images" / "b.tif")
    config = first.config(AssessConfig(seed=4))
    assert (config.gsd_m, config.bands, config.score_threshold, config.seed) == (0.5, (3, 2, 1), 0.4, 4)
    assert (second.pair_id, second.before, second.structures) == ("c", None, "osm")


def test_every_problem_is_listed_at_once(tmp_path: Path) -> None:
    image(tmp_path / "a.tif")
    (tmp_path / "empty.tif").touch()
    (tmp_path / "pairs.csv").write_text(
        "pair_id,before,after,gsd,colour,score_threshold\n"
        "one,missing.tif,a.tif,,,\n"
        "../two,,a.tif,-1,,\n"
        "ONE,,empty.tif,,,1.5\n"
        "three,a.tif,,,,\n"
        "four,,a.tif,,,,surplus\n"
    )
    with pytest.raises(ManifestError) as caught:
        read_manifest(tmp_path / "pairs.csv")
    text = str(caught.value)
    for part in (
        "column 'colour' not known",
        "missing.tif: no such file",
        "'../two' cannot name a folder",
        "gsd_m: Input should be greater than 0",
        "empty.tif: the file is empty",
        "'ONE' is that of line 2",
        "score_threshold",
        "line 5: there is no after image",
        "line 6: more cells",
    ):
        assert part in text, part
    assert "9 problem(s)" in text


def test_spreadsheets_of_other_countries_and_careless_headers(tmp_path: Path) -> None:
    for name in ("b.tif", "a.tif"):
        image(tmp_path / name)
    for text in ("After; before ;bands\r\na.tif; b.tif;3,2,1\r\n", "\ufeffafter\tBEFORE\tbands\na.tif\tb.tif\t3,2,1\n"):
        (tmp_path / "pairs.csv").write_text(text)
        (pair,) = read_manifest(tmp_path / "pairs.csv")
        assert (pair.before, pair.after) == (str(tmp_path / "b.tif"), str(tmp_path / "a.tif"))
        assert pair.config(AssessConfig()).bands == (3, 2, 1)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("after,before,after\na.tif,,a.tif\n", "column 'after' stands there twice"),
        ("before,structures\na.tif,\n", "1 problem(s).*there is no column 'after'"),
        ("after,before\na.tif,a.tif\n", "line 2: before and after are the same file"),
        ("after,gsd,bands,score_threshold\na.tif,0.5m,1-2,40%\n", "3 problem(s).*gsd_m: .*bands.*score_threshold"),
        ("after,before\na.tif,.\n", "line 2: before: .*folder"),
    ],
)
def test_mistakes_are_told_once_and_in_words(tmp_path: Path, text: str, told: str) -> None:
    image(tmp_path / "a.tif")
    (tmp_path / "pairs.csv").write_text(text)
    with pytest.raises(ManifestError) as caught:
        read_manifest(tmp_path / "pairs.csv")
    assert re.search(told.replace("(s)", r"\(s\)"), str(caught.value), re.DOTALL), str(caught.value)


def test_a_manifest_that_is_not_there_or_a_folder_without_scenes(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no such file"):
        read_manifest(tmp_path / "pairs.csv")
    image(tmp_path / "after.tif")
    with pytest.raises(ManifestError, match=r"no subfolder holds an image called after\.\*"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("text", ["", "before,after\n", "\xff\xfe"])
def test_nothing_to_run_is_a_problem(tmp_path: Path, text: str) -> None:
    (tmp_path / "pairs.csv").write_text(text, encoding="latin-1")
    with pytest.raises(ManifestError):
        read_manifest(tmp_path / "pairs.csv")


def test_folders_of_scenes(tmp_path: Path) -> None:
    for name in (
        "one/before.tif",
        "one/after.tif",
        "one/after.tif.aux.xml",
        "one/structures.geojson",
        "deep/two/after.png",
    ):
        image(tmp_path / name)
    (tmp_path / "notes").mkdir()
    two, one = read_manifest(tmp_path)
    assert (two.pair_id, two.before) == ("deep-two", None)
    assert one.structures == str(tmp_path / "one" / "structures.geojson")
    image(tmp_path / "one" / "after.jp2")
    with pytest.raises(ManifestError, match=r"one: after\.jp2, after\.tif could each be the after file"):
        read_manifest(tmp_path)


def stac_item(name: str, collection: str, day: int, west: float, href: str) -> Any:
    import pystac
    from shapely.geometry import box, mapping

    bounds = (west, 0.0, west + 1, 1.0)
    item = pystac.Item(name, mapping(box(*bounds)), list(bounds), datetime(2026, 1, day, tzinfo=UTC), {})
    item.collection_id = collection
    item.add_asset("visual", pystac.Asset(href, roles=["visual"]))
    item.add_asset("thumbnail", pystac.Asset("small.png"))
    return item


def test_stac_pairs_by_collection_and_by_link(tmp_path: Path) -> None:
    pystac = pytest.importorskip("pystac")
    for name in ("b1", "b2", "b3", "a1", "a2", "houses"):
        image(tmp_path / f"{name}.tif")
    items = [
        stac_item("b1", "before", 1, 10.0, "b1.tif"),
        stac_item("b2", "before", 3, 10.0, "b2.tif"),  # of equal cover the latest
        stac_item("b3", "before", 9, 10.4, "b3.tif"),  # after the after image
        stac_item("a1", "after", 5, 10.1, "a1.tif"),
        stac_item("a2", "other", 6, 40.0, "a2.tif"),
    ]
    items[4].add_link(pystac.Link("before", "b1"))
    items[4].add_link(pystac.Link("structures", "houses.tif"))
    path = tmp_path / "items.json"
    path.write_text(json.dumps(pystac.ItemCollection(items).to_dict()))
    linked, found = read_manifest(path)
    assert (found.pair_id, found.before, found.after) == ("a1", str(tmp_path / "b2.tif"), str(tmp_path / "a1.tif"))
    assert (linked.pair_id, linked.before) == ("a2", str(tmp_path / "b1.tif"))
    assert linked.structures == str(tmp_path / "houses.tif")
    items.append(stac_item("a3", "after", 5, 70.0, "a1.tif"))
    path.write_text(json.dumps(pystac.ItemCollection(items).to_dict()))
    with pytest.raises(ManifestError, match="item a3: no image of the before collection covers it"):
        read_manifest(path)
    path.write_text(json.dumps(pystac.ItemCollection(items[:1]).to_dict()))
    with pytest.raises(ManifestError, match="--collections"):
        read_manifest(path)


def test_a_stac_catalogue_is_walked(tmp_path: Path) -> None:
    pystac = pytest.importorskip("pystac")
    catalogue = pystac.Catalog("archive", "test")
    for name, day in (("before", 1), ("after", 2)):
        collection = pystac.Collection(
            name, name, pystac.Extent(pystac.SpatialExtent([[0, 0, 1, 1]]), pystac.TemporalExtent([[None, None]]))
        )
        collection.add_item(stac_item(f"{name}-1", name, day, 0.0, str(image(tmp_path / f"{name}.tif"))))
        catalogue.add_child(collection)
    catalogue.normalize_and_save(str(tmp_path / "stac"), pystac.CatalogType.SELF_CONTAINED)
    (pair,) = read_manifest(tmp_path / "stac" / "catalog.json")
    assert pair.before is not None
    assert Path(pair.before).samefile(tmp_path / "before.tif") and Path(pair.after).samefile(tmp_path / "after.tif")


def test_a_stac_catalogue_pairs_by_links_too(tmp_path: Path) -> None:
    """Of two after images one links an item of the catalogue, the other a file that the catalogue does not name."""
    pystac = pytest.importorskip("pystac")
    catalogue = pystac.Catalog("archive", "test")
    items = {}
    for name, day in (("first", 1), ("late", 5), ("later", 6)):
        items[name] = stac_item(name, "any", day, 0.0, str(image(tmp_path / f"{name}.tif")))
        items[name].collection_id = None
        catalogue.add_item(items[name])
    apart = stac_item("apart", "any", 2, 0.0, str(image(tmp_path / "apart.tif")))
    apart.save_object(include_self_link=False, dest_href=str(tmp_path / "apart.json"))
    catalogue.normalize_hrefs(str(tmp_path / "stac"))
    items["late"].add_link(pystac.Link("before", items["first"]))
    items["later"].add_link(pystac.Link("before", str(tmp_path / "apart.json")))
    catalogue.save(pystac.CatalogType.SELF_CONTAINED)
    path = tmp_path / "stac" / "catalog.json"
    late, later = sorted(read_manifest(path), key=lambda pair: pair.pair_id)
    assert late.before is not None and Path(late.before).samefile(tmp_path / "first.tif")
    assert later.before is not None and Path(later.before).samefile(tmp_path / "apart.tif")
    assert Path(late.after).samefile(tmp_path / "late.tif") and Path(later.after).samefile(tmp_path / "later.tif")
    (tmp_path / "apart.json").unlink()
    (tmp_path / "first.tif").unlink()
    with pytest.raises(ManifestError) as caught:
        read_manifest(path)
    assert "2 problem(s)" in str(caught.value) and "leads nowhere" in str(caught.value)
    assert "first.tif: no such file" in str(caught.value)
