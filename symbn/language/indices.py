"""Index letters and their axes.

In: letters as an expression uses them.  Out: `Index` with an axis for each, or an error that names both axes.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from symbn.errors import Place
from symbn.expr import Delta, Expr, Index, transform
from symbn.language.names import check_name
from symbn.language.scope import Scope

UNKNOWN = "?"  # the axis of a delta's letter until the rest of the expression fixes it


@dataclass(frozen=True)
class _Use:
    axis: str
    where: ast.AST | Place
    text: str


@dataclass
class Letters:
    """The letters of one definition or equation.

    `declared` are the letters on its left side; `bound` the stack of letters that reductions around the current place bind.
    """

    scope: Scope
    declared: tuple[str, ...] = ()
    bound: dict[str, str] = field(default_factory=dict)
    free: dict[str, _Use] = field(default_factory=dict)
    seen: dict[str, ast.AST | Place] = field(default_factory=dict)
    binders: dict[str, ast.AST | Place] = field(default_factory=dict)

    def use(self, letter: str, axis: str, where: ast.AST | Place, text: str) -> Index:
        """The index for `letter` at a position that runs over `axis`; `text` is the array's name."""
        self.check(letter, where)
        known = self.bound.get(letter)
        if known is None:
            use = self.free.setdefault(letter, _Use(axis, where, text))
            if use.axis != axis:
                message = f"index '{letter}' runs over {use.axis} in '{use.text}' and over {axis} in '{text}'"
                raise self.scope.source.error(message, where, hint="use two letters")
        elif known == UNKNOWN:
            self.bound[letter] = axis
        elif known != axis:
            message = f"index '{letter}' runs over {known}, but '{text}' has {axis} there"
            raise self.scope.source.error(message, where, hint=f"write 'for {letter} in {axis}', or use another letter")
        return Index(letter, axis)

    def delta(self, letter: str, where: ast.AST | Place) -> Index:
        """The index for a letter of a delta, whose axis other uses give."""
        self.check(letter, where)
        return Index(letter, self.bound.get(letter, UNKNOWN))

    def check(self, letter: str, where: ast.AST | Place) -> None:
        """Refuses a letter that is a value, an axis or a reserved word."""
        source = self.scope.source
        if letter in self.scope.arrays:
            raise source.error(f"'{letter}' is a value, not an index", where, hint=f"use another letter, such as '{self.another()}'")
        if letter in self.scope.axes or letter[:1].isupper():
            hint = f"an index is a letter that runs over an axis: 'for {self.another()} in {letter}'"
            raise source.error(f"'{letter}' is an axis, not an index", where, hint=hint)
        check_name(source, letter, "index", where)
        self.seen.setdefault(letter, where)

    def bind(self, letter: str, axis: str, where: ast.AST | Place) -> Index:
        """Opens a reduction over `letter`; where its axis is UNKNOWN, its first use says it."""
        self.check(letter, where)
        taken = "the left side" if letter in self.declared else "a reduction around it" if letter in self.bound else None
        if taken is not None:
            raise self._shadow(letter, where, f"is already used by {taken}")
        self.bound[letter] = axis
        self.binders.setdefault(letter, where)
        return Index(letter, axis)

    def release(self, letters: tuple[Index, ...]) -> None:
        """Closes a reduction."""
        for index in letters:
            del self.bound[index.name]

    def another(self) -> str:
        """A letter that nothing uses yet."""
        used = {*self.declared, *self.bound, *self.free, *self.seen, *self.scope.arrays}
        return next((letter for letter in "jklmnpqrtuvw" if letter not in used), "j1")

    def _shadow(self, letter: str, where: ast.AST | Place, why: str) -> Exception:
        return self.scope.source.error(f"index '{letter}' {why}", where, hint=f"use another letter, such as '{self.another()}'")

    def finish(self, expr: Expr) -> Expr:
        """The expression with an axis for each letter of its deltas."""
        for letter, where in self.binders.items():
            if letter in self.free:
                raise self._shadow(letter, where, "is bound here and stands free elsewhere")
        deltas: list[Delta] = []

        def collect(node: Expr) -> Expr:
            if isinstance(node, Delta):
                deltas.append(node)
            return node

        transform(expr, collect)
        axes = {letter: use.axis for letter, use in self.free.items()}
        for _ in range(len(deltas) + 1):
            for delta in deltas:
                self._spread(delta, axes)
        return transform(expr, lambda node: self._resolved(node, axes)) if deltas else expr

    def _spread(self, delta: Delta, axes: dict[str, str]) -> None:
        for index, other in ((delta.left, delta.right), (delta.right, delta.left)):
            axis = axes.get(other.name, UNKNOWN) if other.axis == UNKNOWN else other.axis
            if index.axis == UNKNOWN and axis != UNKNOWN:
                axes.setdefault(index.name, axis)

    def _resolved(self, node: Expr, axes: dict[str, str]) -> Expr:
        if not isinstance(node, Delta):
            return node
        left, right = (i if i.axis != UNKNOWN else Index(i.name, axes.get(i.name, UNKNOWN)) for i in (node.left, node.right))
        for index in (left, right):
            if index.axis == UNKNOWN:
                raise self.no_axis(index.name, self.seen[index.name])
        if left.axis != right.axis:
            message = f"delta({left.name}, {right.name}) compares an index over {left.axis} with one over {right.axis}"
            raise self.scope.source.error(message, self.seen[left.name], hint="both run over one axis")
        return Delta(left, right)

    def no_axis(self, letter: str, where: ast.AST | Place) -> Exception:
        """The error for a letter that indexes no array."""
        hint = f"an index gets its axis from an array, such as x[{letter}]"
        return self.scope.source.error(f"index '{letter}' has no axis", where, hint=hint)
