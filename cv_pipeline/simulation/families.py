"""The families of craters that were measured or seen: how each looks, on which ground, how often.

Table families follow ``datasets/crater_appearance`` (K-means on 1,265 craters); the others are seen by eye.
Contrast is a multiple of the ground's own texture, so craters on smooth fields are faint in DN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cv_pipeline.simulation.config import StrikeConfig
from cv_pipeline.simulation.ground import Material


class Spread(NamedTuple):
    """A log-normal quantity: its median and the SD of its logarithm."""

    median: float
    log_sd: float

    def at(self, deviate: float) -> float:
        """The value ``deviate`` SDs above the median."""
        return float(self.median * np.exp(self.log_sd * deviate))


_NONE = Spread(0.0, 0.0)
_CREST = Spread(5.5, 0.15)
_EDGE = Spread(8.3, 0.12)


@dataclass(frozen=True, slots=True)
class Family:
    """How one family looks. Lengths are metres at a size factor of 1.

    ``core_z`` is the core's contrast in SDs of the ground (its median is negative where the core is darker),
    ``core_z_sd`` is added to that, not multiplied. ``ring_z`` goes with ``crest_m`` (where the collar is
    brightest) and ``edge_m`` (where it has fallen to half); ``soot_z`` reaches to ``edge_m`` too.
    ``chroma`` 0..1 is how much of the subsoil's hue the core takes on, ``least_hue_dn`` how far that hue differs from
    the ground's at least (length in RGB). ``where`` weights materials.
    """

    name: str
    share: float
    core_m: Spread
    core_z: Spread
    steepness: float = 2.2
    core_z_sd: float = 0.0
    ring_z: Spread = _NONE
    crest_m: Spread = _CREST
    edge_m: Spread = _EDGE
    soot_z: Spread = _NONE
    soot_fraction: float = 0.85
    chroma: float = 0.3
    least_hue_dn: float = 0.0
    raggedness: tuple[float, float] = (0.04, 0.16)
    rays: tuple[float, float] = (0.0, 0.12)
    spikes: tuple[int, int] = (0, 0)
    wing_m: tuple[float, float] = (0.0, 0.0)
    flattening: float = 0.0
    relief: float = 1.0
    where: tuple[tuple[Material, float], ...] = ()

    def weight_on(self, material: Material) -> float:
        """How likely the family is on a material, relative to its share; 1 where nothing is said, 0 on snow."""
        if material is Material.SNOW:
            return dict(self.where).get(material, 0.0)
        return dict(self.where).get(material, 1.0)


_GREEN_ONLY = ((Material.SOIL, 0.0), (Material.SAND, 0.0))
_BARE_ONLY = ((Material.CROP, 0.1), (Material.GRASS, 0.15))
TABLE_FAMILIES = (
    Family(
        "small_core_strong_bright_ring", 0.03, Spread(1.5, 0.25), Spread(-0.35, 0.2), 2.2, 1.15,
        Spread(1.95, 0.5), Spread(3.5, 0.2), Spread(5.9, 0.15),
        chroma=0.2, rays=(0.0, 0.15), raggedness=(0.03, 0.1), relief=0.4,
    ),
    Family(
        "dark_core_weak_bright_ring", 0.2, Spread(2.2, 0.15), Spread(-1.1, 0.65), 2.3, 0.0,
        Spread(0.8, 0.5), Spread(5.0, 0.15), Spread(8.1, 0.1),
    ),
    Family(
        "plain_dark_disc", 0.42, Spread(3.2, 0.1), Spread(-1.9, 0.5), 2.2, 0.0,
        Spread(0.55, 0.35), Spread(6.7, 0.08), Spread(8.2, 0.08), chroma=0.35,
    ),
    Family(
        "wide_dark_soot_or_crop_gap", 0.03, Spread(2.35, 0.2), Spread(-2.6, 0.4), 1.8, 0.0,
        edge_m=Spread(7.5, 0.25), soot_z=Spread(-0.29, 0.45), rays=(0.05, 0.25), chroma=0.2,
    ),
    Family(
        "dark_core_weak_bright_ring_b", 0.32, Spread(2.25, 0.2), Spread(-2.8, 0.38), 2.0, 0.0,
        Spread(0.67, 0.45), Spread(5.0, 0.12), Spread(7.9, 0.1),
    ),
)  # fmt: skip
"""The five families of the reference table. Shares are set so that, with the families below and noise, the nearest
families of all drawn craters come in the table's shares (``realism.compare_fields``)."""
BY_EYE_FAMILIES = (
    Family(
        "crop_wings", 0.22, Spread(2.1, 0.25), Spread(-2.3, 0.4), 2.4, wing_m=(4.0, 8.0), chroma=0.2, relief=0.6,
        where=((Material.CROP, 2.5), (Material.GRASS, 0.6), (Material.SOIL, 0.0), (Material.SAND, 0.0)),
    ),
    Family(
        "chroma_disc", 0.16, Spread(3.0, 0.25), Spread(-0.8, 0.5), 2.6, chroma=0.95, relief=0.5, where=_GREEN_ONLY,
    ),
    Family("pale_disc", 0.05, Spread(2.7, 0.3), Spread(2.2, 0.45), 2.4, chroma=0.8, relief=0.6),
    Family(
        "faint_depression", 0.1, Spread(2.6, 0.25), Spread(-0.7, 0.4), 1.9, chroma=0.0, relief=1.3,
        where=((Material.SOIL, 0.6), (Material.SAND, 0.6)),
    ),
    Family(
        "soot_spider", 0.13, Spread(2.2, 0.25), Spread(-2.6, 0.35), 2.0, edge_m=Spread(8.0, 0.3),
        soot_z=Spread(-1.3, 0.45), chroma=0.1, rays=(0.15, 0.4), spikes=(6, 22), where=_BARE_ONLY,
    ),
    Family(
        "star_in_annulus", 0.1, Spread(2.1, 0.2), Spread(-3.0, 0.3), 2.0, 0.0, Spread(1.9, 0.4), Spread(5.6, 0.15),
        Spread(8.4, 0.12), soot_z=Spread(-0.8, 0.4), soot_fraction=0.45, chroma=0.4, raggedness=(0.12, 0.25),
        rays=(0.1, 0.28), flattening=0.5, where=_GREEN_ONLY,
    ),
    Family(
        "tan_patch_with_streaks", 0.04, Spread(3.6, 0.25), Spread(1.0, 0.5), 3.5, chroma=0.6,
        raggedness=(0.15, 0.3), spikes=(3, 9), relief=0.3,
    ),
    Family(
        "red_disc", 0.06, Spread(1.5, 0.2), Spread(-0.6, 0.6), 3.0, chroma=1.0, relief=0.4,
        where=((Material.SOIL, 0.0), (Material.SAND, 0.0), (Material.CROP, 0.3), (Material.GRASS, 1.5)),
    ),
)  # fmt: skip
"""Families seen by eye (crater_appearance.md, points 3 to 10); shares among themselves are judgements."""
SNOW_FAMILY = Family(
    "snow_soot", 0.0, Spread(2.2, 0.3), Spread(-9.0, 0.3), 2.2, edge_m=Spread(8.5, 0.3), soot_z=Spread(-4.0, 0.5),
    chroma=0.15, raggedness=(0.1, 0.22), rays=(0.05, 0.25), spikes=(0, 9), flattening=0.7,
    where=((Material.SNOW, 1.0),),
)  # fmt: skip
"""Melted to the soil, grey-black ejecta on white."""
HARD_FAMILIES = (
    Family(
        "hue_disc", 0.25, Spread(2.6, 0.25), Spread(-0.1, 0.5), 2.8, 0.15, chroma=1.0, least_hue_dn=14.0, relief=0.4,
    ),
    next(family for family in BY_EYE_FAMILIES if family.name == "pale_disc"),
    Family(
        "sooted", 0.25, Spread(2.3, 0.25), Spread(-2.0, 0.4), 1.9, edge_m=Spread(6.5, 0.25), soot_z=Spread(-1.7, 0.4),
        soot_fraction=0.75, chroma=0.1, raggedness=(0.1, 0.22), rays=(0.1, 0.35), spikes=(0, 9), relief=0.7,
    ),
    Family("small_pit", 0.25, Spread(0.85, 0.15), Spread(-2.6, 0.4), 2.4),
)  # fmt: skip
"""Looks that detectors trained on the others miss (sim_to_real.md), all equally often: hardly any contrast but hue,
pale without a dark core, sooted, below 1.2 m of radius."""
FAMILIES = {family.name: family for family in (*TABLE_FAMILIES, *BY_EYE_FAMILIES, *HARD_FAMILIES, SNOW_FAMILY)}


def draw_family(material: Material, config: StrikeConfig, rng: np.random.Generator) -> Family:
    """A random family for this material: a hard one, or in the measured shares, evened out by ``family_balance``."""
    if material is Material.SNOW:
        return SNOW_FAMILY
    if rng.random() < config.hard_share:
        return HARD_FAMILIES[int(rng.integers(len(HARD_FAMILIES)))]
    pool = BY_EYE_FAMILIES if rng.random() < config.by_eye_share else TABLE_FAMILIES
    weights = np.array([family.share ** (1 - config.family_balance) * family.weight_on(material) for family in pool])
    return pool[rng.choice(len(pool), p=weights / weights.sum())]
