"""What the symbols of a set of SymPy equations stand for.

In: the names in use.  Out: for each index a letter that the layer language takes, for each limit its axis.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol

from symbn.errors import LayerError
from symbn.expr import fresh_index
from symbn.language.from_sympy_axes import Axes, Key
from symbn.language.names import check_name
from symbn.language.source import Source

_LETTER = re.compile(r"[a-z][A-Za-z0-9_]*")


class Complains(Protocol):
    """Who words an error."""

    def error(self, message: str, hint: str) -> LayerError:
        """The error to raise."""


@dataclass(frozen=True, slots=True)
class Bound:
    """An index: the letter it has in the layer language, and its number among all indices."""

    letter: str
    key: Key


@dataclass
class Names:
    """`ranks` counts the indices of every value known so far, `later` are the names defined further on, `letters` the names of all
    values and axes, which no index may have.
    """

    axes: Axes
    ranks: dict[str, int]
    later: set[str] = field(default_factory=set)
    constants: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)
    _numbers: Any = field(default_factory=count)

    def new_key(self) -> Key:
        """A key for another index."""
        return ("", next(self._numbers))

    def letter(self, name: str, taken: set[str]) -> str:
        """`name` where it may stand for an index here, else another letter."""
        used = taken | self.taken | set(self.axes.names.values())
        return name if name not in used and _is_letter(name) else fresh_index("", used).name

    def extent_of(self, key: Key, size: Any, why: str) -> None:
        """Notes that `key` runs over an extent where that is a symbol."""
        if type(size).__name__ == "Symbol":
            self.axes.fix(key, self.axes.extent(str(size.name)), why)

    def axis_of_limits(self, limit: tuple[Any, ...], who: Complains) -> str:
        """The axis of `(j, 1, N)` or `(j, 0, N - 1)`."""
        if len(limit) != 3:
            raise who.error(f"the sum over '{limit[0]}' has no limits", f"write ({limit[0]}, 1, N)")
        symbol, low, high = limit
        size = high - low + 1
        if type(size).__name__ == "Symbol" and low in (0, 1):
            return self.axes.extent(str(size.name))
        shown = f"({symbol}, {low}, {high})"
        if getattr(size, "is_Integer", False):
            raise who.error(f"the sum over {shown} has the fixed extent {size}", f"a result holds for every extent: write ({symbol}, 1, N)")
        name = next((str(s.name) for s in sorted(getattr(size, "free_symbols", ()), key=str)), "N")
        raise who.error(f"the limits {shown} are not a whole axis", f"write ({symbol}, 1, {name}) or ({symbol}, 0, {name} - 1)")


def _is_letter(name: str) -> bool:
    try:
        check_name(Source("", ""), name, "index", _Nowhere)
    except LayerError:
        return False
    return _LETTER.fullmatch(name) is not None


_Nowhere: Any = None
