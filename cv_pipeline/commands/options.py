"""What commands share: options and how they are read, bars, and errors as exit codes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cv_pipeline.errors import ConfigError, CvPipelineError

if TYPE_CHECKING:
    from cv_pipeline.config import AssessConfig

NOT_TRUSTED = 3
"""Exit code of a result that is not to be trusted: the registration gate failed."""

AfterOption = Annotated[Path, typer.Option("--after", help="image after the event (GeoTIFF, JP2, PNG, JPEG, ...)")]
OutOption = Annotated[Path, typer.Option("--out", help="folder for all results; must be new, empty, or --overwrite")]
GsdOption = Annotated[float | None, typer.Option("--gsd", help="metres per pixel of images that carry no CRS")]
BandsOption = Annotated[str | None, typer.Option("--bands", help="red,green,blue band numbers, for instance 3,2,1")]
ModelOption = Annotated[str, typer.Option("--model", help="name of a shipped model (see 'models') or a model folder")]
BackendOption = Annotated[
    str | None, typer.Option("--backend", help="torch or onnx; default: torch where the model has weights")
]
PrecisionOption = Annotated[
    str, typer.Option("--precision", help="fp32, bf16, or auto: bf16 where this machine computes in it")
]
DeviceOption = Annotated[str, typer.Option("--device", help="what runs the network: cpu, or cuda for GPUs")]
ThreadsOption = Annotated[int | None, typer.Option("--threads", min=1, help="CPU threads of the network")]
TileOption = Annotated[
    int, typer.Option("--tile-px", help="512, 640, ...: larger is a little faster and takes more memory; same result")
]
TtaOption = Annotated[bool, typer.Option("--tta", help="mean over eight turned and mirrored views: eight times slower")]
ScreenOption = Annotated[
    bool, typer.Option("--screen", help="skip ground where a cheap look finds no blob and no change; can lose craters")
]
ThresholdOption = Annotated[float | None, typer.Option("--threshold", help="lowest score; default: the model's own")]
CeOption = Annotated[float | None, typer.Option("--geolocation-ce90", help="the image's stated CE90 in metres")]
GeoparquetOption = Annotated[
    bool, typer.Option("--geoparquet", help="write GeoParquet files too; needs the extra 'parquet'")
]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="replace an earlier result in --out")]
JsonOption = Annotated[bool, typer.Option("--json", help="print summary.json on stdout")]
SeedOption = Annotated[int, typer.Option("--seed", help="seed of bootstrap and null model")]

ManifestArgument = Annotated[
    Path, typer.Argument(help="CSV file (before, after, structures, gsd, ...), folder of scenes, or STAC .json")
]
CollectionsOption = Annotated[str, typer.Option("--collections", help="STAC collections: BEFORE,AFTER")]
WorkersOption = Annotated[
    int | None, typer.Option("--workers", min=1, help="processes; default: as many as cores over --threads")
]
WorkerThreadsOption = Annotated[int, typer.Option("--threads", min=1, help="CPU threads of each worker")]
SplitOption = Annotated[
    float, typer.Option("--split-mpx", min=1, help="split scenes with more megapixels into parts of about so many")
]

_OPTION_OF = {
    "gsd_m": "--gsd",
    "before_gsd_m": "--before-gsd",
    "score_threshold": "--threshold",
    "geolocation_ce90_m": "--geolocation-ce90",
    "footprint_ce90_m": "--footprint-ce90",
}
"""Settings whose option has another name; the rest are called alike."""


def read_config(**settings: Any) -> AssessConfig:
    """Settings from the options of their names; ConfigError names the options that are out of range."""
    from pydantic import ValidationError

    from cv_pipeline.config import AssessConfig

    try:
        return AssessConfig(**settings)
    except ValidationError as error:
        lines = "; ".join(f"{_option(str(e['loc'][0]))}: {e['msg']} (got {e['input']})" for e in error.errors())
        raise ConfigError(f"a setting is out of range: {lines}") from error


def _option(setting: str) -> str:
    return _OPTION_OF.get(setting, "--" + setting.replace("_", "-"))


@contextmanager
def errors_to_exit_code() -> Iterator[None]:
    """Errors that a user can mend become one line and exit code 2."""
    try:
        yield
    except CvPipelineError as error:
        typer.secho(f"error: {error}", fg="red", err=True)
        raise typer.Exit(2) from error


@contextmanager
def stage_bars() -> Iterator[Callable[[str, int, int], None]]:
    """A bar per stage on stderr."""
    from cv_pipeline.bars import bars

    with bars() as shown:
        tasks: dict[str, Any] = {}

        def advance(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = shown.add_task(stage, total=total, note="")
            shown.update(tasks[stage], completed=done, total=total)

        yield advance


def parse_bands(text: str | None, option: str) -> tuple[int, int, int] | None:
    """Three band numbers of an option's text; None for None, ConfigError for anything else."""
    if text is None:
        return None
    try:
        red, green, blue = (int(part) for part in text.split(","))
    except ValueError as error:
        raise ConfigError(f"{option} {text}: give three band numbers, for instance {option} 3,2,1") from error
    return red, green, blue


def parse_collections(text: str) -> tuple[str, str]:
    """The names of two STAC collections."""
    before, comma, after = text.partition(",")
    if not (before and comma and after):
        raise ConfigError(f"--collections {text}: give two names, for instance --collections before,after")
    return before, after
