"""OpenMP's threads wait asleep, so that they leave the cores to others; a user's own choice stays."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(("chosen", "found"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_waiting_threads_sleep(chosen: str | None, found: str) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"}
    code = "import cv_pipeline, os, sys; assert 'torch' not in sys.modules; print(os.environ['OMP_WAIT_POLICY'])"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env=environment | ({} if chosen is None else {"OMP_WAIT_POLICY": chosen}),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert run.stdout.strip() == found
