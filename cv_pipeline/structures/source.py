"""Where structures come from: a file, an online source named as such, or (not yet) the before image."""

from __future__ import annotations

from pathlib import Path

from cv_pipeline.errors import StructuresError
from cv_pipeline.frame import LocalFrame
from cv_pipeline.structures.file import StructureSet, read_structures

BEFORE_IMAGE = "before-image"


def load_structures(
    source: str | Path, frame: LocalFrame, extent_m: tuple[float, float, float, float], *, model: str
) -> StructureSet:
    """Structures of ``FILE``, ``FILE:layer``, ``overture`` or ``osm``.

    A file that is called like one of the words is given with its folder: ``./osm``.

    Raises:
        StructuresError: see :func:`read_structures` and :func:`read_online`; ``before-image`` is always
            refused, because no model has a head that draws structures.
    """
    from cv_pipeline.structures.online import SOURCES, read_online

    if str(source) == BEFORE_IMAGE:
        raise StructuresError(
            f"--structures {BEFORE_IMAGE}: the model {model!r} has no structure head, so it cannot draw footprints "
            "from an image. Give a footprint file, or ask for overture or osm by name."
        )
    if isinstance(source, str) and source in SOURCES:
        return read_online(source, frame, extent_m)
    return read_structures(Path(source), frame, extent_m=extent_m)
