"""Sums of sums.

In: the values of a program.  Out: the same, where totals that would read the same terms in different loops share a sum: beside
mean(f[n, c, s] for s in S) and sum(f[n, c, s] for n in N for s in S), the sum of f over s alone is a value, and both are made of it.

Sound for every extent, as a sum over several letters is the sum over some of them of the sums over the others, and factors without those
letters come out of it. It pays, as an array is then read once instead of once for each total.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from symbn.codegen.keys import Key, key_of, memory_order
from symbn.codegen.naming import Names, reduction_name
from symbn.codegen.program import Pointwise, Total, Value
from symbn.expr import Expr, Extent, Index, Mul, Read, div, free_indices, mul

LINEAR = ("sum", "mean")


@dataclass(frozen=True, slots=True)
class Split:
    """A total as one over its other letters of `outside` times the sum over `bound` of `inside`, whose free letters are `letters`."""

    total: Total
    outside: tuple[Expr, ...]
    inside: Expr
    bound: tuple[Index, ...]
    letters: tuple[Index, ...]

    @property
    def rest(self) -> tuple[Index, ...]:
        """The total's letters that are left to sum over."""
        return tuple(index for index in self.total.bound if index not in self.bound)

    @property
    def places(self) -> frozenset[int]:
        """Which of the inner sum's letters the total sums over."""
        return frozenset(place for place, letter in enumerate(self.letters) if letter in self.rest)


def nested(values: Sequence[Value], names: Names) -> list[Value]:
    """Values in an order in which each stands before what reads it."""
    found = list(values)
    while (group := _best(found)) is not None:
        found = _rewritten(found, group, names)
    return found


def _best(values: Sequence[Value]) -> list[Split] | None:
    """The totals that share the sum over the most letters, where no one loop could make them all."""
    groups: dict[Key, dict[str, Split]] = {}
    for value in values:
        for key, split in _splits(value):
            groups.setdefault(key, {}).setdefault(value.name, split)
    paying = [list(group.values()) for group in groups.values() if len({split.places for split in group.values()}) > 1]
    return max(paying, key=lambda group: len(group[0].bound), default=None)


def _splits(value: Value) -> list[tuple[Key, Split]]:
    if not isinstance(value, Total) or value.kind not in LINEAR:
        return []
    sizes = range(len(value.bound), 0, -1)
    made = [_split(value, bound) for size in sizes for bound in combinations(value.bound, size)]
    return [(key_of(split.inside, split.bound)[0], split) for split in made if split is not None]


def _split(total: Total, bound: tuple[Index, ...]) -> Split | None:
    factors = total.expr.factors if isinstance(total.expr, Mul) else (total.expr,)
    outside = tuple(factor for factor in factors if not set(free_indices(factor)) & set(bound))
    inside = mul(*(factor for factor in factors if factor not in outside))
    if not set(bound) <= set(free_indices(inside)):
        return None
    return Split(total, outside, inside, bound, key_of(inside, bound)[1])


def _rewritten(values: Sequence[Value], group: list[Split], names: Names) -> list[Value]:
    """The values with the inner sum before the first of the group."""
    base = next((split for split in group if _is_inner(split)), group[0])
    inner = base.total if _is_inner(base) else _inner(base, names)
    made = {split.total.name: _outer(split, inner, base, names) for split in group if split.total is not inner}
    found: list[Value] = []
    for value in values:
        found += [inner] if value.name == group[0].total.name else []
        found += [] if value is inner else made.get(value.name, [value])
    return found


def _is_inner(split: Split) -> bool:
    """Whether the total is the inner sum itself."""
    return not split.rest and not split.outside and split.total.kind == "sum"


def _inner(split: Split, names: Names) -> Total:
    indices = memory_order(split.letters, split.inside)
    return Total(names.fresh(reduction_name("sum", split.inside)), indices, "sum", split.inside, split.bound)


def _outer(split: Split, inner: Total, base: Split, names: Names) -> list[Value]:
    """The total, made of the inner sums."""
    total = split.total
    letters = dict(zip(base.letters, split.letters, strict=True))
    term = mul(*split.outside, Read(inner.name, tuple(letters[index] for index in inner.indices)))
    if total.kind == "sum" and split.rest:
        return [Total(total.name, total.indices, "sum", term, split.rest, total.source)]
    made: list[Value] = []
    if split.rest:
        made.append(Total(names.fresh(reduction_name("sum", term)), total.indices, "sum", term, split.rest))
        term = Read(made[0].name, total.indices)
    extents = [Extent(index.axis) for index in total.bound] if total.kind == "mean" else []
    return [*made, Pointwise(total.name, total.indices, div(term, mul(*extents)) if extents else term, total.source)]
