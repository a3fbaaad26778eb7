"""Things that are not craters but look like them, drawn on purpose and labelled as what they are."""

from __future__ import annotations

import numpy as np

from cv_pipeline.simulation.config import LookalikeConfig
from cv_pipeline.simulation.ground import Ground, Material
from cv_pipeline.simulation.lookalikes import (
    earthworks,
    image_marks,
    marks,
    plants,
    stores,
    structures,
    trails,
    water,
)
from cv_pipeline.simulation.lookalikes.base import Kind, Lookalike

__all__ = ["KINDS", "Kind", "Lookalike", "draw_lookalikes"]

KINDS: tuple[Kind, ...] = (
    *plants.KINDS,
    *stores.KINDS,
    *water.KINDS,
    *earthworks.KINDS,
    *marks.KINDS,
    *trails.KINDS,
    *structures.KINDS,
    *image_marks.KINDS,
)

_NEEDS: dict[str, frozenset[int]] = {
    "open": frozenset(int(m) for m in (Material.SOIL, Material.CROP, Material.GRASS, Material.SAND, Material.SNOW)),
    "grass": frozenset({int(Material.GRASS)}),
    "paved": frozenset({int(Material.ASPHALT), int(Material.CONCRETE)}),
    "roof": frozenset({int(Material.ROOF)}),
    "any": frozenset(int(material) for material in Material),
}
_TRIES = 4


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
        cumulative = np.cumsum([k.weight for k in kinds])
        for _ in range(min(int(count), config.most)):
            kind = kinds[int(np.searchsorted(cumulative, own.random() * cumulative[-1], side="right"))]
            place = _find_place(ground, kind, own)
            if place is not None:
                drawn.append(Lookalike(kind.name, *place, kind.draw(ground, *place, own)))
    np.clip(ground.colour, 0, 255, out=ground.colour)
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
