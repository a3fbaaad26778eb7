"""What the close-up network says of each candidate of a scene, as numbers in local metres."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from cv_pipeline.frame import LocalFrame
from cv_pipeline.patterns.closeup.answers import CloseUp, joined
from cv_pipeline.patterns.closeup.pictures import AFTER_SEEN, SIDE, Pictures, read_pictures
from cv_pipeline.patterns.closeup.weights import CloseUpFile, load_closeup
from cv_pipeline.patterns.share import ALL, Share
from cv_pipeline.types import AlignedPair, Float64Array, Segmentation

_UNSEEN = -20.0
"""Log odds of a crater where there is no image: the network was never asked there."""


class CloseLook(NamedTuple):
    """Answers for the candidates ``which`` (m,)."""

    which: np.ndarray
    answers: CloseUp


def close_looks(
    file: CloseUpFile,
    aligned: AlignedPair,
    segmentation: Segmentation,
    frame: LocalFrame,
    centres_m: Float64Array,
    *,
    use_before: bool,
    share: Share = ALL,
) -> Iterator[CloseLook]:
    """Answers for candidates at ``centres_m`` (n, 2), batch by batch; in all shares together each comes once.

    No candidates give nothing. Where the after image does not show a candidate's place, the log odds of a crater are
    -20 and the other answers mean nothing.

    Raises:
        ImageError: a file is damaged or has gone.
        ModelError: the network cannot be loaded.
    """
    for pictures in read_pictures(aligned, segmentation, frame, centres_m, use_before=use_before, share=share):
        yield CloseLook(pictures.index, answers(file, pictures, centres_m[pictures.index]))


def answers(file: CloseUpFile, pictures: Pictures, centres_m: Float64Array) -> CloseUp:
    """Answers for the pictures around ``centres_m`` (n, 2)."""
    import torch

    net = load_closeup(file)
    with torch.inference_mode():
        near, wide = (torch.from_numpy(p) for p in (pictures.near, pictures.wide))
        told = {name: value.numpy().astype(np.float64) for name, value in net(near, wide)._asdict().items()}
    middle = pictures.near[:, AFTER_SEEN, SIDE // 2 - 1 : SIDE // 2 + 1, SIDE // 2 - 1 : SIDE // 2 + 1]
    return CloseUp(
        np.where(middle.min(axis=(1, 2)) > 0, told["crater"], _UNSEEN),
        centres_m + told["centre_m"],
        np.exp(told["centre_log_sd"]),
        np.exp(told["log_radius_m"]),
        np.exp(told["radius_log_sd"]),
        np.exp(told["log_blast_m"]),
        np.exp(told["blast_log_sd"]),
        told["one_sided"],
        told["axis"],
        told["new"],
    )


def merged(looks: list[CloseLook], count: int) -> CloseUp:
    """The answers for all of ``count`` candidates, of which each was looked at once, in their order; none for none.

    Raises:
        ValueError: more or fewer were looked at.
    """
    order = np.argsort(np.concatenate([np.zeros(0, int), *(look.which for look in looks)]))
    if len(order) != count:
        raise ValueError(f"{len(order)} of {count} candidates were looked at")
    return joined([look.answers for look in looks]).take(order)
