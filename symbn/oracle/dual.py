"""Forward-mode dual numbers, over arrays.

In: arrays of one number type.  Out: the same with tangents beside them, to any order.

A value is an array whose leading axes are index letters and whose last axis holds directions (extent 1 where nothing differs by
direction), or a `Dual` of two values. `Dual(v, t)` is v + t*e with e**2 = 0; second order is a `Dual` of `Dual`s. Two duals that meet are
of the same depth; an array is a constant at every depth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, TypeAlias

import numpy as np

from symbn.errors import UnsupportedError
from symbn.expr import FUNCTIONS
from symbn.oracle.numbers import Arithmetic, Leaf

Structural: TypeAlias = Callable[[Leaf], Leaf]


@dataclass(frozen=True, slots=True, eq=False)
class Dual:
    """value + tangent*e. The two broadcast against each other."""

    value: Value
    tangent: Value
    __array_ufunc__: ClassVar[None] = None  # so that array + Dual asks Dual

    def __add__(self, other: Value) -> Dual:
        if isinstance(other, Dual):
            return Dual(self.value + other.value, self.tangent + other.tangent)
        return Dual(self.value + other, self.tangent)

    def __mul__(self, other: Value) -> Dual:
        if isinstance(other, Dual):
            return Dual(self.value * other.value, self.value * other.tangent + self.tangent * other.value)
        return Dual(self.value * other, self.tangent * other)

    __radd__ = __add__
    __rmul__ = __mul__


Value: TypeAlias = "Leaf | Dual"


def primal(value: Value) -> Leaf:
    """The array under all duals."""
    return primal(value.value) if isinstance(value, Dual) else value


def map_leaves(value: Value, change: Structural) -> Value:
    """`change` applied to every array; it must be linear."""
    return Dual(map_leaves(value.value, change), map_leaves(value.tangent, change)) if isinstance(value, Dual) else change(value)


def leaves(value: Value) -> list[Leaf]:
    """Every array of a value."""
    return [*leaves(value.value), *leaves(value.tangent)] if isinstance(value, Dual) else [value]


class Algebra:
    """Arithmetic on values: what the evaluator asks for, from the functions of one number type."""

    def __init__(self, arithmetic: Arithmetic) -> None:
        self.arithmetic = arithmetic

    def number(self, value: Fraction) -> Value:
        """A constant, shape (1,)."""
        return self.arithmetic.array([value])

    def add(self, left: Value, right: Value) -> Value:
        """The sum."""
        return left + right

    def multiply(self, left: Value, right: Value) -> Value:
        """The product."""
        return left * right

    def map(self, value: Value, change: Structural) -> Value:
        """A change of layout: selection, broadcasting, sums over axes."""
        return map_leaves(value, change)

    def power(self, base: Value, exponent: Fraction) -> Value:
        """A constant power: exact where the exponent's denominator is a power of two, else by exp and log (base > 0)."""
        denominator = exponent.denominator
        if denominator & (denominator - 1):
            return self.general_power(base, self.number(exponent))
        for _ in range(denominator.bit_length() - 1):
            base = self.call("sqrt", (base,))
        return self._integer_power(base, exponent.numerator)

    def general_power(self, base: Value, exponent: Value) -> Value:
        """The power as exp(exponent * log(base)); base > 0."""
        return self.call("exp", (exponent * self.call("log", (base,)),))

    def _integer_power(self, base: Value, exponent: int) -> Value:
        if exponent < 0:
            return self._integer_power(self._reciprocal(base), -exponent)
        result, square = self.number(Fraction(1)), base
        while exponent:
            result = result * square if exponent & 1 else result
            exponent >>= 1
            square = square * square if exponent else square
        return result

    def _reciprocal(self, value: Value) -> Value:
        if not isinstance(value, Dual):
            return self.arithmetic.reciprocal(value)
        inverse = self._reciprocal(value.value)
        return Dual(inverse, self._negative(inverse * inverse) * value.tangent)

    def _negative(self, value: Value) -> Value:
        return value * self.number(Fraction(-1))

    def call(self, function: str, args: tuple[Value, ...]) -> Value:
        """A function of FUNCTIONS other than `where`, or `pi`, of no argument. At kinks: abs'(0) = relu'(0) = 0, and ties share evenly."""
        if function == "pi":
            return self.arithmetic.pi()
        if function in _KINKED:
            return _KINKED[function](self, *args)
        if function not in FUNCTIONS:
            raise UnsupportedError(f"no value rule for {function}")
        return self._analytic(function, args[0])

    def _analytic(self, function: str, value: Value) -> Value:
        if not isinstance(value, Dual):
            return self.arithmetic.call(function, value)
        image = self._analytic(function, value.value)
        return Dual(image, DERIVATIVES[function](self, value.value, image) * value.tangent)

    def order(self, value: Value) -> Leaf:
        """The real array that decides comparisons."""
        return self.arithmetic.order(primal(value))

    def compare(self, operator: str, left: Value, right: Value) -> Any:
        """A mask of bools."""
        return COMPARE[operator](self.order(left), self.order(right)).astype(bool)

    def select(self, mask: Any, left: Value, right: Value) -> Value:
        """The left value where the mask holds, the right one elsewhere."""
        if isinstance(left, Dual) or isinstance(right, Dual):
            (a, s), (b, t) = self._parts(left), self._parts(right)
            return Dual(self.select(mask, a, b), self.select(mask, s, t))
        return np.where(mask, left, right)

    def _parts(self, value: Value) -> tuple[Value, Value]:
        return (value.value, value.tangent) if isinstance(value, Dual) else (value, self.number(Fraction(0)))

    def reduce(self, kind: str, value: Value, axes: tuple[int, ...], count: int) -> Value:
        """A reduction of REDUCTIONS over `axes` of `count` elements in all; the axes stay with extent 1."""
        match kind:
            case "sum":
                return self._total(value, axes)
            case "mean":
                return self._total(value, axes) * self.number(Fraction(1, count))
            case "max":
                return self._largest(value, axes)
        return self._negative(self._largest(self._negative(value), axes))

    def _total(self, value: Value, axes: tuple[int, ...]) -> Value:
        return self.map(value, lambda leaf: np.sum(leaf, axis=axes, keepdims=True))

    def _largest(self, value: Value, axes: tuple[int, ...]) -> Value:
        """The maximum; its tangent is the mean of the tangents of all elements that reach it."""
        ordered = self.order(value)
        top = self.arithmetic.largest(ordered, axes)
        return self._top(value, top, (ordered == top).astype(bool), axes)

    def _top(self, value: Value, top: Leaf, mask: Leaf, axes: tuple[int, ...]) -> Value:
        if isinstance(value, Dual):
            return Dual(self._top(value.value, top, mask, axes), self._shared(value.tangent, mask, axes))
        if np.iscomplexobj(value):
            return top + primal(self._shared(value.imag * 1j, mask, axes))
        return top

    def _shared(self, tangent: Value, mask: Leaf, axes: tuple[int, ...]) -> Value:
        weights = np.asarray(np.sum(mask, axis=axes, keepdims=True, dtype=object))
        shares = np.frompyfunc(lambda ties: Fraction(1, ties) if ties else Fraction(0), 1, 1)(weights)
        return self._total(self.select(mask, tangent, self.number(Fraction(0))), axes) * self.arithmetic.array(shares)

    def sign(self, value: Value) -> Leaf:
        """-1, 0 or 1, without a tangent."""
        ordered = self.order(value)
        return self.arithmetic.array((ordered > 0).astype(int) - (ordered < 0).astype(int))


