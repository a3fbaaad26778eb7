"""What differs between the two dates apart from strikes: season, farm work, building, traffic, storms, water.

Every element draws from a random stream of its own, so that leaving one out changes nothing in the others.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cv_pipeline.simulation.change.base import Change, ChangeRecord, Pair
from cv_pipeline.simulation.change.farm_work import work_field
from cv_pipeline.simulation.change.objects import construction, new_track, storm, tents, traffic, trees_cut
from cv_pipeline.simulation.change.season import baked_light, damp, growth, snow, vegetation
from cv_pipeline.simulation.config import BuiltConfig, ChangeConfig
from cv_pipeline.simulation.ground import Ground
from cv_pipeline.simulation.setting import Setting

__all__ = ["Change", "ChangeRecord", "change_between"]

_AREA_M2 = 3e5  # on a large scene, local changes come again for every so much ground
_Element = tuple[float, Callable[[Pair, np.random.Generator], list[Change]]]


def change_between(
    before: Ground,
    after: Ground,
    config: ChangeConfig,
    built: BuiltConfig,
    rng: np.random.Generator,
    setting: Setting | None = None,
) -> ChangeRecord:
    """Make two copies of one ground differ as two dates do, both in place; the record says what and where.

    Farm work and seasons keep to the parcels of ``setting`` where it is given, otherwise to parts cut off by
    straight lines. Nothing here looks at strikes: call it before they are drawn.
    """
    whole: tuple[_Element, ...] = (
        (config.season_share, vegetation),
        (config.snow_share, snow),
        (config.mottle_share, growth),
        (config.light_share, baked_light),
        (config.damp_share, damp),
    )
    local: tuple[_Element, ...] = (
        (config.farm_work_share, work_field),
        (config.track_share, new_track),
        (config.construction_share, construction),
        (config.tree_cut_share, trees_cut),
        (config.storm_share, storm),
        (config.vehicles_share, traffic),
        (config.tents_share, tents),
    )
    pair = Pair(before, after, config, built, setting)
    repeats = after.shape[0] * after.shape[1] * after.gsd_m**2 / _AREA_M2
    changes: list[Change] = []
    for (share, element), own in zip((*whole, *local), rng.spawn(len(whole) + len(local)), strict=True):
        if own.random() >= share:
            continue
        changes += element(pair, own)
        if (share, element) in local:
            for _ in range(own.poisson(repeats)):
                changes += element(pair, own)
    return ChangeRecord(tuple(changes))
