"""Which values are never negative.

In: expressions as their author wrote them.  Out: the parts of them that are nonnegative by the way they are written: even powers, roots,
exponentials, sums and products of such, and names that an assumption or their own definition says it of.

Written out in moments, a variance is a difference; that it is not negative can only be seen here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symbn.expr import Add, Call, Compare, Delta, Expr, Extent, Mul, Num, Pow, Read, Reduce, reads
from symbn.layer import Layer

_NEVER_NEGATIVE = ("exp", "sqrt", "rsqrt", "abs", "sigmoid", "relu", "pi")
_KEEP_SIGN = ("maximum", "minimum", "stop_gradient")


class Signs:
    """What is known of a layer's names: those that are nonnegative, by their assumptions and definitions."""

    def __init__(self, layer: Layer) -> None:
        self.names = {read.name for read in _assumed(layer.assumptions)}
        for definition in layer.definitions:
            if self.nonnegative(definition.expr):
                self.names.add(definition.name)

    def nonnegative(self, expr: Expr) -> bool:
        """Whether the expression is never negative, by the way it is written."""
        match expr:
            case Num(value):
                return value >= 0
            case Extent() | Delta() | Compare():
                return True
            case Read(name):
                return name in self.names
            case Add(terms):
                return all(map(self.nonnegative, terms))
            case Mul(factors):
                return all(map(self.nonnegative, factors))
            case Pow(base, Num(exponent)):
                return exponent.denominator > 1 or exponent % 2 == 0 or self.nonnegative(base)
            case Pow(base, exponent):
                return bool(reads(exponent)) or self.nonnegative(base)  # a power by data is defined for positive bases alone
            case Reduce(_, body):
                return self.nonnegative(body)
            case Call(function, args):
                return function in _NEVER_NEGATIVE or (function in _KEEP_SIGN and all(map(self.nonnegative, args)))
        return False

    def parts(self, exprs: Sequence[Expr]) -> Iterator[Expr]:
        """Every nonnegative part of the expressions that is not plainly so from its atoms alone."""
        for expr in exprs:
            for node in _always_defined(expr):
                if isinstance(node, (Add, Mul, Read, Reduce)) and self.nonnegative(node):
                    yield node


def _always_defined(expr: Expr) -> Iterator[Expr]:
    """Every node that has a value wherever the expression has one: none inside a branch of `where`, which may not be taken."""
    yield expr
    for child in expr.children[:1] if isinstance(expr, Call) and expr.function == "where" else expr.children:
        yield from _always_defined(child)


def _assumed(assumptions: Sequence[Compare]) -> Iterator[Read]:
    """Names that an assumption puts at or above a nonnegative number."""
    for claim in assumptions:
        low, high = (claim.left, claim.right) if claim.operator in ("<", "<=") else (claim.right, claim.left)
        if not (claim.operator in ("<", "<=", ">", ">=") and isinstance(high, Read) and isinstance(low, Num) and low.value >= 0):
            continue
        if len(set(high.indices)) == len(high.indices):  # p[i, i] >= 0 says nothing about p[i, j]
            yield high
