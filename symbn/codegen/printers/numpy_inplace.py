"""An expression over a block as NumPy calls that write where they are told.

In: an expression, the order of its letters, a place for its value.  Out: one ufunc call with `out=` an operation, after which the value is
in that place; the formula's own order of operations. Places for what has to wait are borrowed and given back.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple, Protocol

from symbn.codegen.printers.infix import ATOM
from symbn.codegen.printers.numpy import FUNCTIONS, HALF, NumpyPrinter
from symbn.expr import ONE, Add, Call, Expr, Index, Mul, Num, Pow, Read, free_indices, mul, reads

UFUNCS = frozenset(FUNCTIONS) - {"where"}


class Pool(Protocol):
    """Lends memory of a block's shape."""

    def lend(self, order: tuple[Index, ...], lines: list[Line]) -> str:
        """The name of a place over these letters."""

    def spread(self, expr: Expr, text: str, order: tuple[Index, ...]) -> str:
        """What is the same for every row, as rows of a block over these letters."""

    def take_back(self, name: str | None) -> None:
        """A place that is no longer needed."""


class BlockPrinter(NumpyPrinter):
    """A NumpyPrinter that writes an array of `full` size as its block, `x[block]`."""

    def __init__(self, axis: str, full: frozenset[str], block: str) -> None:
        super().__init__()
        self.axis, self.full, self.block = axis, full, block

    def place(self, name: str, indices: tuple[Index, ...]) -> str:
        """A value as it is written to."""
        self.order = indices
        return self._aligned(name, indices)[0]

    def _aligned(self, array: str, indices: tuple[Index, ...]) -> tuple[str, int]:
        sliced = array in self.full
        wanted = tuple(index for index in self.order if index in indices)
        if indices != wanted:
            array = f"{array}.T" if len(indices) == 2 else f"{array}.transpose({', '.join(str(indices.index(index)) for index in wanted)})"
        first = self.order.index(wanted[0]) if wanted else len(self.order)
        places = [self._place(index, sliced) if index in indices else "None" for index in self.order[first:]]
        while places and places[-1] == ":":
            places.pop()
        return (f"{array}[{', '.join(places)}]" if places else array), ATOM

    def _place(self, index: Index, sliced: bool) -> str:
        return self.block if sliced and index.axis == self.axis else ":"


class Line(NamedTuple):
    """A line of code, the values that it reads, and the one that it writes into."""

    text: str
    reads: frozenset[str] = frozenset()
    writes: str | None = None


class Place(NamedTuple):
    """Where a value goes, and the value's name; a place that is lent for a while has none."""

    text: str
    name: str | None = None


class Operand(NamedTuple):
    """What a call reads: its text, the values in it, and the place it was lent, if it needed one."""

    text: str
    reads: frozenset[str] = frozenset()
    lent: str | None = None


