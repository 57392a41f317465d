"""Quotients in lowest terms, and |u| where u stands beside its sign.

In: a polynomial.  Out: an equal one over one denominator, without the factors that numerator and denominator share; None where that
changes nothing.

Sound wherever the polynomial is defined: it divides by what is cancelled. Beside a condition it might not, as in where(u > 0, 1/u, 0).
"""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction

from symbn.calculus.denominators import common_denominator
from symbn.calculus.factors import factors_of
from symbn.calculus.powers import power
from symbn.calculus.terms import ZERO, Atom, Kind, Monomial, Number, Poly, constant, func, is_condition, of_atom
from symbn.calculus.work import TooLong, limited

# A longer numerator is not worth factoring.
MOST_TERMS = 16
# What this may take, in steps of `work`: a fraction of a second.
STEPS = 20_000


def in_lowest_terms(poly: Poly) -> Poly | None:
    """The polynomial as one quotient without common factors."""
    folded = with_absolute_values(poly)
    if not any(is_condition(atom) for atom in folded.atoms()) and _has_denominator(folded):
        with suppress(TooLong), limited(STEPS):
            over_one = common_denominator(folded)
            if 0 < len(over_one) <= MOST_TERMS:
                folded = _cancelled(over_one)
    return None if folded == poly else folded


def _has_denominator(poly: Poly) -> bool:
    return any(atom.kind is Kind.BASE and e < 0 and Fraction(e).denominator == 1 for monomial in poly.terms for atom, e in monomial)


def _cancelled(poly: Poly) -> Poly:
    found = factors_of(poly)
    number, powers = found.number, dict(found.powers)
    for atom, exponent in found.powers:
        negated = Atom(Kind.BASE, -atom.parts[0]) if atom.kind is Kind.BASE else None
        if negated is not None and negated in powers and exponent > 0 and exponent.denominator == 1:
            number *= (-1) ** int(exponent)
            powers[negated] += powers.pop(atom)
    result = constant(number)
    for atom, exponent in powers.items():
        result = result * (power(atom.parts[0], exponent) if atom.kind is Kind.BASE and exponent > 0 else of_atom(atom, _whole(exponent)))
    return result


def with_absolute_values(poly: Poly) -> Poly:
    """u*sign(u) is |u|, for a product u."""
    total = ZERO
    for monomial, coefficient in poly.sorted_terms():
        total = total + _folded(monomial).scale(coefficient)
    return total


def _folded(monomial: Monomial) -> Poly:
    exponents = dict(monomial)
    for atom, exponent in monomial:
        single = atom.parts[1][0].single() if atom.kind is Kind.FUNC and atom.parts[0] == "sign" and exponent == 1 else None
        if single is not None and all(0 < e <= exponents.get(a, 0) for a, e in single[0]):
            inside, number = single
            rest = Poly({monomial: 1}) * Poly({tuple((a, -e) for a, e in inside): 1}) * of_atom(atom, -1)
            return rest * func("abs", Poly({inside: 1})).scale(1 if number > 0 else -1)
    return Poly({monomial: 1})


def _whole(exponent: Fraction) -> Number:
    return exponent.numerator if exponent.denominator == 1 else exponent
