"""Puts ``models/`` into the wheel as ``cv_pipeline/_models``; everything else is in ``pyproject.toml``.

An installed copy then works offline. A checkout, and an editable install of one, uses ``models/`` itself.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

MODELS = Path(__file__).parent / "models"
SHIPPED = {".yaml", ".safetensors", ".json", ".md"}


class BuildWithModels(build_py):
    """Copies the files of each model folder beside the package's modules."""

    def run(self) -> None:
        """Build as usual, then copy the models."""
        super().run()
        if self.editable_mode:
            return
        shutil.rmtree(Path(self.build_lib) / "cv_pipeline" / "_models", ignore_errors=True)
        for source, target in self._model_files():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Built files, the models among them."""
        models = [] if self.editable_mode else [str(target) for _, target in self._model_files()]
        return [*super().get_outputs(include_bytecode), *models]

    def _model_files(self) -> list[tuple[Path, Path]]:
        target = Path(self.build_lib) / "cv_pipeline" / "_models"
        files = sorted(path for path in MODELS.glob("*/*") if path.suffix in SHIPPED)
        return [(path, target / path.relative_to(MODELS)) for path in files]


setup(cmdclass={"build_py": BuildWithModels})
