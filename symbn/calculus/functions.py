"""Elementwise functions of polynomials, with what is an identity for every argument applied at once.

In: a function's name and its arguments.  Out: its value: exp(a + c*log(u)) is exp(a)*u**c (u > 0 wherever its log is), log(exp(a)) is a.
"""

from __future__ import annotations

from collections.abc import Callable

from symbn.calculus.powers import power
from symbn.calculus.terms import ONE, Atom, Kind, Number, Poly, constant, func
from symbn.errors import LayerError


def apply(name: str, *args: Poly) -> Poly:
    """name(*args). Raises LayerError for the logarithm of a number that has none."""
    number = args[0].as_number() if len(args) == 1 else None
    if number is not None:
        value = _at_number(name, number)
        if value is not None:
            return constant(value)
    rule = _IDENTITIES.get(name)
    return rule(*args) if rule else func(name, *args)


def _at_number(name: str, number: Number) -> int | None:
    """The value at a number where that is a whole number."""
    if name in _CONDITIONS:
        return int(_CONDITIONS[name](number))
    if name == "log" and number <= 0:
        raise LayerError(f"log of {number}")
    return _AT_NUMBERS.get(name, {}).get(int(number)) if number == int(number) else None


_CONDITIONS: dict[str, Callable[[Number], bool]] = {"is<": lambda value: value < 0, "is==": lambda value: value == 0}
_AT_NUMBERS: dict[str, dict[int, int]] = {
    "exp": {0: 1}, "log": {1: 0}, "tanh": {0: 0}, "erf": {0: 0}, "sin": {0: 0}, "cos": {0: 1}, "sign": {0: 0, 1: 1, -1: -1},
    "abs": {0: 0, 1: 1, -1: 1},
}  # fmt: skip


def _exp(argument: Poly) -> Poly:
    result, rest = ONE, dict(argument.terms)
    for monomial, coefficient in argument.sorted_terms():
        if len(monomial) == 1 and monomial[0][1] == 1 and _is(monomial[0][0], "log"):
            result = result * power(monomial[0][0].parts[1][0], coefficient)
            del rest[monomial]
    return result * func("exp", Poly(rest)) if rest else result


def _log(argument: Poly) -> Poly:
    single = argument.single()
    if single is not None and single[1] == 1 and len(single[0]) == 1 and _is(single[0][0][0], "exp"):
        atom, exponent = single[0][0]
        inner: Poly = atom.parts[1][0]
        return inner.scale(exponent)
    return func("log", argument)


def _is(atom: Atom, name: str) -> bool:
    return atom.kind is Kind.FUNC and bool(atom.parts[0] == name)


_IDENTITIES: dict[str, Callable[[Poly], Poly]] = {"exp": _exp, "log": _log}
