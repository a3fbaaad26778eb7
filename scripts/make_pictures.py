"""The pictures of README and docs/TRANSPARENCY.md, from the shipped scene: python scripts/make_pictures.py.

Needs Chromium and the extra 'browser' (`make test-browser` installs both). Run it again when the model or the report
has changed.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

import cv_pipeline
from cv_pipeline.evaluation.simulated import compare
from cv_pipeline.evaluation.truth import read_truth
from cv_pipeline.frame import local_frame
from cv_pipeline.report.pictures import chip_grid, source_reader
from cv_pipeline.report.state import read_state
from cv_pipeline.types import Assessment, Impact, Match, PatternKind, Status, UInt8Array

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "datasets" / "kampala_strikes"
LARGEST_BYTES = 250_000
WIDTH_PX = 1080
SYMBOLS = (
    "#2fe58a",
    "#06391e",
    "#cdb2ff",
    "#3d1a78",
    "#ff3b30",
    "#ffb000",
    "#56c1ff",
    "#ff8ff0",
    "#ffe14d",
    "#d9f2e2",
    "#e9e0fa",
)
"""Colours of the report's symbols and lines."""


def main(
    result: Annotated[
        Path | None, typer.Option(help="finished result of datasets/kampala_strikes; default: a new run")
    ] = None,
    model: Annotated[str, typer.Option(help="model of a new run")] = "small",
    out: Annotated[Path, typer.Option(help="folder of the pictures")] = ROOT / "docs" / "pictures",
) -> None:
    """Write report.png, card.png, table.png and misses.png."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = result or _run(Path(scratch) / "result", model)
        assessment = read_state(folder, after=DATA / "after.tif", before=DATA / "before.tif")
        for name, png in {**_screenshots(folder / "report.html", assessment), "misses": _misses(assessment)}.items():
            path = out / f"{name}.png"
            path.write_bytes(_small(png))
            typer.echo(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def _run(folder: Path, model: str) -> Path:
    config = cv_pipeline.AssessConfig(model=model, out_dir=folder)
    cv_pipeline.assess(DATA / "before.tif", DATA / "after.tif", DATA / "structures.geojson", config)
    return folder


def _screenshots(html: Path, assessment: Assessment) -> dict[str, bytes]:
    """The headline with the map, the card of the largest pattern among the surest half, and the table."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise typer.BadParameter("no Chromium found; install the package chromium")
    sure = sorted(assessment.impacts, key=lambda impact: -impact.score)[: -(-len(assessment.impacts) // 2)]
    shown = max(sure, key=lambda impact: impact.blast_radius_m or 0.0).impact_id
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--disable-gpu"], chromium_sandbox=False)
        page = browser.new_page(viewport={"width": WIDTH_PX, "height": 900}, offline=True)
        page.set_default_timeout(120_000)
        page.goto(html.resolve().as_uri())
        page.wait_for_selector("html[data-ready=true]")
        # The map's lower edge ends the first picture.
        scene = page.locator("#scene").bounding_box()
        assert scene is not None
        top: Any = {"x": 0, "y": 0, "width": WIDTH_PX, "height": scene["y"] + scene["height"] + 12}
        pictures = {
            "report": page.screenshot(full_page=True, clip=top),
            "card": page.locator(f"#card-{shown}").screenshot(),
        }
        page.evaluate(_TO_AIM_COLUMNS)  # last, because a picture of the whole page lays the table out anew
        page.wait_for_timeout(500)
        pictures["table"] = page.locator("#impacts").screenshot()
        browser.close()
    return pictures


_TO_AIM_COLUMNS = """() => { Tabulator.findTable("#impacts")[0].scrollToColumn("less_likely_m", "right"); }"""
"""The table is wider than the picture; what is coloured comes into view."""


def _misses(assessment: Assessment) -> bytes:
    """Before and after around each planted strike that was not found, as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    truth = read_truth(DATA / "truth.geojson")
    grid, read = assessment.pair.after.grid, source_reader(assessment)
    rows = compare(assessment.impacts, truth, grid.gsd_m, assessment.matches).rows
    missed = [planted for planted, row in zip(truth, rows, strict=True) if row.impact_id is None]
    figure = Figure(figsize=(5.6, 2.9 * max(len(missed), 1)), layout="constrained")
    FigureCanvasAgg(figure)
    if not missed:
        figure.text(0.5, 0.5, "Every planted strike was found.", ha="center")
    for number, planted in enumerate(missed):
        for column, kind in enumerate(("before", "after")):
            axes = figure.add_subplot(len(missed), 2, 2 * number + column + 1)
            axes.imshow(_chip(assessment, read, kind, planted.row_px, planted.col_px))
            axes.set(xticks=[], yticks=[], title=f"{planted.truth_id}, {kind}")
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=130, metadata={"Software": None})
    return buffer.getvalue()


def _chip(assessment: Assessment, read: Any, kind: str, row_px: float, col_px: float) -> UInt8Array:
    """The ground around a place of the after image."""
    frame = local_frame(assessment.pair.after.grid)
    x_m, y_m = frame.pixel_to_metres(np.array([row_px]), np.array([col_px]))[0]
    here = Impact(
        "", row_px, col_px, float(x_m), float(y_m), None, None, 0.0, Status.UNKNOWN, None, 0.0, 3.0, 0.0, None, None,
        PatternKind.NONE, None, None,
    )  # fmt: skip
    found: UInt8Array = read(kind, chip_grid(here, Match(""), frame))
    return found


def _small(png: bytes) -> bytes:
    """The picture in as many colours, and if need be as much smaller, as keep it below ``LARGEST_BYTES``."""
    from PIL import Image, ImageColor

    picture = Image.open(io.BytesIO(png)).convert("RGB")
    # A palette is chosen by area, so the few pixels of symbols and lines lose their colours without a strip of them.
    strip = Image.fromarray(np.array([ImageColor.getrgb(c) for c in SYMBOLS], np.uint8)[None]).resize(
        (picture.width, max(picture.height // 8, 1)), Image.Resampling.NEAREST
    )
    for share in (1.0, 0.9, 0.8, 0.7, 0.6):
        size = (round(picture.width * share), round(picture.height * share))
        scaled = picture if share == 1.0 else picture.resize(size, Image.Resampling.LANCZOS)
        for colours in (256, 128, 64):
            buffer = io.BytesIO()
            both = Image.new("RGB", (picture.width, scaled.height + strip.height))
            both.paste(scaled, (0, 0))
            both.paste(strip, (0, scaled.height))
            palette = both.quantize(colours)
            scaled.quantize(palette=palette, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
            if buffer.tell() < LARGEST_BYTES:
                return buffer.getvalue()
    raise ValueError(f"a picture of {picture.width} x {picture.height} px does not fit into {LARGEST_BYTES} bytes")


if __name__ == "__main__":
    typer.run(main)
