"""Stand-ins for the pipeline that any process can import: cheap, and told by the image's file what to do."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import yaml

from cv_pipeline.batch.executor import Answer, Job
from cv_pipeline.batch.manifest import PairEntry
from cv_pipeline.batch.task import Found
from cv_pipeline.config import AssessConfig
from cv_pipeline.errors import ImageError

HEADER = "impact_id,lon,lat,score,status,centre_sd_m,distance_edge_m,likely_m,less_likely_m\n"


def write_pair(folder: Path, name: str, **orders: object) -> Path:
    """An 'image' that holds orders for :func:`obey`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.tif"
    path.write_text(json.dumps({"name": name, **orders}))
    return path


def entries(folder: Path, count: int, **orders: object) -> list[PairEntry]:
    """``count`` pairs with the same orders."""
    return [entry(write_pair(folder, f"p{number:05d}", **orders)) for number in range(count)]


def entry(path: Path) -> PairEntry:
    return PairEntry(path.stem, None, str(path), None)


def obey(given: PairEntry, config: AssessConfig, scratch: Path) -> Found:
    """Do what the image says: take time or memory, write bytes, fail, or die in the middle of writing."""
    orders = json.loads(Path(given.after).read_text())
    assert config.out_dir is not None
    if orders.get("log"):  # one line a start, appended in one write, to see what was run twice
        with Path(orders["log"]).open("a") as stream:
            stream.write(orders["name"] + "\n")
    stage = scratch / "stage"
    stage.mkdir()
    place = f"{orders.get('lon', 30.0)},0.0" if orders.get("lon") != "" else ","
    row = f"I001,{place},{orders.get('score', 0.9)},{orders.get('status', 'new')},0.1,{orders.get('distance_m', 5)},5,6"
    (stage / "impacts.csv").write_text(f"{HEADER}{row}\n")
    if orders.get("die") and (orders["die"] == "always" or not Path(orders["die"]).exists()):
        if orders["die"] != "always":
            Path(orders["die"]).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    held = b"x" * orders.get("memory", 0)
    time.sleep(orders.get("seconds", 0))
    del held
    if orders.get("error"):
        raise ImageError(f"{given.after}: {orders['error']}")
    if orders.get("defect"):
        raise ZeroDivisionError("planted")
    (stage / "bulk.bin").write_bytes(b"x" * orders.get("bytes", 10))
    summary = {"seed": config.seed, "name": orders["name"]}
    if orders.get("tell"):
        summary["told"] = os.environ.get(orders["tell"])
    (stage / "summary.json").write_text(json.dumps(summary))
    stage.rename(config.out_dir)
    return Found(1, bool(orders.get("trusted", True)), ("planted",) if orders.get("warn") else ())


def write_model(folder: Path) -> Path:
    """A model folder that can be found and hashed, made without PyTorch; no network can be loaded from it."""
    folder.mkdir(parents=True)
    model = {
        "name": "standin", "encoder": "none", "decoder_channels": [8], "working_gsd_m": 0.5, "min_gsd_m": 0.2,
        "max_gsd_m": 1.1, "score_threshold": 0.5, "steps": 0, "seed": 0, "weights_sha256": "0" * 64,
    }  # fmt: skip
    (folder / "model.yaml").write_text(yaml.safe_dump(model))
    return folder


class Inline:
    """An executor that runs each job at once in this process, for tests of the driver alone."""

    def __init__(self) -> None:
        self._answers: list[Answer] = []

    def __enter__(self) -> Inline:
        return self

    def __exit__(self, *error: object) -> None:
        self._answers.clear()

    @property
    def room(self) -> bool:
        return not self._answers

    def submit(self, job: Job) -> None:
        self._answers.append(Answer(job, job.call(*job.arguments)))

    def wait(self, seconds: float) -> list[Answer]:
        found, self._answers = self._answers, []
        return found
