"""Notices on images that look unlike a model's training imagery, in words."""

from __future__ import annotations

import numpy as np

from cv_pipeline.segmentation.domain import Domain, Statistics
from cv_pipeline.types import Float64Array

_WORDS = {
    ("brightness_dn", 0): "very dark",
    ("brightness_dn", 1): "very bright",
    ("contrast_dn", 0): "almost without contrast",
    ("contrast_dn", 1): "of extreme contrast",
    ("noise_dn", 1): "very noisy",
    ("noise_share", 1): "grainy: noise hides what is on the ground, as in radar speckle",
    ("sharpness_db", 0): "unsharp: blurred, or enlarged from coarser pixels",
    ("sharpness_db", 1): "full of finest detail without larger forms, as speckle or a raster has",
    ("detail_db", 0): "very blurred",
    ("detail_db", 1): "full of fine detail without larger forms, as a regular texture has",
    ("saturated_share", 1): "largely pure black or white",
    ("colourfulness", 1): "of unusual colours",
    ("edge_share", 1): "full of hard edges",
    ("flat_share", 1): "of flat colours like a drawing or a map",
}
_FORMAT = {
    "noise_share": "{:.2f}",
    "saturated_share": "{:.0%}",
    "edge_share": "{:.0%}",
    "flat_share": "{:.0%}",
    "sharpness_db": "{:.0f} dB",
    "detail_db": "{:.0f} dB",
}
_LEAST_SHARE, _MOST_REASONS = 0.1, 3


def domain_notice(which: str, windows: Float64Array, domain: Domain, model: str) -> str | None:
    """What is unlike training in an image, or None where nothing is.

    Args:
        which: what to call the image, for instance "after image".
        windows: its statistics (n, statistics) of :func:`~cv_pipeline.segmentation.domain.sample_windows`.
        domain: what the model was trained on.
        model: the model's name.
    """
    if len(windows) == 0:
        return (
            f"The {which} was not compared with the training imagery of model '{model}': it holds no whole window "
            "of imagery to look at."
        )
    if not domain.is_outside(windows):
        return None
    outside = domain.outside(windows)
    share = outside.mean(axis=0)
    order = np.argsort(-share, axis=None, kind="stable")[:_MOST_REASONS]
    reasons = []
    for field, side in zip(*np.unravel_index(order, share.shape), strict=True):
        if share[field, side] >= min(_LEAST_SHARE, share.max()):
            reasons.append(_reason(int(field), int(side), windows[outside[:, field, side]], domain))
    affected = outside.any(axis=(1, 2))
    where = "all over" if affected.all() else f"in {affected.sum()} of {len(windows)} places looked at"
    return (
        f"The {which} looks unlike the imagery that model '{model}' was trained on, {where}: {'; '.join(reasons)}. "
        "Craters may be missed and other things taken for craters; check the result by eye."
    )


def _reason(field: int, side: int, windows: Float64Array, domain: Domain) -> str:
    name = Statistics._fields[field]
    style = _FORMAT.get(name, "{:.0f}")
    value, limit = float(np.median(windows[:, field])), domain.limits[name][side]
    assert limit is not None
    comparison = f"{name} {style.format(value)}, in training {('at least', 'at most')[side]} {style.format(limit)}"
    gsd_m = domain.looks_enlarged_from_m(value) if name == "sharpness_db" and side == 0 else None
    coarsest = domain.enlarged[-1][0]
    seen = ""
    if gsd_m is not None:
        seen = f", as sharp as pixels of about {gsd_m:.1f} m{' or more' if gsd_m >= coarsest else ''} would be"
    return f"it is {_WORDS[name, side]} ({comparison}{seen})"
