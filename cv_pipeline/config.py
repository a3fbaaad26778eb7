"""Settings of a run, validated once at the door and recorded whole in ``summary.json``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cv_pipeline.defaults import OVERLAP_PX, TILE_PX


class AssessConfig(BaseModel):
    """Settings of ``assess`` and ``detect``; the defaults are what the command line uses."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    model: str = Field("small", description="name of a shipped model or path of a model folder")
    gsd_m: float | None = Field(None, gt=0, description="metres per pixel of images that carry no CRS")
    before_gsd_m: float | None = Field(None, gt=0, description="the same for the before image, where it differs")
    bands: tuple[int, int, int] | None = Field(None, description="1-based red, green, blue band numbers")
    before_bands: tuple[int, int, int] | None = Field(None, description="the same for the before image")
    score_threshold: float | None = Field(
        None, ge=0, le=1, description="impacts below this score are dropped; default: the model's own"
    )
    backend: Literal["torch", "onnx"] | None = Field(
        None, description="what runs the network; default: torch where the model folder holds weights, else onnx"
    )
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="of the network's inside; auto: bf16 where the machine computes in it, recorded as such"
    )
    device: Literal["cpu", "cuda"] = Field("cpu", description="what runs the network; cuda: the first GPU in sight")
    threads: int | None = Field(None, ge=1, description="CPU threads of the network; default: PyTorch's own choice")
    tta: bool = Field(False, description="mean over eight symmetries, at eight times the cost")
    screen: bool = Field(False, description="leave out tiles in which a cheap look finds no blob and no change")
    tile_px: int = Field(
        TILE_PX,
        ge=256,
        le=4096,
        multiple_of=128,
        description="side of the ground that one run of the network answers for",
    )
    overlap_px: int = Field(OVERLAP_PX, ge=32, le=512, multiple_of=32, description="how much more each run sees")
    confidence: float = Field(0.95, gt=0, lt=1, description="level of all stated intervals")
    bootstrap_draws: int = Field(2000, ge=100)
    null_draws: int = Field(1000, ge=100)
    geolocation_ce90_m: float | None = Field(None, ge=0, description="the image's stated geolocation error")
    footprint_ce90_m: float | None = Field(None, ge=0, description="the footprints' stated error")
    footprint_offset: Literal["report", "fix"] = Field(
        "report", description="what to do about a shift of all footprints against the after image"
    )
    seed: int = Field(0, ge=0, description="seed of bootstrap and null model")
    geoparquet: bool = Field(False, description="write GeoParquet files too; needs the extra 'parquet'")
    overwrite: bool = Field(False, description="replace an existing output folder")
    out_dir: Path | None = None

    @model_validator(mode="after")
    def _tiles_advance(self) -> Self:
        if self.overlap_px >= self.tile_px:
            raise ValueError(f"overlap_px ({self.overlap_px}) must be less than tile_px ({self.tile_px})")
        return self
