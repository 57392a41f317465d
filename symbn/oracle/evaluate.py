"""The value of expression trees at concrete extents.

In: definitions, the arrays they read, extents.  Out: an array for each definition.

Every subexpression becomes an array with one axis for each index letter in scope, in order of binding, and one last axis for directions
(`dual.py`). An axis along which nothing varies may have extent 1. Nothing is rewritten, so the value is the definition's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from math import prod
from typing import Any, Protocol, TypeVar

import numpy as np

from symbn.expr import Add, Call, Compare, Delta, Expr, Extent, Index, Mul, Num, Pow, Read, Reduce, reads
from symbn.layer import Definition
from symbn.oracle.dual import Algebra, Structural, Value
from symbn.oracle.numbers import Arithmetic, Leaf

T = TypeVar("T")
Scope = tuple[Index, ...]
Extents = Mapping[str, int]


class Operations(Protocol[T]):
    """What a tree's value is built with. Values broadcast like NumPy arrays."""

    def number(self, value: Fraction) -> T:
        """A constant."""

    def add(self, left: T, right: T) -> T:
        """The sum."""

    def multiply(self, left: T, right: T) -> T:
        """The product."""

    def map(self, value: T, change: Structural) -> T:
        """A change of layout, linear in the elements."""

    def power(self, base: T, exponent: Fraction) -> T:
        """A constant power."""

    def general_power(self, base: T, exponent: T) -> T:
        """A power that depends on data."""

    def call(self, function: str, args: tuple[T, ...]) -> T:
        """A function of FUNCTIONS."""

    def compare(self, operator: str, left: T, right: T) -> Any:
        """A mask."""

    def select(self, mask: Any, left: T, right: T) -> T:
        """One of two values by a mask."""

    def reduce(self, kind: str, value: T, axes: tuple[int, ...], count: int) -> T:
        """A reduction of REDUCTIONS over `axes`, `count` elements in all."""


def evaluate(definitions: Iterable[Definition], values: Mapping[str, object], extents: Extents, arithmetic: Arithmetic) -> dict[str, Leaf]:
    """The definitions' arrays by name, each of shape `extents[axis]...`, in order; later ones may read earlier ones.

    `values` holds what they read besides: arrays or nested lists of numbers.
    """
    known: dict[str, Value] = {name: arithmetic.array(value)[..., np.newaxis] for name, value in values.items()}
    definitions = tuple(definitions)
    compute(definitions, known, extents, Algebra(arithmetic))
    return {definition.name: plain(known[definition.name]) for definition in definitions}


def plain(value: Value) -> Leaf:
    """A value without tangents or directions as an array over its indices alone."""
    if not isinstance(value, np.ndarray):
        raise TypeError("the value carries tangents")
    return value[..., 0]


def compute(definitions: Iterable[Definition], known: dict[str, T], extents: Extents, operations: Operations[T]) -> None:
    """Evaluates each definition in turn and adds it to `known`, broadcast to the extents of its indices."""
    with np.errstate(all="ignore"):
        for definition in definitions:
            tree = _Tree(known, extents, operations)
            value = tree.value(definition.expr, definition.indices)
            shape = tuple(extents[index.axis] for index in definition.indices)
            known[definition.name] = operations.map(value, _spread(dict(enumerate(shape)), len(shape)))


def truth_of(comparison: Compare, known: Mapping[str, T], extents: Extents, scope: Scope, operations: Operations[T]) -> Any:
    """The mask of a comparison over the indices in `scope`."""
    with np.errstate(all="ignore"):
        tree = _Tree(known, extents, operations)
        return operations.compare(comparison.operator, tree.value(comparison.left, scope), tree.value(comparison.right, scope))


