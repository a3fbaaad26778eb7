"""COCO's average precision of boxes, by its own protocol, with the library faster-coco-eval.

Boxes, because the library rounds outlines to pixels and a crater is often no more than five wide; a box keeps its
fractions. Ties, interpolation at 101 recalls and the greedy matching are COCO's (Lin et al. 2014,
doi:10.1007/978-3-319-10602-1_48), so figures compare with those of other papers.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from cv_pipeline.evaluation.scored import Boxes

_MOST = 100_000
"""COCO's limit of 100 detections an image is too few for a field of craters."""


class CocoScores(NamedTuple):
    """AP over IoU 0.5, 0.55 ... 0.95, and at 0.5 and at 0.75."""

    ap50_95: float
    ap50: float
    ap75: float


def coco_scores(scenes: Sequence[Boxes]) -> CocoScores | None:
    """AP of boxes over scenes; None where there is no true box. 0 where nothing was found."""
    annotations: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for number, boxes in enumerate(scenes, start=1):
        for box in boxes.true:
            annotations.append(_annotation(number, box) | {"id": len(annotations) + 1, "iscrowd": 0})
        for box, score in zip(boxes.found, boxes.score, strict=True):
            found.append(_annotation(number, box) | {"score": float(score)})
    if not annotations:
        return None
    if not found:
        return CocoScores(0.0, 0.0, 0.0)
    from faster_coco_eval import COCO, COCOeval_faster

    images = [{"id": number, "width": 1, "height": 1} for number in range(1, len(scenes) + 1)]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO({"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "crater"}]})
        judged = COCOeval_faster(truth, truth.loadRes(found), "bbox")
        judged.params.maxDets = [_MOST]
        judged.params.areaRng, judged.params.areaRngLbl = [[0.0, 1e12]], ["all"]
        judged.evaluate()
        judged.accumulate()
    precision = np.asarray(judged.eval["precision"])[:, :, 0, 0, 0]  # (IoU, recall) of one class, all sizes
    by_iou = precision.clip(0).mean(axis=1)
    return CocoScores(float(by_iou.mean()), float(by_iou[0]), float(by_iou[5]))


def _annotation(image: int, box: np.ndarray) -> dict[str, Any]:
    left, top, width, height = (float(value) for value in box)
    return {"image_id": image, "category_id": 1, "bbox": [left, top, width, height], "area": width * height}
