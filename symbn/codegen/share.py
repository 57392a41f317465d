"""Common subexpressions.

In: the values of a program.  Out: the same, where an expression that occurs twice, be it under other letters, has become a value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from symbn.codegen.keys import Key, key_of, memory_order
from symbn.codegen.naming import Names, value_name
from symbn.codegen.program import Pointwise, Value
from symbn.expr import Add, Call, Expr, Index, Mul, Num, Pow, Read, reads


def shared(values: Sequence[Value], names: Names) -> list[Value]:
    """Values in an order in which each stands before what reads it."""
    counts: Counter[Key] = Counter()
    for value in values:
        _count(value.expr, counts)
    sharing = _Sharing(counts, names)
    for value in values:
        sharing.add(value)
    return sharing.values


def _count(expr: Expr, counts: Counter[Key]) -> None:
    """Occurrences of every part worth a name; the parts of a repeated part count once."""
    if _worth_a_name(expr):
        key = key_of(expr)[0]
        counts[key] += 1
        if counts[key] > 1:
            return
    for child in expr.children:
        _count(child, counts)


def _worth_a_name(expr: Expr) -> bool:
    match expr:
        case Mul(factors):
            return len([factor for factor in factors if not isinstance(factor, Num)]) > 1 and bool(reads(expr))
        case Add() | Call() | Pow():
            return bool(reads(expr))
    return False


@dataclass(slots=True)
class _Sharing:
    counts: Counter[Key]
    names: Names
    values: list[Value] = field(default_factory=list)
    table: dict[Key, tuple[Value, tuple[Index, ...]]] = field(default_factory=dict)

    def add(self, value: Value) -> None:
        """Puts a value at the end, after the shared parts it reads."""
        key, letters = key_of(value.expr)
        repeated = isinstance(value, Pointwise) and _worth_a_name(value.expr) and self.counts[key] > 1
        if repeated and key not in self.table and set(letters) == set(value.indices):
            value = replace(value, expr=self._children(value.expr, value.name))
            self.table[key] = (value, letters)
        else:
            value = replace(value, expr=self._shared(value.expr, value.name))
        self.values.append(value)

    def _shared(self, expr: Expr, owner: str) -> Expr:
        if not _worth_a_name(expr):
            return self._children(expr, owner)
        key, letters = key_of(expr)
        if self.counts[key] < 2:
            return self._children(expr, owner)
        if key not in self.table:
            body = self._children(expr, owner)
            value = Pointwise(self.names.fresh(value_name(expr, owner)), memory_order(letters, expr), body)
            self.values.append(value)
            self.table[key] = (value, letters)
        known, own = self.table[key]
        mapping = dict(zip(own, letters, strict=True))
        return Read(known.name, tuple(mapping[index] for index in known.indices))

    def _children(self, expr: Expr, owner: str) -> Expr:
        return expr.rebuild(tuple(self._shared(child, owner) for child in expr.children)) if expr.children else expr
