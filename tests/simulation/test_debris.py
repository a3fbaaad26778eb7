from __future__ import annotations

import numpy as np
import pytest

from cv_pipeline.simulation.debris import draw_debris, draw_rubble, draw_tarpaulin, draw_uprooted_tree, scatter
from cv_pipeline.simulation.ground import Ground, Material, level_ground
from cv_pipeline.simulation.strike import ColourDelta, Strike


def ground(gsd_m: float = 0.25, level: float = 120) -> Ground:
    return level_ground(np.full((160, 160, 3), level, np.float32), Material.GRASS, gsd_m)


@pytest.mark.parametrize("gsd_m", [0.2, 0.6, 1.0])
def test_a_fragment_darkens_by_its_area_at_any_gsd(gsd_m: float) -> None:
    canvas = ground(gsd_m)
    scatter(canvas, np.array([40.3]), np.array([70.8]), np.array([0.4]), np.array([[20.0, 20.0, 20.0]]))
    missing = (120 - canvas.colour[..., 0]) / 100
    assert missing.sum() * gsd_m**2 == pytest.approx(np.pi * 0.2**2, rel=0.15)
    rows, cols = np.mgrid[:160, :160] + 0.5
    np.testing.assert_allclose((missing * rows).sum() / missing.sum(), 40.3, atol=0.2)
    np.testing.assert_allclose((missing * cols).sum() / missing.sum(), 70.8, atol=0.2)


def test_fragments_outside_are_left_out() -> None:
    canvas = ground()
    scatter(canvas, np.array([-5.0, 500.0]), np.array([3.0, 3.0]), np.array([0.3, 0.3]), np.zeros((2, 3)))
    assert (canvas.colour == 120).all()


def strike(**kwargs: float) -> Strike:
    return Strike(80, 80, 2.0, ColourDelta(-50, -50, -50), blast_radius_m=6.0, ray_seed=3, **kwargs)  # type: ignore[arg-type]


def test_debris_thins_outwards() -> None:
    canvas = ground()
    draw_debris(canvas, strike())
    changed = np.abs(canvas.colour - 120).sum(axis=2)
    rows, cols = np.mgrid[:160, :160] + 0.5 - 80
    radius_m = np.hypot(rows, cols) * 0.25
    near, far = changed[(radius_m > 2) & (radius_m < 5)].mean(), changed[(radius_m > 10) & (radius_m < 15)].mean()
    assert near > 4 * far >= 0


def test_debris_of_a_cone_lies_mostly_along_it() -> None:
    canvas = ground()
    draw_debris(canvas, strike(cone_azimuth_deg=90, cone_half_width_deg=25))
    changed = np.abs(canvas.colour - 120).sum(axis=2)
    assert changed[:, 80:].sum() > 2 * changed[:, :80].sum() > 0


def test_rubble_covers_its_radius_and_stands_up() -> None:
    canvas = ground(0.5)
    draw_rubble(canvas, 80, 80, 8.0, np.random.default_rng(2))
    rows, cols = np.mgrid[:160, :160] + 0.5 - 80
    radius_m = np.hypot(rows, cols) * 0.5
    changed = np.abs(canvas.colour - 120).max(axis=2) > 10
    assert changed[radius_m < 5].mean() > 0.6 and changed[radius_m > 30].mean() < 0.02
    assert canvas.height_m[radius_m < 5].mean() > 0.1
    assert (canvas.material == Material.GRASS).all()


def test_the_same_seed_draws_the_same_rubble() -> None:
    canvases = [ground(), ground()]
    for canvas in canvases:
        draw_rubble(canvas, 80, 80, 6.0, np.random.default_rng(7))
    np.testing.assert_array_equal(canvases[0].colour, canvases[1].colour)


def test_single_pieces_leave_their_mark_and_nothing_outside() -> None:
    for draw in (draw_tarpaulin, draw_uprooted_tree):
        canvas = ground()
        draw(canvas, 80, 80, np.random.default_rng(1))
        assert np.abs(canvas.height_m).max() > 0.05
        untouched = ground()
        draw(untouched, -300, 80, np.random.default_rng(1))
        assert (untouched.colour == 120).all()
