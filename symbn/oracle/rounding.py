"""How far rounding can move a formula's value.

In: definitions, exact inputs, a unit roundoff u.  Out: for every element a bound on |computed - exact|.

Running error analysis (Wilkinson; Higham, Accuracy and Stability of Numerical Algorithms, section 3.3): every intermediate value carries a
bound e on its error.

* `x + y`: ex + ey + u|x + y|;  `x * y`: |x| ey + |y| ex + ex ey + u|x y|;
* a sum of n terms: the terms' errors + g(n) sum|x|, with g(n) = k u/(1 - k u) and k = n - 1 in sequence; in pairs k = log2(n) + 16, for
  NumPy adds blocks of 128 in 8 strands, and only along a contiguous axis;
* a monotone function: the larger of |f(x +- e) - f(x)|, and its own rounding of ULPS units;
* a comparison that the errors can turn, inside `where`: the distance between both branches is added. Equal values are taken for copies.

The bound holds for the operations of the tree, in the tree's order. A kernel that reorders products or contracts to fma stays within a
small multiple of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, log2
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from symbn.layer import Definition
from symbn.oracle.dual import COMPARE, Algebra, Structural, primal
from symbn.oracle.evaluate import Extents, compute
from symbn.oracle.numbers import Floating, Leaf

Summation = Literal["pairwise", "sequential"]

# Errors of an elementwise function itself, in units of u: IEEE 754 for sqrt; 4 is what NumPy and C libraries keep to.
ULPS: Mapping[str, int] = {
    "sqrt": 1, "rsqrt": 2, "exp": 4, "log": 4, "log1p": 4, "expm1": 4, "tanh": 4, "sigmoid": 6, "erf": 4, "sin": 4, "cos": 4,
}  # fmt: skip
_LOWEST: Mapping[str, float] = {"sqrt": 0, "rsqrt": 0, "log": 0, "log1p": -1}


def rounding_bound(
    definitions: Iterable[Definition],
    values: Mapping[str, object],
    extents: Extents,
    unit_roundoff: float,
    *,
    summation: Summation = "sequential",
    stored: Mapping[str, Callable[[Any], Any]] = MappingProxyType({}),
) -> dict[str, Leaf]:
    """A bound on each element's rounding error, by definition, for arithmetic of `unit_roundoff` (2**-24 float32, 2**-53 float64).

    `values` are what the definitions read besides each other, taken for exact. An element whose denominator may be 0 has the bound inf.
    `stored` are names whose values go through a shorter format before later definitions read them: how far that moves a number of a size.
    """
    arithmetic = Floating(np.longdouble)
    known = {name: Bounded(leaf := arithmetic.array(value)[..., np.newaxis], np.zeros_like(leaf)) for name, value in values.items()}
    definitions = tuple(definitions)
    operations, bounds = RunningError(unit_roundoff, summation), {}
    for definition in definitions:
        compute((definition,), known, extents, operations)
        found = known[definition.name]
        bounds[definition.name] = found.error[..., 0]
        if definition.name in stored:
            known[definition.name] = Bounded(found.value, found.error + stored[definition.name](abs(found.value) + found.error))
    return {name: np.where(np.isnan(bound), np.inf, bound) for name, bound in bounds.items()}


@dataclass(frozen=True, slots=True, eq=False)
class Bounded:
    """A value and a bound on its error, arrays of one shape up to broadcasting."""

    value: Leaf
    error: Leaf


@dataclass(frozen=True, slots=True)
class Sides:
    """A comparison: its mask, and where the errors can turn it."""

    mask: Leaf
    uncertain: Leaf


class RunningError:
    """The operations of a tree on `Bounded` values; the values themselves are in longdouble."""

    def __init__(self, unit_roundoff: float, summation: Summation) -> None:
        self.u, self.summation = unit_roundoff, summation
        self.arithmetic = Floating(np.longdouble)
        self.algebra = Algebra(self.arithmetic)

    def number(self, value: Fraction) -> Bounded:
        """A constant, with an error unless the format has it."""
        leaf = self.arithmetic.array([value])
        return Bounded(leaf, np.zeros_like(leaf) if self._has(value) else self.u * abs(leaf))

    def add(self, left: Bounded, right: Bounded) -> Bounded:
        """The sum."""
        total = left.value + right.value
        return Bounded(total, left.error + right.error + self.u * abs(total))

    def multiply(self, left: Bounded, right: Bounded) -> Bounded:
        """The product; times 1 or -1 is exact."""
        product = left.value * right.value
        carried = abs(left.value) * right.error + abs(right.value) * left.error + left.error * right.error
        exact = (abs(left.value) == 1) & (left.error == 0) | (abs(right.value) == 1) & (right.error == 0)
        return Bounded(product, carried + np.where(exact, 0, self.u) * (abs(product) + carried))

    def map(self, value: Bounded, change: Structural) -> Bounded:
        """A change of layout."""
        return Bounded(change(value.value), change(value.error))

    def power(self, base: Bounded, exponent: Fraction) -> Bounded:
        """A constant power, by products, one division and square roots: monotone in |base|."""
        if exponent == 0:
            return self.number(Fraction(1))
        if exponent.denominator & (exponent.denominator - 1):
            return self.general_power(base, self.number(exponent))
        image, size = self._raised(base.value, exponent), abs(base.value)
        low, high = np.maximum(size - base.error, 0), size + base.error
        spread = np.maximum(abs(self._raised(high, exponent) - abs(image)), abs(self._raised(low, exponent) - abs(image)))
        spread = np.where(base.error == 0, 0, spread)
        units = abs(exponent.numerator) + exponent.denominator.bit_length() - 1 + (exponent < 0) - (exponent.numerator != 0)
        return self._rounded(image, spread, max(units, 1))

    def general_power(self, base: Bounded, exponent: Bounded) -> Bounded:
        """A power that depends on data, as exp(exponent * log(base))."""
        return self.call("exp", (self.multiply(exponent, self.call("log", (base,))),))

    def call(self, function: str, args: tuple[Bounded, ...]) -> Bounded:
        """A function of FUNCTIONS, or `pi`."""
        image = primal(self.algebra.call(function, tuple(arg.value for arg in args)))
        if function in ULPS:
            return self._rounded(image, self._moved(function, args[0], image), ULPS[function])
        if function == "pi":
            return Bounded(image, self.u * image)
        if function == "sign":
            return Bounded(image, np.where(abs(args[0].value) <= args[0].error, 2 * np.sign(args[0].error), 0))
        return Bounded(image, np.maximum.reduce(np.broadcast_arrays(*(arg.error for arg in args))))

    def compare(self, operator: str, left: Bounded, right: Bounded) -> Sides:
        """A mask and its doubtful places."""
        gap = abs(left.value - right.value)
        uncertain = (gap <= left.error + right.error) & (gap > 0)
        return Sides(COMPARE[operator](left.value, right.value), uncertain)

    def select(self, mask: Sides | Leaf, left: Bounded, right: Bounded) -> Bounded:
        """One of two values; both, where the mask is in doubt."""
        sides = mask if isinstance(mask, Sides) else Sides(mask, np.zeros_like(mask))
        chosen = np.where(sides.mask, left.value, right.value)
        sure = np.where(sides.mask, left.error, right.error)
        doubtful = np.maximum(left.error, right.error) + abs(left.value - right.value)
        return Bounded(chosen, np.where(sides.uncertain, doubtful, sure))

    def reduce(self, kind: str, value: Bounded, axes: tuple[int, ...], count: int) -> Bounded:
        """A reduction over `axes`, `count` elements in all."""
        image = primal(self.algebra.reduce(kind, value.value, axes, count))
        if kind in ("max", "min"):
            return Bounded(image, np.max(value.error, axis=axes, keepdims=True))
        additions = self._additions(count) + (2 if kind == "mean" else 0)
        growth = additions * self.u / (1 - additions * self.u)
        total = (value.error + growth * (abs(value.value) + value.error)).sum(axis=axes, keepdims=True)
        return Bounded(image, total / count if kind == "mean" else total)

    def _additions(self, count: int) -> int:
        """The most additions that one term goes through."""
        return count - 1 if self.summation == "sequential" else min(count - 1, ceil(log2(count)) + 16)

    def _moved(self, function: str, arg: Bounded, image: Leaf) -> Leaf:
        """How far the argument's error moves the image. sin and cos move by at most the error, and by 2."""
        if function in ("sin", "cos"):
            return np.minimum(arg.error, 2)
        low = np.maximum(arg.value - arg.error, _LOWEST.get(function, -np.inf))
        ends = (self.arithmetic.call(function, end) for end in (low, arg.value + arg.error))
        below, above = (abs(end - image) for end in ends)
        return np.where(arg.error == 0, 0, np.maximum(below, above))

    def _raised(self, base: Leaf, exponent: Fraction) -> Leaf:
        return primal(self.algebra.power(base, exponent))

    def _rounded(self, image: Leaf, moved: Leaf, units: int) -> Bounded:
        """Adds the operation's own rounding, and that of the bound's longdouble arithmetic."""
        own = units * self.u + 4 * float(np.finfo(np.longdouble).eps)
        return Bounded(image, moved + own * (abs(image) + moved))

    def _has(self, value: Fraction) -> bool:
        """Whether a format of this precision has the number; its exponent range is taken for enough."""
        bits = round(-log2(self.u))
        odd = value.numerator // (value.numerator & -value.numerator) if value else 0
        return value.denominator & (value.denominator - 1) == 0 and abs(odd).bit_length() <= bits
