"""Expressions over whole arrays as NumPy.

In: an expression, and the order of letters that its value's axes shall have.  Out: Python text; which extents and helpers it uses.

Every array is brought to that order: a repeated letter takes the diagonal, letters out of order a transpose, a letter it lacks a new axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from string import ascii_letters

from symbn.codegen.keys import memory_order
from symbn.codegen.printers.infix import ATOM, POWER, PRODUCT, UNARY, Infix, Text, decimal
from symbn.expr import ONE, Add, Call, Delta, Expr, Extent, Index, Mul, Num, Pow, Read, free_indices, reads, transform

FUNCTIONS = {
    "sqrt": "np.sqrt", "exp": "np.exp", "log": "np.log", "log1p": "np.log1p", "expm1": "np.expm1", "tanh": "np.tanh", "sin": "np.sin",
    "cos": "np.cos", "abs": "np.abs", "sign": "np.sign", "maximum": "np.maximum", "minimum": "np.minimum", "where": "np.where",
}  # fmt: skip
# Functions that NumPy lacks; the template has them.
HELPERS = {"erf": "_erf", "sigmoid": "_sigmoid"}
HALF = Fraction(1, 2)


class NumpyPrinter(Infix):
    """`order` is the letters' order of the statement at hand; `axes` and `helpers` collect what the text uses."""

    def __init__(self) -> None:
        self.order: tuple[Index, ...] = ()
        self.axes: set[str] = set()
        self.helpers: set[str] = set()

    def whole(self, expr: Expr, order: tuple[Index, ...]) -> str:
        """A whole right side; its value has the axes of `order`, less those that the expression lacks."""
        expr = transform(expr, _without_trivial_delta)
        letters = free_indices(expr)
        self.order = tuple(index for index in order if index in letters)
        return self.text(expr)

    def number(self, value: Fraction) -> Text:
        """A Python number, which takes the dtype of what it meets."""
        if value.denominator == 1 and decimal(value) is not None:
            exact = abs(value) < 2**53
            return str(value.numerator) if exact else str(decimal(value)), ATOM if value >= 0 else UNARY
        text = decimal(value)
        if text is None:
            return f"{value.numerator}/{value.denominator}", PRODUCT
        return text, ATOM if value >= 0 else UNARY

    def extent(self, axis: str) -> Text:
        """A Python integer."""
        self.axes.add(axis)
        return axis, ATOM

    def read(self, read: Read) -> Text:
        """The array, its axes in the statement's order."""
        return self._aligned(read.name, read.indices)

    def sifted(self, deltas: tuple[Delta, ...], value: Expr) -> Text:
        """np.where over the diagonal."""
        masks = [self._aligned(self._eye(delta), (delta.left, delta.right))[0] for delta in deltas]
        return f"np.where({' & '.join(masks)}, {self._typed(value)}, {self._typed(Num(Fraction(0)))})", ATOM

    def _eye(self, delta: Delta) -> str:
        self.axes.add(delta.left.axis)
        return f"np.eye({delta.left.axis}, dtype=bool)"

    def power(self, base: Expr, exponent: Fraction) -> Text:
        """`**`, a root or a quotient."""
        if exponent == HALF:
            return self._of_numbers(f"np.sqrt({self.text(base)})", base)
        if exponent < 0 and (exponent.denominator == 1 or exponent == -HALF):
            return f"1/{self.at(self.reciprocal(base, exponent), POWER)}", PRODUCT
        return f"{self.at(base, ATOM)}**{self.at(Num(exponent), ATOM)}", POWER

    def reciprocal(self, base: Expr, exponent: Fraction) -> Expr:
        """A divisor; one made of extents alone that can be 0 is divided by as NumPy does, without an exception."""
        divisor = super().reciprocal(base, exponent)
        return divisor if reads(base) or _positive(base) or isinstance(base, Call) else Typed(divisor)

    def bound(self, expr: Expr) -> Text:
        """As every language, and the one node that is NumPy's own."""
        return (self._typed(expr.inner), ATOM) if isinstance(expr, Typed) else super().bound(expr)

    def general_power(self, base: Expr, exponent: Expr) -> Text:
        """`**`."""
        return f"{self.at(base, ATOM)}**{self.at(exponent, ATOM)}", POWER

    def call(self, function: str, args: tuple[Expr, ...]) -> Text:
        """A NumPy function, or one of the template's."""
        match function:
            case "pi":
                return "np.pi", ATOM
            case "rsqrt":
                return f"1/{self.at(Pow(args[0], Num(HALF)), POWER)}", PRODUCT
            case "relu":
                return self._of_numbers(f"np.maximum({self.text(args[0])}, 0)", args[0])
            case "where":
                return f"np.where({self.text(args[0])}, {self._typed(args[1])}, {self._typed(args[2])})", ATOM
            case "stop_gradient":
                return self.bound(args[0])
        if function in HELPERS:
            self.helpers.add(function)
        name = FUNCTIONS.get(function) or HELPERS[function]
        return self._of_numbers(f"{name}({', '.join(map(self.text, args))})", *args)

    def _of_numbers(self, text: str, *args: Expr) -> Text:
        """NumPy makes float64 of a Python number, and float64 would make everything after it float64."""
        return (text, ATOM) if any(reads(arg) for arg in args) else (f"dtype.type({text})", ATOM)

    def _typed(self, expr: Expr) -> str:
        return self.text(expr) if reads(expr) else f"dtype.type({self.text(expr)})"

    def _aligned(self, array: str, indices: tuple[Index, ...]) -> Text:
        letters = tuple(dict.fromkeys(indices))
        wanted = tuple(index for index in self.order if index in letters)
        if len(letters) < len(indices):
            array = f'np.einsum("{subscripts([indices], wanted)}", {array})'
        elif letters != wanted:
            array = f"{array}.T" if len(letters) == 2 else f"{array}.transpose({', '.join(str(letters.index(index)) for index in wanted)})"
        first = self.order.index(wanted[0]) if wanted else len(self.order)
        places = [":" if index in letters else "None" for index in self.order[first:]]
        return (f"{array}[{', '.join(places)}]" if "None" in places else array), ATOM


