"""Sums that wait for other sums, taken at once where they can be.

In: definitions.  Out: the same values, in which `sum_k (a[k] + r*b[k])`, where `r` is itself complete only after a sum, has become
`sum_k a[k] + r*sum_k b[k]`: the sums that are left wait for less, and elements are gone over once less.

Not where `r` stands alone in a sum with elements, as a mean in x - mu: those terms cancel, and each sum alone would lose what they share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from symbn.expr import Add, Expr, Index, Mul, Read, Reduce, add, free_indices, mul, rename_indices, transform, walk
from symbn.layer import Definition

MOST = 8  # terms; beyond, another turn over the elements costs less
LINEAR = ("sum", "mean")


def leveled(definitions: Sequence[Definition]) -> list[Definition]:
    """The definitions, in order, with their sums taken apart where that saves a turn."""
    levels = _Levels({}, {})
    made = []
    for definition in definitions:
        definition = replace(definition, expr=transform(definition.expr, levels.apart))
        levels.note(definition)
        made.append(definition)
    return made


@dataclass(slots=True)
class _Levels:
    """`of` says how many sums, one after the other, a name has to wait for."""

    of: dict[str, int]
    known: dict[str, Definition]

    def note(self, definition: Definition) -> None:
        self.of[definition.name] = self.level(definition.expr)
        self.known[definition.name] = definition

    def level(self, expr: Expr) -> int:
        """How many sums have to be complete, one after the other."""
        if isinstance(expr, Read):
            return self.of.get(expr.name, 0)
        below = max(map(self.level, expr.children), default=0)
        return below + isinstance(expr, Reduce)

    def apart(self, expr: Expr) -> Expr:
        """A sum as several that wait for less; any other expression as it is."""
        if not isinstance(expr, Reduce) or expr.kind not in LINEAR:
            return expr
        top = self.level(expr.body)
        terms = _Terms(self, frozenset(expr.indices), top).of(expr.body) if top else None
        if not terms or len(terms) > MOST or not self._is_nest(expr):
            return expr
        made = [mul(*outside, Reduce(expr.kind, mul(*inside), expr.indices)) for outside, inside in terms]
        waits = max(self.level(mul(*inside)) for _, inside in terms)
        return add(*made) if waits < top else expr

    def _is_nest(self, reduce: Reduce) -> bool:
        """Whether an array has all the letters: else it is a product of matrices, where every sum costs more than a turn."""
        letters = set(free_indices(reduce.body))
        return any(isinstance(node, Read) and letters <= set(node.indices) for node in walk(reduce.body))


Term = tuple[tuple[Expr, ...], tuple[Expr, ...]]  # factors without a bound letter, and with one


@dataclass(frozen=True, slots=True)
class _Terms:
    """Multiplies out what has both a bound letter and a number that waits for `top` sums; everything else stays as it is."""

    levels: _Levels
    bound: frozenset[Index]
    top: int

    def of(self, expr: Expr) -> list[Term] | None:
        """The terms; None where it cannot be multiplied out, or should not."""
        inside = bool(self.bound & set(free_indices(expr)))
        if not inside or self.levels.level(expr) < self.top:
            return [((), (expr,))] if inside else [((expr,), ())]
        match expr:
            case Add(terms):
                return self._sum(terms)
            case Mul(factors):
                return self._product(factors)
            case Read(name, indices) if name in self.levels.known:
                definition = self.levels.known[name]
                return self.of(rename_indices(definition.expr, dict(zip(definition.indices, indices, strict=True))))
        return None

    def _sum(self, terms: tuple[Expr, ...]) -> list[Term] | None:
        elements = [term for term in terms if self.levels.level(term) < self.top]
        waiting = [term for term in terms if self.levels.level(term) == self.top]
        if not all(self.bound & set(free_indices(term)) for term in (*elements, *waiting)):
            return None
        found: list[Term] = [((), (add(*elements),))] if elements else []
        for term in waiting:
            made = self.of(term)
            if made is None:
                return None
            found += made
        return found

    def _product(self, factors: tuple[Expr, ...]) -> list[Term] | None:
        found: list[Term] = [((), ())]
        for factor in factors:
            made = self.of(factor)
            if made is None or len(found) * len(made) > MOST:
                return None
            found = [((*left, *outside), (*right, *inside)) for left, right in found for outside, inside in made]
        return found
