"""Docstrings refer to other names as ``:func:`name```; on the site these become links where the name has a place."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

_ROLE = re.compile(r":(?:func|class|meth|mod|attr|data|exc):`~?(?P<name>[\w.]+)`")


class Roles(Extension):
    """Rewrites the roles in each docstring before it is rendered."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Called for every module, class, function and attribute."""
        if obj.docstring is None:
            return

        def linked(role: re.Match[str]) -> str:
            name = role["name"]
            path = name if name.startswith("cv_pipeline") else f"{obj.module.path}.{name}"
            return f'<autoref identifier="{path}" optional><code>{name}</code></autoref>'

        obj.docstring.value = _ROLE.sub(linked, obj.docstring.value)
