"""How much a pass has to do at least.

In: a Program and extents.  Out: the elements it must read and write, and its arithmetic, as counts.

Every argument is read once and every output written once, whatever the loops do. What does not depend on an index is computed once for all
of them, and equal subexpressions once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod

from symbn.calculus.cost import arithmetic
from symbn.codegen.program import Program, Total
from symbn.expr import Expr, free_indices, walk


@dataclass(frozen=True, slots=True)
class Work:
    """Elements read, elements written, operations."""

    read: int
    written: int
    operations: int


def work_of(program: Program, extents: Mapping[str, int]) -> Work:
    """The work of one pass at these extents."""
    return Work(
        sum(_size(argument.axes, extents) for argument in program.arguments),
        sum(_size(output.axes, extents) for output in program.outputs),
        _operations(program, extents),
    )


def longest_sum(program: Program, extents: Mapping[str, int]) -> int:
    """The most terms that one element of a reduction has; 1 without a reduction."""
    return max((_size((index.axis for index in v.bound), extents) for v in program.values if isinstance(v, Total)), default=1)


def _operations(program: Program, extents: Mapping[str, int]) -> int:
    nodes: dict[Expr, None] = {}
    for value in program.values:
        nodes |= dict.fromkeys(walk(value.expr))
    inner = sum(arithmetic(node) * _size((index.axis for index in free_indices(node)), extents) for node in nodes)
    sums = [value for value in program.values if isinstance(value, Total)]
    return inner + sum(_size((index.axis for index in (*value.indices, *value.bound)), extents) for value in sums)


def _size(axes: Iterable[str], extents: Mapping[str, int]) -> int:
    return prod(extents[axis] for axis in axes)
