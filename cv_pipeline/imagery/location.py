"""Where an image lies: a local file or one of GDAL's virtual file systems; what it is made of, and its hash."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from cv_pipeline.errors import ImageError

_SCHEMES = {
    "s3": "/vsis3/",
    "gs": "/vsigs/",
    "az": "/vsiaz/",
    "http": "/vsicurl/http://",
    "https": "/vsicurl/https://",
}
_ARCHIVE = re.compile(r"^/vsi(zip|tar|gzip|7z|rar)/(?!/?vsi)")


class Digest(NamedTuple):
    """SHA-256 of an image's main file, and of all files it is made of where there are more.

    ``sha256`` is empty where the file is not on this machine. ``parts`` counts the further files: sources of a
    VRT, world file, ``.ovr``, ``.msk``, ``.aux.xml``. ``parts_sha256`` is the hash of their sorted hashes, a line
    each; empty without any, and where one of them is not on this machine.
    """

    sha256: str
    parts: int
    parts_sha256: str


def gdal_name(path: str | Path) -> str:
    """The name by which GDAL opens an image: ``s3://b/k`` is ``/vsis3/b/k``, and so on; files as they are.

    A :class:`~pathlib.Path` swallows double slashes, so ``/vsicurl/https:/host`` and ``/vsizip/tmp/a.zip`` are
    mended: the latter is an absolute path again where only that exists.
    """
    name = path if isinstance(path, str) else path.as_posix()
    scheme, colon, rest = name.partition(":/")
    if colon and scheme in _SCHEMES:
        return _SCHEMES[scheme] + rest.lstrip("/")
    if not name.startswith("/vsi"):
        return name
    name = re.sub(r"(?<=/)(https?|ftp):/+", r"\1://", name)
    name = re.sub(r"^(/vsi(?:zip|tar|gzip|7z|rar|cache)/)(vsi)", r"\1/\2", name)
    container = _container(name)
    if container is not None and not container.is_absolute() and not container.exists():
        rooted = "/" + name.split("/", 2)[2]
        if (inside := _existing_prefix(rooted)) is not None and inside.is_file():
            return f"/{name.split('/')[1]}/{rooted}"
    return name


def check_file(path: Path) -> None:
    """Refuse what cannot be an image before GDAL is asked; virtual files are left to GDAL.

    Raises:
        ImageError: a folder, no such file, or an empty one.
    """
    if not is_plain(path):
        return
    if path.is_dir():
        raise ImageError(f"{path}: is a folder; give one image file")
    if not path.exists():
        raise ImageError(f"{path}: no such file; check the path")
    if path.stat().st_size == 0:
        raise ImageError(f"{path}: the file is empty (0 bytes); fetch it again")


def is_plain(path: Path) -> bool:
    """Whether a path names a file of this machine, and not a virtual file or a part of one (``NETCDF:a.nc:b``)."""
    name = gdal_name(path)
    return not name.startswith("/vsi") and (path.exists() or re.match(r"\w\w+:", name) is None)


def digest(path: Path, files: Iterable[str]) -> Digest:
    """Hashes of an image; see :class:`Digest`. An archive is hashed as a whole.

    Args:
        path: the image.
        files: all files that GDAL reads for it, the main one included or not.

    Raises:
        OSError: a file cannot be read.
    """
    main = _local(gdal_name(path))
    others = sorted({name for name in files if _local(name) != main or main is None} - {gdal_name(path), str(path)})
    local = {found for name in others if (found := _local(name)) is not None}
    hashes = "".join(sorted(f"{file_sha256(file)}\n" for file in local))
    complete = bool(others) and all(_local(name) is not None for name in others)
    return Digest(
        "" if main is None else file_sha256(main),
        len(others),
        hashlib.sha256(hashes.encode()).hexdigest() if complete else "",
    )


def file_sha256(path: Path) -> str:
    """SHA-256 of a file as hexadecimal text, read in chunks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _local(name: str) -> Path | None:
    """The file of this machine that holds an image's bytes; None where there is none."""
    if not name.startswith("/vsi"):
        path = Path(name)
        return path if path.is_file() else None
    container = _container(name)
    return container if container is not None and container.is_file() else None


def _container(name: str) -> Path | None:
    """The archive inside a ``/vsizip/`` name or the like; the whole rest where none exists; None elsewhere."""
    match = _ARCHIVE.match(name)
    if match is None:
        return None
    rest = name[match.end() :]
    return _existing_prefix(rest) or Path(rest)


def _existing_prefix(name: str) -> Path | None:
    """The first file on the way down a path; None where there is none."""
    path = Path(name)
    return next((p for p in (*reversed(path.parents), path) if p.is_file()), None)
