"""What lies between the light and the file: optics, sampling, pan-sharpening, radiometry, noise, compression."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import cv2
import numpy as np

from cv_pipeline.simulation.config import SensorConfig
from cv_pipeline.types import Float32Array, UInt8Array

Kernel = Literal["linear", "cubic", "lanczos"]
"""Nearest and area are left out: enlarging, they move the ground by up to half a pixel against the truth."""
_DEFAULT = SensorConfig()
_INTERPOLATION: dict[Kernel, int] = {
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
    "lanczos": cv2.INTER_LANCZOS4,
}
_LUMINANCE = np.array([[0.30, 0.55, 0.15]], np.float32)  # a panchromatic band's share of R, G, B, roughly
_CHROMA_NATIVE_PX = 4  # multispectral pixels of all submetre satellites are four panchromatic pixels wide


@dataclass(frozen=True, slots=True)
class Sensor:
    """One acquisition and its product, in the order in which it happens.

    ``blur_px`` is the sigma of the point spread in pixels of the image. ``native_px`` is the sensor's own pixel and
    ``file_px`` the pixel of the file that was compressed, both in pixels of the image: above 1 the picture was
    taken (stored) coarser and enlarged, by ``kernel`` each time, noise and compression with it.
    ``chroma_shift_px`` is (row, col) between the panchromatic and the colour bands in native pixels, None where the
    colours are as sharp as the picture. ``noise_dn`` is the noise's SD at 100 DN, ``stripe_dn`` that of whole columns.
    ``saturation`` 0 is black and white. ``level_dn`` is where the product's stretch pulls the median, None for none;
    ``gain``, ``offset_dn`` act per channel after it, ``contrast`` about the median.
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
    file_px: float = 1.0
    kernel: Kernel = "cubic"
    chroma_shift_px: tuple[float, float] | None = None
    stripe_dn: float = 0.0
    level_dn: float | None = None
    contrast: float = 1.0
    clip_share: float = 0.0
    jpeg2000_ratio: float | None = None


def draw_sensor(rng: np.random.Generator, gsd_m: float, config: SensorConfig = _DEFAULT) -> Sensor:
    """A random acquisition and product for an image of ``gsd_m``.

    Every number is drawn whether it is used or not, so that turning one element off leaves the others as they are.
    """
    native_m = _log_uniform(rng, config.native_gsd_m)
    coarse_m = _log_uniform(rng, config.coarse_gsd_m)
    native_m = coarse_m if rng.random() < config.coarse_share else native_m
    native_px = native_m / gsd_m
    psf_px = rng.uniform(*config.psf_sigma_px)
    enlarged_px = native_px * rng.uniform(0.45, 0.95)
    file_px = enlarged_px if rng.random() < config.enlarged_share else native_px
    kernel: Kernel = ("linear", "cubic", "lanczos")[int(rng.choice(3, p=(0.35, 0.43, 0.22)))]
    chroma_shift = rng.normal(0, config.chroma_shift_sd_px, 2)
    pansharpened = rng.random() < config.pansharpen_share
    sharpen, sharpened = rng.uniform(*config.sharpen), rng.random() < config.sharpen_share
    noise_dn = _log_uniform(rng, config.noise_dn)
    stripe_dn, striped = rng.uniform(*config.stripe_dn), rng.random() < config.stripe_share
    quality, compressed = int(rng.integers(config.jpeg_quality[0], config.jpeg_quality[1] + 1)), rng.random()
    ratio = rng.uniform(*config.jpeg2000_ratio)
    jpeg2000 = config.jpeg_share <= compressed < config.jpeg_share + config.jpeg2000_share
    return Sensor(
        **_draw_radiometry(rng, config),
        blur_px=psf_px * native_px,
        sharpen=float(sharpen) if sharpened else 0.0,
        # Where the image is coarser than the sensor, its pixel averages the noise of several.
        noise_dn=noise_dn * min(native_px, 1.0),
        jpeg_quality=quality if compressed < config.jpeg_share else None,
        noise_seed=int(rng.integers(2**31)),
        native_px=native_px,
        file_px=file_px,
        kernel=kernel,
        chroma_shift_px=(float(chroma_shift[0]), float(chroma_shift[1])) if pansharpened else None,
        stripe_dn=float(stripe_dn) if striped else 0.0,
        jpeg2000_ratio=float(ratio) if jpeg2000 else None,
    )


