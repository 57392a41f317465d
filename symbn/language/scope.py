"""What the names in an expression mean.

In: the parameters and the definitions so far.  Out: axes of names, known axes, and hints about names that are not there.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field

from symbn.errors import Place, SymbnError
from symbn.expr import FUNCTIONS, REDUCTIONS
from symbn.language.source import Source, quoted, suggestion


@dataclass
class Scope:
    """`arrays` maps each value to its axes, () for a scalar; `later` maps names defined further down to their lines."""

    source: Source
    arrays: dict[str, tuple[str, ...]]
    axes: tuple[str, ...]
    later: Mapping[str, int] = field(default_factory=dict)

    def unknown_name(self, name: str, where: ast.AST | Place) -> SymbnError:
        """The error for a name that stands for no value here."""
        if name in self.later:
            message = f"name '{name}' is used before its definition on line {self.later[name]}"
            return self.source.error(message, where, hint="define a name above its first use")
        if name in FUNCTIONS or name in REDUCTIONS:
            return self.source.error(f"'{name}' is a function", where, hint=f"write {name}(...)")
        if name[:1].isupper():
            return self.unknown_axis(name, where)
        return self.source.error(f"unknown name '{name}'", where, hint=self._known(name))

    def unknown_axis(self, name: str, where: ast.AST | Place) -> SymbnError:
        """The error for a capitalized name that is no axis of any array."""
        hint = suggestion(name, [*self.axes, *self.arrays])
        if hint is None:
            hint = f"known axes: {quoted(list(self.axes))}" if self.axes else 'a parameter gives an axis its name: def layer(x: "N")'
        return self.source.error(f"'{name}' is not an axis of any array", where, hint=hint)

    def _known(self, name: str) -> str:
        return suggestion(name, [*self.arrays, *self.axes]) or f"known names: {quoted([*self.arrays, *self.axes])}"
