"""Craters and blast patterns in before/after imagery, matched to structures, with uncertainty.

The whole run is :func:`assess` (or :func:`detect` for one image alone); each stage is a package of
its own whose functions can be called alone.
"""

from __future__ import annotations

import os

# Before PyTorch is loaded: by default OpenMP's threads spin while they wait for each other, which takes the cores from
# the threads that read and write, and on a machine that does other work makes a run several times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from cv_pipeline.config import AssessConfig
from cv_pipeline.pipeline import assess, detect
from cv_pipeline.types import Assessment

__version__ = "0.1.0"
__all__ = ["AssessConfig", "Assessment", "__version__", "assess", "detect"]
