"""Simulated craters on fields like those of the reference table, taken as its images were taken."""

from __future__ import annotations

import numpy as np

from cv_pipeline.simulation.ageing import on_after
from cv_pipeline.simulation.appearance import REACH_M, Appearance, measure
from cv_pipeline.simulation.config import StrikeConfig
from cv_pipeline.simulation.contrast import look_at
from cv_pipeline.simulation.families import Family
from cv_pipeline.simulation.ground import LUMINANCE, Material, level_ground
from cv_pipeline.simulation.light import Sun, photograph
from cv_pipeline.simulation.natural_strike import draw_natural_strike
from cv_pipeline.simulation.render import draw_crater
from cv_pipeline.simulation.salvo import plan_strikes
from cv_pipeline.simulation.salvo_style import draw_salvo_style
from cv_pipeline.simulation.sensor import Sensor, acquire
from cv_pipeline.simulation.strike import Strike, StrikeStatus
from cv_pipeline.types import Float32Array

_GROUND_SD_DN = (4.13, 6.23, 16.08)
_GROUND_LEVEL_DN = (85.15, 99.08, 144.13)

FIELDS_ONLY = StrikeConfig(
    empty_share=0.0,
    field_share=1.0,
    line_share=0.0,
    ellipse_share=0.0,
    single_share=0.0,
    large_share=0.0,
    cone_share=0.0,
    gone_share=0.0,
    ageing_share=0.15,
    close_salvo_share=0.0,
    hard_share=0.0,
)
"""What the reference holds: artillery in open fields in one after image, without what is drawn more often to train."""


def render_family(
    family: Family, count: int, seed: int, config: StrikeConfig | None = None, gsd_m: float = 0.5
) -> list[tuple[Float32Array, Appearance]]:
    """``count`` chips of a family on fields with the reference's texture and level, and what is measured on them."""
    config = config or StrikeConfig(large_share=0.0, cone_share=0.0)
    side = round(36.0 / gsd_m)
    results = []
    for index in range(count):
        rng = np.random.default_rng((seed, index))
        sd_dn, level = _skewed(_GROUND_SD_DN, rng), _skewed(_GROUND_LEVEL_DN, rng)
        material = Material.CROP if family.weight_on(Material.CROP) > 0 else Material.SOIL
        ground = level_ground(smooth_field(side, gsd_m, sd_dn, level, rng), material, gsd_m)
        sun = Sun(float(rng.uniform(0, 360)), float(rng.uniform(30, 60)))
        style = draw_salvo_style(config, rng)
        row_px, col_px = side / 2 + rng.uniform(-0.5, 0.5, 2)
        look = look_at(ground, row_px, col_px)
        strike = draw_natural_strike(row_px, col_px, family, look, material, style, sun, config, rng)
        draw_crater(ground, strike)
        chip = as_seen(photograph(ground, sun), gsd_m, rng)
        results.append((chip, measure(chip, row_px, col_px, gsd_m)))
    return results


def render_fields(
    count: int, seed: int, config: StrikeConfig, side_m: float = 400.0, gsd_m: float = 0.5
) -> list[tuple[list[Strike], Float32Array]]:
    """``count`` planned scenes on fields of crop or soil with the reference's texture: strikes, and the image as taken.

    Strikes near the edge and those on no image of the after date (GONE) are drawn but not returned.
    """
    scenes = []
    side = round(side_m / gsd_m)
    margin = REACH_M / gsd_m
    for index in range(count):
        rng = np.random.default_rng((seed, index))
        colour = smooth_field(side, gsd_m, _skewed(_GROUND_SD_DN, rng), _skewed(_GROUND_LEVEL_DN, rng), rng)
        ground = level_ground(colour, Material.CROP if rng.random() < 0.5 else Material.SOIL, gsd_m)
        sun = Sun(float(rng.uniform(0, 360)), float(rng.uniform(30, 60)))
        strikes = plan_strikes(ground, config, sun, rng)
        for strike in filter(None, map(on_after, strikes)):
            draw_crater(ground, strike)
        inner = [
            s
            for s in strikes
            if min(s.row_px, s.col_px) > margin
            and max(s.row_px, s.col_px) < side - margin
            and s.status != StrikeStatus.GONE
        ]
        scenes.append((inner, as_seen(photograph(ground, sun), gsd_m, rng)))
    return scenes


def smooth_field(side_px: int, gsd_m: float, sd_dn: float, level_dn: float, rng: np.random.Generator) -> Float32Array:
    """A field (side, side, 3) whose texture has the given SD after the sensor, coarser structure stronger."""
    frequency = np.hypot(np.fft.fftfreq(side_px, gsd_m)[:, None], np.fft.rfftfreq(side_px, gsd_m)[None, :])
    amplitude = np.where(frequency > 0, np.maximum(frequency, 0.05) ** -0.7, 0.0)
    amplitude *= np.exp(-((frequency / 0.8) ** 2))
    texture = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((side_px, side_px))) * amplitude, s=(side_px, side_px))
    texture *= sd_dn / texture.std()
    tint = np.array([1.0, 1.02, 0.85]) * (1 + rng.normal(0, 0.05, 3))
    field: Float32Array = ((level_dn + texture)[..., None] * tint / (tint @ LUMINANCE)).astype(np.float32)
    return field


def as_seen(scene: Float32Array, gsd_m: float, rng: np.random.Generator) -> Float32Array:
    """What the reference's sensor makes of a scene: 0.5 m pixels, 0.45–0.9 px of blur, a little noise, mild JPEG."""
    native_px = max(0.5 / gsd_m, 1.0)
    sensor = Sensor(
        gain=(1.0, 1.0, 1.0),
        offset_dn=(0.0, 0.0, 0.0),
        gamma=1.0,
        saturation=1.0,
        blur_px=float(rng.uniform(0.45, 0.9)) * native_px,
        sharpen=0.0,
        noise_dn=0.8,
        jpeg_quality=int(rng.integers(75, 96)),
        noise_seed=int(rng.integers(2**31)),
        native_px=native_px,
        file_px=native_px,
    )
    return acquire(scene, sensor).astype(np.float32)


def _skewed(percentiles: tuple[float, float, float], rng: np.random.Generator) -> float:
    """A value with these 10th, 50th and 90th percentiles, log-normal on either side, at most 1.6 SD off."""
    low, middle, high = np.log(percentiles)
    deviate = float(np.clip(rng.standard_normal(), -1.6, 1.6))
    return float(np.exp(middle + deviate * (high - middle if deviate > 0 else middle - low) / 1.2816))
