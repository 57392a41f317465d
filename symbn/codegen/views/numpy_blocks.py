"""The statements of a pass in NumPy, block by block.

In: a Program and its Blocks.  Out: lines, in which each array is read in pieces that stay in the cache and every operation on one writes
into memory that is there.
"""

from __future__ import annotations

from fractions import Fraction

from symbn.codegen.blocks import Blocks, Round, largest_axes, letters_of, single_read
from symbn.codegen.keys import key_of, memory_order
from symbn.codegen.naming import Names
from symbn.codegen.printers.infix import POWER, PRODUCT
from symbn.codegen.printers.numpy import subscripts
from symbn.codegen.printers.numpy_inplace import BlockPrinter, InPlace
from symbn.codegen.program import INPUT, Pointwise, Program, Total, Value
from symbn.codegen.views.numpy_statements import Statements
from symbn.codegen.views.numpy_work import Work
from symbn.expr import Add, Expr, Extent, Index, Mul, Num, Pow, Read, free_indices, mul, reads, transform
from symbn.language import definition_text


class BlockStatements:
    """Writes one pass. `printer.axes` and `printer.helpers` collect what the text uses."""

    def __init__(self, program: Program, blocks: Blocks, *, first: bool) -> None:
        self.program, self.blocks, self.first = program, blocks, first
        self.values = {value.name: value for value in program.values}
        given = (*(part.name for part in program.arguments), *(part.name for part in program.outputs))
        names = Names((*program.axes, *given, *self.values))
        self.all_blocks, self.block = names.fresh("blocks"), names.fresh("block")
        self.double = {name: names.fresh(f"{name}_double") for name in sorted(blocks.precise)}
        self.low = {name: names.fresh(f"{name}_low") for name in sorted(blocks.precise)}
        full = {part.name for part in program.arguments if blocks.axis in part.axes} | blocks.stored
        self.printer = BlockPrinter(blocks.axis, frozenset(full), self.block)
        self.plain = Statements(program, self.printer)
        self.guarded = frozenset(part.name for part in program.arguments if part.role == INPUT)
        self.work = Work(names, self.block)
        self.told: set[str] = set()
        self.here: list[str] = []  # values of this block that something later in the loop reads
        self.largest = largest_axes(program)

    def lines(self) -> list[str]:
        """All statements."""
        body = [line for each in self.blocks.rounds for line in self._round(each)]
        row = list(self.largest[1:])
        self.printer.axes |= {self.blocks.axis, *row}
        stored = [value for value in self.program.values if value.name in self.blocks.stored]
        return [
            f"{self.all_blocks} = _blocks({self.blocks.axis}, {'*'.join(row) or '1'})",
            *(self._room(value) for value in stored),
            *self.work.rooms(self.all_blocks, self.printer),
            *body,
        ]

    def _room(self, value: Value) -> str:
        shape = self._shape([index.axis for index in value.indices])
        made = f"np.empty({shape}, dtype)"
        is_output = any(output.name == value.name for output in self.program.outputs)
        return f'{value.name} = out["{value.name}"] if "{value.name}" in out else {made}' if is_output else f"{value.name} = {made}"

    def _shape(self, axes: list[str]) -> str:
        self.printer.axes |= set(axes)
        return f"({', '.join(axes)}{',' if len(axes) == 1 else ''})"

    def _round(self, each: Round) -> list[str]:
        lines = [line for value in each.before for line in self._before(value)]
        totals = [value for value in each.inside if isinstance(value, Total) and self._accumulated(value)]
        lines += [self._start(total) for total in totals]
        inside: list[str] = []
        self.here = []
        for number, value in enumerate(each.inside):
            later = {name for other in each.inside[number + 1 :] for name in reads(other.expr)}
            inside += [*self._comment(value), *self._inside(value)]
            self.work.release(later)
            self.here = [name for name in (*self.here, value.name) if name in later]
        if inside:
            lines.append(f"for {self.block} in {self.all_blocks}:")
            lines += [f"    {line}" for line in inside]
        return [*lines, *(line for total in totals for line in self._finish(total))]

    def _accumulated(self, value: Value) -> bool:
        return isinstance(value, Total) and all(index.axis != self.blocks.axis for index in value.indices)

    def _comment(self, value: Value) -> list[str]:
        if value.source is None or value.name in self.told:
            return []
        self.told.add(value.name)
        return [f"# {definition_text(value.source)}"]

    def _before(self, value: Value) -> list[str]:
        comment = self._comment(value)
        if value.name in self.blocks.precise:
            expr = transform(value.expr, lambda node: Read(self.double[node.name], node.indices) if isinstance(node, Read) else node)
            return [*comment, f"{self.double[value.name]} = {self.printer.whole(expr, value.indices)}", *self._parts(value)]
        return [*comment, f"{value.name} = {self.plain.right(value)}"]

    def _parts(self, value: Value) -> list[str]:
        """A value in double as two parts of the dtype."""
        double, name = self.double[value.name], self.printer.place(value.name, value.indices)
        first = f"{name} = {double}" if value.name in self.blocks.stored else f"{name} = {double}.astype(dtype)"
        return [first, f"{self.low[value.name]} = ({double} - {name}).astype(dtype)"]

    def _start(self, total: Total) -> str:
        shape = self._shape([index.axis for index in total.indices])
        if total.kind in ("max", "min"):
            bound = "-np.inf" if total.kind == "max" else "np.inf"
            return f"{total.name} = " + (f"np.full({shape}, {bound}, dtype)" if total.indices else f"dtype.type({bound})")
        return f"{self.double.get(total.name, total.name)} = " + (f"np.zeros({shape})" if total.indices else "np.float64(0)")

    def _finish(self, total: Total) -> list[str]:
        """What is summed up in double, in the dtype; a mean is divided by its extents."""
        if total.kind in ("max", "min"):
            return []
        double = self.double.get(total.name)
        count = self._count(total) if total.kind == "mean" else None
        if double is not None:
            divided = [f"{double} = {double}/{count}"] if count else []
            return [*divided, *self._parts(total)]
        return [f"{total.name} = " + (f"({total.name}/{count})" if count else total.name) + ".astype(dtype)"]

    def _count(self, total: Total) -> str:
        used = free_indices(total.expr)
        return self.printer.at(mul(*(Extent(index.axis) for index in total.bound if index in used)), POWER)

    def _inside(self, value: Value) -> list[str]:
        expr = transform(value.expr, self._with_low_part)
        lines: list[str] = []
        order = letters_of(value) if isinstance(value, Pointwise) else memory_order(free_indices(expr), expr)
        if isinstance(value, Pointwise):
            self._pointwise(value, expr, order, lines)
        else:
            self._total(value, expr, order, lines)
        return lines

    def _with_low_part(self, expr: Expr) -> Expr:
        """x - mu -> x - mu - mu_low, where mu is the first part of a sum that is known better than that."""
        if not isinstance(expr, Add):
            return expr
        fine = [term for term in expr.terms if single_read(term) in self.blocks.precise]
        if not fine or len(fine) == len(expr.terms):
            return expr
        low = [transform(term, lambda node: Read(self.low[node.name], node.indices) if isinstance(node, Read) else node) for term in fine]
        return Add((*(term for term in expr.terms if term not in fine), *fine, *low))

    def _pointwise(self, value: Pointwise, expr: Expr, order: tuple[Index, ...], lines: list[str]) -> None:
        stored = value.name in self.blocks.stored
        writer = InPlace(self.printer, order, self.work, self.guarded, lines)
        if not self._in_place(expr, order):
            self.printer.order = order
            text = self.printer.text(expr)
            lines.append(f"{self.printer.place(value.name, value.indices)} = {text}")
        elif stored:
            writer.into(expr, self.printer.place(value.name, value.indices))
        else:
            writer.into(expr, self.work.lend(order, lines, value.name))

    def _in_place(self, expr: Expr, order: tuple[Index, ...]) -> bool:
        """Whether a block of it is worth a place of its own: it has every letter of a large array, the blocked one first."""
        return order[0].axis == self.blocks.axis and len(order) == len(self.largest) and set(free_indices(expr)) == set(order)

    def _total(self, total: Total, expr: Expr, order: tuple[Index, ...], lines: list[str]) -> None:
        text = self._reduced(total, expr, order, lines)
        if self._accumulated(total):
            lines.append(self._more(total, text))
        elif total.name in self.blocks.precise:
            lines += [f"{self.double[total.name]} = {text}", *self._parts(total)]
        else:
            lines.append(f"{self.printer.place(total.name, total.indices)} = {text}")

    def _more(self, total: Total, text: str) -> str:
        if total.kind in ("max", "min"):
            return f"{total.name} = np.{total.kind}imum({total.name}, {text})"
        return f"{self.double.get(total.name, total.name)} += {text}"

    def _reduced(self, total: Total, expr: Expr, order: tuple[Index, ...], lines: list[str]) -> str:
        """The reduction over one block."""
        writer = InPlace(self.printer, order, self.work, self.guarded, lines)
        numbers, factors = _factors(expr) if total.kind in ("sum", "mean") else ([], [expr])
        while len(factors) > 2 or (len(factors) == 2 and (self._in_double(total) or self._is_small_pair(factors, order))):
            first, second, *rest = factors
            factors = [self._known(Pow(first, Num(Fraction(2))) if first == second else mul(first, second)), *rest]
        operands = [self._operand(factor, order, writer) for factor in dict.fromkeys(factors)]
        texts = dict(zip(dict.fromkeys(factors), operands, strict=True))
        text = self._summed(total, [(texts[factor][0], factor) for factor in factors], order)
        for _, lent in operands:
            self.work.take_back(lent)
        if numbers:
            text = f"{self.printer.at(mul(*numbers), PRODUCT)}*{text}"
        lost = [Extent(index.axis) for index in total.bound if index not in free_indices(total.expr)]
        if total.kind == "sum" and lost:
            text = f"{text}*{self.printer.at(mul(*lost), POWER)}"
        divided = total.kind == "mean" and not self._accumulated(total)
        return f"{text}/{self._count(total)}" if divided else text

    def _known(self, product: Expr) -> Expr:
        """The product, read where this block has it already."""
        key, letters = key_of(product)
        for name in self.here:
            value = self.values[name]
            found, own = key_of(value.expr)
            if found == key and isinstance(value, Pointwise):
                mapping = dict(zip(own, letters, strict=True))
                return Read(name, tuple(mapping[index] for index in value.indices))
        return product

    def _is_small_pair(self, factors: list[Expr], order: tuple[Index, ...]) -> bool:
        return all(set(free_indices(factor)) != set(order) for factor in factors)

    def _operand(self, factor: Expr, order: tuple[Index, ...], writer: InPlace) -> tuple[str, str | None]:
        own = tuple(index for index in order if index in free_indices(factor))
        if own == order and self._in_place(factor, order):
            return writer.operand(factor)
        self.printer.order = own
        return self.printer.text(factor), None

    def _summed(self, total: Total, operands: list[tuple[str, Expr]], order: tuple[Index, ...]) -> str:
        if len(operands) == 2:
            orders = [tuple(index for index in order if index in free_indices(factor)) for _, factor in operands]
            return f'np.einsum("{subscripts(orders, total.indices)}", {", ".join(text for text, _ in operands)})'
        ((text, factor),) = operands
        own = tuple(index for index in order if index in free_indices(factor))
        places = [place for place, index in enumerate(own) if index in total.bound]
        axis = "" if len(places) == len(own) else f", axis={places[0] if len(places) == 1 else tuple(places)}"
        kind = "sum" if total.kind == "mean" else total.kind
        double = ", dtype=np.float64" if self._in_double(total) or total.name in self.blocks.precise else ""
        return self.plain.transposed(f"np.{kind}({text}{axis}{double})", own, total)

    def _in_double(self, total: Total) -> bool:
        """Sums of the very data, which may be large beside their spread, and of their differences from their mean, with outliers."""
        data = self.first and isinstance(total.expr, Read) and total.expr.name not in self.values
        return total.kind in ("sum", "mean") and (data or any(self._is_fine(name) for name in reads(total.expr)))

    def _is_fine(self, name: str) -> bool:
        """Whether a value is, or is computed from, a sum that is known to more than the dtype."""
        value = self.values.get(name)
        if value is None or name in self.blocks.precise:
            return value is not None
        return isinstance(value, Pointwise) and any(self._is_fine(part) for part in reads(value.expr))


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