def _draw_radiometry(rng: np.random.Generator, config: SensorConfig) -> dict[str, Any]:
    """Tone and colour of the product, as fields of :class:`Sensor`."""
    # Products differ mostly along blue to orange (path radiance, white balance), little along green to magenta.
    axes = np.array([[1.0, 1.0, 0.15], [1.0, 0.0, -0.3], [1.0, -1.0, 0.15]])
    cast = np.exp(axes @ rng.normal(0, config.cast_sd, 3))
    offset = axes @ rng.normal(0, config.offset_sd_dn, 3)
    gamma, contrast = np.exp(rng.normal(0, config.gamma_log_sd)), np.exp(rng.normal(0, config.contrast_log_sd))
    saturation = rng.uniform(*config.saturation)
    vivid, dull = rng.uniform(1.3, 1.9), rng.uniform(0.1, 0.4)
    dull_contrast = rng.uniform(0.4, 0.7)
    style = rng.random()
    grey = rng.random() < config.black_and_white_share
    level = config.level_dn * np.exp(rng.normal(0, config.level_log_sd))
    clip, clipped = rng.uniform(*config.clip_share), rng.random() < config.stretch_share
    if grey:
        saturation, cast, offset = 0.0, np.full(3, cast.mean()), np.full(3, offset.mean())
    elif style < config.dull_share:
        saturation, contrast = dull, contrast * dull_contrast
    elif style < config.dull_share + config.vivid_share:
        saturation = vivid
    return {
        "gain": tuple(float(value) for value in cast),
        "offset_dn": tuple(float(value) for value in offset),
        "gamma": float(gamma),
        "contrast": float(contrast),
        "saturation": float(saturation),
        "level_dn": float(level),
        "clip_share": float(clip) if clipped else 0.0,
    }


def draw_sensors(rng: np.random.Generator, gsd_m: float, config: SensorConfig = _DEFAULT) -> tuple[Sensor, Sensor]:
    """Before and after; in ``config.same_sensor_share`` of pairs the same sensor and product, radiometry apart."""
    before, after = draw_sensor(rng, gsd_m, config), draw_sensor(rng, gsd_m, config)
    if rng.random() < config.same_sensor_share:
        before = replace(
            after,
            noise_seed=before.noise_seed,
            gain=before.gain,
            offset_dn=before.offset_dn,
            level_dn=before.level_dn,
            chroma_shift_px=None if after.chroma_shift_px is None else before.chroma_shift_px,
        )
    return before, after


def acquire(scene: Float32Array, sensor: Sensor) -> UInt8Array:
    """The 8-bit image (height, width, 3) that ``sensor`` makes of ``scene`` (same shape, DN about 0..255)."""
    rng = np.random.default_rng(sensor.noise_seed)
    image = np.clip(_toned(_recorded(scene, sensor, rng), sensor) + 0.5, 0, 255).astype(np.uint8)
    image = _compressed(image, sensor, rng)
    return image if image.shape == scene.shape else _resized(image, scene.shape, sensor.kernel)


def _recorded(scene: Float32Array, sensor: Sensor, rng: np.random.Generator) -> Float32Array:
    """What reaches the product's file grid: blurred, sampled, noisy, pan-sharpened, enlarged, sharpened."""
    image = scene if sensor.blur_px < 0.2 else cv2.GaussianBlur(scene, (0, 0), sensor.blur_px)
    shape = _coarser(scene.shape, sensor.native_px)
    if shape != scene.shape[:2]:
        image = cv2.resize(image, shape[::-1], interpolation=cv2.INTER_AREA)
    image = np.asarray(image, np.float32)
    if sensor.noise_dn > 0 or sensor.stripe_dn > 0:
        image = image + _noise(image, sensor, rng)
    if sensor.saturation == 0 or sensor.chroma_shift_px is not None:
        image = _fused(image, sensor)
    file_shape = _coarser(scene.shape, sensor.file_px)
    if file_shape != image.shape[:2]:
        image = _resized(image, file_shape, sensor.kernel)
    if sensor.sharpen > 0:
        image = image + np.float32(sensor.sharpen) * (image - cv2.GaussianBlur(image, (0, 0), 1.2))
    return np.asarray(image, np.float32)


def _noise(image: Float32Array, sensor: Sensor, rng: np.random.Generator) -> Float32Array:
    """Noise (height, width, 1 or 3) whose variance grows with the signal (photons), mostly common to all channels."""
    noise = rng.standard_normal(image.shape[:2], dtype=np.float32)[..., None]
    if sensor.chroma_shift_px is None:  # colour from larger pixels has next to no noise of its own
        noise = np.float32(0.8) * noise + np.float32(0.6) * rng.standard_normal(image.shape, dtype=np.float32)
    noise = noise * (np.float32(sensor.noise_dn) * np.sqrt(0.3 + 0.007 * np.clip(image[..., 1:2], 0, 255)))
    if sensor.stripe_dn > 0:
        noise = noise + rng.normal(0, sensor.stripe_dn, (1, image.shape[1], 1)).astype(np.float32)
    return np.asarray(noise, np.float32)


