"""Common factors of polynomials.

In: a polynomial.  Out: its content (what all terms share) and, by SymPy's factorization, its factors.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd, lcm

from sympy import QQ, ring
from sympy.polys.polyerrors import PolynomialError

from symbn.calculus.terms import Atom, Kind, Monomial, Number, Poly, of_atom

# Polynomials larger than this are not handed to the factorization: its worst case is exponential.
MOST_TERMS, MOST_ATOMS, MOST_DEGREE = 40, 10, 8


def content(poly: Poly) -> tuple[Monomial, Number, Poly]:
    """(monomial, number, rest) with poly = number * monomial * rest; the number is positive."""
    terms = list(poly.terms.items())
    shared = dict(terms[0][0])
    for monomial, _ in terms[1:]:
        exponents = dict(monomial)
        shared = {a: e for a, e in ((a, _nearest(shared[a], exponents[a])) for a in shared if a in exponents) if e is not None}
    for atom in [a for a in shared if a.kind is Kind.EXTENT and _breaks_means(a, shared[a], terms)]:
        del shared[atom]
    monomial = tuple(sorted(shared.items(), key=lambda p: p[0].key))
    number = _number_content([c for _, c in terms])
    if not monomial and number == 1:
        return monomial, number, poly
    inverse = Poly({tuple((a, -e) for a, e in monomial): Fraction(1) / number})
    return monomial, number, poly * inverse


def _nearest(left: Number, right: Number) -> Number | None:
    """The exponent of smaller size when both have one sign."""
    if left > 0 and right > 0:
        return min(left, right)
    return max(left, right) if left < 0 and right < 0 else None


def _breaks_means(atom: Atom, exponent: Number, terms: list[tuple[Monomial, Number]]) -> bool:
    """1/N stays with a sum over N, since together they are a mean, unless enough of it is left when the common power is taken out."""
    return any(sums and -(dict(monomial)[atom] - exponent) < sums for monomial, _ in terms for sums in (_sums_over(atom, monomial),))


def _sums_over(atom: Atom, monomial: Monomial) -> Number:
    """How many sums over the axis the monomial multiplies."""
    return sum(e for a, e in monomial if a.kind is Kind.SUM and e > 0 for i in a.parts[0] if i.axis == atom.parts[0])


def _number_content(numbers: list[Number]) -> Fraction:
    fractions = [Fraction(number) for number in numbers]
    return Fraction(gcd(*(f.numerator for f in fractions)), gcd(*(f.denominator for f in fractions)))


def factor_list(poly: Poly) -> list[tuple[Poly, int]] | None:
    """Irreducible factors with multiplicities when there are at least two, else None. The atoms count as independent."""
    atoms = poly.atoms()
    if not 3 <= len(poly) <= MOST_TERMS or len(atoms) > MOST_ATOMS:
        return None
    scales = {atom: lcm(*(Fraction(e).denominator for m in poly.terms for a, e in m if a is atom)) for atom in atoms}
    lowest = {atom: min(Fraction(dict(m).get(atom, 0)) for m in poly.terms) for atom in atoms}
    shifted = {
        tuple(int((Fraction(dict(m).get(a, 0)) - lowest[a]) * scales[a]) for a in atoms): QQ(*Fraction(c).as_integer_ratio())
        for m, c in poly.terms.items()
    }
    if max(max(degrees) for degrees in shifted) > MOST_DEGREE or _is_irreducible(tuple(shifted)):
        return None
    polynomials, *_ = ring([f"a{place}" for place in range(len(atoms))], QQ)
    try:
        number, factors = polynomials.from_dict(shifted).factor_list()
    except PolynomialError:
        return None
    if sum(times for _, times in factors) < 2:
        return None
    outside = Poly({tuple((a, _whole(low)) for a, low in lowest.items() if low): Fraction(int(number.numerator), int(number.denominator))})
    result = [(_from_ring(factor, atoms, scales), times) for factor, times in factors]
    return result if outside.terms == {(): 1} else [(outside, 1), *result]


def _is_irreducible(terms: Sequence[tuple[int, ...]]) -> bool:
    """Whether some atom stands in one term alone, to the first power: p = m*a + q with a monomial m, and no monomial divides all of p.

    Then one of two factors has no a, so it divides m and q: it is a monomial that divides p. To see this takes no factorization.
    """
    return any(sorted(column)[-2:] == [0, 1] for column in zip(*terms, strict=True))


def _from_ring(factor: object, atoms: list[Atom], scales: dict[Atom, int]) -> Poly:
    result = Poly({})
    for degrees, coefficient in factor.terms():  # type: ignore[attr-defined]
        term = Poly({(): Fraction(int(coefficient.numerator), int(coefficient.denominator))})
        for atom, degree in zip(atoms, degrees, strict=True):
            if degree:
                term = term * of_atom(atom, _whole(Fraction(degree, scales[atom])))
        result = result + term
    return result


def _whole(value: Fraction) -> Number:
    return value.numerator if value.denominator == 1 else value
