"""Build datasets/kampala_strikes: a real mosaic, simulated strikes on it, and their exact truth.

python scripts/build_kampala_strikes.py --data ../shared/data --out datasets/kampala_strikes --seed 7
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
import yaml

from cv_pipeline.errors import CvPipelineError
from cv_pipeline.frame import local_frame
from cv_pipeline.simulation.mosaic import TileBlock, covered_grid, read_block, warp_block
from cv_pipeline.simulation.recipe import read_recipe, structures_inside
from cv_pipeline.simulation.scene import SceneRecipe, simulate_scene
from cv_pipeline.simulation.scene_files import write_features, write_scene
from cv_pipeline.structures.file import read_structures

RECIPE = Path(__file__).with_name("kampala_strikes.yaml")
BLOCK = TileBlock(zoom=21, first_x=1238448, last_x=1238459, first_y=1046528, last_y=1046535)
CRS, GSD_M = "EPSG:32636", 0.25


def build(
    data: Annotated[Path, typer.Option(help="Folder that holds kampala/ with tiles and labels.geojson.")] = Path(
        "../shared/data"
    ),
    out: Annotated[Path, typer.Option(help="Data set folder; the built files in it are replaced.")] = Path(
        "datasets/kampala_strikes"
    ),
    seed: Annotated[int, typer.Option(help="Seed of outlines, debris, change of the ground and noise.")] = 7,
) -> None:
    """Build the scene's files and dataset.yaml."""
    try:
        recipe = read_recipe(RECIPE, seed)
        out.mkdir(parents=True, exist_ok=True)
        grid = covered_grid(BLOCK, CRS, GSD_M)
        background = warp_block(read_block(data / "kampala", BLOCK), BLOCK, grid)
        features = structures_inside(data / "kampala" / "labels.geojson", grid, "K")
        write_features(out / "structures.geojson", features)
        structures = read_structures(out / "structures.geojson", local_frame(grid)).structures
        scene = simulate_scene(background, grid, recipe, structures, seed, features)
        write_scene(out, scene)
    except (CvPipelineError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    write_card(out / "dataset.yaml", recipe, seed, len(structures))
    typer.echo(f"{len(scene.strikes)} strikes and {len(structures)} structures written to {out}")


def write_card(path: Path, recipe: SceneRecipe, seed: int, structures: int) -> None:
    """The machine-readable part of the card."""
    alignment = recipe.alignment
    content = {
        "name": "kampala_strikes",
        "title": "Simulated strikes on a real aerial mosaic of Kampala, before and after",
        "kind": "simulated strikes on real imagery, with exact truth",
        "gsd_m": GSD_M,
        "crs": CRS,
        "seed": seed,
        "strikes": {
            "in_after": len(recipe.strikes),
            "also_in_before": sum(p.strike.status == "old" for p in recipe.strikes),
        },
        "structures": structures,
        "alignment_error_of_after": {
            "shift_row_px": alignment.shift_row_px,
            "shift_col_px": alignment.shift_col_px,
            "rotation_deg_clockwise": alignment.rotation_deg,
        },
        "files": {
            "before": "before.tif",
            "after": "after.tif",
            "structures": "structures.geojson",
            "truth": "truth.geojson",
            "lookalikes": "lookalikes.geojson",
        },
        "licence": {
            "all but structures.geojson": "CC BY 4.0, imagery: OpenAerialMap contributors; strikes simulated",
            "structures.geojson": "ODbL 1.0, OpenStreetMap contributors",
        },
        "split": "demonstration only; no model here is trained on this block",
    }
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110), encoding="utf-8")


if __name__ == "__main__":
    typer.run(build)
