"""How the ground about a spot looks, and how a strike's colour stands out against it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cv_pipeline.simulation.ground import LUMINANCE, Ground, Material
from cv_pipeline.simulation.salvo_style import SalvoStyle
from cv_pipeline.simulation.strike import ColourDelta
from cv_pipeline.types import Float64Array

MAX_RING_DN = 48.0
"""A collar is brighter than its ground by this at most."""


class GroundLook(NamedTuple):
    """The ground about a spot: median colour (3,) and robust SD of its luminance, in DN."""

    level: Float64Array
    sd_dn: float


def look_at(ground: Ground, row_px: float, col_px: float) -> GroundLook:
    """The look of the ground at 8 to 15.5 m from a spot, as the reference table measures it; a 2 DN SD at least."""
    reach = max(round(15.5 / ground.gsd_m), 3)
    row, col = int(row_px), int(col_px)
    rows = slice(max(row - reach, 0), row + reach + 1)
    cols = slice(max(col - reach, 0), col + reach + 1)
    step = max(reach // 16, 1)
    chip = ground.colour[rows, cols][::step, ::step].reshape(-1, 3)
    if not len(chip):
        chip = ground.colour.reshape(-1, 3)[:: max(ground.material.size // 1024, 1)]
    luminance = chip @ LUMINANCE.astype(np.float32)
    level = np.median(chip, axis=0)
    deviation = 1.4826 * float(np.median(np.abs(luminance - np.median(luminance))))
    return GroundLook(level.astype(np.float64), max(deviation, 2.0))


def colour_change(
    luminance_dn: float, level: Float64Array, hue_shift: Float64Array, rng: np.random.Generator
) -> ColourDelta:
    """A change of ``luminance_dn`` on ground of this colour, with a shift of hue that leaves luminance alone.

    Half of it keeps the ground's hue, as a shade does, half is grey; no channel falls below a tenth of the ground's.
    """
    hue = hue_shift - hue_shift @ LUMINANCE
    wobble = float(np.clip(luminance_dn, -60, 60)) * rng.normal(0, 0.05, 3)
    tinted = luminance_dn * (0.5 + 0.5 * level / max(float(level @ LUMINANCE), 1.0))
    change = tinted + hue + wobble - wobble @ LUMINANCE
    return ColourDelta(*(float(c) for c in np.maximum(change, -0.9 * level)))


def subsoil_hue(style: SalvoStyle, look: GroundLook, material: Material) -> Float64Array:
    """How the subsoil's hue differs from the ground's at the same luminance, DN; little on bare ground."""
    brightness = float(look.level @ LUMINANCE)
    subsoil = np.asarray(style.subsoil) * (brightness / (np.asarray(style.subsoil) @ LUMINANCE))
    own = 0.35 if material in (Material.SOIL, Material.SAND, Material.SNOW) else 1.0
    hue: Float64Array = np.clip(own * (subsoil - look.level), -26, 26)
    return hue


def distinct_hue(hue: Float64Array, least_dn: float) -> Float64Array:
    """The shift of hue without its luminance, lengthened to ``least_dn``; reddish where it were bluish or none."""
    if least_dn <= 0:
        return hue
    pure = hue - hue @ LUMINANCE
    if pure[0] <= max(float(pure[2]), 0.5):
        pure = np.array([1.0, -0.3, -0.7])
        pure = pure - pure @ LUMINANCE
    distinct: Float64Array = pure * max(least_dn / float(np.linalg.norm(pure)), 1.0)
    return distinct
