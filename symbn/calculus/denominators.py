"""Common denominators.

In: polynomials whose radicands stand under negative or fractional exponents.  Out: equal polynomials in which each radicand has one
exponent for each residue modulo 1: its lowest; the rest is multiplied out.

Then monomials are independent, and a polynomial is 0 exactly when it has no terms (docs/mathematics.md, "When two formulas are equal").
Multiplying by B/B is sound wherever the formulas are defined, since B stands in a denominator or under a root of one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import permutations

from symbn.calculus.powers import power
from symbn.calculus.sums import apply_deltas, map_atoms, open_sum, rename, sum_over
from symbn.calculus.terms import ONE, ZERO, Atom, Kind, Monomial, Number, Poly, of_atom
from symbn.calculus.work import TooLong
from symbn.expr import Index

# Terms that one common denominator may be multiplied out to.
MOST_TERMS = 60_000
Lowest = dict[tuple[Atom, Fraction], Number]


def common_denominator(poly: Poly) -> Poly:
    """The polynomial over one denominator; radicands that contain others are multiplied out first."""
    done: set[Atom] = set()
    while True:
        bases = [atom for atom in _bases(poly) if atom not in done]
        if not bases:
            return poly
        base = max(bases, key=lambda atom: (_depth(atom), atom.key))
        done.add(base)
        poly = _over(poly, base, lowest_exponents([poly], base))


def lowest_exponents(polys: Sequence[Poly], base: Atom) -> dict[Fraction, Number]:
    """For each residue modulo 1 the lowest exponent of a radicand; the residue 0 counts terms that lack it, too."""
    found: dict[Fraction, Number] = {}
    for poly in polys:
        for monomial in poly.terms:
            exponent = dict(monomial).get(base, 0)
            residue = Fraction(exponent) % 1
            found[residue] = min(found.get(residue, exponent), exponent)
    if found.get(Fraction(0), 0) > 0:
        found[Fraction(0)] = 0
    return found


def _over(poly: Poly, base: Atom, lowest: dict[Fraction, Number]) -> Poly:
    total: dict[Monomial, Number] = {}
    for monomial, coefficient in poly.terms.items():
        for term, number in _raised(monomial, base, lowest).terms.items():
            total[term] = total.get(term, 0) + coefficient * number
        if len(total) > MOST_TERMS:
            raise TooLong("its normal form has too many terms")
    return Poly(total)


def _raised(monomial: Monomial, base: Atom, lowest: dict[Fraction, Number]) -> Poly:
    """The monomial with the base under its lowest exponent, and what that leaves multiplied out."""
    exponent = dict(monomial).get(base, 0)
    low = lowest.get(Fraction(exponent) % 1, exponent)
    if exponent == low:
        return Poly({monomial: 1})
    rest = Poly({tuple(p for p in monomial if p[0] is not base): 1})
    kept = of_atom(base, low) if low else Poly({(): 1})
    return rest * kept * power(base.parts[0], int(exponent - low))


def _bases(poly: Poly) -> list[Atom]:
    return [atom for atom in poly.atoms() if atom.kind is Kind.BASE]


@lru_cache(maxsize=100_000)
def _depth(atom: Atom) -> int:
    """How deep radicands nest, through functions and sums. Remembered: one atom stands in many terms of each level around it."""
    match atom.kind:
        case Kind.BASE:
            return 1 + _deepest(atom.parts[0])
        case Kind.FUNC:
            return max((_deepest(poly) for poly in atom.parts[1]), default=0)
        case Kind.SUM:
            return max((_depth(inner) for inner, _ in atom.parts[1]), default=0)
        case Kind.REDUCE:
            return _deepest(atom.parts[2])
    return 0


def _deepest(poly: Poly) -> int:
    return max((_depth(inner) for monomial in poly.terms for inner, _ in monomial), default=0)


@dataclass(frozen=True, slots=True)
class Denominator:
    """A radicand, or a sum under a negative or fractional exponent, inside sums; `bound` are the letters that it shares with their binders.

    Inside a sum it stands for itself at any binders over the same axes.
    """

    atom: Atom
    bound: tuple[Index, ...]

    def at(self, binders: Sequence[Index]) -> list[Atom]:
        """The denominator at every choice of distinct binders over its axes, each once."""
        found: dict[Atom, None] = {}
        for chosen in permutations(binders, len(self.bound)):
            if all(old.axis == new.axis for old, new in zip(self.bound, chosen, strict=True)):
                ((moved, _),) = next(iter(rename(of_atom(self.atom), dict(zip(self.bound, chosen, strict=True))).terms))
                found.setdefault(moved)
        return list(found)


Table = dict[tuple[Denominator, Fraction], Number]


def common_bodies(polys: Sequence[Poly]) -> tuple[Poly, ...]:
    """The polynomials, with all sums that a denominator can stand in brought over it.

    sum_k 1/(e_k*(1 + e_k)) and sum_k 1/e_k - sum_k 1/(1 + e_k) get the same terms. What stands inside a radicand or a function is left as
    it is: that is in lowest terms.
    """
    for _ in range(_ROUNDS):
        table = _table(polys)
        if not table:
            break
        found = tuple(_shared(poly, table) for poly in polys)
        if found == tuple(polys):
            break
        polys = found
    return tuple(polys)


# Multiplying out one radicand can bring another into a body.
_ROUNDS = 6


def _table(polys: Sequence[Poly]) -> Table:
    """The lowest exponent of every denominator that stands in a sum and depends on what is summed, for each residue modulo 1."""
    table: Table = {}
    sums = {atom for poly in polys for atom in poly.atoms() if atom.kind is Kind.SUM}
    for atom in sorted(sums):
        for inner, exponent in atom.parts[1]:
            bound = tuple(index for index in atom.parts[0] if index in inner.free)
            if bound and (inner.kind is Kind.BASE or (inner.kind is Kind.SUM and (exponent < 0 or Fraction(exponent) % 1))):
                key = (_named(inner, bound), Fraction(exponent) % 1)
                table[key] = min(table.get(key, exponent), exponent)
    return table


def _named(atom: Atom, bound: tuple[Index, ...]) -> Denominator:
    """The denominator under letters that do not depend on how deep its sum stands."""
    letters = tuple(Index(f"!{place}", index.axis) for place, index in enumerate(bound))
    ((moved, _),) = next(iter(rename(of_atom(atom), dict(zip(bound, letters, strict=True))).terms))
    return Denominator(moved, letters)


def _shared(poly: Poly, table: Table) -> Poly:
    order = sorted(table.items(), key=lambda item: (-_depth(item[0][0].atom), item[0][0].atom.key, item[0][1]))
    found = map_atoms(poly, lambda atom: _over_shared(atom, order) if atom.kind is Kind.SUM else None)
    if len(found) > MOST_TERMS:
        raise TooLong("its normal form has too many terms")
    return found


def _over_shared(atom: Atom, table: Sequence[tuple[tuple[Denominator, Fraction], Number]]) -> Poly | None:
    bound, body = open_sum(atom)
    extra: tuple[Index, ...] = ()
    for (denominator, residue), low in table:
        for base in denominator.at(bound):
            body, more = _raised_in_body(body, base, {residue: low if residue else min(low, 0)})
            extra += more
    changed = sum_over((*bound, *extra), body)
    return None if changed == of_atom(atom) else changed


def _raised_in_body(body: Poly, base: Atom, lowest: dict[Fraction, Number]) -> tuple[Poly, tuple[Index, ...]]:
    """A body over a denominator; one that is a sum is opened, and its binders join those of the sum around it."""
    if base.kind is Kind.BASE:
        return _over(body, base, lowest), ()
    total = ZERO
    extra: tuple[Index, ...] = ()
    for monomial, coefficient in body.terms.items():
        exponent = dict(monomial).get(base, 0)
        low = lowest.get(Fraction(exponent) % 1, exponent)
        term = Poly({tuple(p for p in monomial if p[0] is not base): coefficient}) * (of_atom(base, low) if low else ONE)
        fresh: tuple[Index, ...] = ()
        for _ in range(int(exponent - low)):
            opened, inner = open_sum(base)
            term, fresh = term * inner, (*fresh, *opened)
        if fresh and len(body) > 1:
            return body, ()  # terms under different binders have no common sum: left alone, equality may be missed
        total, extra = total + term, (*extra, *fresh)
    return total, extra


def is_zero(poly: Poly) -> bool:
    """Whether the polynomial has no terms over common denominators. False says nothing outside the complete fragment."""
    poly = common_denominator(apply_deltas(poly))
    if not poly:
        return True
    (shared,) = common_bodies((poly,))
    return common_denominator(shared) == ZERO
