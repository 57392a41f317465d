"""Formulas to a Program.

In: definitions, in order, with reductions anywhere inside.  Out: a Program in which every reduction is a value of its own with a name
that says what it sums, a sum that several formulas need is taken once, and (for targets that loop) whatever does not depend on a loop's
letter is a value outside of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from symbn.codegen.hoist import hoisted
from symbn.codegen.keys import Key, key_of, memory_order
from symbn.codegen.levels import leveled
from symbn.codegen.naming import Names, reduction_name, value_name
from symbn.codegen.nested import nested
from symbn.codegen.program import Argument, Output, Pointwise, Program, Total, Value
from symbn.codegen.share import shared
from symbn.expr import Call, Expr, Extent, Index, Mul, Read, Reduce, div, free_indices, fresh_index, mul, reads, rename_indices, walk
from symbn.layer import Definition


@dataclass(frozen=True, slots=True)
class Style:
    """What a target wants of a Program: `loops`, values that do not change within a loop are taken out of it."""

    loops: bool


ARRAYS, LOOPS = Style(loops=False), Style(loops=True)


def lower(
    definitions: Sequence[Definition],
    *,
    layer: str,
    direction: str,
    axes: tuple[str, ...],
    arguments: tuple[Argument, ...],
    outputs: tuple[Output, ...],
    style: Style,
) -> Program:
    """The Program that computes `outputs`; definitions that none of them needs are left out."""
    needed = needed_definitions(definitions, [output.name for output in outputs])
    needed = leveled(needed) if style.loops else needed
    taken = (*axes, *(a.name for a in arguments), *(o.name for o in outputs), *(d.name for d in definitions), *_letter_names(definitions))
    sums: set[Key] = set()
    _Lowering(Names(taken), style, sums, set()).run(needed)  # the first run only sees which sums there are
    values = _Lowering(Names(taken), style, set(), sums).run(needed)
    names = Names((*taken, *(value.name for value in values)))
    values = shared(nested(values, names) if style.loops else values, names)
    values = _live(values, [output.name for output in outputs])
    used = _axes_used(arguments, outputs, values)
    return Program(layer, direction, tuple(axis for axis in axes if axis in used), arguments, tuple(values), outputs)


def needed_definitions(definitions: Sequence[Definition], wanted: Iterable[str]) -> list[Definition]:
    """Those that the wanted names rest on, in order."""
    names, kept = set(wanted), []
    for definition in reversed(definitions):
        if definition.name in names:
            kept.append(definition)
            names |= set(reads(definition.expr))
    return kept[::-1]


def _live(values: Sequence[Value], wanted: Iterable[str]) -> list[Value]:
    names, kept = set(wanted), []
    for value in reversed(values):
        if value.name in names:
            kept.append(value)
            names |= set(reads(value.expr))
    return kept[::-1]


def _axes_used(arguments: tuple[Argument, ...], outputs: tuple[Output, ...], values: Sequence[Value]) -> set[str]:
    used = {axis for argument in arguments for axis in argument.axes} | {axis for output in outputs for axis in output.axes}
    for value in values:
        used |= {index.axis for index in value.indices} | {node.axis for node in walk(value.expr) if isinstance(node, Extent)}
        used |= {index.axis for index in value.bound} if isinstance(value, Total) else set()
    return used


def _letter_names(definitions: Sequence[Definition]) -> list[str]:
    found = [index.name for d in definitions for index in d.indices]
    return found + [i.name for d in definitions for node in walk(d.expr) if isinstance(node, Reduce) for i in node.indices]


@dataclass(slots=True)
class _Lowering:
    """One run over the definitions. `sums_seen` collects the keys of plain sums, `sums` is what an earlier run collected."""

    names: Names
    style: Style
    sums_seen: set[Key]
    sums: set[Key]
    values: list[Value] = field(default_factory=list)
    table: dict[Key, tuple[Value, tuple[Index, ...]]] = field(default_factory=dict)

    def run(self, definitions: Sequence[Definition]) -> list[Value]:
        for definition in definitions:
            self._define(definition)
        return self.values

    def _define(self, definition: Definition) -> None:
        expr = self._flat(definition.expr, definition)
        if isinstance(expr, Read) and self.values and self.values[-1].source is definition:
            return  # the definition is a reduction, and the reduction took its name
        body = self._hoist(expr, definition.indices, definition.name)
        self.values.append(Pointwise(definition.name, definition.indices, body, definition))

    def _flat(self, expr: Expr, owner: Definition) -> Expr:
        """The expression with every reduction replaced by a read of its value."""
        match expr:
            case Call("stop_gradient", (inner,)):
                return self._flat(inner, owner)
            case Reduce():
                return self._reduction(expr, owner)
        if not expr.children:
            return expr
        return expr.rebuild(tuple(self._flat(child, owner) for child in expr.children))

    def _reduction(self, original: Reduce, owner: Definition) -> Expr:
        reduce = _merged(original)
        body = self._flat(reduce.body, owner)
        outside, inside = _split(reduce.kind, body, reduce.indices)
        bound = memory_order(reduce.indices, inside)
        kind = reduce.kind
        if kind == "mean" and ("sum", *key_of(inside, bound)[0]) in self.sums:
            extents = tuple(Extent(index.axis) for index in bound)
            return mul(*outside, div(self._total("sum", inside, bound, owner, named=False), mul(*extents)))
        return mul(*outside, self._total(kind, inside, bound, owner, named=owner.expr is original and not outside))

    def _total(self, kind: str, body: Expr, bound: tuple[Index, ...], owner: Definition, *, named: bool) -> Expr:
        key, letters = key_of(body, bound)
        key = (kind, *key)
        if kind == "sum":
            self.sums_seen.add(key)
        known = self.table.get(key)
        if known is not None:
            return _read(known, letters)
        if named and set(letters) == set(owner.indices):
            name, indices, source = owner.name, owner.indices, owner
        else:
            name, indices, source = self.names.fresh(reduction_name(kind, body)), memory_order(letters, body), None
        body = self._hoist(body, (*indices, *bound), name)
        return self._add(key, letters, Total(name, indices, kind, body, bound, source))

    def _hoist(self, body: Expr, letters: tuple[Index, ...], owner: str) -> Expr:
        return hoisted(body, letters, lambda part: self._part(part, owner)) if self.style.loops else body

    def _part(self, expr: Expr, owner: str) -> Expr:
        """A read of the value of `expr`, which becomes a value of its own."""
        key, letters = key_of(expr)
        known = self.table.get(key)
        if known is not None:
            return _read(known, letters)
        indices = memory_order(letters, expr)
        body = self._hoist(expr, indices, owner)
        return self._add(key, letters, Pointwise(self.names.fresh(value_name(expr, owner)), indices, body))

    def _add(self, key: Key, letters: tuple[Index, ...], value: Value) -> Expr:
        self.values.append(value)
        self.table[key] = (value, letters)
        return Read(value.name, value.indices)


def _read(known: tuple[Value, tuple[Index, ...]], letters: tuple[Index, ...]) -> Read:
    """A value under other letters."""
    value, own = known
    mapping = dict(zip(own, letters, strict=True))
    return Read(value.name, tuple(mapping[index] for index in value.indices))


def _merged(reduce: Reduce) -> Reduce:
    """sum_j sum_k f -> sum_jk f, and so for mean, max and min.   Sound: extents do not depend on indices."""
    inner = reduce.body
    if not isinstance(inner, Reduce) or inner.kind != reduce.kind:
        return reduce
    taken = {index.name for index in (*free_indices(inner.body), *reduce.indices)}
    mapping = {}
    for index in inner.indices:
        if index.name in {outer.name for outer in reduce.indices}:
            mapping[index] = fresh_index(index.axis, taken)
            taken.add(mapping[index].name)
    body = rename_indices(inner.body, mapping)
    return _merged(Reduce(reduce.kind, body, (*reduce.indices, *(mapping.get(index, index) for index in inner.indices))))


def _split(kind: str, body: Expr, bound: tuple[Index, ...]) -> tuple[tuple[Expr, ...], Expr]:
    """The factors that come out of a sum or mean, and what stays."""
    if kind not in ("sum", "mean") or not isinstance(body, Mul):
        return (), body
    inside = tuple(factor for factor in body.factors if set(free_indices(factor)) & set(bound))
    if not inside:
        return (), body
    return tuple(factor for factor in body.factors if factor not in inside), mul(*inside)
