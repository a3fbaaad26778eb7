"""One date's picture: where sun and sensor stand, what is in the air, and which product comes of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cv_pipeline.simulation.config import LightConfig, SimulationConfig, stream
from cv_pipeline.simulation.ground import Ground
from cv_pipeline.simulation.light import Sun, View, photograph
from cv_pipeline.simulation.sensor import Sensor, acquire, draw_sensors
from cv_pipeline.simulation.weather import Weather, apply_weather, draw_weather
from cv_pipeline.types import BoolArray, UInt8Array


@dataclass(frozen=True, slots=True)
class Acquisition:
    """Everything between the ground and the file, for one date."""

    sun: Sun
    view: View
    weather: Weather
    sensor: Sensor


def draw_acquisitions(seed: tuple[int, ...], gsd_m: float, config: SimulationConfig) -> tuple[Acquisition, Acquisition]:
    """Before and after, each element from its own random stream."""
    suns = _draw_suns(stream(seed, "sun"), config.light)
    views = [_draw_view(stream(seed, f"view {date}"), config.light) for date in ("before", "after")]
    weathers = [draw_weather(stream(seed, f"weather {date}"), config.weather) for date in ("before", "after")]
    sensors = draw_sensors(stream(seed, "sensor"), gsd_m, config.sensor)
    before, after = (Acquisition(*parts) for parts in zip(suns, views, weathers, sensors, strict=True))
    return before, after


def _draw_suns(rng: np.random.Generator, config: LightConfig) -> tuple[Sun, Sun]:
    """Before and after: satellites pass at the same hour, so azimuths are alike; elevations follow the season."""
    drawn_deg = rng.uniform(0, 360)
    azimuth_deg = drawn_deg if config.sun_azimuth_deg is None else config.sun_azimuth_deg
    turn_deg = rng.normal(0, config.sun_turn_sd_deg)
    low, high = config.sun_elevation_deg
    return Sun(float((azimuth_deg + turn_deg) % 360), float(rng.uniform(low, high))), Sun(
        float(azimuth_deg), float(rng.uniform(low, high))
    )


def _draw_view(rng: np.random.Generator, config: LightConfig) -> View:
    off_nadir_deg = min(abs(rng.normal(0, config.off_nadir_sd_deg)), config.off_nadir_max_deg)
    azimuth_deg = rng.uniform(0, 360)
    return View(float(off_nadir_deg) if rng.random() < config.leaning_share else 0.0, float(azimuth_deg))


def take(ground: Ground, acquisition: Acquisition) -> tuple[UInt8Array, BoolArray]:
    """The image (height, width, 3) of ``ground``, and where clouds or smoke hide it (height, width)."""
    scene = photograph(ground, acquisition.sun, acquisition.view)
    hidden = apply_weather(scene, acquisition.weather, acquisition.sun, ground.gsd_m)
    return acquire(scene, acquisition.sensor), hidden
