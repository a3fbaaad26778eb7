"""What the tests of batches share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cv_pipeline.batch.run import BatchSettings
from cv_pipeline.config import AssessConfig
from tests.batch.standins import obey, write_model


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., BatchSettings]:
    """A factory of settings with the stand-in, a tiny model and ``tmp_path / 'out'``."""
    write_model(tmp_path / "model")

    def make(**changes: Any) -> BatchSettings:
        config = AssessConfig(model=str(tmp_path / "model"), precision="fp32", threads=1, seed=changes.pop("seed", 0))
        return BatchSettings(**{"out_dir": tmp_path / "out", "config": config, "assess": obey} | changes)

    return make
