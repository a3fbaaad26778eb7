"""The key of a pair: a hash of all that its result depends on, by which a change is noticed.

Contents count, never names or times: a file that was moved, copied or touched is the same, one that was replaced
within the same second is not, and no clock plays a part. Reading every file once costs less than a hundredth of the
work on it.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cv_pipeline.batch.manifest import ONLINE_SOURCES, PairEntry
from cv_pipeline.config import AssessConfig

_NO_MATTER = {"out_dir", "overwrite", "threads", "model"}
"""Settings that do not show in a result, or, as the model's name, are replaced by a hash."""


def pair_key(entry: PairEntry, config: AssessConfig) -> str:
    """SHA-256 over the contents of inputs and model, the settings and the version of this program.

    Args:
        entry: the pair. What lies on another machine counts by its name.
        config: the settings of this pair, with ``precision`` settled.

    Raises:
        OSError: a file cannot be read.
        ModelError: there is no such model.
    """
    parts = {
        "before": None if entry.before is None else _image(entry.before),
        "after": _image(entry.after),
        "structures": None if entry.structures is None else _structures(entry.structures),
        "model": model_sha256(config.model),
        "settings": config.model_dump(mode="json", exclude=_NO_MATTER),
        "version": version("cv-pipeline"),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def model_sha256(model: str) -> str:
    """Hash over the files of a model's folder that can change a result."""
    from cv_pipeline.segmentation.zoo import find_model

    folder = find_model(model)
    wanted = {".yaml", ".json", ".safetensors", ".onnx"}
    files = sorted(path for path in folder.iterdir() if path.suffix in wanted and path.is_file())
    lines = (f"{path.name} {_sha256(path, path.stat().st_mtime_ns, path.stat().st_size)}\n" for path in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


@lru_cache(maxsize=64)
def _sha256(path: Path, _changed_ns: int, _size: int) -> str:
    """Hash of a model's file, kept while the process lives, since every pair asks for it."""
    from cv_pipeline.imagery.location import file_sha256

    return file_sha256(path)


def _image(name: str) -> list[Any]:
    """Hashes of an image and the files that GDAL reads with it; the name where they are not on this machine."""
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning, RasterioError

    from cv_pipeline.imagery.location import digest, gdal_name

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(gdal_name(name)) as dataset:
                files = list(dataset.files)
    except RasterioError:
        files = []  # what is wrong with it is told when the pair is run
    found = digest(Path(name), files)
    return [found.sha256 or name, found.parts_sha256 or found.parts]


def _structures(name: str) -> list[str]:
    from cv_pipeline.imagery.location import file_sha256
    from cv_pipeline.structures.vector import split_layer

    if name in ONLINE_SOURCES:
        return [name]
    path, layer = split_layer(Path(name))
    # A shapefile's attributes and CRS lie in files of the same stem.
    beside = sorted(path.parent.glob(f"{path.stem}.*")) if path.suffix.lower() == ".shp" else [path]
    return [*(file_sha256(file) for file in beside), layer or ""]
