"""The layers that come with symbn.

In: a name.  Out: its summary or its source. No layer is parsed, so that `symbn list` answers at once.
"""

from __future__ import annotations

from symbn.language.shelf import layer_names as names
from symbn.language.shelf import layer_source as source

__all__ = ["ALSO_COMMITTED", "names", "source", "summary"]

# What `generated/` holds beside every layer's backward pass, as (layer, mode, order): statistics over all of an array, and over one axis of
# two with parameters along it. The other layers' would triple the files; each is one `symbn generate LAYER --mode ... --order ...` away.
ALSO_COMMITTED = (
    ("batchnorm", "jvp", 1),
    ("batchnorm", "vjp", 2),
    ("layernorm", "jvp", 1),
    ("layernorm", "vjp", 2),
)


def summary(name: str) -> str:
    """The first line of a layer's docstring. KeyError for a name that is not in the catalogue."""
    first = next((line for line in source(name).splitlines() if line.strip()), "")
    return first.strip().strip('"').strip()
