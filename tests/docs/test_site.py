"""The documentation holds together: its pages are there, links lead somewhere, nothing is loaded from elsewhere."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "models/*/*.md", "datasets/**/*.md")
    for path in ROOT.glob(pattern)
)  # fmt: skip
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s#]*)(#[^)\s]+)?\)")
CODE = re.compile(r"^```.*?^```|^ {4}[^\n]*", re.MULTILINE | re.DOTALL)
LOADED = re.compile(r"<(?:script|img|link|iframe)\b[^>]*?(?:src|href)=[\"'](?:https?:)?//[^\"']+", re.IGNORECASE)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as Markdown converters make them."""
    heads = re.findall(r"^#+ (.+)$", CODE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head).strip().lower().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files_of_this_repository(page: Path) -> None:
    broken = []
    for match in LINK.finditer(CODE.sub("", page.read_text(encoding="utf-8"))):
        path, anchor = match.groups()
        if ":" in path:
            continue
        target = page if not path else page.parent / path
        if not target.exists() or (anchor and anchor[1:] not in anchors(target)):
            broken.append(match[0])
    assert not broken


def names(nav: Any) -> Iterator[str]:
    """The paths in a navigation, at any depth."""
    if isinstance(nav, str):
        yield nav
    for part in nav if isinstance(nav, list) else nav.values() if isinstance(nav, dict) else ():
        yield from names(part)


def test_every_page_of_the_navigation_has_a_source_and_every_package_a_page() -> None:
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    listed = set(names(config["nav"]))
    api = {f"api/{path.parent.name}.md" for path in (ROOT / "cv_pipeline").glob("*/__init__.py")} - {"api/commands.md"}
    assert api <= listed
    modules = {Path(name).stem for name in listed - api if name.startswith("api/")} - {"cv_pipeline"}
    assert all((ROOT / "cv_pipeline" / f"{name}.py").is_file() for name in modules)
    for name in listed - {"index.md"}:
        if not name.startswith("api/"):
            assert (ROOT / "docs" / name).is_file() or (ROOT / name).is_file(), name
    written = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert written <= listed, "a page that nobody finds"


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("mkdocstrings") is None, reason="needs the extra 'docs'")
def test_the_site_builds_without_warnings_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    assert not built.stderr
    for page in (tmp_path / "site").rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not LOADED.findall(text.replace('<link rel="canonical"', "")), page
    assert 'id="cv_pipeline.accuracy.summary.summarise"' in (tmp_path / "site/api/accuracy.html").read_text()
