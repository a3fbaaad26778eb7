"""``cv-pipeline batch``: many pairs from a manifest, and ``batch status`` for how far they are."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from cv_pipeline.commands.options import (
    CeOption,
    CollectionsOption,
    DeviceOption,
    ManifestArgument,
    SeedOption,
    SplitOption,
    ThresholdOption,
    WorkersOption,
    WorkerThreadsOption,
    errors_to_exit_code,
    parse_collections,
    read_config,
)
from cv_pipeline.commands.shared import Settings, network_options, sharing
from cv_pipeline.errors import ConfigError

if TYPE_CHECKING:
    from cv_pipeline.batch.executor import Executor
    from cv_pipeline.batch.manifest import PairEntry
    from cv_pipeline.batch.run import BatchResult, BatchSettings

INTERRUPTED = 130
"""As a shell says of a program that Ctrl-C ended."""


class _RunByDefault(TyperGroup):
    """``batch MANIFEST`` means ``batch run MANIFEST``."""

    def parse_args(
        self, ctx: Any, args: list[str]
    ) -> list[str]:  # whose Context it is differs between typer's versions
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["run", *args]
        return super().parse_args(ctx, args)


batch = typer.Typer(
    cls=_RunByDefault,
    no_args_is_help=True,
    help="Assess many pairs: 'batch MANIFEST --out DIR', and 'batch status DIR' for how far it is.",
)

TimeLimitOption = Annotated[
    float,
    typer.Option("--time-limit-min", min=0.01, help="minutes after which a pair, or part of one, is ended and fails"),
]


@batch.command("run")
@sharing(network_options)
def run(
    *,
    manifest: ManifestArgument,
    out: Annotated[Path, typer.Option("--out", help="folder for all results; must be new or empty, or --resume")],
    resume: Annotated[bool, typer.Option("--resume", help="go on with the batch in --out")] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="with --resume: failed pairs too")] = False,
    workers: WorkersOption = None,
    threads: WorkerThreadsOption = 1,
    dask: Annotated[bool, typer.Option("--dask", help="use a Dask cluster of this machine (extra 'dask')")] = False,
    scheduler: Annotated[
        str | None,
        typer.Option("--scheduler", help="address of a running Dask scheduler, for instance tcp://host:8786"),
    ] = None,
    split_mpx: SplitOption = 256,
    time_limit_min: TimeLimitOption = 1440,
    collections: CollectionsOption = "before,after",
    device: DeviceOption = "cpu",
    threshold: ThresholdOption = None,
    geolocation_ce90: CeOption = None,
    seed: SeedOption = 0,
    as_json: Annotated[bool, typer.Option("--json", help="print a line of JSON on stdout for each pair")] = False,
    shared: Settings,
) -> None:
    """Assess every pair of a manifest.

    Exit code 0: all done; 3: all done, some not to be trusted; 4: some without a result; 5: all without;
    2: nothing was run, or not to the end (manifest, folder, scheduler); 130: interrupted.
    """
    with errors_to_exit_code():
        from cv_pipeline.batch.index import write_index
        from cv_pipeline.batch.manifest import read_manifest
        from cv_pipeline.batch.progress import ending
        from cv_pipeline.batch.run import BatchSettings
        from cv_pipeline.batch.state import exit_code

        if retry_failed and not resume:
            raise ConfigError("--retry-failed: nothing has failed yet; give it with --resume")
        if dask and scheduler is not None:
            raise ConfigError("--dask starts a cluster and --scheduler uses one that runs; give one of them")
        config = read_config(
            **shared, device=device, threads=threads, score_threshold=threshold,
            geolocation_ce90_m=geolocation_ce90, seed=seed,
        )  # fmt: skip
        entries = read_manifest(manifest, config, collections=parse_collections(collections))
        settings = BatchSettings(
            out, config, resume, retry_failed, split_px=round(split_mpx * 1e6), limit_s=60 * time_limit_min
        )
        executor = _executor(workers, threads, device, dask, scheduler)
        try:
            result = _watched(entries, settings, executor, as_json)
            typer.echo(ending(result.counts, result.stopped), err=as_json)
            if result.counts.succeeded and not result.stopped:
                typer.echo(f"index: {write_index(out)}", err=as_json)
        except KeyboardInterrupt as error:
            typer.secho(f"interrupted; go on with: cv-pipeline batch {manifest} --out {out} --resume", err=True)
            raise typer.Exit(INTERRUPTED) from error
    raise typer.Exit(exit_code(result.counts))


def _executor(workers: int | None, threads: int, device: str, dask: bool, scheduler: str | None) -> Executor:
    from cv_pipeline.batch.pool import ProcessWorkers, visible_gpus, worker_count

    if device == "cuda" and dask:
        raise ConfigError("--dask has no GPU workers; leave it out, or start them and give their --scheduler")
    if device == "cuda" and scheduler is None:
        gpus = visible_gpus()
        return ProcessWorkers(workers or len(gpus), threads, gpus)

    count = worker_count(workers, threads)
    if dask or scheduler is not None:
        from cv_pipeline.batch.dask_workers import DaskWorkers

        return DaskWorkers(scheduler, count, threads)
    return ProcessWorkers(count, threads)


def _watched(entries: tuple[PairEntry, ...], settings: BatchSettings, executor: Executor, as_json: bool) -> BatchResult:
    from cv_pipeline.batch.progress import json_lines, progress_display
    from cv_pipeline.batch.run import run_batch

    with json_lines(sys.stdout) if as_json else progress_display(len(entries)) as watch:
        return run_batch(entries, settings, executor, watch)


@batch.command("status")
def status(
    out: Annotated[Path, typer.Argument(help="the --out folder of a batch, running or not")],
    as_json: Annotated[bool, typer.Option("--json", help="print JSON on stdout")] = False,
) -> None:
    """How far a batch is, and which pairs failed for what reason; the exit code is that of the batch."""
    with errors_to_exit_code():
        from dataclasses import asdict

        from cv_pipeline.batch.progress import ending
        from cv_pipeline.batch.record import PairStatus
        from cv_pipeline.batch.state import exit_code, read_counts, read_last_run, read_records

        counts, last = read_counts(out), read_last_run(out)
        failed = list(read_records(out, [PairStatus.FAILED]))
    state = last.get("ending") or "running, or killed before it could say so"
    if as_json:
        document = {"counts": asdict(counts), "state": state, "failed": [asdict(record) for record in failed]}
        typer.echo(json.dumps(document, indent=1, ensure_ascii=False))
    else:
        typer.echo(f"{ending(counts)}; last run started {last.get('started_utc')}: {state}")
        for record in failed:
            typer.secho(f"{record.pair_id}: {record.error}", fg="red")
    raise typer.Exit(exit_code(counts))
