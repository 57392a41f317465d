"""The layers that come with symbn.

In: a name.  Out: its summary or its source. No layer is parsed, so that `symbn list` answers at once.
"""

from __future__ import annotations

from symbn.language.shelf import layer_names as names
from symbn.language.shelf import layer_source as source

__all__ = ["names", "source", "summary"]


def summary(name: str) -> str:
    """The first line of a layer's docstring. KeyError for a name that is not in the catalogue."""
    first = next((line for line in source(name).splitlines() if line.strip()), "")
    return first.strip().strip('"').strip()
