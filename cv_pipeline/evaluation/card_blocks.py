"""Tables of a model card, and of documents that quote it, written from what the measuring scripts leave.

So no figure is typed by hand. A text holds blocks between ``<!-- figures: NAME -->`` and ``<!-- end -->``; what stands
between is replaced. ``metrics.json`` lies in the model folder, the other files in its folder ``figures/``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from cv_pipeline.errors import ModelError
from cv_pipeline.evaluation import card_measures as measured
from cv_pipeline.evaluation import card_tables as tables
from cv_pipeline.evaluation.marked import BLOCK

FIGURES = "figures"


def fill_card(text: str, folder: Path) -> str:
    """The card's text with every block written anew.

    Raises:
        ModelError: a block has no such name, or the file that it is made from is missing or malformed.
    """

    def written(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in BLOCKS:
            raise ModelError(f"{folder / 'README.md'}: no block is called {name}; there are {', '.join(BLOCKS)}")
        files, make = BLOCKS[name]
        documents = [_read(folder / file) for file in files]
        try:
            content = make(*documents)
        except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
            told = " or ".join(str(folder / file) for file in files)
            raise ModelError(f"{told}: lacks what the card's block {name} tells ({error!r}); make it anew") from error
        return f"{match[1]}\n{content}\n\n{match[3]}"

    return BLOCK.sub(written, text)


def _read(path: Path) -> Any:
    """A JSON or YAML document, or the header of a safetensors file, which is JSON after its own length in 8 bytes."""
    try:
        if path.suffix == ".safetensors":
            with path.open("rb") as file:
                return json.loads(file.read(int.from_bytes(file.read(8), "little")))
        text = path.read_text(encoding="utf-8")
        return yaml.safe_load(text) if path.suffix == ".yaml" else json.loads(text)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); make it by `make figures`") from error
    except (ValueError, yaml.YAMLError) as error:
        raise ModelError(f"{path}: is not what it should be ({error}); make it anew") from error


BLOCKS: dict[str, tuple[tuple[str, ...], Callable[..., str]]] = {
    "simulated": (("metrics.json",), tables.simulated),
    "look": ((f"{FIGURES}/look.json",), tables.as_a_run),
    "outlines": (("metrics.json",), tables.outlines),
    "conspicuity": (("metrics.json",), tables.bands("by_conspicuity", "conspicuity, SDs")),
    "diameter-m": (("metrics.json",), tables.diameters("by_diameter_m", "m")),
    "diameter-px": (("metrics.json",), tables.diameters("by_diameter_px", "px of 0.6 m")),
    "family": (("metrics.json",), tables.bands("by_family", "look")),
    "learning": ((f"{FIGURES}/learning.json",), tables.learning),
    "tta": ((f"{FIGURES}/tta.json",), tables.tta),
    "designs": ((f"{FIGURES}/designs.json",), tables.designs),
    "real": ((f"{FIGURES}/real.json",), tables.real),
    "real-without": ((f"{FIGURES}/real_without_59.json",), measured.real_without),
    "real-short": ((f"{FIGURES}/real.json",), tables.real_short),
    "false-alarms": ((f"{FIGURES}/false_alarms.json",), tables.false_alarms),
    "false-alarms-short": ((f"{FIGURES}/false_alarms.json",), tables.false_alarms_short),
    "stricter": (("metrics.json", f"{FIGURES}/false_alarms.json"), tables.stricter),
    "gsd": ((f"{FIGURES}/gsd.json",), tables.gsd),
    "model": (("model.yaml", "weights.safetensors"), measured.model),
    "measures": (("model.yaml", f"{FIGURES}/craters.json", f"{FIGURES}/patterns.json"), measured.measures),
    "by-eye": ((f"{FIGURES}/by_eye.json",), measured.by_eye),
    "demo": ((f"{FIGURES}/demo.json",), measured.demo),
    "speed": ((f"{FIGURES}/speed.json",), tables.speed),
}
"""Blocks by name: the files that each is made from, beneath the model folder, and how."""
