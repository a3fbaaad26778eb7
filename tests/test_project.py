"""What holds for the project as a whole: its files, its imports, its package."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = (
    "torch",
    "torchvision",
    "lightning",
    "matplotlib",
    "geopandas",
    "pandas",
    "skimage",
    "segmentation_models_pytorch",
)
REGISTRY = re.compile(
    r"(?:files\.)?python" + r"hosted\.org|pypi\." + r"(?:org|io)|registry\." + r"npmjs|"
    r"download\." + r"pytorch\.org|--(?:extra-)?index" + r"-url|--find" + r"-links|debian\." + r"org/debian",
    re.IGNORECASE,
)


def tracked_files() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name]


def heavy_modules_after(statement: str) -> set[str]:
    """The heavy packages that a new interpreter has loaded after a statement."""
    code = f"import sys; {statement}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(result.stdout.split()) & set(HEAVY)


def test_no_tracked_file_names_a_package_registry() -> None:
    found = []
    for path in tracked_files():
        if path.is_file():
            text = path.read_bytes().decode("utf-8", errors="ignore")
            found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in REGISTRY.finditer(text)]
    assert not found


def test_constraints_are_exact_versions_without_addresses() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[A-Za-z0-9.!]+", line) for line in pins)


def test_every_direct_dependency_is_constrained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = {
        re.split(r"[^A-Za-z0-9_-]", need)[0].lower().replace("_", "-")
        for need in [*project["dependencies"], *extras["train"], *extras["dev"], *extras["onnx"]]
    }
    pinned = {line.partition("==")[0] for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()}
    assert wanted <= pinned


@pytest.mark.parametrize(
    "module", ["cv_pipeline", "cv_pipeline.cli", "cv_pipeline.types", "cv_pipeline.accuracy", "cv_pipeline.matching"]
)
def test_import_is_light(module: str) -> None:
    assert heavy_modules_after(f"import {module}") == set()


def test_version_is_the_package_metadata() -> None:
    import cv_pipeline

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert cv_pipeline.__version__ == project["version"]


def test_build_carries_the_models(tmp_path: Path) -> None:
    built = subprocess.run(
        [
            sys.executable,
            "setup.py",
            "-q",
            "egg_info",
            "--egg-base",
            str(tmp_path),
            "build_py",
            "--build-lib",
            str(tmp_path),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    shipped = {path.relative_to(ROOT / "models") for path in (ROOT / "models").glob("*/*.yaml")}
    copied = tmp_path / "cv_pipeline" / "_models"
    assert shipped
    assert all((copied / path).is_file() for path in shipped)
    assert (tmp_path / "cv_pipeline" / "report" / "report.html.j2").is_file()