COMPARE: Mapping[str, Callable[[Leaf, Leaf], Leaf]] = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal, "!=": np.not_equal,
}  # fmt: skip


def _maximum(algebra: Algebra, left: Value, right: Value) -> Value:
    half = (left + right) * algebra.number(Fraction(1, 2))
    not_left = algebra.select(algebra.compare("<", left, right), right, half)
    return algebra.select(algebra.compare(">", left, right), left, not_left)


def _minimum(algebra: Algebra, left: Value, right: Value) -> Value:
    minus = algebra.number(Fraction(-1))
    return _maximum(algebra, left * minus, right * minus) * minus


def _relu(algebra: Algebra, value: Value) -> Value:
    zero = algebra.number(Fraction(0))
    return algebra.select(algebra.compare(">", value, zero), value, value * zero)


_KINKED: Mapping[str, Callable[..., Value]] = {
    "abs": lambda algebra, x: x * algebra.sign(x),
    "sign": lambda algebra, x: algebra.sign(x),
    "relu": _relu,
    "maximum": _maximum,
    "minimum": _minimum,
    "stop_gradient": lambda algebra, x: algebra.order(x) * algebra.number(Fraction(1)),
}


def _rational(numerator: int, denominator: int = 1) -> Callable[[Algebra], Value]:
    return lambda algebra: algebra.number(Fraction(numerator, denominator))


_half, _one, _two, _minus = _rational(1, 2), _rational(1), _rational(2), _rational(-1)


def _over_root_pi(algebra: Algebra) -> Value:
    """2/sqrt(pi), the slope of erf at 0."""
    return algebra.power(algebra.arithmetic.pi(), Fraction(-1, 2)) * _two(algebra)


# f'(x) from x and f(x), for each analytic function of FUNCTIONS.
DERIVATIVES: Mapping[str, Callable[[Algebra, Value, Value], Value]] = {
    "sqrt": lambda a, x, y: a.power(y, Fraction(-1)) * _half(a),
    "rsqrt": lambda a, x, y: y * y * y * _half(a) * _minus(a),
    "exp": lambda a, x, y: y,
    "log": lambda a, x, y: a.power(x, Fraction(-1)),
    "log1p": lambda a, x, y: a.power(x + _one(a), Fraction(-1)),
    "expm1": lambda a, x, y: y + _one(a),
    "tanh": lambda a, x, y: y * y * _minus(a) + _one(a),
    "sigmoid": lambda a, x, y: y * (y * _minus(a) + _one(a)),
    "erf": lambda a, x, y: a.call("exp", (x * x * _minus(a),)) * _over_root_pi(a),
    "sin": lambda a, x, y: a.call("cos", (x,)),
    "cos": lambda a, x, y: a.call("sin", (x,)) * _minus(a),
}
