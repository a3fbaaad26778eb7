"""``cv-pipeline measure``: distances and areas on the ellipsoid."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from cv_pipeline.commands.options import errors_to_exit_code


def measure(
    place: Annotated[
        list[str] | None, typer.Option("--place", help="NAME=LON,LAT or LON,LAT; give it once per place")
    ] = None,
    site: Annotated[
        list[str] | None, typer.Option("--site", help="polygon file, or corners as 'NAME=LON,LAT LON,LAT LON,LAT ...'")
    ] = None,
    crs: Annotated[
        str | None, typer.Option("--crs", help="system of typed coordinates, x first, or of a file that names none")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Geodesic distances between places, perimeter and area of sites, and distances from places to sites."""
    with errors_to_exit_code():
        from cv_pipeline.measure.report import document, lines
        from cv_pipeline.measure.report import measure as measure_all
        from cv_pipeline.measure.sites import read_sites
        from cv_pipeline.measure.text import read_place

        places = [read_place(text, crs or "EPSG:4326", number) for number, text in enumerate(place or [], start=1)]
        sites = [found for text in site or [] for found in read_sites(text, crs)]
        found = measure_all(places, sites)
    if as_json:
        typer.echo(json.dumps(document(found), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        for line in lines(found):
            typer.echo(line)
