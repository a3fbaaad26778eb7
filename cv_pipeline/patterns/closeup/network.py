"""The close-up network: two small encoders, one per picture, and one layer that answers everything at once.

What it says of centre, radii and axis comes with its own spread: normal for centres and log radii (Nix and Weigend
1994, doi:10.1109/ICNN.1994.374138), von Mises for the axis, whose vector's length is the concentration.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from cv_pipeline.patterns.closeup.pictures import AFTER_SEEN, BEFORE_SEEN, CHANNELS, SIDE

WIDTHS = (24, 48, 96)
_HIDDEN, _FLAT = 192, 32
_LEAST_CONTRAST = 0.02  # of the whole range: below, ground is noise
LOG_SD = (-4.0, 2.0)
"""Bounds of the logarithms of SDs."""


class Answers(NamedTuple):
    """What is said of n candidates, were each a crater; lengths in metres, vectors east and north.

    ``crater``, ``one_sided``, ``new`` and ``has_twin`` (n,) are log odds. ``centre_m`` (n, 2) and ``twin_m`` (n, 2),
    where a neighbour that touches lies, are from the picture's middle. ``axis`` (n, 2) points to the side towards which
    the pattern extends; its length is the concentration of a von Mises distribution. ``*_log_sd`` (n,) are logarithms
    of SDs: of the centre along each axis in metres, of the logarithms of the radii. Neighbours are learnt alongside;
    nothing uses them yet, for the reason in the card of ``small``.
    """

    crater: Tensor
    centre_m: Tensor
    centre_log_sd: Tensor
    log_radius_m: Tensor
    radius_log_sd: Tensor
    log_blast_m: Tensor
    blast_log_sd: Tensor
    one_sided: Tensor
    axis: Tensor
    new: Tensor
    has_twin: Tensor
    twin_m: Tensor


_SIZES = tuple(2 if name in ("centre_m", "axis", "twin_m") else 1 for name in Answers._fields)


class CloseUpNet(nn.Module):
    """Pictures in, answers out."""

    def __init__(self) -> None:
        super().__init__()
        self.near, self.wide = _Encoder(), _Encoder()
        self.join = nn.Sequential(
            nn.Linear(2 * _Encoder.features, _HIDDEN), nn.ReLU(inplace=True), nn.Linear(_HIDDEN, sum(_SIZES))
        )

    def forward(self, near: Tensor, wide: Tensor) -> Answers:
        """Answers of pictures (n, CHANNELS, SIDE, SIDE), 0 to 255, as :mod:`.pictures` reads them."""
        level, contrast = _ground(wide)
        features = [self.near(_relative(near, level, contrast)), self.wide(_relative(wide, level, contrast))]
        parts = self.join(torch.cat(features, dim=1)).float().split(_SIZES, dim=1)
        values = {n: p if s == 2 else p[:, 0] for n, p, s in zip(Answers._fields, parts, _SIZES, strict=True)}
        for name in ("centre_log_sd", "radius_log_sd", "blast_log_sd"):
            values[name] = values[name].clamp(*LOG_SD)
        return Answers(**values)


class _Encoder(nn.Module):
    """One picture to features (n, features): three levels, the last kept as a small map since places matter."""

    features = _FLAT * (SIDE // 8) ** 2 + WIDTHS[2]

    def __init__(self) -> None:
        super().__init__()
        first, second, third = WIDTHS
        self.levels = nn.Sequential(
            _block(CHANNELS, first, 2), _block(first, second, 2), _Residual(second),
            _block(second, third, 2), _Residual(third), _Residual(third),
        )  # fmt: skip
        self.squeeze = _block(third, _FLAT, 1)

    def forward(self, picture: Tensor) -> Tensor:
        maps = self.levels(picture)
        return torch.cat([self.squeeze(maps).flatten(1), maps.mean(dim=(2, 3))], dim=1)


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.block = _block(width, width, 1)

    def forward(self, maps: Tensor) -> Tensor:
        whole: Tensor = maps + self.block(maps)
        return whole


def _block(inside: int, out: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inside, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True))


def _ground(wide: Tensor) -> tuple[Tensor, Tensor]:
    """Level (n, 2, 3, 1, 1) and contrast (n, 2, 1, 1, 1) of the ground at both dates, from what is seen of it."""
    images, seen = _dates(wide)
    count = seen.sum(dim=(3, 4), keepdim=True).clamp(min=1)
    # What is not seen is 0.
    level = images.sum(dim=(3, 4), keepdim=True) / count
    variance = ((images - level).square_().mul_(seen).sum(dim=(3, 4), keepdim=True) / count).mean(dim=2, keepdim=True)
    return level, variance.sqrt() + _LEAST_CONTRAST


def _relative(picture: Tensor, level: Tensor, contrast: Tensor) -> Tensor:
    """A picture with both dates relative to their ground, 0 where nothing is seen; maps and what is seen as 0 to 1."""
    images, seen = _dates(picture)
    relative = (images - level).div_(contrast).clamp_(-6, 6).mul_(seen)
    rest = picture[:, 6:].float() / 255
    return torch.cat([relative.flatten(1, 2), rest], dim=1)


def _dates(picture: Tensor) -> tuple[Tensor, Tensor]:
    """Images (n, 2, 3, h, w) of after and before, 0 to 1, and where they are seen (n, 2, 1, h, w)."""
    images = picture[:, :6].float().reshape(len(picture), 2, 3, *picture.shape[2:]) / 255
    return images, (picture[:, AFTER_SEEN : BEFORE_SEEN + 1] > 127).float()[:, :, None]
