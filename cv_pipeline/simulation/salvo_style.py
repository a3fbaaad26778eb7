"""What the strikes of one salvo have in common."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cv_pipeline.simulation.config import StrikeConfig


@dataclass(frozen=True, slots=True)
class SalvoStyle:
    """What the strikes of one salvo in one kind of parcel share.

    ``contrast_z`` and ``ring_z`` are in SDs of the family's spread. ``subsoil`` is the colour (DN) that lies
    under the surface. ``heading_deg`` is the common heading of wings, cones and flight.
    ``charge_kg`` is None for shells and rockets, whose sizes are those of the table.
    """

    size_factor: float
    contrast_z: float
    ring_z: float
    subsoil: tuple[float, float, float]
    relief_log: float
    heading_deg: float
    directional: float
    charge_kg: float | None


def draw_salvo_style(config: StrikeConfig, rng: np.random.Generator) -> SalvoStyle:
    """A random style; ``config.large_share`` of them are bombs or missiles."""
    large = rng.random() < config.large_share
    level, warmth = rng.uniform(80, 190), rng.uniform(-0.04, 0.2)
    log_charge = rng.uniform(np.log(config.large_charge_min_kg), np.log(config.large_charge_max_kg))
    return SalvoStyle(
        size_factor=float(config.size_factor * np.exp(rng.normal(0, config.size_log_sd))),
        contrast_z=float(rng.standard_normal()),
        ring_z=float(rng.standard_normal()),
        subsoil=(level * (1 + warmth), level, level * (1 - 1.2 * warmth)),
        relief_log=float(rng.normal(0, 0.4)),
        heading_deg=float(rng.uniform(0, 360)),
        directional=float(rng.choice([0.3, 1.0, 4.0], p=[0.6, 0.25, 0.15])),
        charge_kg=float(np.exp(log_charge)) if large else None,
    )
