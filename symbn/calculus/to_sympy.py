"""Results as plain SymPy.

In: an expression tree.  Out: SymPy's own Symbol, IndexedBase, Sum over (k, 1, N) and KroneckerDelta, which lambdify and SymPy's printers
take.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy

from symbn.expr import Add, Call, Compare, Delta, Expr, Extent, Index, Mul, Num, Pow, Read, Reduce


def to_sympy(expr: Expr) -> Any:
    """The expression in SymPy. Scalars are real Symbols, extents positive integers, indices integers; max and min over an axis become
    the undefined functions `max_over` and `min_over` of the body, the index and the extent, since SymPy has none.
    """
    match expr:
        case Num(value):
            return sympy.Rational(value.numerator, value.denominator)
        case Extent(axis):
            return _extent(axis)
        case Read(name, ()):
            return sympy.Symbol(name, real=True)
        case Read(name, indices):
            return sympy.Indexed(sympy.IndexedBase(name, real=True), *(_index(i) for i in indices))
        case Delta(left, right):
            return sympy.KroneckerDelta(_index(left), _index(right))
        case Add(terms):
            return sympy.Add(*(to_sympy(term) for term in terms))
        case Mul(factors):
            return sympy.Mul(*(to_sympy(factor) for factor in factors))
        case Pow(base, exponent):
            return sympy.Pow(to_sympy(base), to_sympy(exponent))
        case Reduce():
            return _reduction(expr)
        case Compare(operator, left, right):
            return _COMPARISONS[operator](to_sympy(left), to_sympy(right))
        case Call(function, args):
            return _FUNCTIONS[function](*(to_sympy(arg) for arg in args))
    raise AssertionError(f"unknown node {expr}")


def _index(index: Index) -> sympy.Symbol:
    return sympy.Symbol(index.name, integer=True)


def _extent(axis: str) -> sympy.Symbol:
    return sympy.Symbol(axis, integer=True, positive=True)


def _reduction(expr: Reduce) -> Any:
    body = to_sympy(expr.body)
    if expr.kind in ("max", "min"):
        over = sympy.Function(f"{expr.kind}_over")
        return over(body, *(part for i in expr.indices for part in (_index(i), _extent(i.axis))))
    total = sympy.Sum(body, *((_index(i), 1, _extent(i.axis)) for i in expr.indices))
    if expr.kind == "mean":
        return total / sympy.Mul(*(_extent(i.axis) for i in expr.indices))
    return total


def _where(condition: Any, yes: Any, no: Any) -> Any:
    return sympy.Piecewise((yes, condition), (no, True))


_COMPARISONS: dict[str, Callable[..., Any]] = {
    "<": sympy.Lt, "<=": sympy.Le, ">": sympy.Gt, ">=": sympy.Ge, "==": sympy.Eq, "!=": sympy.Ne,
}  # fmt: skip
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sqrt": sympy.sqrt,
    "rsqrt": lambda u: 1 / sympy.sqrt(u),
    "exp": sympy.exp,
    "log": sympy.log,
    "log1p": lambda u: sympy.log(1 + u),
    "expm1": lambda u: sympy.exp(u) - 1,
    "tanh": sympy.tanh,
    "sigmoid": lambda u: 1 / (1 + sympy.exp(-u)),
    "erf": sympy.erf,
    "sin": sympy.sin,
    "cos": sympy.cos,
    "abs": sympy.Abs,
    "sign": sympy.sign,
    "relu": lambda u: _where(u > 0, u, sympy.Integer(0)),
    "maximum": sympy.Max,
    "minimum": sympy.Min,
    "where": _where,
    "stop_gradient": lambda u: u,
    "pi": lambda: sympy.pi,
}
