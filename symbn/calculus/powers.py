"""Powers of polynomials.

In: a polynomial and a rational exponent.  Out: the power, split over factors where that is sound for every real value.
"""

from __future__ import annotations

from fractions import Fraction
from math import gcd

from sympy import factorint

from symbn.calculus.terms import ONE, ZERO, Atom, Kind, Monomial, Number, Poly, constant, of_atom
from symbn.errors import LayerError

# A larger power of a sum is left unexpanded: the number of terms grows as a power of the exponent.
LARGEST_EXPANDED_POWER = 12
# Integers with larger factors than this keep their root as one atom.
FACTOR_LIMIT = 10_000


def power(poly: Poly, exponent: Number) -> Poly:
    """poly ** exponent. Raises LayerError for a negative power of zero."""
    exponent = int(exponent) if exponent == int(exponent) else exponent
    if exponent == 0:
        return ONE
    if exponent == 1:
        return poly
    if not poly:
        if exponent < 0:
            raise LayerError("division by something identically zero")
        return ZERO
    if (single := poly.single()) is not None:
        return _monomial_power(*single, exponent)
    if isinstance(exponent, int) and 0 < exponent <= LARGEST_EXPANDED_POWER:
        return _repeated(poly, exponent)
    if isinstance(exponent, int):
        number = _size(poly)
        return of_atom(Atom(Kind.BASE, poly.scale(1 / number)), exponent).scale(number**exponent)
    return of_atom(Atom(Kind.BASE, poly), exponent)


def multiplied_out(poly: Poly) -> Poly:
    """The polynomial with radicands that stand without a power multiplied out, so that they cancel against other terms."""
    total = ZERO
    for monomial, coefficient in poly.sorted_terms():
        whole = [p for p in monomial if p[0].kind is Kind.BASE and p[1] == 1]
        term = Poly({tuple(p for p in monomial if p not in whole[:1]): coefficient})
        total = total + (term * whole[0][0].parts[0] if whole else term)
    return total


def _size(poly: Poly) -> Fraction:
    """The number that all coefficients share; 1/(2*a + 2*b) is (1/2)/(a + b)."""
    numbers = [Fraction(number) for number in poly.terms.values()]
    return Fraction(gcd(*(n.numerator for n in numbers)), gcd(*(n.denominator for n in numbers)))


def _repeated(poly: Poly, exponent: int) -> Poly:
    result = ONE
    while exponent:
        if exponent & 1:
            result = result * poly
        exponent >>= 1
        poly = poly * poly if exponent else poly
    return result


def _monomial_power(monomial: Monomial, coefficient: Number, exponent: Number) -> Poly:
    if isinstance(exponent, int):
        result = Poly({(): Fraction(coefficient) ** exponent})
        for atom, inner in monomial:
            result = result * of_atom(atom, _times(inner, exponent))
        return result
    return _root_of_monomial(monomial, coefficient, exponent)


def _times(inner: Number, exponent: Number) -> Number:
    product = Fraction(inner) * exponent
    return product.numerator if product.denominator == 1 else product


def _root_of_monomial(monomial: Monomial, coefficient: Number, exponent: Number) -> Poly:
    """A fractional power: factors known to be positive come out; what is left stays under one exponent.

    (a*b)**(1/2) is a**(1/2)*b**(1/2) only where a >= 0, and (x**2)**(1/2) is |x|, not x.
    """
    result = ONE
    rest: list[tuple[Atom, Number]] = []
    for atom, inner in monomial:
        if is_positive(atom) or isinstance(inner, Fraction):
            result = result * of_atom(atom, _times(inner, exponent))
        else:
            rest.append((atom, inner))
    if len(rest) == 1 and rest[0][1] in (1, -1) and coefficient > 0:
        atom, inner = rest[0]
        return result * number_power(coefficient, exponent) * of_atom(atom, _times(inner, exponent))
    if not rest and coefficient > 0:
        return result * number_power(coefficient, exponent)
    inside = Poly({tuple(rest): 1 if coefficient > 0 else -1})
    size = coefficient if coefficient > 0 else -coefficient
    return result * number_power(size, exponent) * of_atom(Atom(Kind.BASE, inside), exponent)


def is_positive(atom: Atom) -> bool:
    """Known to be > 0 from its kind alone."""
    return atom.kind in (Kind.EXTENT, Kind.PRIME) or (atom.kind is Kind.FUNC and atom.parts[0] in ("exp", "sigmoid", "pi"))


def number_power(value: Number, exponent: Number) -> Poly:
    """A positive rational to a rational power, as a rational times roots of primes."""
    if isinstance(exponent, int):
        return constant(Fraction(value) ** exponent)
    result = ONE
    numerator, denominator = Fraction(value).as_integer_ratio()
    for number, sign in ((numerator, 1), (denominator, -1)):
        for prime, times in factorint(number, limit=FACTOR_LIMIT).items():
            total = Fraction(exponent) * times * sign
            whole = total.__floor__()
            result = result.scale(Fraction(prime) ** whole)
            if total != whole:
                result = result * of_atom(Atom(Kind.PRIME, int(prime)), total - whole)
    return result
