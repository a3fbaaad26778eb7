"""Footprints: reading them from files and finding groups among them."""

from __future__ import annotations

from cv_pipeline.structures.file import StructureSet, read_structures

__all__ = ["StructureSet", "read_structures"]
