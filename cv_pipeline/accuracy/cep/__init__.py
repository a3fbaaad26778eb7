"""Circular error probable: the radius of the circle that holds a given share of the impacts."""

from __future__ import annotations

from cv_pipeline.accuracy.cep.sample import About
from cv_pipeline.accuracy.cep.table import ESTIMATORS, LEVELS, cep, cep_table

__all__ = ["ESTIMATORS", "LEVELS", "About", "cep", "cep_table"]
