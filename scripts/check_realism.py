"""Simulated craters beside the measured table, family by family; sheets of simulated chips to look at.

    python scripts/check_realism.py --out DIR [--count 240] [--scenes 30]

Exit code 1 if any statistic is outside its tolerance. The sheets show simulated craters only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from cv_pipeline.simulation.config import StrikeConfig
from cv_pipeline.simulation.families import FAMILIES, TABLE_FAMILIES
from cv_pipeline.simulation.realism import Check, compare, compare_fields, read_reference
from cv_pipeline.simulation.reference_fields import FIELDS_ONLY, render_family, render_fields
from cv_pipeline.types import Float32Array, UInt8Array

REFERENCE = Path(__file__).parents[1] / "datasets" / "crater_appearance" / "crater_appearance.json"
GSDS_M = (0.3, 0.5, 0.6, 1.0)
CHIP_PX = 144


def print_checks(title: str, checks: list[Check]) -> int:
    """Print a table; the number of failed checks comes back."""
    failed = sum(not check.passed for check in checks)
    print(f"\n{title}: {'passed' if not failed else f'{failed} outside tolerance'}")
    print(f"  {'statistic':<42}{'simulated':>10}{'measured':>10}{'distance':>10}{'tolerance':>10}")
    for check in checks:
        distance = abs(check.simulated - check.measured)
        verdict = "" if check.passed else "  FAILED"
        print(
            f"  {check.name:<42}{check.simulated:>10.2f}{check.measured:>10.2f}{distance:>10.2f}"
            f"{check.tolerance:>10.2f}{verdict}"
        )
    return failed


def sheet(chips: list[Float32Array]) -> UInt8Array:
    """Chips of any size side by side, (CHIP_PX, CHIP_PX * n, 3), RGB."""
    resized = [cv2.resize(chip, (CHIP_PX, CHIP_PX), interpolation=cv2.INTER_CUBIC) for chip in chips]
    return np.clip(np.hstack(resized), 0, 255).astype(np.uint8)


def main(out: Annotated[Path, typer.Option()], count: int = 240, scenes: int = 30) -> None:
    table = read_reference(REFERENCE)
    out.mkdir(parents=True, exist_ok=True)
    failed = 0
    for family in TABLE_FAMILIES:
        appearances = [appearance for _, appearance in render_family(family, count, seed=1)]
        failed += print_checks(family.name, compare(appearances, table, family.name))
    failed += print_checks("planned fields", compare_fields(render_fields(scenes, 3, FIELDS_ONLY), 0.5, table))
    shown = StrikeConfig(large_share=0.0)
    for name, family in FAMILIES.items():
        rows = [sheet([chip for chip, _ in render_family(family, 8, 2, shown, gsd_m)]) for gsd_m in GSDS_M]
        cv2.imwrite(str(out / f"{name}.png"), np.vstack(rows)[..., ::-1])
    print(f"\nSheets of {len(FAMILIES)} families (rows {', '.join(map(str, GSDS_M))} m GSD) are in {out}.")
    if failed:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
