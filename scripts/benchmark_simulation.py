"""How many training pairs a core renders per second, and which element takes how long.

python scripts/benchmark_simulation.py --data ../shared/data --step-ms 180 --batch-size 16
"""

from __future__ import annotations

import importlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import process_time
from typing import Annotated, Any
from unittest.mock import patch

import cv2
import typer

from cv_pipeline.simulation.background import Backgrounds, list_tiles
from cv_pipeline.simulation.pair import simulate_pair

_PAIR, _ACQUISITION = "cv_pipeline.simulation.pair", "cv_pipeline.simulation.acquisition"
ELEMENTS = {
    "setting": ((_PAIR, "draw_setting"),),
    "look-alikes": ((_PAIR, "draw_lookalikes"),),
    "change": ((_PAIR, "change_between"),),
    "strikes": ((_PAIR, "plan_strikes"), (_PAIR, "_strike_both")),
    "light": ((_ACQUISITION, "photograph"),),
    "weather": ((_ACQUISITION, "apply_weather"),),
    "sensor": ((_ACQUISITION, "acquire"), (_PAIR, "misaligned"), (_PAIR, "displacement_px")),
    "truth": ((_PAIR, "truth_rasters"), (_PAIR, "conspicuity")),
}
"""The functions of each element, by the module that calls them."""


@contextmanager
def timed_elements() -> Iterator[dict[str, float]]:
    """Seconds that each element takes, summed over every call within the block."""
    seconds: dict[str, float] = defaultdict(float)

    def timed(element: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            start = process_time()
            try:
                return function(*args, **kwargs)
            finally:
                seconds[element] += process_time() - start

        return call

    with ExitStack() as patches:
        for element, places in ELEMENTS.items():
            for module_name, name in places:
                module = importlib.import_module(module_name)
                patches.enter_context(patch.object(module, name, timed(element, getattr(module, name))))
        yield seconds


def measure(
    backgrounds: Backgrounds, size_px: int, gsd_m: float, pairs: int, seed: int
) -> tuple[float, dict[str, float]]:
    """(seconds per pair, seconds per pair of each element) of ``pairs`` pairs, after a few to warm up."""
    for number in range(3):
        simulate_pair(backgrounds, (seed, number), (size_px, size_px), gsd_m)
    with timed_elements() as seconds:
        start = process_time()
        for number in range(3, 3 + pairs):
            simulate_pair(backgrounds, (seed, number), (size_px, size_px), gsd_m)
        total = process_time() - start
    return total / pairs, {element: seconds[element] / pairs for element in ELEMENTS}


def main(
    data: Annotated[Path, typer.Option(help="folder that holds ucmerced/ and kampala/")] = Path("../shared/data"),
    pairs: Annotated[int, typer.Option(help="pairs to render at each size")] = 200,
    gsd: Annotated[float, typer.Option(help="metres per pixel")] = 0.6,
    seed: Annotated[int, typer.Option(help="seed of the pairs")] = 7,
    step_ms: Annotated[float | None, typer.Option(help="duration of one training step, for the ratio")] = None,
    batch_size: Annotated[int, typer.Option(help="128 px pairs in one training step")] = 16,
) -> None:
    """Print pairs per second on one core at 128 and 256 px, element by element."""
    cv2.setNumThreads(1)
    backgrounds = Backgrounds(list_tiles(data, "train"))
    typer.echo(f"{gsd:g} m, {pairs} pairs of each size, one core; CPU milliseconds per pair")
    typer.echo("size px  pairs/s   total  " + "  ".join(f"{element:>11}" for element in (*ELEMENTS, "rest")))
    per_pair_s = {}
    for size_px in (128, 256):
        total, seconds = measure(backgrounds, size_px, gsd, pairs, seed)
        per_pair_s[size_px] = total
        parts = [*seconds.values(), total - sum(seconds.values())]
        typer.echo(
            f"{size_px:>7}  {1 / total:>7.1f}  {1000 * total:>6.1f}  " + "  ".join(f"{1000 * p:>11.2f}" for p in parts)
        )
    if step_ms is not None:
        render_ms = 1000 * per_pair_s[128] * batch_size
        typer.echo(
            f"a step of {step_ms:g} ms on {batch_size} pairs of 128 px takes {render_ms:.0f} ms of one core to render: "
            f"{render_ms / step_ms:.2f} cores keep it fed"
        )


if __name__ == "__main__":
    typer.run(main)
