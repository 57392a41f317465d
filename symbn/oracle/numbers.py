"""The number types a layer is evaluated over.

In: exact fractions.  Out: NumPy arrays of one number type, and the elementwise functions on them.

| arithmetic | elements | errors |
| --- | --- | --- |
| `Exact` | `Fraction`, `Surd` | none; no exp, log, ... |
| `Digits` | mpmath numbers of DIGITS decimal digits, in a context of its own | about 10**-DIGITS |
| `Floating` | float64 or longdouble | rounding |
| `ComplexStep` | complex128, the derivative carried in an imaginary part near 1e-30 | rounding, without cancellation |

A value outside a function's domain is `UNDEFINED` (nan where the type has one). It spreads through arithmetic, so a branch of `where` that
is not taken does no harm.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from fractions import Fraction
from math import erf, pi
from typing import Any, TypeAlias

import numpy as np

from symbn.errors import UnsupportedError
from symbn.oracle.roots import Number, Tower

Leaf: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

DIGITS = 80  # decimal digits kept by `Digits`
CLAIMED_DIGITS = 45  # digits to which results must agree
NEGLIGIBLE = Fraction(1, 10**20)  # a result below this is held to CLAIMED_DIGITS digits of this: it may be a zero that did not quite cancel


class Undefined:
    """The value of 1/0: every operation on it gives it back, no comparison holds."""

    __slots__ = ()

    def _absorb(self, other: object = None) -> Undefined:
        return self

    def _never(self, other: object) -> bool:
        return False

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __neg__ = _absorb
    __lt__ = __le__ = __gt__ = __ge__ = _never

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = object.__hash__

    def __str__(self) -> str:
        return "undefined"

    def __float__(self) -> float:
        return float("nan")


UNDEFINED = Undefined()


class Arithmetic(ABC):
    """One number type: how numbers and arrays of it are made, and the functions on its arrays."""

    kind: str
    exact = False
    dtype: Any = object

    @abstractmethod
    def number(self, value: Fraction) -> Any:
        """The element nearest to `value`."""

    @abstractmethod
    def call(self, function: str, leaf: Leaf) -> Leaf:
        """An analytic function of FUNCTIONS on every element."""

    @abstractmethod
    def reciprocal(self, leaf: Leaf) -> Leaf:
        """1/leaf, undefined at 0."""

    def pi(self) -> Leaf:
        """The number pi, shape (1,)."""
        raise UnsupportedError("pi has no exact value")

    def array(self, values: object) -> Leaf:
        """An array of this type from an array or nested lists of `Fraction`, `int` or `float`."""
        source = np.asarray(values)
        if source.dtype != object:
            source = source.astype(object)
        made: Leaf = np.empty(source.shape, dtype=self.dtype)
        for place in np.ndindex(*source.shape):
            made[place] = self.convert(source[place])
        return made

    def convert(self, value: Any) -> Any:
        """One element from a `Fraction`, an `int` or a `float`."""
        return self.number(value if isinstance(value, Fraction) else Fraction(value))

    def order(self, leaf: Leaf) -> Leaf:
        """What comparisons look at."""
        return leaf

    def undefined(self, leaf: Leaf) -> bool:
        """Whether any element is undefined."""
        return not bool(np.all(np.isfinite(leaf)))

    def largest(self, leaf: Leaf, axes: tuple[int, ...]) -> Leaf:
        """The maximum over `axes`, which stay with extent 1; undefined where any element is."""
        return np.asarray(np.max(leaf, axis=axes, keepdims=True))


class Objects(Arithmetic):
    """Arithmetic over Python objects, element by element."""

    def call(self, function: str, leaf: Leaf) -> Leaf:
        """The function on every element; undefined ones stay as they are."""
        return _elementwise(self.scalar(function))(leaf)

    def reciprocal(self, leaf: Leaf) -> Leaf:
        """1/x, undefined at 0."""
        one = self.number(Fraction(1))
        return _elementwise(lambda x: UNDEFINED if x == 0 else one / x)(leaf)

    @abstractmethod
    def scalar(self, function: str) -> Callable[[Any], Any]:
        """The function on one element that is not undefined."""

    def undefined(self, leaf: Leaf) -> bool:
        """Whether any element is UNDEFINED."""
        return any(element is UNDEFINED for element in leaf.flat)

    def largest(self, leaf: Leaf, axes: tuple[int, ...]) -> Leaf:
        """The maximum, by pairs."""
        for axis in axes:
            reduced = np.frompyfunc(_larger, 2, 1).reduce(leaf, axis=axis)
            leaf = np.expand_dims(reduced, axis)
        return leaf


class Exact(Objects):
    """Rational numbers and the square roots met on the way. One instance serves one evaluation point."""

    exact = True

    def __init__(self) -> None:
        self.tower = Tower()

    @property
    def kind(self) -> str:  # type: ignore[override]
        """What the arithmetic was in the end."""
        return "exact square roots" if self.tower.roots else "rational arithmetic"

    def number(self, value: Fraction) -> Number:
        """The fraction itself."""
        return value

    def scalar(self, function: str) -> Callable[[Any], Any]:
        """Square roots alone. UnsupportedError for others."""
        match function:
            case "sqrt":
                return self._sqrt
            case "rsqrt":
                return lambda x: UNDEFINED if x == 0 else 1 / self._sqrt(x)
        raise UnsupportedError(f"{function} has no exact value")

    def _sqrt(self, number: Number) -> Any:
        root = self.tower.sqrt(number)
        return UNDEFINED if root is None else root


class Digits(Objects):
    """mpmath numbers in a private context, so that nothing else's precision matters or changes."""

    kind = "mpmath"

    def __init__(self, digits: int = DIGITS) -> None:
        from mpmath.ctx_mp import MPContext  # type: ignore[import-untyped]

        self.context: Any = MPContext()
        self.context.dps = digits

    def number(self, value: Fraction) -> Any:
        """The quotient, rounded once."""
        return self.context.mpf(value.numerator) / value.denominator

    def convert(self, value: Any) -> Any:
        """As `number`; elements of this type stay as they are."""
        return self.context.mpf(value) if isinstance(value, self.context.mpf) else super().convert(value)

    def pi(self) -> Leaf:
        """To all digits."""
        return np.array([+self.context.pi], dtype=object)

    def scalar(self, function: str) -> Callable[[Any], Any]:
        """An mpmath function within its real domain."""
        context = self.context
        inside: Callable[[Any], bool] = _DOMAINS.get(function, lambda x: True)
        if function == "rsqrt":
            apply: Callable[[Any], Any] = lambda x: 1 / context.sqrt(x)  # noqa: E731
        elif function == "sigmoid":
            apply = lambda x: 1 / (1 + context.exp(-x))  # noqa: E731
        else:
            apply = getattr(context, function)
        return lambda x: apply(x) if inside(x) else UNDEFINED


