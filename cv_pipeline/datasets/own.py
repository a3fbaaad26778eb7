"""The files of one's own labelled scene, as fine-tuning and evaluation take them."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field


class SceneFiles(BaseModel):
    """One labelled scene; paths count from the folder of the settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    after: Path
    labels: Path = Field(description="points or polygons, FILE or FILE:layer")
    before: Path | None = None
    area: Path | None = Field(None, description="polygons in which every crater is labelled; default: the whole image")
    gsd_m: float | None = Field(None, gt=0, description="metres per pixel of images that carry no CRS")

    def within(self, folder: Path) -> Self:
        """The same with paths taken from ``folder``."""
        paths = {name: getattr(self, name) for name in ("after", "labels", "before", "area")}
        return self.model_copy(update={name: folder / path for name, path in paths.items() if path is not None})
