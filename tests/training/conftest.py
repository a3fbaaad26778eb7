from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from cv_pipeline.training.config import TrainConfig
from tests.segmentation.factories import TINY
from tests.simulation.conftest import make_data_root

__all__ = ["make_data_root"]


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Sums in one order, so that runs can be compared bit for bit; what a run sets for that is undone."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(False)


@pytest.fixture
def make_config() -> Callable[..., TrainConfig]:
    """A factory of the smallest settings that train: two samples a step, no validation unless asked for."""

    def make(**overrides: Any) -> TrainConfig:
        values: dict[str, Any] = {
            "name": "tiny",
            **TINY,
            "working_gsd_m": 0.6,
            "min_gsd_m": 0.1,
            "max_gsd_m": 1.2,
            "size_px": 64,
            "batch_size": 2,
            "steps": 3,
            "uses": 1,
            "validation_every": 1000,
            "validation_samples": 2,
            "checkpoint_every": 1000,
        }
        return TrainConfig.model_validate(values | overrides)

    return make


@pytest.fixture
def data_root(make_data_root: Callable[..., Path]) -> Path:
    return make_data_root()
