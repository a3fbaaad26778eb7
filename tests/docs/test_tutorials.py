"""Every tutorial works: its code blocks are run in order in a copy of what a clone holds."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.docs.blocks import blocks, run_page

pytestmark = pytest.mark.filterwarnings("ignore")
ROOT = Path(__file__).parents[2]
TUTORIALS = ROOT / "docs" / "tutorials"
SHIPPED = ("datasets/kampala_strikes", "datasets/al_asad_2020", "datasets/strikebench/backgrounds", "docs", "scripts")
FIRST = "first_assessment.md"
NOT_RUN = {
    ("attack.md", "cv-pipeline review result"): "a page that waits for a person; its export is run",
    ("own_labels.md", "python scripts/domain_shift.py --out runs/domain_shift --into"): "its short form is run",
}
"""The only code of the tutorials that no test runs: it is indented, not fenced."""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the tutorials read of a clone."""
    folder = tmp_path_factory.mktemp("clone")
    for name in SHIPPED:
        shutil.copytree(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def first(clone: Path) -> Path:
    """The same after the first tutorial, whose result later ones use."""
    run_page(TUTORIALS / FIRST, clone)
    return clone


def test_first_assessment(first: Path) -> None:
    assert (first / "result" / "report.html").is_file()
    assert "decided by the user" in (first / "decided" / "summary.json").read_text(encoding="utf-8")


def test_after_only(clone: Path) -> None:
    run_page(TUTORIALS / "after_only.md", clone)


def test_statistics(clone: Path) -> None:
    run_page(TUTORIALS / "statistics.md", clone)


def test_attack(first: Path) -> None:
    run_page(TUTORIALS / "attack.md", first)


@pytest.mark.slow
def test_own_labels(clone: Path) -> None:
    run_page(TUTORIALS / "own_labels.md", clone)


@pytest.mark.slow
def test_archive(clone: Path) -> None:
    run_page(TUTORIALS / "archive.md", clone)


def test_a_block_that_fails_or_prints_something_else_is_told_with_its_line(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n\n```python\nx = 3\n```\n\n```python\nprint(x)\n```\n\n```text\n3\n```\n\n    exit 1\n")
    run_page(page, tmp_path)
    page.write_text("```sh\necho 3\n```\n```text\n4\n```\n")
    with pytest.raises(AssertionError, match="line 5"):
        run_page(page, tmp_path)
    page.write_text("```sh\nfalse\ntrue\n```\n")
    with pytest.raises(AssertionError, match=r"page\.md, line 2: exit code 1"):
        run_page(page, tmp_path)


def test_every_tutorial_has_a_test_and_every_fence_is_known() -> None:
    tested = Path(__file__).read_text(encoding="utf-8")
    for path in TUTORIALS.glob("*.md"):
        if path.name == "index.md":
            continue
        page = path.read_text(encoding="utf-8")
        assert f'"{path.name}"' in tested
        assert page.count("\n```") == 2 * len(list(blocks(page))), f"{path.name}: a fence is none of sh, python, text"


def test_what_no_test_runs_is_listed_with_its_reason() -> None:
    indented = [
        (path.name, line.strip())
        for path in TUTORIALS.glob("*.md")
        for line in re.findall(
            r"^ {4}\S.*$", re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.M | re.S), re.M
        )
    ]
    left = [one for one in indented if not any(one[0] == page and one[1].startswith(code) for page, code in NOT_RUN)]
    assert not left
    assert len(indented) == len(NOT_RUN)
