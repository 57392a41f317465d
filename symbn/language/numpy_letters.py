"""Letters for the indices of formulas that were read from code.

In: both sides of an equation over indices without letters.  Out: the same over the layer's letters where they fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from symbn.expr import Delta, Expr, Index, Read, Reduce, fresh_index, walk
from symbn.language.letters import axis_letters, derivative_letters, letters_of
from symbn.layer import Layer


class Lettering:
    """The letters of one layer; `extra` are the names of derivatives with their axes."""

    def __init__(self, layer: Layer, extra: Mapping[str, tuple[str, ...]]) -> None:
        known = letters_of(layer)
        derived = {name: derivative_letters(name, axes, known) for name, axes in extra.items()}
        self.known = known | {name: letters for name, letters in derived.items() if letters}
        self.by_axis = axis_letters(layer)
        self.taken = {*layer.names, *extra, *layer.axes}

    def sides(self, dims: Sequence[Index | None], left: Expr, right: Expr) -> tuple[Expr, Expr]:
        """Both sides of an equation for all values of `dims`."""
        free = [index for index in dims if index]
        names: dict[Index, Index] = {}
        for node in (*walk(left), *walk(right)):
            for index, letter in zip(node.indices, self.known.get(node.name, ()), strict=False) if isinstance(node, Read) else ():
                if index in free and index not in names:
                    names[index] = self._letter(index.axis, names.values(), letter.name)
        for index in free:
            if index not in names:
                names[index] = self._letter(index.axis, names.values(), None)
        used = {index.name for index in names.values()}
        return self._named(left, names, used), self._named(right, names, used)

    def _letter(self, axis: str, used: Iterable[Index], first: str | None) -> Index:
        taken = self.taken | {index.name for index in used}
        for letter in (*([first] if first else []), *self.by_axis.get(axis, ())):
            if letter not in taken:
                return Index(letter, axis)
        return fresh_index(axis, taken)

    def _named(self, expr: Expr, names: Mapping[Index, Index], used: set[str]) -> Expr:
        match expr:
            case Read(name, indices):
                return Read(name, tuple(names[index] for index in indices))
            case Delta(left, right):
                return Delta(names[left], names[right])
            case Reduce(kind, body, indices):
                inner, taken = dict(names), set(used)
                for index in indices:
                    inner[index] = self._bound(index.axis, taken)
                    taken.add(inner[index].name)
                return Reduce(kind, self._named(body, inner, taken), tuple(inner[index] for index in indices))
        return expr.rebuild(tuple(self._named(child, names, used) for child in expr.children))

    def _bound(self, axis: str, used: set[str]) -> Index:
        return next(
            (Index(letter, axis) for letter in self.by_axis.get(axis, ()) if letter not in used and letter not in self.taken),
            fresh_index(axis, self.taken | used),
        )
