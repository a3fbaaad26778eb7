"""What MkDocs cannot do by itself: pages from outside ``docs/``, API pages, and links that hold in both places.

Markdown here links as on a code host, by the path of the file. On the site ``docs/x.md`` is ``x.md`` and ``README.md``
is the home page; a link to a file that the site does not hold (a script, a licence) becomes plain text.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = ("CHANGELOG.md", "models/*/*.md", "models/*/*.png", "datasets/**/*.md")
SINGLE_MODULES = ("config", "errors", "frame")
_LINK = re.compile(r"(?P<text>!?\[[^\]\n]*\])\((?P<path>[^)\s:#]+)(?P<anchor>#[^)\s]*)?\)")
_CODE = re.compile(r"(^ {4}[^\n]*|^```.*?^```)", re.MULTILINE | re.DOTALL)


def api_modules() -> list[str]:
    """Public packages and the single modules beside them, by their name below ``cv_pipeline``."""
    packages = sorted(path.parent.name for path in (ROOT / "cv_pipeline").glob("*/__init__.py"))
    return [*SINGLE_MODULES, *(name for name in packages if name != "commands")]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages from outside ``docs/``, the home page and the API pages."""
    for path in sorted({path for pattern in OUTSIDE for path in ROOT.glob(pattern)}):
        files.append(File.generated(config, path.relative_to(ROOT).as_posix(), abs_src_path=str(path)))
    files.append(File.generated(config, "index.md", abs_src_path=str(ROOT / "README.md")))
    top = "# cv_pipeline\n\n::: cv_pipeline\n    options: {show_submodules: false}\n\n::: cv_pipeline.pipeline\n"
    files.append(File.generated(config, "api/cv_pipeline.md", content=top))
    for name in api_modules():
        content = f"# {name}\n\n::: cv_pipeline.{name}\n"
        if name == "types":  # the package offers all that its modules hold: shown once
            content += "    options: {show_submodules: false}\n"
        files.append(File.generated(config, f"api/{name}.md", content=content))
    return files


def on_page_markdown(markdown: str, page: Page, files: Files, **_: Any) -> str:
    """Turn links by path in the repository into links by path on the site, outside of code."""
    parts = _CODE.split(markdown)
    parts[::2] = [_LINK.sub(lambda link: _moved(link, page.file.src_uri, files), part) for part in parts[::2]]
    return "".join(parts)


def _moved(link: re.Match[str], page: str, files: Files) -> str:
    target = posixpath.normpath(posixpath.join(posixpath.dirname(_in_repository(page)), link["path"]))
    on_site = _on_site(target)
    if files.get_file_from_path(on_site) is not None:
        path = posixpath.relpath(on_site, posixpath.dirname(page) or ".")
        return f"{link['text']}({path}{link['anchor'] or ''})"
    if (ROOT / target).exists():
        return link["text"].strip("[]")
    return link[0]


def _in_repository(page: str) -> str:
    """Where a page of the site lies in the repository."""
    if page == "index.md":
        return "README.md"
    return page if (ROOT / page).is_file() else f"docs/{page}"


def _on_site(path: str) -> str:
    """Where a file of the repository lies on the site."""
    if path == "README.md":
        return "index.md"
    if (ROOT / path).is_dir():
        path = f"{path}/README.md"
    return path.removeprefix("docs/")
