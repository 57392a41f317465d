"""A Program of whole arrays as sweeps over blocks of the leading axis.

In: a Program.  Out: Rounds. Each round first computes what no block has a part in, then visits every block once. A sum over the blocked
axis is complete when its round is over; what reads it waits for the next. So an array is read once a round, and whatever is made of a
block is used while the block is in the cache. Where rows are long, the axis after it may be cut before.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass

from symbn.codegen.program import Argument, Output, Pointwise, Program, Total, Value
from symbn.expr import Add, Call, Delta, Expr, Extent, Index, Mul, Num, Pow, Read, free_indices, reads, walk


@dataclass(frozen=True, slots=True)
class Round:
    """`before` is computed once, `inside` for every block, in this order."""

    before: tuple[Value, ...]
    inside: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Blocks:
    """Rounds over blocks of `axis`. `stored` are the values inside that a later round or the caller reads: they have arrays of full size.

    `precise` are sums subtracted from the very array they sum, before another sum is taken of it: they are needed to more than the dtype.
    """

    axis: str
    rounds: tuple[Round, ...]
    stored: frozenset[str]
    precise: frozenset[str]


def letters_of(value: Value) -> tuple[Index, ...]:
    """The letters of a value's nest, those of its own array first; a bound letter that nothing reads is none."""
    return tuple(dict.fromkeys((*value.indices, *free_indices(value.expr))))


def largest_axes(program: Program) -> tuple[str, ...]:
    """The axes of the first array that has most of them."""
    shapes = [*(part.axes for part in program.arguments), *(part.axes for part in program.outputs)]
    return max(shapes, key=len, default=())


def is_accumulated(value: Value, axis: str) -> bool:
    """Whether a value that blocks have a part in is complete only after the last one."""
    return isinstance(value, Total) and all(letter.axis != axis for letter in value.indices)


def in_place(expr: Expr, order: tuple[Index, ...], axis: str, largest: tuple[str, ...]) -> bool:
    """Whether a block of it is worth a place of its own: it has every letter of a large array, the blocked one first."""
    return order[0].axis == axis and len(order) == len(largest) and set(free_indices(expr)) == set(order)


def blocks_of(program: Program) -> Blocks | None:
    """The rounds; None where nothing is gained (a contraction is a matrix product) or a value meets two places of the axis at once."""
    axis = _leading_axis(program)
    if axis is None or not all(_plain(value, axis) for value in program.values):
        return None
    return _Planning(program, axis).blocks()


def group_axis(program: Program) -> str | None:
    """The second axis of the largest arrays, where each of its places is computed by itself; None where there is no third."""
    axes = largest_axes(program)
    if len(axes) < 3:
        return None
    axis = axes[1]
    arrays: tuple[Argument | Output, ...] = (*program.arguments, *program.outputs)
    once = all(part.axes.count(axis) <= 1 for part in arrays) and any(part.axes == axes for part in program.arguments)
    kept = all(axis in output.axes for output in program.outputs)
    return axis if once and kept and all(_keeps(value, axis) for value in program.values) else None


def _keeps(value: Value, axis: str) -> bool:
    """Whether a value is the same when it is computed for one place of the axis after another."""
    summed = isinstance(value, Total) and any(letter.axis == axis for letter in value.bound)
    return not summed and Extent(axis) not in walk(value.expr) and sum(letter.axis == axis for letter in letters_of(value)) <= 1


def _leading_axis(program: Program) -> str | None:
    longest = largest_axes(program)
    return longest[0] if longest else None


def _plain(value: Value, axis: str) -> bool:
    """No delta, no diagonal, one letter on the axis, and no sum of products in which no factor has all the letters."""
    letters = letters_of(value)
    nodes = list(walk(value.expr))
    if any(isinstance(node, Delta) or (isinstance(node, Read) and len(set(node.indices)) < len(node.indices)) for node in nodes):
        return False
    if isinstance(value, Total) and isinstance(value.expr, Mul):
        factors = [factor for factor in value.expr.factors if free_indices(factor)]
        return sum(letter.axis == axis for letter in letters) <= 1 and any(
            set(free_indices(factor)) == set(free_indices(value.expr)) for factor in factors
        )
    return sum(letter.axis == axis for letter in letters) <= 1


