"""The names that SymPy equations use, before anything is known of them.

In: expressions, in order.  Out: each value's name with the number of its indices, in order of first use; extents go to the axes.
"""

from __future__ import annotations

from typing import Any

from symbn.errors import LayerError
from symbn.language.from_sympy_expr import kinds
from symbn.language.from_sympy_scope import Names


class Uses:
    """`nodes` are the first nodes that read each name."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.nodes: dict[str, Any] = {}
        self.ranks: dict[str, int] = {}

    def values(self) -> tuple[str, ...]:
        """Names that are read, but for extents."""
        return tuple(name for name in self.ranks if name not in self.names.axes.names)

    def rank(self, name: str) -> int | None:
        """With how many indices a name is read."""
        return self.ranks.get(name)

    def left(self, name: str, symbols: tuple[Any, ...]) -> None:
        """A left side; Idx ranges name extents."""
        for place, symbol in enumerate(symbols):
            self._range(symbol, name, place)

    def scan(self, node: Any, bound: frozenset[Any]) -> None:
        """Notes what an expression reads; `bound` are the symbols that stand for indices."""
        own = kinds(node)
        if "Indexed" in own or "MatrixElement" in own:
            self._element(node, "Indexed" in own)
        elif "Sum" in own:
            self._limits(node.limits, bound, node.function)
        elif "AppliedUndef" in own and str(node.func.__name__) in ("max_over", "min_over"):
            body, *pairs = node.args
            self._limits([(pairs[place], 1, pairs[place + 1]) for place in range(0, len(pairs), 2)], bound, body)
        elif "Symbol" in own:
            if node not in bound:
                self._note(str(node.name), 0, node)
        elif "IndexedBase" in own or "MatrixSymbol" in own:
            raise LayerError(f"'{node}' stands without its indices", hint=f"write {node}[i]")
        elif "KroneckerDelta" not in own and "Idx" not in own:
            for part in node.as_ordered_terms() if "Add" in own else getattr(node, "args", ()):
                self.scan(part, bound)

    def free(self, node: Any) -> list[Any]:
        """The symbols that an assumption uses as indices and does not bind, by name."""
        found: dict[Any, None] = {}
        bound = {limit[0] for total in node.atoms(*_types(node, "Sum")) for limit in total.limits} if _types(node, "Sum") else set()
        for kind in ("Indexed", "MatrixElement"):
            for element in sorted(node.atoms(*_types(node, kind)), key=str) if _types(node, kind) else ():
                found |= dict.fromkeys(index for index in element.args[1:] if index not in bound)
        return list(found)

    def _limits(self, limits: Any, bound: frozenset[Any], body: Any) -> None:
        for limit in limits:
            size: Any = limit[2] - limit[1] + 1 if len(limit) == 3 else None
            if type(size).__name__ == "Symbol":
                self.names.axes.extent(str(size.name))
        self.scan(body, bound | {limit[0] for limit in limits})

    def _element(self, node: Any, indexed: bool) -> None:
        base, indices = (node.base, node.indices) if indexed else (node.args[0], node.args[1:])
        name = str(base.label if indexed else base)
        self._note(name, len(indices), node)
        for place, index in enumerate(indices):
            self._range(index, name, place)
        for size in base.shape or ():
            if type(size).__name__ == "Symbol":
                self.names.axes.extent(str(size.name))

    def _range(self, index: Any, name: str, place: int) -> None:
        if "Idx" in kinds(index) and index.upper is not None:
            self.names.extent_of((name, place), index.upper - index.lower + 1, f"by the range of {index}")

    def _note(self, name: str, rank: int, node: Any) -> None:
        if self.ranks.setdefault(name, rank) != rank:
            raise LayerError(f"'{name}' is read with {self.ranks[name]} and with {rank} indices", hint="rename one of them")
        self.nodes.setdefault(name, node)


def _types(node: Any, kind: str) -> tuple[type, ...]:
    return tuple({type(part) for part in _walk(node) if kind in kinds(part)})


def _walk(node: Any) -> list[Any]:
    return [node, *(part for child in getattr(node, "args", ()) for part in _walk(child))]
