"""Tables of a model card, and of documents that quote it, written from what the measuring scripts leave.

So no figure is typed by hand. A text holds blocks between ``<!-- figures: NAME -->`` and ``<!-- end -->``; what stands
between is replaced. ``metrics.json`` lies in the model folder, the other files in its folder ``figures/``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from cv_pipeline.errors import ModelError
from cv_pipeline.evaluation import card_tables as tables

FIGURES = "figures"
_BLOCK = re.compile(r"(<!-- figures: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill_card(text: str, folder: Path) -> str:
    """The card's text with every block written anew.

    Raises:
        ModelError: a block has no such name, or the file that it is made from is missing or malformed.
    """

    def written(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in BLOCKS:
            raise ModelError(f"{folder / 'README.md'}: no block is called {name}; there are {', '.join(BLOCKS)}")
        file, make = BLOCKS[name]
        path = folder / file
        try:
            content = make(json.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise ModelError(f"{path}: cannot be read ({error.strerror}); make it by `make figures`") from error
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ModelError(f"{path}: lacks what the card's block {name} tells ({error!r}); make it anew") from error
        return f"{match[1]}\n{content}\n\n{match[3]}"

    return _BLOCK.sub(written, text)


BLOCKS: dict[str, tuple[str, Callable[[tables.Document], str]]] = {
    "simulated": ("metrics.json", tables.simulated),
    "outlines": ("metrics.json", tables.outlines),
    "conspicuity": ("metrics.json", tables.bands("by_conspicuity", "conspicuity, SDs")),
    "diameter-m": ("metrics.json", tables.diameters("by_diameter_m", "m")),
    "diameter-px": ("metrics.json", tables.diameters("by_diameter_px", "px of 0.6 m")),
    "family": ("metrics.json", tables.bands("by_family", "look")),
    "learning": (f"{FIGURES}/learning.json", tables.learning),
    "tta": (f"{FIGURES}/tta.json", tables.tta),
    "designs": (f"{FIGURES}/designs.json", tables.designs),
    "real": (f"{FIGURES}/real.json", tables.real),
    "real-short": (f"{FIGURES}/real.json", tables.real_short),
    "false-alarms": (f"{FIGURES}/false_alarms.json", tables.false_alarms),
    "false-alarms-short": (f"{FIGURES}/false_alarms.json", tables.false_alarms_short),
    "gsd": (f"{FIGURES}/gsd.json", tables.gsd),
    "speed": (f"{FIGURES}/speed.json", tables.speed),
}
"""Blocks by name: the file that each is made from, beneath the model folder, and how."""