class _Tree:
    """One evaluation: what is known, the extents, the operations."""

    def __init__(self, known: Mapping[str, Any], extents: Extents, operations: Operations[Any]) -> None:
        self.known, self.extents, self.operations = known, extents, operations

    def value(self, expr: Expr, scope: Scope) -> Any:
        """The value of `expr` with one leading axis for each index of `scope`."""
        operations = self.operations
        match expr:
            case Num(value):
                return operations.number(value)
            case Extent(axis):
                return operations.number(Fraction(self.extents[axis]))
            case Read(name, indices):
                return operations.map(self.known[name], self._gather(indices, scope))
            case Delta(left, right):
                return self._delta(left, right, scope)
            case Add(terms):
                return self._fold(operations.add, terms, scope)
            case Mul(factors):
                return self._fold(operations.multiply, factors, scope)
            case Pow(base, exponent):
                return self._power(base, exponent, scope)
            case Call("where", (Compare(operator, left, right), then, otherwise)):
                mask = operations.compare(operator, self.value(left, scope), self.value(right, scope))
                return operations.select(mask, self.value(then, scope), self.value(otherwise, scope))
            case Call(function, args):
                return operations.call(function, tuple(self.value(arg, scope) for arg in args))
            case Reduce(kind, body, indices):
                return self._reduce(kind, body, indices, scope)
        raise TypeError(f"not an expression: {expr!r}")

    def _fold(self, operation: Callable[[Any, Any], Any], parts: Sequence[Expr], scope: Scope) -> Any:
        total = self.value(parts[0], scope)
        for part in parts[1:]:
            total = operation(total, self.value(part, scope))
        return total

    def _power(self, base: Expr, exponent: Expr, scope: Scope) -> Any:
        if reads(exponent):
            return self.operations.general_power(self.value(base, scope), self.value(exponent, scope))
        return self.operations.power(self.value(base, scope), constant(exponent, self.extents))

    def _reduce(self, kind: str, body: Expr, bound: Scope, scope: Scope) -> Any:
        inner = (*scope, *bound)
        sizes = {len(scope) + place: self.extents[index.axis] for place, index in enumerate(bound)}
        spread = self.operations.map(self.value(body, inner), _spread(sizes, len(inner)))
        reduced = self.operations.reduce(kind, spread, tuple(sizes), prod(sizes.values()))
        return self.operations.map(reduced, lambda leaf: np.squeeze(leaf, axis=tuple(sizes)))

    def _delta(self, left: Index, right: Index, scope: Scope) -> Any:
        same = self._grid(left, scope) == self._grid(right, scope)
        zero, one = self.operations.number(Fraction(0)), self.operations.number(Fraction(1))
        return self.operations.select(same[..., np.newaxis], one, zero)

    def _gather(self, indices: Scope, scope: Scope) -> Structural:
        """Lays a stored array, one axis an index, out over the scope: transposed, repeated (`p[i, i]`) or missing indices alike."""
        grids = tuple(self._grid(index, scope) for index in indices)
        return (lambda leaf: leaf[grids]) if grids else (lambda leaf: leaf)

    def _grid(self, index: Index, scope: Scope) -> Leaf:
        """0, 1, ... along the axis of the innermost binding of `index`."""
        place = max(position for position, bound in enumerate(scope) if bound == index)
        size = self.extents[index.axis]
        return np.arange(size).reshape([size if position == place else 1 for position in range(len(scope))])


def constant(expr: Expr, extents: Extents) -> Fraction:
    """The exact value of an expression of numbers and extents alone. ZeroDivisionError as in arithmetic."""
    match expr:
        case Num(value):
            return value
        case Extent(axis):
            return Fraction(extents[axis])
        case Add(terms):
            return sum((constant(term, extents) for term in terms), Fraction(0))
        case Mul(factors):
            return prod((constant(factor, extents) for factor in factors), start=Fraction(1))
        case Pow(base, exponent) if (power := constant(exponent, extents)).denominator == 1:
            return constant(base, extents) ** power.numerator
    raise TypeError(f"not a rational constant: {expr!r}")


def _spread(sizes: Mapping[int, int], rank: int) -> Structural:
    """Broadcasts the axes in `sizes` to full extent; the array gets `rank` leading axes and keeps its last."""

    def change(leaf: Leaf) -> Leaf:
        shape = (1,) * (rank + 1 - leaf.ndim) + leaf.shape
        target = [sizes.get(place, size) for place, size in enumerate(shape)]
        return np.broadcast_to(leaf.reshape(shape), target)

    return change
