from __future__ import annotations

from pathlib import Path

import pytest

from cv_pipeline.errors import ConfigError
from cv_pipeline.evaluation.marked import check_block, put_block

PAGE = """# Page

<!-- figures: first -->

old

<!-- end -->
between
<!-- figures: second -->
<!-- end -->
"""


def test_one_block_is_written_and_all_else_stays(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    put_block(page, "first", r"new \1 text")
    assert page.read_text() == PAGE.replace("old", r"new \1 text")
    put_block(page, "second", "| a |")
    assert page.read_text().endswith("between\n<!-- figures: second -->\n\n| a |\n\n<!-- end -->\n")
    assert [path.name for path in tmp_path.iterdir()] == ["page.md"]


def test_a_page_without_the_block_is_told_before_the_work_and_stays(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    for text in ("nothing", PAGE + PAGE, PAGE.replace("<!-- end -->", "")):
        page.write_text(text)
        with pytest.raises(ConfigError, match=r"page\.md: [02] blocks between <!-- figures: first -->"):
            put_block(page, "first", "new")
        assert page.read_text() == text
    with pytest.raises(ConfigError, match="cannot be read"):
        check_block(tmp_path / "none.md", "first")
