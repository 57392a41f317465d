"""The statements of a pass in NumPy.

In: a Program of whole-array values.  Out: one statement a value, after the formula it computes.
"""

from __future__ import annotations

from symbn.codegen.printers.infix import POWER, PRODUCT
from symbn.codegen.printers.numpy import NumpyPrinter, contraction, own_order, subscripts
from symbn.codegen.program import Pointwise, Program, Total, Value
from symbn.expr import Expr, Extent, Index, Read, free_indices, mul
from symbn.language import definition_text

REDUCTIONS = {"sum": "_sum", "mean": "_mean", "max": "np.max", "min": "np.min"}


class Statements:
    """Writes a Program; the printer notes what the text uses."""

    def __init__(self, program: Program, printer: NumpyPrinter) -> None:
        self.program, self.printer = program, printer
        self.outputs = {output.name for output in program.outputs}
        self.shared = {argument.name for argument in program.arguments}

    def lines(self) -> list[str]:
        """All statements."""
        lines = []
        for value in self.program.values:
            if value.source is not None:
                lines.append(f"# {definition_text(value.source)}")
            lines.append(f"{value.name} = {self.right(value)}")
        return lines

    def right(self, value: Value) -> str:
        """A value's right side."""
        return self._total(value) if isinstance(value, Total) else self._pointwise(value)

    def _pointwise(self, value: Pointwise) -> str:
        text = self.printer.whole(value.expr, value.indices)
        if set(free_indices(value.expr)) != set(value.indices):
            return self._filled(value, text)
        if isinstance(value.expr, Read) and value.indices and value.name in self.outputs:
            # Two results, or a result and an argument, must not be one array.
            if value.expr.name in self.shared | self.outputs:
                return f"{text}.copy()"
            self.shared.add(value.expr.name)
        return text

    def _filled(self, value: Pointwise, text: str) -> str:
        axes = tuple(index.axis for index in value.indices)
        self.printer.axes |= set(axes)
        present = tuple(index for index in value.indices if index in free_indices(value.expr))
        if present:
            self.printer.order = value.indices
            text = self._spread(value.expr, value.indices)
        return f"np.full(({', '.join(axes)}{',' if len(axes) == 1 else ''}), {text}, dtype=dtype)"

    def _spread(self, expr: Expr, order: tuple[Index, ...]) -> str:
        self.printer.order = order
        return self.printer.text(expr)

    def _total(self, total: Total) -> str:
        letters = free_indices(total.expr)
        lost = [index.axis for index in total.bound if index not in letters]
        if not set(letters) & set(total.bound):
            text = self.printer.whole(total.expr, total.indices)
        else:
            text = self._contracted(total) or self._reduced(total)
        if total.kind == "sum" and lost:
            scale = mul(*(Extent(axis) for axis in lost))
            return f"{text if text.isidentifier() else f'({text})'}*{self.printer.at(scale, POWER)}"
        return text

    def _reduced(self, total: Total) -> str:
        order = own_order(total.expr)
        text = self.printer.whole(total.expr, order)
        places = [place for place, index in enumerate(order) if index in total.bound]
        axis = "" if len(places) == len(order) else f", axis={places[0] if len(places) == 1 else tuple(places)}"
        return self.transposed(f"{REDUCTIONS[total.kind]}({text}{axis})", order, total)

    def transposed(self, text: str, order: tuple[Index, ...], total: Total) -> str:
        """A reduction with the axes in the order that its total has."""
        left = tuple(index for index in order if index not in total.bound)
        if left == total.indices or len(left) < 2:
            return text
        return f"{text}.transpose({', '.join(str(left.index(index)) for index in total.indices)})"

    def _contracted(self, total: Total) -> str | None:
        """A sum of products without the products, where no factor has every letter."""
        parts = contraction(total.expr) if total.kind in ("sum", "mean") else None
        if parts is None or any(index not in free_indices(total.expr) for index in total.bound):
            return None
        numbers, factors = parts
        orders = [own_order(factor) for factor in factors]
        texts = [self.printer.whole(factor, order) for factor, order in zip(factors, orders, strict=True)]
        text = f'np.einsum("{subscripts(orders, total.indices)}", {", ".join(texts)}, optimize=True)'
        if numbers:
            text = f"{self.printer.at(mul(*numbers), PRODUCT)}*{text}"
        if total.kind == "mean":
            text = f"{text}/{self.printer.at(mul(*(Extent(index.axis) for index in total.bound)), POWER)}"
        return text
