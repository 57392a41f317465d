"""Sums over a symbolic extent.

In: a polynomial and indices to sum over.  Out: the same value with every sum split over its terms, index-free factors taken out, deltas
sifted, products of unrelated sums separated. What is left are sums of monomials, the moments, with canonical binders.

Every rule is sound for all extents >= 1: indices of one axis range over the same 1..N.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import permutations, product
from typing import NamedTuple

from symbn.calculus.functions import apply
from symbn.calculus.powers import power
from symbn.calculus.terms import (
    ZERO,
    Atom,
    Kind,
    Monomial,
    Number,
    Poly,
    delta,
    extent,
    of_atom,
    temporary,
    times,
)
from symbn.calculus.work import spend
from symbn.expr import Index

# Permutations of bound indices tried for the canonical name; beyond it the first sorted order serves (sound, equality may be missed).
MOST_PERMUTATIONS = 720


def sum_over(indices: Sequence[Index], poly: Poly) -> Poly:
    """sum over `indices` of poly."""
    result: dict[Monomial, Number] = {}
    for monomial, coefficient in poly.terms.items():
        for summed, factor in _sum_monomial(tuple(indices), monomial).terms.items():
            result[summed] = result.get(summed, 0) + coefficient * factor
    return Poly(result)


def _sum_monomial(indices: tuple[Index, ...], monomial: Monomial) -> Poly:
    bound, factors, coefficient = _open_nested(indices, monomial)
    sifted = _sift_delta(bound, factors)
    if sifted is not None:
        return sifted.scale(coefficient)
    outside = tuple((a, e) for a, e in factors if not _touches(a, bound))
    result = Poly({outside: coefficient})
    for members, component in _components(bound, factors):
        result = result * (_moment(members, component) if component else extent(members[0].axis))
    return result


def _touches(atom: Atom, indices: Iterable[Index]) -> bool:
    return any(index in atom.free for index in indices)


def _open_nested(bound: tuple[Index, ...], monomial: Monomial) -> tuple[tuple[Index, ...], Monomial, Number]:
    """A sum inside a sum, to a positive whole power, joins it: sum_i a_i sum_j b_ij = sum_ij a_i b_ij."""
    factors: Monomial = monomial
    number: Number = 1
    while True:
        nested = next(
            ((a, e) for a, e in factors if a.kind is Kind.SUM and isinstance(e, int) and e > 0 and _touches(a, bound)), None
        )
        if nested is None:
            return bound, factors, number
        atom, exponent = nested
        product_: Poly = Poly({tuple(p for p in factors if p != nested): 1})
        for _ in range(exponent):
            fresh, body = open_sum(atom)
            bound = bound + fresh
            product_ = product_ * body
        ((factors, coefficient),) = product_.terms.items()
        number = number * coefficient


def open_sum(atom: Atom) -> tuple[tuple[Index, ...], Poly]:
    """Fresh binders and the body of a moment, renamed to them."""
    fresh = tuple(temporary(index.axis) for index in atom.parts[0])
    return fresh, rename(Poly({atom.parts[1]: 1}), dict(zip(atom.parts[0], fresh, strict=True)))


def _sift_delta(bound: tuple[Index, ...], factors: Monomial) -> Poly | None:
    """sum_j f(j) delta(i, j) -> f(i)."""
    for atom, exponent in factors:
        if atom.kind is not Kind.DELTA or exponent <= 0:
            continue
        left, right = atom.parts
        if left not in bound and right not in bound:
            continue
        gone, stays = (left, right) if left in bound else (right, left)
        rest = Poly({tuple(p for p in factors if p[0] is not atom): 1})
        return sum_over(tuple(i for i in bound if i != gone), rename(rest, {gone: stays}))
    return None


def _components(bound: tuple[Index, ...], factors: Monomial) -> list[tuple[tuple[Index, ...], Monomial]]:
    """Bound indices that share a factor, with their factors; a sum of products of unrelated factors is a product of sums."""
    groups: list[tuple[list[Index], list[tuple[Atom, Number]]]] = [([index], []) for index in bound]
    for pair in factors:
        touched = [group for group in groups if _touches(pair[0], group[0])]
        if not touched:
            continue
        for other in touched[1:]:
            touched[0][0].extend(other[0])
            touched[0][1].extend(other[1])
            groups.remove(other)
        touched[0][1].append(pair)
    return [(tuple(members), tuple(sorted(pairs, key=lambda p: p[0].key))) for members, pairs in groups]


def _moment(bound: tuple[Index, ...], factors: Monomial) -> Poly:
    """The sum atom with canonical binders: of all namings of the binders the one whose body sorts first."""
    height = 1 + max((atom.height for atom, _ in factors), default=0)
    best: tuple[object, tuple[Index, ...], Poly] | None = None
    for order in _orders(bound):
        names = tuple(Index(f"~{height}.{place}", index.axis) for place, index in enumerate(order))
        body = rename(Poly({factors: 1}), dict(zip(order, names, strict=True)))
        if best is None or body.key < best[0]:  # type: ignore[operator]
            best = (body.key, names, body)
    assert best is not None
    _, names, body = best
    return _sum_atom(names, body)


def _sum_atom(names: tuple[Index, ...], body: Poly) -> Poly:
    single = body.single()
    if single is None:  # renaming made a radicand collapse: split again under the same names
        fresh = tuple(temporary(index.axis) for index in names)
        return sum_over(fresh, rename(body, dict(zip(names, fresh, strict=True))))
    monomial, coefficient = single
    return of_atom(Atom(Kind.SUM, names, monomial)).scale(coefficient)


def _orders(bound: tuple[Index, ...]) -> Iterable[tuple[Index, ...]]:
    """Orders of the binders that differ only within an axis."""
    axes = sorted({index.axis for index in bound})
    groups = [[index for index in bound if index.axis == axis] for axis in axes]
    count = 1
    for group in groups:
        for size in range(2, len(group) + 1):
            count *= size
    if count > MOST_PERMUTATIONS:
        return [tuple(index for group in groups for index in group)]
    return (tuple(index for group in order for index in group) for order in product(*(permutations(group) for group in groups)))


def extremum(kind: str, indices: Sequence[Index], poly: Poly) -> Poly:
    """max or min over `indices`; over something constant it is that."""
    bound = tuple(index for index in indices if index in poly.free)
    if not bound:
        return poly
    names = tuple(Index(f"~{1 + poly.height}.{place}", index.axis) for place, index in enumerate(sorted(bound, key=lambda i: i.axis)))
    body = rename(poly, dict(zip(sorted(bound, key=lambda i: i.axis), names, strict=True)))
    return of_atom(Atom(Kind.REDUCE, kind, names, body))


def rename(poly: Poly, mapping: Mapping[Index, Index]) -> Poly:
    """Replaces free indices. Binders never collide: theirs are canonical, and outer ones rank higher than inner ones."""
    if not any(index in mapping for index in poly.free):
        return poly
    return map_atoms(poly, lambda atom: _renamed(atom, tuple((i, mapping[i]) for i in atom.free if i in mapping)))


@lru_cache(maxsize=100_000)
def _renamed(atom: Atom, changes: tuple[tuple[Index, Index], ...]) -> Poly | None:
    """The atom with its free indices replaced, None where nothing changes. Remembered: one atom stands in many terms of a sum."""
    if not changes:
        return None
    mapping = dict(changes)
    match atom.kind:
        case Kind.VAR:
            name, indices = atom.parts
            return of_atom(Atom(Kind.VAR, name, tuple(mapping.get(i, i) for i in indices)))
        case Kind.DELTA:
            left, right = atom.parts
            return delta(mapping.get(left, left), mapping.get(right, right))
    return rebuild(atom, lambda poly: rename(poly, mapping))


class Root(NamedTuple):
    """A value for a power of an atom: atom ** exponent = value >= 0."""

    value: Poly
    exponent: Number


def map_atoms(poly: Poly, change: Callable[[Atom], Poly | Root | None]) -> Poly:
    """Replaces atoms by polynomials, powers included; None leaves the atom."""
    spend(len(poly))
    changed: dict[Atom, Poly | Root | None] = {}
    found: dict[Monomial, Number] = {}
    same = True
    for monomial, coefficient in poly.terms.items():
        replaced = []
        for atom, exponent in monomial:
            if atom not in changed:
                changed[atom] = change(atom)
            value = changed[atom]
            if value is not None:
                replaced.append((atom, exponent, value))
        if not replaced:
            found[monomial] = found.get(monomial, 0) + coefficient
            continue
        same = False
        for made, number in _put_in(monomial, coefficient, replaced).items():
            found[made] = found.get(made, 0) + number
    return poly if same else Poly(found)


def _put_in(monomial: Monomial, coefficient: Number, replaced: Sequence[tuple[Atom, Number, Poly | Root]]) -> Mapping[Monomial, Number]:
    """The monomial's terms with atoms replaced. Those by a single term, as in renaming, take no product of polynomials."""
    atoms = {atom for atom, _, _ in replaced}
    term, rest = tuple(p for p in monomial if p[0] not in atoms), []
    for atom, exponent, value in replaced:
        single = value.single() if exponent == 1 and isinstance(value, Poly) else None
        if single is None:
            rest.append(_power_of(atom, exponent, value))
            continue
        factor, number = single
        outside, term = times(term, factor)
        coefficient = coefficient * outside * number
    found = Poly({term: coefficient})
    for value in rest:
        found = found * value
    return found.terms


