"""Runs the code of a Markdown page as its reader would: blocks in order, in one folder."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

_BLOCK = re.compile(r"^```(?P<language>sh|python|text)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """One fenced block: sh and python are run, text is what the block before it prints."""

    language: str
    code: str
    line: int


def blocks(page: str) -> Iterator[Block]:
    """The page's blocks in order; fences of any other kind, or none, are not for running."""
    for match in _BLOCK.finditer(page):
        yield Block(match["language"], match["code"], page.count("\n", 0, match.start()) + 2)


def run_page(path: Path, folder: Path) -> None:
    """Run a page's blocks in ``folder``; python blocks share their names. AssertionError names page and line."""
    names: dict[str, Any] = {"__name__": "__main__"}
    printed = ""
    for block in blocks(path.read_text(encoding="utf-8")):
        where = f"{path.name}, line {block.line}"
        if block.language == "sh":
            printed = _shell(block.code, folder, where)
        elif block.language == "python":
            # Line numbers of a traceback are those of the page.
            code = compile("\n" * (block.line - 1) + block.code, str(path), "exec")
            with chdir(folder), redirect_stdout(io.StringIO()) as out:
                exec(code, names)
            printed = out.getvalue()
        else:
            assert _words(printed) == _words(block.code), f"{where}: it prints\n{printed}"


def _shell(code: str, folder: Path, where: str) -> str:
    """What a shell block prints on stdout, with the commands of this Python first; any failing line fails it."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path, "COLUMNS": "120"}
    command = ["bash", "-euo", "pipefail", "-c", code]
    done = subprocess.run(command, check=False, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{where}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def _words(text: str) -> list[list[str]]:
    """Lines as words: how wide a column is does not matter."""
    return [line.split() for line in text.strip().splitlines()]
