"""The folder rule: a folder for each scene, with ``before.*``, ``after.*`` and, where known, ``structures.*`` in it.

That is how ``cv-pipeline simulate`` and the folders in ``datasets/`` are laid out.
"""

from __future__ import annotations

from pathlib import Path

from cv_pipeline.batch.manifest import PATH_COLUMNS, Row

_BESIDE = {".xml", ".ovr", ".msk", ".tfw", ".jgw", ".pgw", ".wld", ".prj", ".dbf", ".shx", ".cpg", ".qix", ".md5"}
"""What belongs to an image or a shapefile and is none itself."""


def folder_rows(folder: Path) -> tuple[list[Row], list[str]]:
    """A row for each subfolder, at any depth, that holds an after image, and what is wrong with any of them.

    Subfolders without one are passed over in silence; two files that could be the same role are a problem.
    """
    rows, problems = [], []
    for inner in sorted(path for path in folder.rglob("*") if path.is_dir()):
        found = {name: _files(inner, name) for name in PATH_COLUMNS}
        if not found["after"]:
            continue
        name = inner.relative_to(folder).as_posix()
        problems += [
            f"{name}: {', '.join(path.name for path in files)} could each be the {role} file; keep one"
            for role, files in found.items()
            if len(files) > 1
        ]
        cells = {role: str(files[0].absolute()) for role, files in found.items() if len(files) == 1}
        rows.append(Row(name, {"pair_id": name.replace("/", "-"), **cells}))
    if not rows:
        problems.append("no subfolder holds an image called after.* (beside it before.* and structures.*, where known)")
    return rows, problems


def _files(folder: Path, stem: str) -> list[Path]:
    files = (path for path in folder.glob(f"{stem}.*") if path.is_file())
    return sorted(path for path in files if path.suffix.lower() not in _BESIDE)
