"""``SHA256SUMS``: the hash of every file of a result, in the form that ``sha256sum --check`` reads too."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cv_pipeline.errors import OutputError
from cv_pipeline.imagery.location import file_sha256

NAME = "SHA256SUMS"


def files_of(folder: Path) -> list[str]:
    """Every file below ``folder`` but the list itself, as POSIX paths relative to it, sorted."""
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in found if name != NAME)


def write_checksums(folder: Path) -> None:
    """Write the list; to be called when everything else in ``folder`` has been written."""
    lines = (f"{file_sha256(folder / name)}  {name}\n" for name in files_of(folder))
    (folder / NAME).write_text("".join(lines), encoding="utf-8")


def read_checksums(folder: Path) -> Mapping[str, str]:
    """Hashes by relative path.

    Raises:
        OutputError: the list is missing or malformed.
    """
    path = folder / NAME
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise OutputError(
            f"{path}: cannot be read ({error}); give the folder that `assess` or `detect` wrote"
        ) from error
    sums = {}
    for number, line in enumerate(lines, start=1):
        digest, separator, name = line.partition("  ")
        if not separator or len(digest) != 64 or not name:
            raise OutputError(f"{path}: line {number} is no checksum; the list was edited or cut short")
        sums[name] = digest
    return sums
