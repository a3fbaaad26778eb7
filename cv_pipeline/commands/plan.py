"""``cv-pipeline plan``: what a manifest would take on this machine, before it is started."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from cv_pipeline.commands.options import (
    CollectionsOption,
    ManifestArgument,
    SplitOption,
    WorkersOption,
    WorkerThreadsOption,
    errors_to_exit_code,
    parse_collections,
    read_config,
)
from cv_pipeline.commands.shared import Settings, network_options, sharing


@sharing(network_options)
def plan(
    *,
    manifest: ManifestArgument,
    workers: WorkersOption = None,
    threads: WorkerThreadsOption = 1,
    split_mpx: SplitOption = 256,
    collections: CollectionsOption = "before,after",
    as_json: Annotated[bool, typer.Option("--json", help="print JSON on stdout")] = False,
    shared: Settings,
) -> None:
    """Estimate time, memory and disk of a batch from its sizes and a short measured probe (a minute or two).

    The probe assesses cut-outs of the pair of middle size on one worker.
    """
    with errors_to_exit_code():
        from dataclasses import asdict

        from cv_pipeline.batch.manifest import read_manifest
        from cv_pipeline.batch.plan import make_plan, plan_lines
        from cv_pipeline.batch.pool import worker_count
        from cv_pipeline.batch.probe import probe, sizes_of

        config = read_config(**shared, threads=threads)
        entries = read_manifest(manifest, config, collections=parse_collections(collections))
        sizes = sizes_of(entries, config)
        middle = sorted(range(len(sizes)), key=lambda number: sizes[number].megapixels)[len(sizes) // 2]
        cost = probe(entries[middle], config, threads)
        found = make_plan(sizes, cost, workers=worker_count(workers, threads), split_mpx=split_mpx)
    if as_json:
        typer.echo(json.dumps({"plan": asdict(found), "cost": asdict(cost)}, indent=1))
    else:
        for line in plan_lines(found, cost):
            typer.echo(line)
