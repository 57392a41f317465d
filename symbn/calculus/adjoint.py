"""Derivatives of polynomials, and the sweeps over a layer's definitions.

In: polynomials, definitions.  Out: partial derivatives with deltas sifted; the adjoint of every name; total derivatives.
"""

from __future__ import annotations

from collections.abc import Callable

from symbn.calculus.convert import indicator
from symbn.calculus.powers import power
from symbn.calculus.rules import partial
from symbn.calculus.sums import open_sum, rename, sum_over
from symbn.calculus.terms import ONE, ZERO, Atom, Kind, Number, Poly, delta, of_atom, temporary
from symbn.expr import Index

Seed = Callable[[Atom], Poly]


def derivative(poly: Poly, seed: Seed) -> Poly:
    """The differential of `poly` when each array read `v` has the differential `seed(v)`.

    With seed(x[j]) = delta(i, j) this is the partial derivative by x[i]; with seed(x[j]) = x_dot[j] the directional one.
    """
    result = ZERO
    for monomial, coefficient in poly.terms.items():
        for atom, exponent in monomial:
            inner = _of_atom(atom, seed)
            if inner:
                rest = Poly({tuple(p for p in monomial if p[0] is not atom): coefficient})
                result = result + rest * _lowered(atom, exponent) * inner
    return result


def _lowered(atom: Atom, exponent: Number) -> Poly:
    lower = exponent - 1
    if lower == 0:
        return ONE
    return of_atom(atom, int(lower) if lower == int(lower) else lower).scale(exponent)


def _of_atom(atom: Atom, seed: Seed) -> Poly:
    match atom.kind:
        case Kind.VAR:
            return seed(atom)
        case Kind.FUNC:
            name, args = atom.parts
            return _chain(name, args, seed)
        case Kind.BASE:
            return derivative(atom.parts[0], seed)
        case Kind.SUM:
            fresh, body = open_sum(atom)
            return sum_over(fresh, derivative(body, seed))
        case Kind.REDUCE:
            return _extremum(atom, seed)
    return ZERO


def _chain(name: str, args: tuple[Poly, ...], seed: Seed) -> Poly:
    result = ZERO
    for place, arg in enumerate(args):
        inner = derivative(arg, seed)
        if inner:
            result = result + partial(name, args, place) * inner
    return result


def _extremum(atom: Atom, seed: Seed) -> Poly:
    """d max_k u_k = sum_k [u_k = max] du_k / (number of ties): ties share evenly."""
    _, bound, poly = atom.parts
    fresh = tuple(temporary(index.axis) for index in bound)
    body = rename(poly, dict(zip(bound, fresh, strict=True)))
    inner = derivative(body, seed)
    if not inner:
        return ZERO
    attained = indicator("==", body, of_atom(atom))
    return sum_over(fresh, attained * inner) * power(sum_over(fresh, attained), -1)


def by_read(name: str, indices: tuple[Index, ...]) -> Seed:
    """The seed of the partial derivative by `name[indices]`."""

    def seed(atom: Atom) -> Poly:
        if atom.parts[0] != name:
            return ZERO
        result = ONE
        for read, wanted in zip(atom.parts[1], indices, strict=True):
            result = result * delta(read, wanted)
        return result

    return seed


def pullback(cotangent: Poly, over: tuple[Index, ...], partial_derivative: Poly) -> Poly:
    """sum over `over` of cotangent * partial_derivative: one definition's share of an adjoint."""
    return sum_over(over, cotangent * partial_derivative)


