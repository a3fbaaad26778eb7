"""The crater as a height field: bowl, raised rim, ejecta blanket, slumped walls, oblique arrival.

A paraboloid bowl inside a raised rim is the shape of simple explosion and impact craters, and the
ejecta blanket thins with the cube of distance (McGetchin, Settle and Head 1973,
doi:10.1016/0012-821X(73)90162-3; Melosh 1989, *Impact Cratering*, ISBN 978-0195042849). An oblique
arrival lengthens the bowl along the flight direction and throws most of the soil forward (Gault and
Wedekind 1978, in the same book, chapter 5); the amounts here are by eye.
"""

from __future__ import annotations

import numpy as np

from cv_pipeline.types import Float64Array


def crater_height_m(
    radius_m: Float64Array,
    along: Float64Array,
    *,
    bowl_radius_m: float,
    depth_m: float,
    rim_m: float,
    slump: float = 0.0,
    obliquity: float = 0.0,
) -> Float64Array:
    """Height above the level ground at polar positions around the centre, same shape as ``radius_m``.

    Args:
        radius_m: Distance from the centre.
        along: Cosine of the angle to the flight direction, -1..1, same shape; matters for oblique arrival only.
        bowl_radius_m: Radius at the rim's crest, > 0, of a bowl without obliquity.
        depth_m: Depth of the centre below level ground, fresh.
        rim_m: Height of the rim above level ground, fresh.
        slump: 0..1, how far the walls have failed: the floor flattens and rises, the rim sinks into the bowl.
        obliquity: 0 straight down, 1 at a graze: the bowl is up to half as long again, the rim stands ahead only.
    """
    edge_m = bowl_radius_m * (1 + 0.5 * obliquity * along**2) / (1 + 0.12 * obliquity)
    rim_here_m = rim_m * (1 - 0.6 * slump) * np.clip(1 + obliquity * along, 0, None)
    depth_now_m = depth_m * (1 - 0.45 * slump)
    relative = radius_m / edge_m
    bowl = relative ** (2.0 + 3.0 * slump)
    inside = -depth_now_m + (depth_now_m + rim_here_m) * bowl
    outside = rim_here_m / np.maximum(relative, 1.0) ** 3
    height: Float64Array = np.where(relative < 1.0, inside, outside)
    return height