def _fused(image: Float32Array, sensor: Sensor) -> Float32Array:
    """Sharp luminance with colour from pixels four times as wide and a little beside: fringes at every edge."""
    pan = cv2.transform(image, _LUMINANCE)
    if sensor.saturation == 0:
        return np.asarray(cv2.merge([pan, pan, pan]), np.float32)
    assert sensor.chroma_shift_px is not None
    height, width = pan.shape
    coarse = max(height // _CHROMA_NATIVE_PX, 1), max(width // _CHROMA_NATIVE_PX, 1)
    colour = cv2.resize(image - pan[..., None], coarse[::-1], interpolation=cv2.INTER_AREA)
    row_scale, col_scale = coarse[0] / height, coarse[1] / width
    row_shift, col_shift = sensor.chroma_shift_px
    to_coarse = np.array(
        [
            [col_scale, 0.0, (0.5 - col_shift) * col_scale - 0.5],
            [0.0, row_scale, (0.5 - row_shift) * row_scale - 0.5],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    colour = cv2.warpAffine(colour, to_coarse, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(colour + pan[..., None], np.float32)


def _toned(image: Float32Array, sensor: Sensor) -> Float32Array:
    """The product's stretch, contrast, gamma, saturation and cast; DN, not yet clipped."""
    sample = cv2.transform(np.ascontiguousarray(image[::3, ::3]), _LUMINANCE)
    median = float(np.median(sample))
    brightness = 1.0 if sensor.level_dn is None else max((sensor.level_dn / max(median, 20.0)) ** 0.7, 0.6)
    scale, shift = brightness * sensor.contrast, brightness * median * (1.0 - sensor.contrast)
    if sensor.clip_share > 0:
        low, high = np.quantile(sample, (sensor.clip_share, 1.0 - sensor.clip_share))
        # A stretch is made for a whole scene; one small window seldom spans its range, so it is taken half.
        stretch = float(np.clip(np.sqrt(170.0 / max(high - low, 20.0)), 0.7, 1.8))
        shift, scale = shift * stretch + brightness * median * (1.0 - stretch), scale * stretch
    # Scale, shift and saturation are one matrix on (R, G, B, 1).
    colour = sensor.saturation * np.eye(3) + (1.0 - sensor.saturation) * np.repeat(_LUMINANCE, 3, axis=0)
    if sensor.gamma != 1.0:
        image = np.asarray(cv2.transform(image, np.column_stack([scale * colour, np.full(3, shift)])), np.float32)
        np.clip(image, 0, 255, out=image)
        image = 255.0 * np.asarray(cv2.pow(image * np.float32(1 / 255.0), sensor.gamma), np.float32)
        return image * np.asarray(sensor.gain, np.float32) + np.asarray(sensor.offset_dn, np.float32)
    gain = np.asarray(sensor.gain)[:, None]
    matrix = np.column_stack([gain * scale * colour, gain[:, 0] * shift + np.asarray(sensor.offset_dn)])
    return np.asarray(cv2.transform(image, matrix), np.float32)


def _compressed(image: UInt8Array, sensor: Sensor, rng: np.random.Generator) -> UInt8Array:
    """Through a lossy file; the blocks start anywhere, because a tile is cut from a larger file."""
    if sensor.jpeg_quality is None and sensor.jpeg2000_ratio is None:
        return image
    top, left = (int(start) for start in rng.integers(0, 8, 2))
    padded = cv2.copyMakeBorder(image, top, 0, left, 0, cv2.BORDER_REPLICATE)
    if sensor.jpeg_quality is not None:
        options = [cv2.IMWRITE_JPEG_QUALITY, sensor.jpeg_quality]
        options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]
        _, buffer = cv2.imencode(".jpg", padded[..., ::-1], options)
    else:
        assert sensor.jpeg2000_ratio is not None
        options = [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, int(1000 / sensor.jpeg2000_ratio)]
        _, buffer = cv2.imencode(".jp2", padded[..., ::-1], options)
    decoded = cv2.imdecode(buffer, cv2.IMREAD_COLOR)
    assert decoded is not None  # it was encoded in the line above
    return np.ascontiguousarray(decoded[top:, left:, ::-1], np.uint8)


def _coarser(shape: tuple[int, ...], pixel_px: float) -> tuple[int, int]:
    """(height, width) of the same area in pixels of ``pixel_px``; never finer than it is."""
    scale = max(pixel_px, 1.0)
    return max(round(shape[0] / scale), 2), max(round(shape[1] / scale), 2)


def _resized(image: np.ndarray, shape: tuple[int, ...], kernel: Kernel) -> np.ndarray:
    """The image at another (height, width); same sample type."""
    return np.asarray(cv2.resize(image, (shape[1], shape[0]), interpolation=_INTERPOLATION[kernel]))


def _log_uniform(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    return float(np.exp(rng.uniform(np.log(bounds[0]), np.log(bounds[1]))))
