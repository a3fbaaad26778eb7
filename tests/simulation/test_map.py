from __future__ import annotations

import re
from pkgutil import iter_modules

from cv_pipeline import simulation


def test_the_packages_map_names_every_module_once() -> None:
    named = re.findall(r"``(\w+)``", simulation.__doc__ or "")
    assert sorted(named) == sorted(module.name for module in iter_modules(simulation.__path__))
