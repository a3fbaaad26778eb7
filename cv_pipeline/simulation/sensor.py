"""What lies between the ground and the file: light, haze, optics, noise, compression."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from cv_pipeline.types import Float32Array, UInt8Array


@dataclass(frozen=True, slots=True)
class Sensor:
    """One acquisition. ``gain`` and ``offset_dn`` per channel, blur and noise in px and DN.

    ``native_px`` is the sensor's own pixel in pixels of the image: above 1 the picture was taken
    coarser and enlarged afterwards, noise and compression with it.
    """

    gain: tuple[float, float, float]
    offset_dn: tuple[float, float, float]
    gamma: float
    saturation: float
    blur_px: float
    sharpen: float
    noise_dn: float
    jpeg_quality: int | None
    noise_seed: int
    native_px: float = 1.0


def draw_sensor(rng: np.random.Generator, gsd_m: float) -> Sensor:
    """A random acquisition: blur of 0.25–0.7 m on the ground, mild to strong colour casts."""
    haze = rng.uniform(0, 0.35) if rng.random() < 0.3 else 0.0
    base = float(np.exp(rng.normal(0, 0.18))) * (1 - haze)
    cast = 1 + rng.normal(0, 0.045, 3)
    return Sensor(
        gain=tuple(float(base * c) for c in cast),  # type: ignore[arg-type]
        offset_dn=tuple(float(haze * 110 + o) for o in rng.normal(0, 4, 3)),  # type: ignore[arg-type]
        gamma=float(np.exp(rng.normal(0, 0.15))),
        saturation=float(rng.uniform(0.35, 1.25)),
        blur_px=float(rng.uniform(0.25, 0.7) / gsd_m * 0.9),
        sharpen=float(rng.uniform(0, 0.8)) if rng.random() < 0.35 else 0.0,
        noise_dn=float(np.exp(rng.uniform(np.log(0.6), np.log(4.0)))),
        jpeg_quality=int(rng.integers(60, 96)) if rng.random() < 0.6 else None,
        noise_seed=int(rng.integers(2**31)),
        native_px=float(rng.uniform(1.0, 2.0)) if rng.random() < 0.3 else 1.0,
    )


def acquire(scene: Float32Array, sensor: Sensor) -> UInt8Array:
    """The 8-bit image (height, width, 3) that ``sensor`` makes of ``scene`` (same shape, DN 0..255)."""
    rng = np.random.default_rng(sensor.noise_seed)
    grey = scene.mean(axis=2, keepdims=True)
    image = grey + sensor.saturation * (scene - grey)
    image = 255.0 * (np.clip(image, 0, 255) / 255.0) ** sensor.gamma
    image = image * np.asarray(sensor.gain, np.float32) + np.asarray(sensor.offset_dn, np.float32)
    image = cv2.GaussianBlur(image.astype(np.float32), (0, 0), max(sensor.blur_px, 0.2))
    size = image.shape[1], image.shape[0]
    if sensor.native_px > 1.0:
        native = tuple(max(round(side / sensor.native_px), 2) for side in size)
        image = cv2.resize(image, native, interpolation=cv2.INTER_AREA)
    if sensor.sharpen > 0:
        image = image + sensor.sharpen * (image - cv2.GaussianBlur(image, (0, 0), 1.0))
    noise = rng.standard_normal(image.shape[:2], dtype=np.float32)[..., None] * 0.8
    noise = noise + 0.6 * rng.standard_normal(image.shape, dtype=np.float32)
    result: UInt8Array = np.clip(image + sensor.noise_dn * noise + 0.5, 0, 255).astype(np.uint8)
    if sensor.jpeg_quality is not None:
        _, buffer = cv2.imencode(".jpg", result, [cv2.IMWRITE_JPEG_QUALITY, sensor.jpeg_quality])
        decoded = cv2.imdecode(buffer, cv2.IMREAD_COLOR)
        assert decoded is not None  # it was encoded in the line above
        result = decoded.astype(np.uint8)
    if sensor.native_px > 1.0:
        result = cv2.resize(result, size, interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    return result