class _Planning:
    def __init__(self, program: Program, axis: str) -> None:
        self.program, self.axis = program, axis
        self.values = {value.name: value for value in program.values}
        self.outputs = {output.name for output in program.outputs}
        self.level: dict[str, int] = {}
        for value in program.values:
            self.level[value.name] = max((self._after(name) for name in reads(value.expr)), default=0)

    def blocks(self) -> Blocks:
        precise = frozenset(self._precise())
        last = max(self.level.values(), default=0)
        stored = self._stored(precise)
        rounds = tuple(Round(tuple(self._before(level)), tuple(self._inside(level, stored))) for level in range(last + 1))
        return Blocks(self.axis, rounds, stored, precise)

    def in_block(self, value: Value) -> bool:
        """Whether a block has a part in it."""
        return any(letter.axis == self.axis for letter in letters_of(value))

    def accumulated(self, value: Value) -> bool:
        """Whether it is complete only after the last block."""
        return self.in_block(value) and is_accumulated(value, self.axis)

    def _after(self, name: str) -> int:
        if name not in self.values:
            return 0
        return self.level[name] + self.accumulated(self.values[name])

    def _before(self, level: int) -> Iterator[Value]:
        return (value for value in self.program.values if self.level[value.name] == level and not self.in_block(value))

    def _inside(self, level: int, stored: frozenset[str]) -> Iterator[Value]:
        own = [value.name for value in self.program.values if self.level[value.name] == level and self.in_block(value)]
        needed = self._with_needed(set(own), level, stored)
        early: set[str] = set()
        for name in own:
            ground = self._with_needed({name}, level, stored, within=needed)
            if self.accumulated(self.values[name]) and not any(self._has_rows(self.values[part]) for part in ground & self.outputs):
                early |= ground
        for first in (True, False):  # sums before results: then a result may lie on what only they read
            yield from (value for value in self.program.values if value.name in needed and (value.name in early) is first)

    def _with_needed(self, names: set[str], level: int, stored: frozenset[str], within: Container[str] = ()) -> set[str]:
        """The values, and what a round has to compute for them: of an earlier one again, or of its own, those `within`."""
        needed = set(names)
        for value in reversed(self.program.values):
            if value.name in needed:
                needed |= {name for name in reads(value.expr) if name in within or self._again(name, level, stored)}
        return needed

    def _again(self, name: str, level: int, stored: frozenset[str]) -> bool:
        """Whether a round computes the value of an earlier one again."""
        value = self.values.get(name)
        if value is None or name in stored:
            return False
        return self.level[name] < level and self.in_block(value) and not self.accumulated(value)

    def _stored(self, precise: frozenset[str]) -> frozenset[str]:
        found = {name for name in self.outputs if name in self.values and self._has_rows(self.values[name])}
        for value in self.program.values:
            for name in reads(value.expr):
                known = self.values.get(name)
                if known is not None and self._is_late(known, value) and not self._cheap(known, precise):
                    found.add(name)
        return frozenset(found)

    def _is_late(self, known: Value, value: Value) -> bool:
        """Whether a value is read a block at a time, in a later round than its own."""
        return self._has_rows(known) and self.level[known.name] < self.level[value.name]

    def _has_rows(self, value: Value) -> bool:
        return any(letter.axis == self.axis for letter in value.indices)

    def _cheap(self, value: Value, precise: frozenset[str]) -> bool:
        """Whether to compute it again costs less than to keep it: arithmetic on what is there anyway."""
        if isinstance(value, Total) or any(isinstance(node, Call) for node in walk(value.expr)):
            return False
        parts = [part for name in reads(value.expr) if (part := self.values.get(name)) is not None and self._has_rows(part)]
        return all(part.name not in precise and self._cheap(part, precise) for part in parts)

    def _precise(self) -> Iterator[str]:
        under = self._under_totals()
        for value in self.program.values:
            for node in walk(value.expr):
                if isinstance(node, Add) and (value.name in under or isinstance(value, Total)):
                    beside = {name for term in node.terms for name in reads(term)}
                    yield from (name for term in node.terms for name in self._sums_of(term, beside))

    def _under_totals(self) -> set[str]:
        under: set[str] = set()
        for value in reversed(self.program.values):
            if isinstance(value, Total) or value.name in under:
                under |= set(reads(value.expr))
        return under

    def _sums_of(self, term: Expr, beside: set[str]) -> list[str]:
        """The names of the sum that the term is, directly or by its mean, where the array it sums stands beside it."""
        value = self.values.get(name) if (name := single_read(term)) is not None else None
        if value is None:
            return []
        if isinstance(value, Total) and self.in_block(value):
            summed = isinstance(value.expr, Read) and value.kind in ("sum", "mean") and value.expr.name in beside
            return [value.name] if summed else []
        found = self._sums_of(value.expr, beside) if isinstance(value, Pointwise) and is_scaled(value.expr) else []
        return [value.name, *found] if found else []


def single_read(term: Expr) -> str | None:
    """The name, where the term is a value or its opposite."""
    match term:
        case Read(name) | Mul((Num(), Read(name))):
            return name
    return None


def is_scaled(expr: Expr) -> bool:
    """Whether it is one value times extents and numbers."""
    if not isinstance(expr, Mul):
        return False
    rest = [factor for factor in expr.factors if not isinstance(factor, Read)]
    numbers = all(isinstance(node, (Num, Extent, Pow, Mul)) for factor in rest for node in walk(factor))
    return len(rest) == len(expr.factors) - 1 and numbers
