"""Pairs of a STAC catalogue, collection or item collection (https://stacspec.org), read with pystac (extra ``stac``).

Two rules say which images make a pair:

- *link*: an item with a link ``rel="before"`` is an after image, the link's target its before image; a link
  ``rel="structures"`` names its footprints.
- *collection*: every other item of the after collection is paired with the item of the before collection that covers
  most of it and was not taken later; of equal ones the latest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from cv_pipeline.batch.manifest import Row
from cv_pipeline.errors import ManifestError

if TYPE_CHECKING:
    from pystac import Item

LEAST_COVER = 0.1
"""Share of the after image's footprint that a before image must cover to be taken for its partner."""
_IMAGE_KEYS = ("visual", "image", "data")


def stac_rows(path: Path, collections: tuple[str, str]) -> tuple[list[Row], list[str]]:
    """A row for each after image, and what is wrong with any item.

    Raises:
        ManifestError: the extra is missing, or the file is no STAC.
    """
    items = _items(path)
    linked = [item for item in items if item.get_single_link("before") is not None]
    before_id, after_id = collections
    early = [item for item in items if item.collection_id == before_id]
    late = [item for item in items if item.collection_id == after_id and item not in linked]
    rows, problems = [], []
    for item in [*linked, *late]:
        try:
            before = _linked(item, items) if item in linked else _best(item, early)
            cells = {"pair_id": item.id, "before": _image(before), "after": _image(item)}
        except ValueError as error:
            problems.append(f"item {item.id}: {error}")
            continue
        structures = item.get_single_link("structures")
        if structures is not None:
            cells["structures"] = str(structures.get_absolute_href() or structures.href)
        rows.append(Row(f"item {item.id}", cells))
    if not rows and not problems:
        problems = [
            f"no item has a link rel='before' and none is of the collection {after_id!r}; "
            "name the collections with --collections BEFORE,AFTER"
        ]
    return rows, problems


def _items(path: Path) -> list[Item]:
    if find_spec("pystac") is None:
        raise ManifestError(f"{path}: STAC needs the extra: pip install 'cv-pipeline[stac]'")
    import pystac

    try:
        if pystac.ItemCollection.is_item_collection(pystac.StacIO.default().read_json(str(path))):
            items = list(pystac.ItemCollection.from_file(str(path)))
            for item in items:
                if item.get_self_href() is None:  # relative addresses in the file are meant from where it lies
                    item.set_self_href(str(path.absolute()))
            return items
        return list(pystac.Catalog.from_file(str(path)).get_items(recursive=True))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, pystac.STACError) as error:
        raise ManifestError(f"{path}: is no STAC catalogue or item collection that can be read ({error})") from error


def _linked(item: Item, items: Sequence[Item]) -> Item:
    """The before image that an item's link names, by address or by ID."""
    import pystac

    link = item.get_single_link("before")
    assert link is not None
    target = str(link.get_absolute_href() or link.href)
    for other in items:
        if other is not item and (other.id == str(link.href) or other.get_self_href() == target):
            return other
    try:
        found = pystac.read_file(target)
    except (OSError, ValueError, pystac.STACError) as error:
        raise ValueError(f"the link rel='before' leads nowhere ({target}: {error})") from error
    if not isinstance(found, pystac.Item):
        raise ValueError(f"the link rel='before' leads to no item ({target})")
    return found


def _best(item: Item, early: Iterable[Item]) -> Item:
    """The before image that covers most of an item, the latest of equal ones."""
    from shapely.geometry import shape

    ground = shape(item.geometry)
    if not ground.area > 0:
        raise ValueError("its footprint has no area, so no before image can be looked for")
    ranked = [
        (round(shape(other.geometry).intersection(ground).area / ground.area, 3), _time(other), other.id, other)
        for other in early
        if _time(other) <= _time(item)
    ]
    best = max(ranked, key=lambda row: row[:3], default=None)
    if best is None or best[0] < LEAST_COVER:
        raise ValueError("no image of the before collection covers it and is not later; link one with rel='before'")
    return best[3]


def _time(item: Item) -> datetime:
    return item.datetime or item.common_metadata.start_datetime or datetime.min.replace(tzinfo=UTC)


def _image(item: Item) -> str:
    """Address of the asset that is the image."""
    assets = item.get_assets()
    named = [key for key in _IMAGE_KEYS if key in assets]
    by_role = [key for key, asset in assets.items() if {"visual", "data"} & set(asset.roles or ())]
    chosen = named[:1] or (by_role if len(by_role) == 1 else list(assets) if len(assets) == 1 else [])
    if not chosen:
        raise ValueError(f"which asset is the image? It has {', '.join(assets) or 'none'}; call it visual or data")
    asset = assets[chosen[0]]
    return str(asset.get_absolute_href() or asset.href)
