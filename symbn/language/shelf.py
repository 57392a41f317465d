"""The files of the catalogue.

In: nothing.  Out: the names of the layers that come with symbn, and the text of each. Nothing is parsed.
"""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable


def layer_names() -> tuple[str, ...]:
    """The names, sorted."""
    found = (entry.name for entry in _folder().iterdir())
    return tuple(sorted(name.removesuffix(".py") for name in found if name.endswith(".py") and not name.startswith("_")))


def layer_source(name: str) -> str:
    """The source of one layer. KeyError for a name that is not in the catalogue."""
    if name not in layer_names():
        raise KeyError(name)
    return _folder().joinpath(f"{name}.py").read_text(encoding="utf-8")


def _folder() -> Traversable:
    return files("symbn") / "layers"
