"""Writes the versions installed for ``cv-pipeline[train,dev,onnx,dask,stac]`` to ``constraints.txt`` below its head."""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = re.compile(r"^(nvidia-.*|cuda-.*|triton|cv-pipeline)$")


def installed_closure(name: str, extras: frozenset[str]) -> dict[str, str]:
    """Versions by name of an installed distribution and of all it requires on this platform."""
    versions: dict[str, str] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    todo = [(str(canonicalize_name(name)), extras)]
    while todo:
        key = todo.pop()
        if key in seen:
            continue
        seen.add(key)
        distribution = importlib.metadata.distribution(key[0])
        versions[key[0]] = distribution.version.split("+")[0]
        for text in distribution.requires or []:
            need = Requirement(text)
            if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in key[1] | {""}):
                todo.append((str(canonicalize_name(need.name)), frozenset(need.extras)))
    return versions


def main() -> None:
    path = ROOT / "constraints.txt"
    head = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    versions = installed_closure("cv-pipeline", frozenset({"train", "dev", "onnx", "dask", "stac"}))
    pins = [f"{name}=={version}" for name, version in sorted(versions.items()) if not LEFT_OUT.match(name)]
    path.write_text("\n".join([*head, *pins]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
