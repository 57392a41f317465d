"""Irreducible factors of a polynomial in atoms.

In: a polynomial, its exponents of any sign.  Out: a number and powers of atoms, where a factor of several terms is a radicand atom with
coprime whole coefficients, its first term positive.

The atoms count as independent variables; each one under fractional exponents as its root.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import gcd, lcm
from typing import Any

from sympy import QQ, ring
from sympy.polys.polyerrors import PolynomialError

from symbn.calculus.terms import Atom, Kind, Number, Poly
from symbn.calculus.work import spend

# Larger polynomials stay whole: the worst case of factoring is exponential. Equality may then be missed, and is never wrongly found.
MOST_TERMS, MOST_ATOMS, MOST_DEGREE = 16, 6, 8
# What a factorization counts as, in steps of `work`: a few milliseconds.
STEPS = 100


@dataclass(frozen=True, slots=True)
class Factors:
    """`number * product(atom ** exponent)`; the atoms are distinct and sorted."""

    number: Fraction
    powers: tuple[tuple[Atom, Fraction], ...]


def factors_of(poly: Poly) -> Factors:
    """The factorization of a polynomial that is not 0."""
    spend(STEPS)
    return _factored(poly)


@lru_cache(maxsize=10_000)
def _factored(poly: Poly) -> Factors:
    powers = {atom: _lowest(poly, atom) for atom in poly.atoms()}
    rest = {
        tuple((a, Fraction(dict(m).get(a, 0)) - low) for a, low in powers.items() if Fraction(dict(m).get(a, 0)) != low): Fraction(c)
        for m, c in poly.terms.items()
    }
    number = Fraction(1)
    if len(rest) == 1:
        ((_, number),) = rest.items()
    else:
        number, found = _split(rest)
        for factor, times in found:
            single = factor.single()
            atom = single[0][0][0] if single is not None else Atom(Kind.BASE, factor)
            powers[atom] = powers.get(atom, Fraction(0)) + times
    kept = sorted((atom, exponent) for atom, exponent in powers.items() if exponent)
    return Factors(number, tuple(kept))


def _lowest(poly: Poly, atom: Atom) -> Fraction:
    return min(Fraction(dict(monomial).get(atom, 0)) for monomial in poly.terms)


Terms = dict[tuple[tuple[Atom, Fraction], ...], Fraction]


def _split(terms: Terms) -> tuple[Fraction, list[tuple[Poly, int]]]:
    """A number and primitive factors with multiplicities; the whole where it is irreducible or too large."""
    atoms = sorted({atom for monomial in terms for atom, _ in monomial})
    scales = {atom: lcm(*(e.denominator for m in terms for a, e in m if a is atom)) for atom in atoms}
    degrees = {tuple(int(dict(m).get(a, 0) * scales[a]) for a in atoms): QQ(c.numerator, c.denominator) for m, c in terms.items()}
    number, factors = Fraction(1), [(degrees, 1)]
    if len(terms) <= MOST_TERMS and len(atoms) <= MOST_ATOMS and max(map(sum, degrees)) <= MOST_DEGREE:
        polynomials, *_ = ring([f"a{place}" for place in range(len(atoms))], QQ)
        with suppress(PolynomialError):
            content, found = polynomials.from_dict(degrees).factor_list()
            number, factors = _fraction(content), [(dict(factor.terms()), int(times)) for factor, times in found]
    made = []
    for factor, times in factors:
        size, whole = _primitive(_from_degrees(factor, atoms, scales))
        number *= size**times
        made.append((whole, times))
    return number, made


def _from_degrees(terms: Mapping[tuple[int, ...], Any], atoms: list[Atom], scales: dict[Atom, int]) -> Poly:
    return Poly(
        {
            tuple((a, _plain(Fraction(d, scales[a]))) for a, d in zip(atoms, degrees, strict=True) if d): _plain(_fraction(coefficient))
            for degrees, coefficient in terms.items()
        }
    )


def _fraction(value: Any) -> Fraction:
    return Fraction(int(value.numerator), int(value.denominator))


def _primitive(poly: Poly) -> tuple[Fraction, Poly]:
    """The content with the sign of the first term, and the polynomial without it."""
    numbers = [Fraction(c) for c in poly.terms.values()]
    size = Fraction(gcd(*(n.numerator for n in numbers)), lcm(*(n.denominator for n in numbers)))
    if poly.sorted_terms()[0][1] < 0:
        size = -size
    return size, poly.scale(1 / size)


def _plain(value: Fraction) -> Number:
    return value.numerator if value.denominator == 1 else value