def _power_of(atom: Atom, exponent: Number, value: Poly | Root) -> Poly:
    """A radicand stays one factor even under a whole exponent, so that it can cancel against its roots."""
    if isinstance(value, Root):
        return power(value.value, Fraction(exponent) / value.exponent)
    if atom.kind is Kind.BASE and isinstance(exponent, int) and len(value) > 1:
        return of_atom(Atom(Kind.BASE, value), exponent)
    return power(value, exponent)


def rebuild(atom: Atom, change: Callable[[Poly], Poly]) -> Poly:
    """The atom over changed insides; the insides of a sum are opened with fresh binders first, so nothing can be captured."""
    match atom.kind:
        case Kind.FUNC:
            return apply(atom.parts[0], *(change(poly) for poly in atom.parts[1]))
        case Kind.BASE:
            return change(atom.parts[0])
        case Kind.SUM:
            fresh, body = open_sum(atom)
            return sum_over(fresh, change(body))
        case Kind.REDUCE:
            kind, bound, poly = atom.parts
            fresh = tuple(temporary(index.axis) for index in bound)
            return extremum(kind, fresh, change(rename(poly, dict(zip(bound, fresh, strict=True)))))
    return of_atom(atom)


def apply_deltas(poly: Poly) -> Poly:
    """delta(i, j) f(j) -> delta(i, j) f(i), with i the first of the two in order."""
    result = ZERO
    for monomial, coefficient in poly.terms.items():
        term = Poly({monomial: coefficient})
        for atom, _ in monomial:
            if atom.kind is Kind.DELTA and (others := tuple(p for p in monomial if p[0] is not atom)):
                rest = rename(Poly({others: coefficient}), {atom.parts[1]: atom.parts[0]})
                term = of_atom(atom) * (apply_deltas(rest) if len(others) > 1 else rest)
                break
        result = result + term
    return result


