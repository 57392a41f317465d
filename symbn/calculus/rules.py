"""Partial derivatives of elementwise functions, as one table.

In: a function's name and its arguments.  Out: its derivative by each argument. Smooth ones are differentiated by SymPy; the table below
states only what SymPy leaves open: what happens at kinks, by the conventions that PyTorch and JAX share (abs'(0) = relu'(0) = 0, ties
split evenly).
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache

import sympy

from symbn.calculus.convert import indicator
from symbn.calculus.powers import power
from symbn.calculus.terms import ZERO, Poly, constant, func
from symbn.errors import UnsupportedError

_HALF = Fraction(1, 2)


def partial(function: str, args: tuple[Poly, ...], place: int) -> Poly:
    """The derivative of function(*args) by its argument number `place`. Raises UnsupportedError where there is no rule."""
    kinked = _KINKED.get(function)
    if kinked is not None:
        return kinked(*args)[place]
    if function.startswith("is"):
        return ZERO
    if function == "pow":
        return _pow(*args)[place]
    return _evaluate(_smooth(function), args[0], func(function, *args))


def _pow(base: Poly, exponent: Poly) -> tuple[Poly, Poly]:
    value = func("pow", base, exponent)
    return exponent * value * power(base, -1), value * func("log", base)


_KINKED: dict[str, Callable[..., tuple[Poly, ...]]] = {
    "abs": lambda u: (func("sign", u),),
    "sign": lambda u: (ZERO,),
    "stop_gradient": lambda u: (ZERO,),
    "pi": lambda: (),
    "maximum": lambda u, v: (_above(u, v), _above(v, u)),
    "minimum": lambda u, v: (_above(v, u), _above(u, v)),
}


def _above(left: Poly, right: Poly) -> Poly:
    """1 where left > right, 1/2 at a tie."""
    return indicator(">", left, right) + indicator("==", left, right).scale(_HALF)


_ARGUMENT, _VALUE = sympy.Symbol("u", real=True), sympy.Symbol("v", real=True)
# Each smooth function as SymPy knows it; the symbol stands for the function's argument.
_SYMPY: dict[str, sympy.Expr] = {
    "exp": sympy.exp(_ARGUMENT),
    "log": sympy.log(_ARGUMENT),
    "tanh": sympy.tanh(_ARGUMENT),
    "sigmoid": 1 / (1 + sympy.exp(-_ARGUMENT)),
    "erf": sympy.erf(_ARGUMENT),
    "sin": sympy.sin(_ARGUMENT),
    "cos": sympy.cos(_ARGUMENT),
}


@cache
def _smooth(function: str) -> sympy.Expr:
    """The derivative in terms of the argument u and, where it gets shorter, of the value v = function(u)."""
    if function not in _SYMPY:
        raise UnsupportedError(f"no derivative rule for '{function}'")
    value = _SYMPY[function]
    derivative = value.diff(_ARGUMENT).subs(value, _VALUE)
    if function == "sigmoid":  # SymPy does not see exp(-u) = 1/v - 1 by itself
        derivative = sympy.expand(value.diff(_ARGUMENT).subs(sympy.exp(-_ARGUMENT), 1 / _VALUE - 1))
    return derivative


def _evaluate(expr: sympy.Expr, argument: Poly, value: Poly) -> Poly:
    """A SymPy expression in u and v as a polynomial."""
    match expr:
        case sympy.Rational():
            return constant(Fraction(int(expr.p), int(expr.q)))
        case sympy.Symbol():
            return argument if expr == _ARGUMENT else value
        case sympy.Add() | sympy.Mul():
            parts = [_evaluate(part, argument, value) for part in expr.args]
            total = parts[0]
            for part in parts[1:]:
                total = total + part if expr.is_Add else total * part
            return total
        case sympy.Pow():
            return power(_evaluate(expr.base, argument, value), Fraction(int(expr.exp.p), int(expr.exp.q)))
        case _ if expr is sympy.pi:
            return func("pi")
    return func(type(expr).__name__, *(_evaluate(part, argument, value) for part in expr.args))


