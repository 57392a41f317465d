"""What a formula costs to evaluate.

In: expression trees.  Out: a `Cost` to compare by: depth of the deepest loop nest, the work in a nest that is deeper than any array,
reductions, arithmetic per element, all arithmetic, length. Equal subexpressions count once; what does not depend on an index is hoisted out
of its loop.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from symbn.expr import (
    MINUS_ONE,
    Add,
    Call,
    Compare,
    Delta,
    Expr,
    Extent,
    Index,
    Mul,
    Num,
    Pow,
    Read,
    Reduce,
    free_indices,
    rename_indices,
)


class Cost(NamedTuple):
    """Ordered as the search compares. `contraction` is 0 unless some loop nest has more indices than any array."""

    depth: int
    contraction: int
    reductions: int
    operations: int
    everything: int
    length: int


@lru_cache(maxsize=50_000)
def cost_of_one(result: Expr) -> Cost:
    """The cost of a single expression, remembered."""
    return cost_of([result])


def cost_of(results: Iterable[Expr]) -> Cost:
    """The cost of evaluating all the expressions together."""
    unique = _unique_nodes(results)
    reductions = [node for node in unique if isinstance(node, Reduce)]
    work = [(len(free_indices(node)), arithmetic(node)) for node in unique]
    work += [(len(free_indices(node.body)), 1) for node in reductions]
    depth = max((rank for rank, _ in work), default=0)
    operations = sum(times for rank, times in work if rank == depth)
    largest = max((len(node.indices) for node in unique if isinstance(node, Read)), default=0)
    everything = sum(times for _, times in work) - len(reductions)
    length = sum(_length(result) for result in results)
    return Cost(depth, operations if depth > largest else 0, len(reductions), operations, everything, length)


def _unique_nodes(results: Iterable[Expr]) -> list[Expr]:
    found: dict[Expr, None] = {}
    for result in results:
        _collect(with_standard_letters(result), found)
    return list(found)


def _collect(expr: Expr, found: dict[Expr, None]) -> None:
    if expr not in found:
        found[expr] = None
        for child in expr.children:
            _collect(child, found)


@lru_cache(maxsize=50_000)
def _length(expr: Expr) -> int:
    return 1 + sum(map(_length, expr.children))


def equal_trees(left: Expr, right: Expr) -> bool:
    """Equal up to the letters of bound indices."""
    return with_standard_letters(left) == with_standard_letters(right)


def with_standard_letters(expr: Expr) -> Expr:
    """The same for all expressions that differ in the letters of bound indices alone; means are sums here."""
    return _alpha(expr)[0]


@lru_cache(maxsize=50_000)
def _alpha(expr: Expr) -> tuple[Expr, int]:
    """Bound letters renamed by how many reductions nest below, means taken as sums; and that number.

    What is summed once is one tree then, however deep it stands.
    """
    parts = [_alpha(child) for child in expr.children]
    height = max((below for _, below in parts), default=0)
    if isinstance(expr, Reduce):
        names = {index: Index(f"~{height}.{place}", index.axis) for place, index in enumerate(expr.indices)}
        kind = "sum" if expr.kind == "mean" else expr.kind
        return Reduce(kind, rename_indices(parts[0][0], names), tuple(names.values())), height + 1
    return expr.rebuild(tuple(part for part, _ in parts)) if parts else expr, height


def arithmetic(node: Expr) -> int:
    """How many operations the node itself does; a product by -1 that only makes a difference is free."""
    match node:
        case Add(terms):
            return len(terms) - 1
        case Mul(factors):
            return sum(1 for f in factors if f != MINUS_ONE) - 1
        case Pow(_, exponent):
            return _power_operations(exponent)
        case Call(function, _):
            return 0 if function in ("stop_gradient", "pi") else 1
        case Compare() | Reduce():
            return 1 if isinstance(node, Compare) else 0
        case Read() | Extent() | Delta() | Num():
            return 0
    raise AssertionError(f"unknown node {node}")


def _power_operations(exponent: Expr) -> int:
    if isinstance(exponent, Num) and exponent.value.denominator == 1:
        return max(abs(int(exponent.value)) - 1, 0)
    return 2
