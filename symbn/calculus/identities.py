"""Identities between functions that a product can meet.

In: polynomials in normal form up to these.  Out: the same with sin**2 written by cos**2, and with what a condition u == 0 says of its
factors: [u == 0]*u = 0 and [u == 0]*[u < 0] = 0.
"""

from __future__ import annotations

from fractions import Fraction

from symbn.calculus.denominators import common_denominator
from symbn.calculus.factors import factors_of
from symbn.calculus.terms import ZERO, Atom, Kind, Monomial, Number, Poly, func, monomial_key, of_atom
from symbn.calculus.work import spend

# Rewritings of one polynomial; beyond it the polynomial stays as it is, and equality may be missed.
MOST_ROUNDS = 400


def settled(poly: Poly) -> Poly:
    """The polynomial with both identities applied until nothing changes."""
    if not any(atom.kind is Kind.FUNC and atom.parts[0] in ("sin", "is==") for monomial in poly.terms for atom, _ in monomial):
        return poly
    for _ in range(MOST_ROUNDS):
        spend(len(poly))
        changed = next(((m, new) for m in poly.terms if (new := _rewritten(m)) is not None), None)
        if changed is None:
            return poly
        monomial, value = changed
        number = poly.terms[monomial]
        poly = poly - Poly({monomial: number}) + value.scale(number)
    return poly


def _rewritten(monomial: Monomial) -> Poly | None:
    for atom, exponent in monomial:
        if atom.kind is not Kind.FUNC:
            continue
        if atom.parts[0] == "sin" and isinstance(exponent, int) and exponent >= 2:
            return _by_cosine(monomial, atom, exponent)
        if atom.parts[0] == "is==":
            value = _where_zero(monomial, atom)
            if value is not None:
                return value
    return None


def _by_cosine(monomial: Monomial, atom: Atom, exponent: int) -> Poly:
    rest = Poly({tuple(p for p in monomial if p[0] is not atom): 1})
    cosine = func("cos", *atom.parts[1])
    lower = of_atom(atom, exponent - 2) if exponent > 2 else Poly({(): 1})
    return rest * lower * (Poly({(): 1}) - cosine * cosine)


def _where_zero(monomial: Monomial, condition: Atom) -> Poly | None:
    """What the other factors are where u is 0: none at all beside [u < 0], and u's highest term is minus the rest of u.

    Beside 1/u they are left alone: where(u == 0, 1, 1/u) is defined where 1/u is not, so that [u == 0]*u/u is no 0.
    """
    argument: Poly = condition.parts[1][0]
    if any(a.kind is Kind.FUNC and a.parts == ("is<", (argument,)) for a, _ in monomial):
        return ZERO
    lead, number = max(argument.terms.items(), key=lambda term: (_degree(term[0]), monomial_key(term[0])))
    exponents = dict(monomial)
    if not lead or not all(0 < e <= exponents.get(a, 0) for a, e in lead) or _divides(monomial, argument):
        return None
    rest = Poly({monomial: 1}) * Poly({tuple((a, -e) for a, e in lead): 1})
    return rest * (argument - Poly({lead: number})).scale(-1 / Fraction(number))


def _divides(monomial: Monomial, argument: Poly) -> bool:
    """Whether a factor of the argument stands in the monomial's denominator."""
    below = {atom for atom, exponent in monomial if exponent < 0}
    return bool(below) and any(atom in below for atom, exponent in factors_of(common_denominator(argument)).powers if exponent > 0)


def _degree(monomial: Monomial) -> Number:
    return sum(exponent for _, exponent in monomial)

