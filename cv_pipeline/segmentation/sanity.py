"""Notices about a run's input and its silence: no image passes, and no map stays blank, without a word."""

from __future__ import annotations

from pathlib import Path

from cv_pipeline.segmentation.domain import read_domain, sample_windows
from cv_pipeline.segmentation.domain_words import domain_notice
from cv_pipeline.segmentation.raster import read_channels
from cv_pipeline.types import Channel, ScenePair, Segmentation, Window

_STRIP_PX = 512


def input_notices(pair: ScenePair, model_dir: Path, model: str) -> list[str]:
    """What is unlike the model's training imagery in each image; empty where nothing is.

    Raises:
        ModelError: the model's ``domain.json`` is malformed.
        ImageError: an image is damaged.
    """
    domain = read_domain(model_dir)
    if domain is None:
        return [f"Model '{model}' has no domain.json, so nobody compared the imagery with its training imagery."]
    images = {"after image": pair.after, "before image": pair.before}
    notices = [
        domain_notice(which, sample_windows(source, domain.working_gsd_m), domain, model)
        for which, source in images.items()
        if source is not None
    ]
    return [notice for notice in notices if notice is not None]


def largest_score(segmentation: Segmentation) -> float | None:
    """The largest probability of a crater centre in the maps; None where they show no ground."""
    grid, largest = segmentation.grid, None
    for row in range(0, grid.height, _STRIP_PX):
        strip = Window(row, 0, min(_STRIP_PX, grid.height - row), grid.width)
        values, valid = read_channels(segmentation, strip, (Channel.CENTRE,))
        if valid.any():
            largest = max(largest or 0.0, float(values[Channel.CENTRE][valid].max()))
    return largest


def nothing_found_note(threshold: float, largest: float | None) -> str:
    """What to say where no impact is reported; ``largest`` as :func:`largest_score` gives it."""
    if largest is None:
        seen = "the after image shows no ground"
    elif largest < threshold:
        seen = f"the largest score anywhere was {largest:.2g}"
    else:
        seen = f"the network's largest score was {largest:.2g}, but the image did not bear it out"
    return (
        f"No impact reached the threshold of {threshold:g}: {seen}. That is no proof that there is no crater: small, "
        "faint, old and unusual ones are missed."
    )
