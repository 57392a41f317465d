"""Statements as lines of C.

In: a statement.  Out: its lines. A loop whose body is plain arithmetic on elements goes to `c_elements`; every other loop is written as it
stands, in double.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from symbn.codegen.printers.c import CPrinter
from symbn.codegen.printers.infix import COMPARISON, POWER, SUM
from symbn.codegen.program import Accumulate, Assign, Finish, Load, Start, Statement, Store, Sweep, Total
from symbn.codegen.storage import Storage
from symbn.codegen.views.c_ahead import Ahead
from symbn.codegen.views.c_columns import Columns, is_columns
from symbn.codegen.views.c_elements import Elements, shape_of, subtracted
from symbn.codegen.views.c_names import LocalNames
from symbn.codegen.views.c_planes import Planes, plane_of
from symbn.codegen.views.c_signature import Signature
from symbn.codegen.views.c_text import INDENT, indented, occurs
from symbn.codegen.views.c_ties import compared, equations_in_float, in_float
from symbn.codegen.walk import accumulated, everything
from symbn.expr import Expr, Extent, Index, Reduce, mul
from symbn.language import definition_text
from symbn.layer import Definition

# The neutral element without its type's suffix, the helper for two values, and the one for all lanes.
EXTREMA = {"max": ("-HUGE_VAL", "maximum", "largest"), "min": ("HUGE_VAL", "minimum", "smallest")}


class Statements:
    """Writes the statements of one pass for one element type; with `runs`, loops over planes are written for small ones."""

    def __init__(self, signature: Signature, storage: Storage, printer: CPrinter, names: LocalNames, *, runs: bool = False) -> None:
        self.storage, self.real, self.printer, self.names, self.runs = storage, storage.real, printer, names, runs
        program = signature.program
        self.axes = {argument.name: argument.axes for argument in program.arguments}
        self.axes |= {output.name: output.axes for output in program.outputs}
        self.buffers = {buffer.name: buffer.axes for buffer in signature.loops.buffers}
        sweeps = [s for s in everything(signature.loops.body) if isinstance(s, Sweep) and self.shape(s) == "lanes"]
        self.in_lanes = {name for sweep in sweeps for name in accumulated(sweep)}
        self.wide = subtracted(signature.loops.body)
        self.compared = compared(signature.loops.body)
        self.ahead: Ahead | None = None
        self.complete: set[str] = set()
        self.exact: set[str] = set()
        self.explained: set[Definition] = set()
        self.blocks: list[set[str]] = [set()]
        self.narrow: dict[str, str] = {}  # the lanes of sums that were taken for several rows at once

    def statement(self, statement: Statement) -> list[str]:
        """One statement; a loop with all that is in it."""
        match statement:
            case Sweep(index):
                return self.sweep(statement, "0", index.axis)
            case Load(name, array, indices):
                exact = self.real == "float" and array not in self.buffers
                self.exact |= {name} if exact else set()
                return [f"const double {name} = {self.number(array, indices, 'double')};"]
            case Assign(name, expr, source):
                return [*self.comment(source), f"const double {name} = {self._value(name, expr)};"]
            case Start():
                return self.start(statement)
            case Accumulate(name, kind, expr):
                level = SUM if kind not in EXTREMA and self.real == "float" else COMPARISON
                return [self.include(name, kind, self._value(name, expr, level))]
            case Finish(name, kind, axes):
                return self._finish(name, kind, axes)
            case Store(array, indices, expr):
                return self._store(array, indices, expr)
        raise TypeError(statement)

    def _value(self, name: str, expr: Expr, level: int = COMPARISON) -> str:
        """What a name becomes; in float, where it is compared for being equal."""
        if self.real == "double":
            return self.printer.at(expr, level)
        if name in self.compared:
            return in_float(expr, self.printer)
        return self.printer.at(equations_in_float(expr, self.printer, self.exact), level)

    def sweep(self, sweep: Sweep, first: str, last: str) -> list[str]:
        """A loop from `first` to before `last`."""
        if is_columns(sweep, self.real):
            return Columns(self, sweep).lines(first, last)
        if self.runs and plane_of(sweep, self.real):
            return Planes(self, sweep).lines(first, last)
        if self.shape(sweep) != "plain":
            return Elements(self, sweep).lines(first, last)
        self.blocks.append(set())
        inner = [line for part in sweep.body for line in self.statement(part)]
        self.blocks.pop()
        name = sweep.index.name
        return [f"for (ptrdiff_t {name} = {first}; {name} < {last}; ++{name}) {{", *indented(inner), "}"]

    def start(self, start: Start, *, explained: bool = True, lanes: bool = True) -> list[str]:
        """An accumulator's declaration; `explained` with a comment, `lanes` side by side where its loop is of that kind."""
        name, total = start.name, start.total
        lines = self.comment_of(total) if explained else []
        if total.kind in EXTREMA:
            self.exact.add(name)
        if name in self.in_lanes and lanes:
            return [*lines, *self._start_lanes(name, total.kind)]
        if total.kind in EXTREMA:
            return [*lines, f"double {name} = {EXTREMA[total.kind][0]};"]
        low = f", {self.names.low(name)} = 0.0" if self.real == "double" else ""
        return [*lines, f"double {name} = 0.0{low};"]

    def _start_lanes(self, name: str, kind: str) -> list[str]:
        lanes, lane = self.names.lanes(name), self.names.lane
        size = f"[{self.printer.macro}_LANES]"
        if kind in EXTREMA:
            neutral = f"{EXTREMA[kind][0]}{'F' if self.real == 'float' else ''}"
            head = f"for (int {lane} = 0; {lane} < {self.printer.macro}_LANES; ++{lane}) {{"
            return [f"{self.real} {lanes}{size};", head, f"{INDENT}{lanes}[{lane}] = {neutral};", "}"]
        low = f", {self.names.lanes_low(name)}{size} = {{0.0}}" if self.real == "double" else ""
        return [f"double {lanes}{size} = {{0.0}}{low};"]

    def gathered(self, name: str, kind: str) -> list[str]:
        """An accumulator that was in lanes, as one number."""
        if name in self.narrow:
            return [f"double {name} = {self.printer.helper('row_total')}({self.narrow[name]});"]
        if name not in self.in_lanes:
            return []
        lanes = self.names.lanes(name)
        if kind in EXTREMA:
            return [f"const double {name} = {self.printer.of(self.real).helper(EXTREMA[kind][2])}({lanes});"]
        if self.real == "float":
            return [f"double {name} = {self.printer.helper('total')}({lanes});"]
        low, lost = self.names.low(name), self.names.lanes_low(name)
        return [f"double {name} = 0.0, {low} = 0.0;", f"{self.printer.helper('gather')}(&{name}, &{low}, {lanes}, {lost});"]

    def include(self, name: str, kind: str, text: str) -> str:
        """Adds to an accumulator."""
        if kind in EXTREMA:
            return f"{name} = {self.printer.helper(EXTREMA[kind][1])}({text}, {name});"
        if self.real == "float":
            return f"{name} += {text};"
        return f"{self.printer.helper('add')}(&{name}, &{self.names.low(name)}, {text});"

    def comment_of(self, total: Total) -> list[str]:
        """What an accumulator will hold."""
        return self.comment(total.source or _formula(total))

    def note_exact(self, body: Iterable[Statement]) -> None:
        """Numbers of the body that are floats, and lose nothing as one."""
        if self.real == "float":
            self.exact |= {s.name for s in body if isinstance(s, Load) and s.array not in self.buffers}
            self.exact |= {s.name for s in body if isinstance(s, Start) and s.total.kind in EXTREMA}

    def shape(self, sweep: Sweep) -> str:
        """What `shape_of` says of the loop."""
        return shape_of(sweep, self.axes, self.buffers, self.real)

    def _finish(self, name: str, kind: str, axes: tuple[str, ...]) -> list[str]:
        lines = [] if name in self.complete else self.gathered(name, kind)
        if kind not in EXTREMA and self.real == "double":
            lines.append(f"{name} = {self.printer.helper('complete')}({name}, {self.names.low(name)});")
        if kind == "mean":
            lines.append(f"{name} /= {self.printer.at(mul(*map(Extent, axes)), POWER if len(axes) == 1 else SUM)};")
        return lines

    def _store(self, array: str, indices: tuple[Index, ...], expr: Expr) -> list[str]:
        text = self._value("", expr)
        if array in self.buffers:
            return [f"{self.element(array, indices)} = {text};"]
        value = self.packed(array, f"(float){self._value('', expr, POWER)}" if self.real == "float" else text)
        return [f"if ({array} != NULL) {{", f"{INDENT}{self.element(array, indices)} = {value};", "}"]

    def number(self, array: str, indices: tuple[Index, ...], real: str, letters: Mapping[Index, str] | None = None) -> str:
        """An element of an array, under `letters` as in `element`, as a number of the type `real`."""
        text, own = self.element(array, indices, letters), "double" if array in self.buffers else self.real
        if self._is_half(array):
            text = f"{self.printer.helper(f'from_{self.storage.dtype}')}({text})"
        return text if own == real else f"({real}){text}"

    def packed(self, array: str, text: str) -> str:
        """A number as an element of an output."""
        return f"{self.printer.helper(f'to_{self.storage.dtype}')}({text})" if self._is_half(array) else text

    def ctype(self, array: str) -> str:
        """The type of an array's elements."""
        return "double" if array in self.buffers else self.storage.ctype(self.axes[array])

    def streaming(self, lines: list[str]) -> list[str]:
        """A function's lines, around them what its outputs need that pass by the caches."""
        streamed = [array for array in self.axes if occurs(self.names.line(array), lines)]
        prefix = self.printer.prefix
        starts = [f"struct {prefix}line {self.names.line(array)} = {{NULL, 0, {{0}}}};" for array in streamed]
        ends = [f"{prefix}flush(&{self.names.line(array)});" for array in streamed]
        fence = [f"{prefix}fence();"] if any(f"{prefix}stream(" in line for line in lines) else []
        return [*starts, *lines, *ends, *fence]

    def bytes(self, array: str) -> int:
        """The size of an array's element."""
        return 8 if array in self.buffers else self.storage.bytes(self.axes[array])

    def _is_half(self, array: str) -> bool:
        return array not in self.buffers and self.storage.is_half(self.axes[array])

    def element(self, array: str, indices: tuple[Index, ...], letters: Mapping[Index, str] | None = None) -> str:
        """An element of an array; `letters` says what stands for an index instead of its own letter."""
        axes = self.axes.get(array) or self.buffers.get(array, ())
        if not indices:
            return f"*{array}"
        words = [(letters or {}).get(index, index.name) for index in indices]
        place = words[0]
        for word, axis in zip(words[1:], axes[1:], strict=True):
            outer = place if place.isidentifier() else f"({place})"
            place = word if place == "0" else f"{outer}*{axis}{f' + {word}' if word != '0' else ''}"
        return f"{array}[{place}]"

    def comment(self, source: Definition | None) -> list[str]:
        """The formula, once a pass."""
        if source is None or source in self.explained:
            return []
        self.explained.add(source)
        return [f"/* {definition_text(source)} */"]


def _formula(total: Total) -> Definition:
    return Definition(total.name, total.indices, Reduce(total.kind, total.expr, total.bound))
