"""From a charge's mass to the size of the crater and of the visible blast circle.

Used to keep simulated sizes consistent with each other and physically possible; it describes marks that
are already on the ground. Scatter about these laws is large: about 30 % for craters.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq

CRATER_COEFFICIENT = 0.8
"""Diameter in metres over the cube root of kilograms of TNT, surface burst on soil (Kinney and Graham 1985)."""
CRATER_LOG_SD = 0.3
"""Relative scatter of crater diameters about the law (Kinney and Graham 1985 state about 30 %)."""
DEPTH_RATIO = 0.25
"""Depth over diameter of a fresh apparent crater in soil: 0.2–0.3 (Cooper 1996, ISBN 978-0-471-18636-6)."""


def crater_diameter_m(charge_kg: float, coefficient: float = CRATER_COEFFICIENT) -> float:
    """Mean apparent diameter of a surface burst's crater in soil, ``coefficient * charge_kg ** (1/3)``.

    The 0.8 is of Kinney and Graham 1985, *Explosive Shocks in Air*, ISBN 978-3-642-86684-5; Ambrosini and
    Luccioni 2006 (doi:10.1115/1.2173283) give about 0.5 for a charge on the surface, and a charge that went
    some way into the ground leaves a crater up to twice as wide.

    Raises:
        ValueError: ``charge_kg`` is not positive.
    """
    _check_charge(charge_kg)
    return float(coefficient * np.cbrt(charge_kg))


def peak_overpressure_kpa(scaled_distance: float) -> float:
    """Side-on peak overpressure of a chemical explosion at ``scaled_distance`` in m/kg^(1/3) of TNT.

    Kinney and Graham 1985, ISBN 978-3-642-86684-5, for sea-level air (101.325 kPa).
    """
    z = scaled_distance
    return float(
        101.325
        * 808
        * (1 + (z / 4.5) ** 2)
        / np.sqrt((1 + (z / 0.048) ** 2) * (1 + (z / 0.32) ** 2) * (1 + (z / 1.35) ** 2))
    )


def blast_circle_radius_m(charge_kg: float, threshold_kpa: float = 100.0) -> float:
    """Radius out to which the blast sweeps dust and flattens low plants, so that a circle can be seen.

    The distance at which the peak overpressure falls to ``threshold_kpa``. 100 kPa is a judgement: it
    gives 17 m for 250 kg and 27 m for a tonne, the span of the circles listed in ``datasets/al_asad_2020``.

    Raises:
        ValueError: ``charge_kg`` is not positive, or the threshold is outside 5..5000 kPa.
    """
    _check_charge(charge_kg)
    if not 5.0 <= threshold_kpa <= 5000.0:
        raise ValueError(f"The overpressure threshold must be within 5..5000 kPa, not {threshold_kpa}.")
    scaled = brentq(lambda z: peak_overpressure_kpa(z) - threshold_kpa, 0.05, 50.0)
    return float(scaled * np.cbrt(charge_kg))


def _check_charge(charge_kg: float) -> None:
    if charge_kg <= 0:
        raise ValueError(f"A charge must be above 0 kg, not {charge_kg}.")
