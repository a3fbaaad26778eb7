"""A crater found in a pair must look like one in the after image alone as well.

After a disaster much of the ground has changed, and a network that is shown both dates takes many a new dark spot for
a strike. Its answer without the before image is a second opinion on the same pixels. The score is the mean of both in
logits, so that neither outweighs the other; everything else of a pair stays as the pair says.
"""

from __future__ import annotations

import numpy as np

from cv_pipeline.segmentation.backend import Backend
from cv_pipeline.segmentation.calibration import logit
from cv_pipeline.segmentation.channels import NUMBER
from cv_pipeline.types import BoolArray, Channel, Float32Array

_CENTRE = NUMBER[Channel.CENTRE]


class Corroborated:
    """A :class:`Backend` whose centre map of pairs is the mean, in logits, of another one's with and without before.

    It costs a second pass over the after image; without a before image it is the other backend.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def __call__(self, after: Float32Array, before: Float32Array | None, has_before: BoolArray | None) -> Float32Array:
        """See :class:`Backend`."""
        values = self._backend(after, before, has_before)
        if before is None:
            return values
        alone = self._backend(after, None, None)
        mean = (logit(values[:, _CENTRE]) + logit(alone[:, _CENTRE])) / 2
        values = values.copy()
        values[:, _CENTRE] = 1 / (1 + np.exp(-mean))
        return values