_DOMAINS: dict[str, Callable[[Any], bool]] = {
    "sqrt": lambda x: bool(x >= 0),
    "rsqrt": lambda x: bool(x > 0),
    "log": lambda x: bool(x > 0),
    "log1p": lambda x: bool(x > -1),
}


class Floating(Arithmetic):
    """Machine numbers: float64, or longdouble where the last bits of float64 matter."""

    def __init__(self, dtype: Any = np.float64) -> None:
        self.dtype = np.dtype(dtype)
        self.kind = str(self.dtype)

    def number(self, value: Fraction) -> Any:
        """The nearest number; to float64's precision when a part of the fraction exceeds 2**53."""
        one = self.dtype.type
        return one(value.numerator) / one(value.denominator) if _fits(value) else one(float(value))

    def convert(self, value: Any) -> Any:
        """As `number`, and machine numbers as they are."""
        return self.number(value) if isinstance(value, Fraction) else self.dtype.type(value)

    def array(self, values: object) -> Leaf:
        """As for every type, at once where NumPy can."""
        source = np.asarray(values)
        return super().array(source) if source.dtype == object else source.astype(self.dtype)

    def pi(self) -> Leaf:
        """Beyond float64's precision, in two parts."""
        return self.array([pi]) + self.array([1.2246467991473532e-16])

    def call(self, function: str, leaf: Leaf) -> Leaf:
        """NumPy's function."""
        return _MACHINE[function](leaf)

    def reciprocal(self, leaf: Leaf) -> Leaf:
        """1/x, infinite at 0."""
        return np.asarray(1 / leaf)


class ComplexStep(Floating):
    """complex128 whose imaginary part is a derivative times STEP. Comparisons look at the real part."""

    STEP = 1e-30

    def __init__(self) -> None:
        super().__init__(np.complex128)
        self.kind = "complex step"

    def order(self, leaf: Leaf) -> Leaf:
        """The real part."""
        return leaf.real

    def call(self, function: str, leaf: Leaf) -> Leaf:
        """NumPy's function, nan outside the real domain; erf from its value and slope, since NumPy has none."""
        if function in ("sqrt", "rsqrt", "log", "log1p"):
            leaf = np.where(leaf.real > (-1 if function == "log1p" else 0), leaf, np.nan)
        if function == "erf":
            return np.asarray(_real_erf(leaf.real) + 1j * leaf.imag * (2 / np.sqrt(np.pi)) * np.exp(-(leaf.real**2)))
        return super().call(function, leaf)


def _real_erf(leaf: Leaf) -> Leaf:
    """The error function, by the C library in float64, by mpmath in longdouble."""
    if leaf.dtype != np.longdouble:
        return np.asarray(np.vectorize(erf, otypes=[float])(leaf))
    context = Digits(30).context  # beyond the 19 digits of an 80-bit longdouble

    def one(x: Any) -> Any:
        high = float(x)
        exact = context.erf(context.mpf(high) + context.mpf(float(x - high)))
        return np.longdouble(float(exact)) + np.longdouble(float(exact - float(exact)))

    return np.asarray(np.vectorize(one, otypes=[np.longdouble])(leaf))


def _sigmoid(leaf: Leaf) -> Leaf:
    """1/(1 + exp(-x)), computed on the side where exp does not overflow."""
    small = np.exp(np.where(leaf.real > 0, -leaf, leaf))
    return np.asarray(np.where(leaf.real > 0, 1 / (1 + small), small / (1 + small)))


_MACHINE: dict[str, Callable[[Leaf], Leaf]] = {
    "sqrt": np.sqrt, "rsqrt": lambda x: 1 / np.sqrt(x), "exp": np.exp, "log": np.log, "log1p": np.log1p, "expm1": np.expm1,
    "tanh": np.tanh, "sigmoid": _sigmoid, "erf": _real_erf, "sin": np.sin, "cos": np.cos,
}  # fmt: skip


def _fits(value: Fraction) -> bool:
    return max(abs(value.numerator), value.denominator) < 2**53


def _larger(left: Any, right: Any) -> Any:
    if left is UNDEFINED or right is UNDEFINED:
        return UNDEFINED
    return left if left >= right else right


def _elementwise(function: Callable[[Any], Any]) -> Callable[[Leaf], Leaf]:
    """`function` on every element; undefined elements stay as they are. One computation for each distinct element."""
    mapped = np.frompyfunc(lambda x: x if x is UNDEFINED else function(x), 1, 1)
    return lambda leaf: np.asarray(mapped(leaf), dtype=object)
