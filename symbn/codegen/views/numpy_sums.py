"""Reductions over one block in NumPy.

In: a Total, and the blocks it is taken over.  Out: the text of its value over one block, after lines for what has to be there first.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from symbn.codegen.blocks import Blocks, in_place, is_accumulated, largest_axes
from symbn.codegen.keys import key_of
from symbn.codegen.printers.infix import POWER, PRODUCT
from symbn.codegen.printers.numpy import subscripts
from symbn.codegen.printers.numpy_inplace import BlockPrinter, InPlace, Line, Operand
from symbn.codegen.program import Pointwise, Program, Total
from symbn.codegen.views.numpy_statements import Statements
from symbn.expr import Expr, Extent, Index, Mul, Num, Pow, Read, free_indices, mul, reads

# How many differences from a mean are added up in the dtype: in 16 lanes, that is at most 32 one after another.
FEW = 512


class Factor(NamedTuple):
    """An operand of a sum of products, and its letters in the order in which its array has them."""

    operand: Operand
    order: tuple[Index, ...]


class BlockSums:
    """Writes reductions. `first` says whether the program is a first pass, whose inputs are the very data."""

    def __init__(self, program: Program, blocks: Blocks, printer: BlockPrinter, *, first: bool) -> None:
        self.blocks, self.printer, self.first = blocks, printer, first
        self.values = {value.name: value for value in program.values}
        self.plain = Statements(program, printer)
        self.largest = largest_axes(program)

    def reduced(self, total: Total, expr: Expr, order: tuple[Index, ...], writer: InPlace, here: list[str]) -> Line:
        """The reduction over one block; `here` are the values that are there already."""
        numbers, factors = _factors(expr) if total.kind in ("sum", "mean") else ([], [expr])
        while len(factors) > 2 or (len(factors) == 2 and self._is_one_product(total, factors, order)):
            first, second, *rest = factors
            factors = [self._known(Pow(first, Num(Fraction(2))) if first == second else mul(first, second), here), *rest]
        operands = {factor: self._operand(factor, order, writer) for factor in dict.fromkeys(factors)}
        text = self._summed(total, [operands[factor] for factor in factors], order)
        for operand, _ in operands.values():
            writer.pool.take_back(operand.lent)
        if numbers:
            text = f"{self.printer.at(mul(*numbers), PRODUCT)}*{text}"
        lost = [Extent(index.axis) for index in total.bound if index not in free_indices(total.expr)]
        if total.kind == "sum" and lost:
            text = f"{text}*{self.printer.at(mul(*lost), POWER)}"
        divided = total.kind == "mean" and not is_accumulated(total, self.blocks.axis)
        return Line(f"{text}/{self.count(total)}" if divided else text, frozenset(reads(expr)))

    def count(self, total: Total) -> str:
        """What a mean divides by."""
        used = free_indices(total.expr)
        return self.printer.at(mul(*(Extent(index.axis) for index in total.bound if index in used)), POWER)

    def _is_one_product(self, total: Total, factors: list[Expr], order: tuple[Index, ...]) -> bool:
        """Whether two factors are multiplied before they are summed: to be added up in double, or where both are small."""
        small = all(set(free_indices(factor)) != set(order) for factor in factors)
        return small or (self._in_double(total) and not self._is_of_rows(total, [order]))

    def _known(self, product: Expr, here: list[str]) -> Expr:
        """The product, read where this block has it already."""
        key, letters = key_of(product)
        for name in here:
            value = self.values[name]
            found, own = key_of(value.expr)
            if found == key and isinstance(value, Pointwise):
                mapping = dict(zip(own, letters, strict=True))
                return Read(name, tuple(mapping[index] for index in value.indices))
        return product

    def _operand(self, factor: Expr, order: tuple[Index, ...], writer: InPlace) -> Factor:
        own = tuple(index for index in order if index in free_indices(factor))
        if own == order and in_place(factor, order, self.blocks.axis, self.largest):
            return Factor(writer.operand(factor), own)
        self.printer.order = own
        return Factor(Operand(self.printer.text(factor)), own)

    def _summed(self, total: Total, factors: list[Factor], order: tuple[Index, ...]) -> str:
        texts, orders = [factor.operand.text for factor in factors], [factor.order for factor in factors]
        precise = total.name in self.blocks.precise or (self._in_double(total) and self._is_data(total))
        if total.kind in ("sum", "mean") and not precise and self._is_of_rows(total, orders):
            most = f", most={FEW}" if self._in_double(total) else ""
            return self.plain.transposed(f"_sums({_axes(order, total)}, {', '.join(texts)}{most})", order, total)
        if len(factors) == 2:
            return f'np.einsum("{subscripts(orders, total.indices)}", {", ".join(texts)})'
        (own,), places = orders, _places(orders[0], total)
        axis = "" if len(places) == len(own) else f", axis={places[0] if len(places) == 1 else tuple(places)}"
        kind = "sum" if total.kind == "mean" else total.kind
        double = ", dtype=np.float64" if precise or self._in_double(total) else ""
        return self.plain.transposed(f"np.{kind}({texts[0]}{axis}{double})", own, total)

    def _is_of_rows(self, total: Total, orders: list[tuple[Index, ...]]) -> bool:
        """Whether every factor is a whole block, whose last letter is summed over."""
        return all(len(order) == len(self.largest) and order[-1] in total.bound for order in orders)

    def _in_double(self, total: Total) -> bool:
        """Sums of the very data, which may be large beside their spread, and of their differences from their mean, with outliers."""
        return total.kind in ("sum", "mean") and (self._is_data(total) or any(self._is_fine(name) for name in reads(total.expr)))

    def _is_data(self, total: Total) -> bool:
        return self.first and isinstance(total.expr, Read) and total.expr.name not in self.values

    def _is_fine(self, name: str) -> bool:
        """Whether a value is, or is computed from, a sum that is known to more than the dtype."""
        value = self.values.get(name)
        if value is None or name in self.blocks.precise:
            return value is not None
        return isinstance(value, Pointwise) and any(self._is_fine(part) for part in reads(value.expr))


def _places(order: tuple[Index, ...], total: Total) -> list[int]:
    return [place for place, index in enumerate(order) if index in total.bound]


def _axes(order: tuple[Index, ...], total: Total) -> str:
    places = _places(order, total)
    return f"({', '.join(map(str, places))}{',' if len(places) == 1 else ''})"


def _factors(expr: Expr) -> tuple[list[Expr], list[Expr]]:
    """Numbers and scalars, and the factors with letters, a square as two."""
    parts = expr.factors if isinstance(expr, Mul) else (expr,)
    numbers = [part for part in parts if not free_indices(part)]
    factors: list[Expr] = []
    for part in parts:
        if isinstance(part, Pow) and part.exponent == Num(Fraction(2)) and free_indices(part):
            factors += [part.base, part.base]
        elif free_indices(part):
            factors.append(part)
    return numbers, factors
