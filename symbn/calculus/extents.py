"""Formulas at one extent, written out.

In: a polynomial, an axis and a small number.  Out: the same value where the axis has that extent: sums and maxima over it are written out
term by term, and a comparison of two of its indices is decided.

Needed for claims about one extent: at N = 1, sum(x**2) is sum(x)**2, which holds for no other N.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

from symbn.calculus.sums import extremum, map_atoms, rebuild, rename, sum_over
from symbn.calculus.terms import ONE, ZERO, Atom, Kind, Poly, constant, delta, func, merge_indices, temporary, var
from symbn.calculus.work import spend
from symbn.expr import Index

Inside = Callable[[Poly], Poly]


def at_extent(poly: Poly, axis: str, extent: int) -> Poly:
    """The polynomial where `axis` has `extent`; its free indices over the axis stay."""
    known: dict[Atom, Poly | None] = {}

    def change(atom: Atom) -> Poly | None:
        if atom not in known:
            known[atom] = _changed(atom, axis, extent, inside)
        return known[atom]

    def inside(inner: Poly) -> Poly:
        return map_atoms(inner, change)

    return inside(poly)


def pairs_at_places(left: Poly, right: Poly, axis: str, extent: int) -> Iterator[tuple[Poly, Poly]]:
    """Two polynomials at every value of the free indices over the axis that either has."""
    free = [index for index in merge_indices([left.free, right.free]) if index.axis == axis]
    for places in product(_places(axis, extent), repeat=len(free)):
        chosen = dict(zip(free, places, strict=True))
        yield at_extent(rename(left, chosen), axis, extent), at_extent(rename(right, chosen), axis, extent)


def _places(axis: str, extent: int) -> tuple[Index, ...]:
    spend(extent)
    return tuple(Index(str(place), axis) for place in range(1, extent + 1))


def _changed(atom: Atom, axis: str, extent: int, inside: Inside) -> Poly | None:
    match atom.kind:
        case Kind.EXTENT:
            return constant(extent) if atom.parts[0] == axis else None
        case Kind.PRIME:
            return None
        case Kind.VAR:
            only = Index("1", axis)
            name, indices = atom.parts
            return var(name, tuple(only if i.axis == axis else i for i in indices)) if extent == 1 else None
        case Kind.DELTA:
            return _decided(atom, axis, extent)
        case Kind.SUM:
            return _written_out(atom, axis, extent, inside)
        case Kind.REDUCE:
            return _largest(atom, axis, extent, inside)
    return rebuild(atom, inside)


def _decided(atom: Atom, axis: str, extent: int) -> Poly | None:
    left, right = atom.parts
    if left.axis != axis:
        return None
    if extent == 1:
        return ONE
    if left.name.isdigit() and right.name.isdigit():
        return ZERO  # two different places: one place alone is no delta
    return delta(left, right)


def _written_out(atom: Atom, axis: str, extent: int, inside: Inside) -> Poly:
    bound, monomial = atom.parts
    here = [index for index in bound if index.axis == axis]
    fresh = {index: temporary(index.axis) for index in bound if index.axis != axis}
    body = rename(Poly({monomial: 1}), fresh)
    total = ZERO
    for places in product(_places(axis, extent), repeat=len(here)):
        total = total + inside(rename(body, dict(zip(here, places, strict=True))))
    return sum_over(tuple(fresh.values()), total) if fresh else total


def _largest(atom: Atom, axis: str, extent: int, inside: Inside) -> Poly:
    kind, bound, body = atom.parts
    here = [index for index in bound if index.axis == axis]
    fresh = {index: temporary(index.axis) for index in bound if index.axis != axis}
    opened = rename(body, fresh)
    values = []
    for places in product(_places(axis, extent), repeat=len(here)):
        value = inside(rename(opened, dict(zip(here, places, strict=True))))
        values.append(extremum(kind, tuple(fresh.values()), value) if fresh else value)
    result = values[0]
    for value in values[1:]:
        result = func("maximum" if kind == "max" else "minimum", result, value)
    return result
