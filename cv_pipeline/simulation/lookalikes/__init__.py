"""Things that are not craters but look like them, drawn on purpose and labelled as what they are."""

from __future__ import annotations

import numpy as np

from cv_pipeline.simulation.config import ChangeConfig, LookalikeConfig
from cv_pipeline.simulation.ground import NATURAL, PAVED, Ground, Material
from cv_pipeline.simulation.lookalikes import (
    aftermath,
    cars,
    earthworks,
    image_marks,
    lawns,
    marks,
    plants,
    stores,
    structures,
    trails,
    water,
)
from cv_pipeline.simulation.lookalikes.base import Kind, Lookalike

__all__ = ["KINDS", "Kind", "Lookalike", "draw_disorder", "draw_lookalikes"]

KINDS: tuple[Kind, ...] = (
    *plants.KINDS,
    *stores.KINDS,
    *water.KINDS,
    *earthworks.KINDS,
    *marks.KINDS,
    *trails.KINDS,
    *structures.KINDS,
    *lawns.KINDS,
    *cars.KINDS,
    *aftermath.KINDS,
    *image_marks.KINDS,
)

_NEEDS: dict[str, frozenset[int]] = {
    "open": frozenset(int(material) for material in NATURAL),
    "grass": frozenset({int(Material.GRASS)}),
    "paved": frozenset(int(material) for material in PAVED),
    "roof": frozenset({int(Material.ROOF)}),
    "any": frozenset(int(material) for material in Material),
}
_TRIES = 4
_DISORDER = (
    *aftermath.KINDS,
    *(kind._replace(weight=2.0 * kind.weight) for kind in cars.KINDS),
    *(kind for kind in KINDS if kind.name in ("lush patch", "faded patch", "lawn tree", "round bush", "spoil heaps")),
)
"""What is new where there was disorder; crowns and patches of grass too, which differ between years."""


def draw_lookalikes(
    ground: Ground, config: LookalikeConfig, rng: np.random.Generator, transient: bool
) -> list[Lookalike]:
    """Draw either the permanent or the ``transient`` kinds onto a ground in place, and list them.

    Their number is Poisson by area; some scenes are bare and some cluttered. A kind that finds no place of the
    ground it needs is left out. Centres lie inside the canvas.
    """
    height, width = ground.shape
    hectares = height * width * ground.gsd_m**2 / 1e4
    clutter = float(rng.choice(config.clutter, p=_shares(config.clutter_weights)))
    drawn = []
    for group in dict.fromkeys(kind.group for kind in KINDS):
        kinds = [k for k in KINDS if k.group == group and k.transient == transient]
        if not kinds:
            continue
        # Each group has a stream of its own, so that turning one off leaves the others as they are.
        own = np.random.default_rng(rng.integers(2**63))
        rate = (
            config.rate_per_ha(group) * sum(k.weight for k in kinds) / sum(k.weight for k in KINDS if k.group == group)
        )
        # Marks of the picture come by picture, not by area.
        count = own.poisson(config.image_share) if group == "image" else own.poisson(rate * clutter * hectares)
        drawn += _scatter(ground, kinds, min(int(count), config.most), own)
    np.clip(ground.colour, 0, 255, out=ground.colour)
    return drawn


def draw_disorder(
    before: Ground, after: Ground, config: ChangeConfig, most: int, rng: np.random.Generator
) -> list[Lookalike]:
    """By its share, make one date far more disordered than the other, as a storm or clearing-up does; list what is new.

    Three to ``most`` small things that the other date lacks, in place: none is a strike, and strikes are not
    looked at, so this is as common without them. What stood on one date alone is also what is gone from the other.
    """
    if rng.random() >= config.disorder_share:
        return []
    ground = after if rng.random() < config.disorder_after_share else before
    hectares = ground.shape[0] * ground.shape[1] * ground.gsd_m**2 / 1e4
    low, high = np.log(config.disorder_per_ha)
    count = min(max(int(rng.poisson(np.exp(rng.uniform(low, high)) * hectares)), 3), most)
    # Every event has its own mixture: here mostly cars, there mostly trees.
    kinds = [kind._replace(weight=kind.weight * float(rng.lognormal(0.0, 1.0))) for kind in _DISORDER]
    drawn = _scatter(ground, kinds, count, rng)
    np.clip(ground.colour, 0, 255, out=ground.colour)
    return drawn


def _scatter(ground: Ground, kinds: list[Kind], count: int, rng: np.random.Generator) -> list[Lookalike]:
    """Draw ``count`` things by the kinds' weights where each finds its ground, in place."""
    cumulative = np.cumsum([kind.weight for kind in kinds])
    drawn = []
    for _ in range(count):
        kind = kinds[int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))]
        place = _find_place(ground, kind, rng)
        radius_m = kind.draw(ground, *place, rng) if place is not None else 0.0
        if place is not None and radius_m > 0:
            drawn.append(Lookalike(kind.name, *place, radius_m))
    return drawn


def _find_place(ground: Ground, kind: Kind, rng: np.random.Generator) -> tuple[float, float] | None:
    """A point on the ground that a kind needs; None after some vain tries."""
    for _ in range(_TRIES):
        row, col = float(rng.uniform(0, ground.shape[0])), float(rng.uniform(0, ground.shape[1]))
        if int(ground.material[int(row), int(col)]) in _NEEDS[kind.needs]:
            return row, col
    return None


def _shares(weights: tuple[float, ...]) -> list[float]:
    return [weight / sum(weights) for weight in weights]
