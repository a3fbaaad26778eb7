"""Blocks of a Markdown page that a command writes, between ``<!-- figures: NAME -->`` and ``<!-- end -->``."""

from __future__ import annotations

import re
from pathlib import Path

from cv_pipeline.errors import ConfigError
from cv_pipeline.output_dir import whole_file

BLOCK = re.compile(r"(<!-- figures: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def check_block(page: Path, name: str) -> str:
    """The text of a page that has the block; meant to be called before the work starts.

    Raises:
        ConfigError: the page cannot be read, or does not have the block exactly once.
    """
    try:
        text = page.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{page}: cannot be read ({error}); give a Markdown page") from error
    found = [match["name"] for match in BLOCK.finditer(text)].count(name)
    if found != 1:
        raise ConfigError(f"{page}: {found} blocks between <!-- figures: {name} --> and <!-- end -->, one is needed")
    return text


def put_block(page: Path, name: str, content: str) -> None:
    """Write a page's block anew; all else in the page stays as it is.

    Raises:
        ConfigError: as :func:`check_block`.
    """

    def written(match: re.Match[str]) -> str:
        return f"{match[1]}\n{content}\n\n{match[3]}" if match["name"] == name else match[0]

    text = BLOCK.sub(written, check_block(page, name))
    with whole_file(page) as part:
        part.write_text(text, encoding="utf-8")