class Typed(Expr):
    """A number of the arrays' dtype."""

    __slots__ = ("inner",)

    def __init__(self, inner: Expr) -> None:
        self.inner = inner


def subscripts(operands: Sequence[tuple[Index, ...]], result: tuple[Index, ...]) -> str:
    """`ij,jk->ik` for np.einsum: the letters themselves where each is one character, else a, b, c, ..."""
    letters = tuple(dict.fromkeys(index for operand in operands for index in operand))
    plain = all(len(index.name) == 1 for index in letters)
    names = {index: index.name if plain else ascii_letters[place] for place, index in enumerate(letters)}
    return f"{','.join(''.join(names[index] for index in operand) for operand in operands)}->{''.join(names[index] for index in result)}"


def contraction(expr: Expr) -> tuple[list[Expr], list[Expr]] | None:
    """(numbers, factors) of a product in which no factor has all the letters: np.einsum sums it without building it. Else None."""
    if not isinstance(expr, Mul):
        return None
    numbers = [factor for factor in expr.factors if not free_indices(factor)]
    factors = [factor for factor in expr.factors if free_indices(factor)]
    letters = set(free_indices(expr))
    plain = not any(isinstance(factor, Delta) or set(free_indices(factor)) == letters for factor in factors)
    return (numbers, factors) if plain and len(letters) <= len(ascii_letters) else None


def own_order(expr: Expr) -> tuple[Index, ...]:
    """The letters of an expression in the order in which its arrays have them."""
    return memory_order(free_indices(expr), expr)


def _without_trivial_delta(expr: Expr) -> Expr:
    return ONE if isinstance(expr, Delta) and expr.left == expr.right else expr


def _positive(expr: Expr) -> bool:
    """Whether an expression of extents and numbers is above 0 for all extents."""
    match expr:
        case Extent():
            return True
        case Num(value):
            return value > 0
        case Add(parts) | Mul(parts):
            return all(map(_positive, parts))
        case Pow(base, _):
            return _positive(base)
    return False
