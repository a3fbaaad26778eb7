"""Options that several commands have in common, in groups that a command takes whole."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Annotated, Any

import typer

from cv_pipeline.commands.options import (
    BackendOption,
    BandsOption,
    GeoparquetOption,
    GsdOption,
    ModelOption,
    OutOption,
    OverwriteOption,
    PrecisionOption,
    ScreenOption,
    ThreadsOption,
    ThresholdOption,
    TileOption,
    TtaOption,
    errors_to_exit_code,
    parse_bands,
)
from cv_pipeline.defaults import TILE_PX

Settings = dict[str, Any]
"""By the names of :class:`~cv_pipeline.config.AssessConfig`."""


def image_options(gsd: GsdOption = None, bands: BandsOption = None) -> Settings:
    """How images are read."""
    return {"gsd_m": gsd, "bands": parse_bands(bands, "--bands")}


def before_options(
    before_gsd: Annotated[
        float | None, typer.Option("--before-gsd", help="the same for --before, if different")
    ] = None,
    before_bands: Annotated[
        str | None, typer.Option("--before-bands", help="the same for --before, if different")
    ] = None,
) -> Settings:
    """How the before image is read where it is unlike the after image."""
    return {"before_gsd_m": before_gsd, "before_bands": parse_bands(before_bands, "--before-bands")}


def network_options(
    model: ModelOption = "small",
    backend: BackendOption = None,
    precision: PrecisionOption = "auto",
    tile_px: TileOption = TILE_PX,
    tta: TtaOption = False,
    screen: ScreenOption = False,
) -> Settings:
    """Which network looks at the images, and how."""
    return {
        "model": model, "backend": backend, "precision": precision, "tile_px": tile_px, "tta": tta, "screen": screen,
    }  # fmt: skip


def result_options(
    out: OutOption,
    threads: ThreadsOption = None,
    threshold: ThresholdOption = None,
    geoparquet: GeoparquetOption = False,
    overwrite: OverwriteOption = False,
) -> Settings:
    """One run: what is reported, and where to."""
    return {
        "out_dir": out, "threads": threads, "score_threshold": threshold, "geoparquet": geoparquet,
        "overwrite": overwrite,
    }  # fmt: skip


def sharing(*groups: Callable[..., Settings]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of ``groups`` beside its own.

    The command gets the settings of all its groups together as its argument ``shared``, which is no option.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        parts = {group: signature(group, eval_str=True).parameters for group in groups}
        own = [p for name, p in signature(command, eval_str=True).parameters.items() if name != "shared"]

        @wraps(command)
        def run(**given: Any) -> None:
            shared: Settings = {}
            with errors_to_exit_code():
                for group, options in parts.items():
                    shared |= group(**{name: given.pop(name) for name in options})
            command(**given, shared=shared)

        options = [*own, *(option for part in parts.values() for option in part.values())]
        # What typer reads of a function are these two.
        run.__signature__ = Signature([o.replace(kind=Parameter.KEYWORD_ONLY) for o in options])  # type: ignore[attr-defined]
        run.__annotations__ = {option.name: option.annotation for option in options}
        return run

    return decorate
