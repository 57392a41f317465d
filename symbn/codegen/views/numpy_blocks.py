"""The statements of a pass in NumPy, block by block.

In: a Program and its Blocks.  Out: lines, in which each array is read in pieces that stay in the cache and every operation on one writes
into memory that is there.
"""

from __future__ import annotations

from collections.abc import Iterable

from symbn.codegen.blocks import Blocks, Round, in_place, is_accumulated, largest_axes, letters_of, single_read
from symbn.codegen.keys import memory_order
from symbn.codegen.naming import Names
from symbn.codegen.printers.numpy_inplace import BlockPrinter, InPlace, Line, Place
from symbn.codegen.program import INPUT, Pointwise, Program, Total, Value
from symbn.codegen.views.numpy_statements import Statements
from symbn.codegen.views.numpy_sums import BlockSums
from symbn.codegen.views.numpy_work import Work
from symbn.expr import Add, Expr, Index, Read, free_indices, reads, transform
from symbn.language import definition_text


class BlockStatements:
    """Writes one pass; results that are `given` are there to be filled. `printer.axes` and `printer.helpers` collect what the text uses."""

    def __init__(self, program: Program, blocks: Blocks, *, first: bool, given: frozenset[str]) -> None:
        self.program, self.blocks, self.given = program, blocks, given
        parts = (*program.arguments, *program.outputs, *program.values)
        names = Names((*program.axes, *(part.name for part in parts)))
        self.all_blocks, self.block, self.rows = names.fresh("blocks"), names.fresh("block"), names.fresh("rows")
        self.double = {name: names.fresh(f"{name}_double") for name in sorted(blocks.precise)}
        self.low = {name: names.fresh(f"{name}_low") for name in sorted(blocks.precise)}
        full = {part.name for part in program.arguments if blocks.axis in part.axes} | blocks.stored
        self.printer = BlockPrinter(blocks.axis, frozenset(full), self.block)
        self.plain = Statements(program, self.printer)
        self.sums = BlockSums(program, blocks, self.printer, first=first)
        self.guarded = frozenset(part.name for part in program.arguments if part.role == INPUT)
        self.work = Work(names, self.printer, self.all_blocks, self.rows)
        self.told: set[str] = set()
        self.here: list[str] = []  # values of this block that something later in the loop reads
        self.largest = largest_axes(program)

    def lines(self) -> list[Line]:
        """All statements."""
        body = [line for each in self.blocks.rounds for line in self._round(each)]
        row = list(self.largest[1:])
        self.printer.axes |= {self.blocks.axis, *row}
        stored = [value for value in self.program.values if value.name in self.blocks.stored - self.given]
        first = f"{self.all_blocks} = _blocks({self.blocks.axis}, {'*'.join(row) or '1'})"
        return [*map(Line, (first, *(self._room(value) for value in stored), *self.work.rooms())), *body]

    def _room(self, value: Value) -> str:
        shape = self._shape([index.axis for index in value.indices])
        made = f"np.empty({shape}, dtype)"
        is_output = any(output.name == value.name for output in self.program.outputs)
        return f'{value.name} = out["{value.name}"] if "{value.name}" in out else {made}' if is_output else f"{value.name} = {made}"

    def _shape(self, axes: list[str]) -> str:
        self.printer.axes |= set(axes)
        return f"({', '.join(axes)}{',' if len(axes) == 1 else ''})"

    def _round(self, each: Round) -> list[Line]:
        lines = [line for value in each.before for line in self._before(value)]
        totals = [value for value in each.inside if isinstance(value, Total) and is_accumulated(value, self.blocks.axis)]
        lines += [Line(self._start(total)) for total in totals]
        inside: list[Line] = []
        self.here, self.work.measured = [], False
        for number, value in enumerate(each.inside):
            later = {name for other in each.inside[number + 1 :] for name in reads(other.expr)}
            inside += [*self._comment(value), *self._inside(value)]
            self.work.release(later)
            self.here = [name for name in (*self.here, value.name) if name in later]
        lines += self.work.spread_lines()
        if inside:
            lines.append(Line(f"for {self.block} in {self.all_blocks}:"))
            length = [Line(f"{self.rows} = {self.block}.stop - {self.block}.start")] if self.work.measured else []
            lines += indented([*length, *inside])
        return [*lines, *(Line(text) for total in totals for text in self._finish(total))]

    def _comment(self, value: Value) -> list[Line]:
        if value.source is None or value.name in self.told:
            return []
        self.told.add(value.name)
        return [Line(f"# {definition_text(value.source)}")]

    def _before(self, value: Value) -> list[Line]:
        comment, read = self._comment(value), frozenset(reads(value.expr))
        if value.name in self.blocks.precise:
            expr = transform(value.expr, lambda node: Read(self.double[node.name], node.indices) if isinstance(node, Read) else node)
            first = Line(f"{self.double[value.name]} = {self.printer.whole(expr, value.indices)}", read)
            return [*comment, first, *map(Line, self._parts(value))]
        return [*comment, Line(f"{value.name} = {self.plain.right(value)}", read)]

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
        count = self.sums.count(total) if total.kind == "mean" else None
        if double is not None:
            divided = [f"{double} = {double}/{count}"] if count else []
            return [*divided, *self._parts(total)]
        return [f"{total.name} = " + (f"({total.name}/{count})" if count else total.name) + ".astype(dtype)"]

    def _inside(self, value: Value) -> list[Line]:
        expr = transform(value.expr, self._with_low_part)
        lines: list[Line] = []
        order = letters_of(value) if isinstance(value, Pointwise) else memory_order(free_indices(expr), expr)
        writer = InPlace(self.printer, order, self.work, self.guarded, lines)
        if isinstance(value, Pointwise):
            self._pointwise(value, expr, order, writer)
        else:
            lines += self._total(value, self.sums.reduced(value, expr, order, writer, self.here))
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

    def _pointwise(self, value: Pointwise, expr: Expr, order: tuple[Index, ...], writer: InPlace) -> None:
        place = Place(self.printer.place(value.name, value.indices), value.name)
        stored = value.name in self.blocks.stored
        if in_place(expr, order, self.blocks.axis, self.largest):
            writer.into(expr, place if stored else Place(self.work.lend(order, writer.lines, value.name)))
            return
        self.printer.order = order
        text = self.printer.text(expr)
        if not stored and set(free_indices(expr)) != set(order):
            text = self.work.full(order, text, self.blocks.axis)
        writer.lines.append(Line(f"{place.text} = {text}", frozenset(reads(expr)), place.name))

    def _total(self, total: Total, part: Line) -> list[Line]:
        """What becomes of the reduction over one block."""
        if is_accumulated(total, self.blocks.axis):
            return [Line(self._more(total, part.text), part.reads)]
        if total.name in self.blocks.precise:
            return [Line(f"{self.double[total.name]} = {part.text}", part.reads), *map(Line, self._parts(total))]
        return [Line(f"{self.printer.place(total.name, total.indices)} = {part.text}", part.reads, total.name)]

    def _more(self, total: Total, text: str) -> str:
        if total.kind in ("max", "min"):
            return f"{total.name} = np.{total.kind}imum({total.name}, {text})"
        return f"{self.double.get(total.name, total.name)} += {text}"


def indented(lines: Iterable[Line]) -> list[Line]:
    """The lines, one level deeper."""
    return [line._replace(text=f"    {line.text}") for line in lines]
