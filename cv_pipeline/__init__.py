"""Craters and blast patterns in before/after imagery, matched to structures, with uncertainty."""

from __future__ import annotations

__version__ = "0.1.0"
