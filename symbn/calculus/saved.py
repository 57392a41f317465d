"""Which forward values a backward pass may read.

In: a prepared layer and the names that are saved.  Out: what can be read, what can be computed again from it, and what is missing.

Constants and parameters are at hand in any backward pass: a parameter is an input with fewer axes than the layer's largest array. Every
other input and every definition counts as saved only when it is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from symbn.calculus.problem import Problem
from symbn.calculus.relations import solutions
from symbn.calculus.terms import Kind, Poly
from symbn.errors import LayerError
from symbn.expr import Expr, Index, reads
from symbn.layer import Definition, Layer

Show = Callable[[Poly, tuple[Index, ...]], Expr]


@dataclass(frozen=True)
class Saved:
    """`given` may be read as it is; `again` are definitions that can be computed again from it, in order."""

    layer: Layer
    given: frozenset[str]
    again: tuple[Definition, ...]

    def missing(self, names: Iterable[str]) -> tuple[str, ...]:
        """Forward names that are neither given nor recoverable."""
        within = self.given | {d.name for d in self.again}
        return tuple(name for name in dict.fromkeys(names) if name in self.layer.names and name not in within)

    def recomputed(self, names: Iterable[str]) -> tuple[Definition, ...]:
        """The definitions to compute again so that `names` can be read, in order."""
        needed = {name for name in names if name not in self.given}
        chosen: list[Definition] = []
        for definition in reversed(self.again):
            if definition.name in needed:
                chosen.append(definition)
                needed.update(name for name in reads(definition.expr) if name not in self.given)
        return tuple(reversed(chosen))


def everything(problem: Problem) -> Saved:
    """All forward values are saved; what has no name of the author's is computed again."""
    given = frozenset(problem.layer.names) - {definition.name for definition in problem.made}
    return Saved(problem.layer, given, problem.made)


def saved_values(problem: Problem, names: Sequence[str], show: Show) -> Saved:
    """What may be read when `names` are saved. Raises LayerError for a name the layer lacks."""
    layer = problem.layer
    for name in names:
        if name not in layer.names:
            known = ", ".join(layer.names)
            raise LayerError(f"'{name}' is no value of '{layer.name}', so it cannot be saved", hint=f"its values are {known}")
    rank = max((len(layer.axes_of(name)) for name in layer.names), default=0)
    parameters = [part.name for part in layer.inputs if len(part.axes) < rank]
    given = frozenset((*names, *parameters, *(c.name for c in layer.constants)))
    return Saved(layer, given, _recoverable(problem, given, show))


def _recoverable(problem: Problem, given: frozenset[str], show: Show) -> tuple[Definition, ...]:
    """Definitions whose right side is known, and names that a known definition can be solved for, until nothing more is found."""
    known, again = set(given), []
    growing = True
    while growing:
        growing = False
        for definition in problem.layer.definitions:
            for found in (*_forward(definition, known), *_backward(problem, definition, known, show)):
                if found.name not in known:
                    known.add(found.name)
                    again.append(found)
                    growing = True
    return tuple(again)


def _forward(definition: Definition, known: set[str]) -> list[Definition]:
    return [definition] if known.issuperset(reads(definition.expr)) else []


def _backward(problem: Problem, definition: Definition, known: set[str], show: Show) -> list[Definition]:
    """`y = gamma*xhat + beta` with y known gives xhat back."""
    if definition.name not in known:
        return []
    found = []
    for rule in solutions(problem, definition):
        if rule.left.kind is Kind.VAR and rule.exponent == 1 and rule.right.names <= known:
            name, indices = rule.left.parts
            found.append(Definition(name, indices, show(rule.right, indices)))
    return found