class InPlace:
    """Writes calls to `lines`. `pool` lends places of the block's shape; what is `guarded` is read before the result's place is written.

    The first letter of `order` is the one of the block's rows.
    """

    def __init__(self, printer: NumpyPrinter, order: tuple[Index, ...], pool: Pool, guarded: frozenset[str], lines: list[Line]) -> None:
        self.printer, self.order, self.pool, self.guarded, self.lines = printer, order, pool, guarded, lines

    def into(self, expr: Expr, place: Place) -> None:
        """The value of `expr` in `place`."""
        value = self._value(expr, place)
        if value.text != place.text:
            self.lines.append(Line(f"{place.text}[...] = {value.text}", value.reads, place.name))

    def operand(self, expr: Expr) -> Operand:
        """The value, in a place of its own unless it is there already."""
        if self._is_leaf(expr):
            return self._leaf(expr)
        place = self.pool.lend(self.order, self.lines)
        self.into(expr, Place(place))
        return Operand(place, lent=place)

    def _is_leaf(self, expr: Expr) -> bool:
        """An array or a number, or what has fewer letters and so is small."""
        return isinstance(expr, (Read, Num)) or set(free_indices(expr)) != set(self.order)

    def _leaf(self, expr: Expr) -> Operand:
        self.printer.order = self.order
        text, letters = self.printer.text(expr), free_indices(expr)
        if letters and self.order[0] not in letters:
            text = self.pool.spread(expr, text, self.order)
        return Operand(text, frozenset(reads(expr)))

    def _value(self, expr: Expr, place: Place) -> Operand:
        """The value, in `place` unless it is there already."""
        if self._is_leaf(expr):
            return self._leaf(expr)
        match expr:
            case Add((first, *rest)):
                return self._chain(first, [_signed(term) for term in rest], place)
            case Mul((Num(Fraction(numerator=-1, denominator=1)), *factors)):
                return self._call("np.negative", [mul(*factors)], place)
            case Mul(factors):
                first, *others = _grouped(factors)
                return self._chain(first, [_divided(factor) for factor in others], place)
            case Pow(base, Num(value)):
                return self._power(base, value, place)
            case Call("relu", (arg,)):
                return self._call("np.maximum", [arg, Num(Fraction(0))], place)
            case Call("stop_gradient", (arg,)):
                return self._value(arg, place)
            case Call("rsqrt", (arg,)):
                return self._power(arg, -HALF, place)
            case Call(function, args) if function in UFUNCS:
                return self._call(FUNCTIONS[function], list(args), place)
        return self._leaf(expr)

    def _power(self, base: Expr, exponent: Fraction, place: Place) -> Operand:
        if exponent == 2:
            return self._call("np.square", [base], place)
        if exponent == HALF:
            return self._call("np.sqrt", [base], place)
        if exponent < 0:
            return self._call("np.divide", [ONE, base if exponent == -1 else Pow(base, Num(-exponent))], place)
        return self._call("np.power", [base, Num(exponent)], place)

    def _chain(self, first: Expr, rest: list[tuple[str, Expr]], place: Place) -> Operand:
        """`first` and one operation after another, each on what is in `place` by then."""
        held = self._value(first, place)
        for name, expr in rest:
            held = self._written(name, [held, self._beside(held, expr, place)], place)
        return held

    def _beside(self, held: Operand, expr: Expr, place: Place) -> Operand:
        """The value of `expr` while `held` is still to be read: in `place` where that is free, and where nothing guarded is held."""
        if held.text == place.text or self._is_leaf(expr) or held.reads & self.guarded:
            return self.operand(expr)
        return self._value(expr, place)

    def _call(self, name: str, args: list[Expr], place: Place) -> Operand:
        held = self._value(args[0], place)
        return self._written(name, [held, *(self._beside(held, arg, place) for arg in args[1:])], place)

    def _written(self, name: str, operands: list[Operand], place: Place) -> Operand:
        """One call, after which nothing but its result is needed."""
        read = frozenset[str]().union(*(operand.reads for operand in operands))
        self.lines.append(Line(f"{name}({', '.join(operand.text for operand in operands)}, out={place.text})", read, place.name))
        for operand in operands:
            self.pool.take_back(operand.lent)
        return Operand(place.text)


def _grouped(factors: tuple[Expr, ...]) -> list[Expr]:
    """The factors, those without a letter as one in front."""
    numbers = [factor for factor in factors if not free_indices(factor)]
    return [*([mul(*numbers)] if numbers else []), *(factor for factor in factors if free_indices(factor))]


def _signed(term: Expr) -> tuple[str, Expr]:
    """Added, or subtracted where it has a sign."""
    match term:
        case Mul((Num(value), *rest)) if value < 0:
            return "np.subtract", mul(*([] if value == -1 else [Num(-value)]), *rest)
        case Num(value) if value < 0:
            return "np.subtract", Num(-value)
    return "np.add", term


def _divided(factor: Expr) -> tuple[str, Expr]:
    """Multiplied by, or divided by where it is a quotient."""
    match factor:
        case Pow(base, Num(value)) if value < 0:
            return "np.divide", base if value == -1 else Pow(base, Num(-value))
    return "np.multiply", factor
