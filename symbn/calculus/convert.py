"""From expression trees to polynomials.

In: an `Expr`.  Out: the same value as a `Poly`. Square roots become fractional powers; kinked functions become indicators where their
derivative needs it (see `rules`); everything else elementwise stays a function atom.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

from symbn.calculus.functions import apply
from symbn.calculus.powers import power
from symbn.calculus.sums import extremum, rename, sum_over
from symbn.calculus.terms import ONE, Atom, Kind, Number, Poly, constant, delta, extent, func, of_atom, temporary, var
from symbn.errors import LayerError, UnsupportedError
from symbn.expr import Add, Call, Compare, Delta, Expr, Extent, Mul, Num, Pow, Read, Reduce


@lru_cache(maxsize=4096)
def to_poly(expr: Expr, *, keep: bool = False) -> Poly:
    """The expression as a polynomial in atoms. With `keep`, a product of sums and a power of a sum keep their sums as factors.

    Raises LayerError for a division by something identically zero, TooLong for a product of too many terms.
    """
    match expr:
        case Num(value):
            return constant(value)
        case Extent(axis):
            return extent(axis)
        case Read(name, indices):
            return var(name, indices)
        case Delta(left, right):
            return delta(left, right)
        case Add(terms):
            return _total(terms, keep)
        case Mul(factors):
            return _product(factors, keep)
        case Pow(Mul(factors), Num(value)) if value.denominator == 1:
            return _product(tuple(Pow(factor, expr.exponent) for factor in factors), keep)  # 1/(c*(a + b)) keeps its factors
        case Pow(Pow(base, Num(inner)), Num(outer)) if inner.denominator == outer.denominator == 1:
            return to_poly(Pow(base, Num(inner * outer)), keep=keep)
        case Pow(base, exponent):
            return _power(to_poly(base, keep=keep), to_poly(exponent, keep=keep), keep)
        case Reduce():
            return _reduction(expr, keep)
        case Call(function, args):
            return _call(function, args, keep)
        case Compare(operator, left, right):
            return indicator(operator, to_poly(left, keep=keep), to_poly(right, keep=keep))
    raise UnsupportedError(f"no rule to convert {type(expr).__name__}")


def _total(terms: tuple[Expr, ...], keep: bool) -> Poly:
    result = constant(0)
    for term in terms:
        result = result + to_poly(term, keep=keep)
    return result


def _product(factors: tuple[Expr, ...], keep: bool) -> Poly:
    polys = [to_poly(factor, keep=keep) for factor in factors]
    if keep and sum(len(poly) > 1 for poly in polys) > 1:
        polys = [of_atom(Atom(Kind.BASE, poly)) if len(poly) > 1 else poly for poly in polys]
    result = ONE
    for poly in polys:
        result = result * poly
    return result


def _power(base: Poly, exponent: Poly, keep: bool) -> Poly:
    number = exponent.as_number()
    if keep and len(base) > 1 and isinstance(number, int) and number > 1:
        return of_atom(Atom(Kind.BASE, base), number)
    return _root(base, number) if number is not None else func("pow", base, exponent)


def _root(base: Poly, exponent: Number) -> Poly:
    """A power with a number as its exponent. Raises LayerError for a root of a negative number, which has no real value."""
    number = base.as_number()
    if number is not None and number < 0 and Fraction(exponent).denominator > 1:
        raise LayerError(f"({number})**({exponent}) has no real value")
    return power(base, exponent)


def _reduction(expr: Reduce, keep: bool) -> Poly:
    fresh = {index: temporary(index.axis) for index in expr.indices}
    body = rename(to_poly(expr.body, keep=keep), fresh)
    bound = tuple(fresh.values())
    if expr.kind in ("max", "min"):
        return extremum(expr.kind, bound, body)
    total = sum_over(bound, body)
    if expr.kind == "mean":
        for index in bound:
            total = total * power(extent(index.axis), -1)
    return total


def indicator(operator: str, left: Poly, right: Poly) -> Poly:
    """1 where the comparison holds, else 0. Written as `is<` or `is==` of left - right, so that equal conditions are equal atoms."""
    difference = left - right
    if operator in (">", ">="):
        operator, difference = {">": "<", ">=": "<="}[operator], -difference
    if operator == "<=":
        return ONE - apply("is<", -difference)
    if operator == "!=":
        return ONE - apply("is==", difference)
    return apply(f"is{operator}", difference)


def _call(function: str, args: tuple[Expr, ...], keep: bool) -> Poly:
    if function == "where":
        condition, yes, no = (to_poly(arg, keep=keep) for arg in args)
        return condition * (yes - no) + no
    build = _REWRITES.get(function)
    polys = tuple(to_poly(arg, keep=keep) for arg in args)
    return build(*polys) if build else apply(function, *polys)


_REWRITES: dict[str, Callable[..., Poly]] = {
    "sqrt": lambda u: _root(u, Fraction(1, 2)),
    "rsqrt": lambda u: _root(u, Fraction(-1, 2)),
    "log1p": lambda u: apply("log", ONE + u),
    "expm1": lambda u: apply("exp", u) - ONE,
    "relu": lambda u: indicator(">", u, constant(0)) * u,
}
