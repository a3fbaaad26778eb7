"""An output folder, or file, that is either complete or not there.

A run writes into a hidden sibling of the wanted folder; only when everything has been written is the
sibling renamed into place. A reader therefore never meets a half-written result that looks finished.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cv_pipeline.errors import OutputError

MARKER_FILE = "summary.json"
"""The file by which an earlier output of ours is recognised; nothing else is ever replaced."""


def check_output_dir(out_dir: Path, overwrite: bool, marker: str = MARKER_FILE) -> None:
    """Raise unless ``out_dir`` can be written; meant to be called before the work starts.

    Args:
        out_dir: the wanted folder; it may be absent or empty.
        overwrite: whether an earlier output of this program may be replaced.
        marker: the file by which an earlier output is recognised.

    Raises:
        OutputError: it is a file, is in use, is not ours to replace, or cannot be created.
    """
    if out_dir.is_symlink() or (out_dir.exists() and not out_dir.is_dir()):
        raise OutputError(f"{out_dir}: is a file or a link, not a folder; give another --out")
    if out_dir.is_dir() and any(out_dir.iterdir()):
        if not overwrite:
            raise OutputError(f"{out_dir}: the folder is not empty; use --overwrite or give another --out")
        # A mistyped --out must never cost a user a home folder, so only our own outputs are replaced.
        if not (out_dir / marker).is_file():
            raise OutputError(
                f"{out_dir}: will not overwrite, because the folder holds no {marker} and so does not look like "
                "an earlier output; empty it yourself or give another --out"
            )
    parent = _nearest_existing(out_dir.absolute().parent)
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(f"{out_dir}: cannot write in {parent}; change its permissions or give another --out")


@contextmanager
def staged_output(out_dir: Path, overwrite: bool = False, marker: str = MARKER_FILE) -> Iterator[Path]:
    """Yield a temporary sibling of ``out_dir`` that becomes ``out_dir`` on success.

    On any exception, an interrupt included, the temporary folder is removed and whatever was at
    ``out_dir`` before stays as it was. Missing parents are created.

    Args:
        out_dir: the wanted folder.
        overwrite: whether an earlier output of this program may be replaced.
        marker: the file by which an earlier output is recognised; the caller writes it.

    Yields:
        The folder to write into.

    Raises:
        OutputError: as :func:`check_output_dir`, or the file system refuses.
    """
    check_output_dir(out_dir, overwrite, marker)
    target = out_dir.absolute()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent))
    except OSError as error:
        raise OutputError(f"{out_dir}: cannot create the folder ({error.strerror}); give another --out") from error
    try:
        # mkdtemp makes the folder private to its owner; a result is meant to be shared as the user's umask says.
        stage.chmod(0o777 & ~_umask())
        yield stage
        check_output_dir(out_dir, overwrite, marker)
        put_in_place(stage, target)
    except BaseException:
        shutil.rmtree(stage, ignore_errors=True)
        raise


def put_in_place(stage: Path, target: Path) -> None:
    """Rename ``stage`` to ``target``; the old folder goes only after the new one is there."""
    if not target.exists():
        stage.rename(target)
        return
    aside = stage.with_suffix(".old")
    target.rename(aside)
    try:
        stage.rename(target)
    except OSError:
        aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a hidden sibling of ``path``, of the same suffix, that becomes ``path`` on success.

    On any exception, an interrupt included, the sibling is removed and whatever was at ``path`` stays as it was.
    Missing parents are created. Not for two writers of one file at a time.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        yield part
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _nearest_existing(folder: Path) -> Path:
    """``folder`` or its first ancestor that exists."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
