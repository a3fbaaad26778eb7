"""The IoU that a training run logs of a batch is the one by which models are judged."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cv_pipeline.evaluation.figures import pooled
from cv_pipeline.evaluation.heldout import overlap
from cv_pipeline.training.module import soft_iou


def test_the_iou_of_a_batch() -> None:
    rng = np.random.default_rng(3)
    logits, true = rng.normal(0, 1, (4, 24, 24)), rng.random((4, 24, 24)) < 0.3
    told = rng.random((4, 24, 24)) < 0.9
    mask = np.where(told, true, np.nan).astype(np.float32)
    mine = pooled(overlap(one > 0, two, known) for one, two, known in zip(logits, true, told, strict=True))
    assert float(soft_iou(torch.from_numpy(logits), torch.from_numpy(mask))) == pytest.approx(mine.iou, abs=1e-6)
    nothing = torch.full((1, 8, 8), -1.0)
    assert float(soft_iou(nothing, torch.zeros(1, 8, 8))) == pooled([]).iou == 1.0
