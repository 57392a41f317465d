"""The statements of a pass as C.

In: scheduled loops, an element type and printers.  Out: functions: one for each outermost loop, over a part of its axis, and the pass
itself, which cuts the loops into parts and adds up what the parts have summed.
"""

from __future__ import annotations

from collections.abc import Sequence

from symbn.codegen.naming import Names
from symbn.codegen.printers.c import CPrinter
from symbn.codegen.program import Assign, Finish, Joined, Load, Start, Statement, Store, Sweep
from symbn.codegen.storage import Storage
from symbn.codegen.views.c_ahead import ahead_of
from symbn.codegen.views.c_column_parts import ColumnParts
from symbn.codegen.views.c_columns import is_columns
from symbn.codegen.views.c_helpers import Function
from symbn.codegen.views.c_joined import joined_lines
from symbn.codegen.views.c_names import LocalNames
from symbn.codegen.views.c_planes import extent, most, plane_of
from symbn.codegen.views.c_signature import Signature, wrapped
from symbn.codegen.views.c_statements import EXTREMA, Statements
from symbn.codegen.views.c_text import indented, occurs
from symbn.codegen.walk import accumulated, everything, stored


class Body:
    """Writes the functions of one pass for one element type."""

    def __init__(self, signature: Signature, storage: Storage, printer: CPrinter) -> None:
        self.signature, self.storage, self.real, self.printer = signature, storage, storage.real, printer
        self.names = LocalNames(signature, Names(_taken(signature)))
        self.statements = Statements(signature, storage, printer, self.names)
        self.started: dict[str, Start] = {}
        self.scalars: list[str] = []
        self.stages: list[Function] = []
        self.stage_names = Names(())
        self.streams = False

    def functions(self) -> tuple[Function, ...]:
        """The loops' functions, then the pass."""
        main = [line for statement in self.signature.loops.body for line in self._top(statement)]
        main = [*(self._stream() if self.streams else []), *main]
        scalars = [argument.name for argument in self.signature.program.arguments if not argument.axes]
        unused = [f"(void){name};" for name in scalars if not occurs(name, main)]
        lines = (*unused, *self.signature.checks(), *self.signature.buffers(), *main, f"return {self.signature.code('ok')};")
        declaration = self.signature.declaration(self.storage)
        return (*self.stages, Function(self.signature.comment(self.storage), declaration, lines))

    def _top(self, statement: Statement) -> list[str]:
        """A statement outside of all loops."""
        match statement:
            case Sweep():
                plane = plane_of(statement, self.real)
                return self._by_size(statement, plane) if plane else self._launch(statement)
            case Joined():
                return self._launch(statement.rows, statement)
            case Start(name):
                self.started[name] = statement
                return []
            case Load(name) | Assign(name):
                self.scalars.append(name)
        return self.statements.statement(statement)

    def _by_size(self, sweep: Sweep, plane: tuple[str, ...]) -> list[str]:
        """Small planes are taken many at a time, large ones one by one."""
        statements = self.statements
        self.statements = Statements(self.signature, self.storage, self.printer, self.names, runs=True)
        _, *small = self._launch(sweep, plane=plane)
        self.statements = statements
        _, *large = self._launch(sweep)
        return [f"if ({extent(plane)} <= {self.printer.macro}_PLANE) {{", *small[:-1], "} else {", *large]

    def _launch(self, sweep: Sweep, joined: Joined | None = None, plane: tuple[str, ...] = ()) -> list[str]:
        """The loop as a function of its own, and the lines that call it, part by part; over planes as well where they are small."""
        starts = [self.started[name] for name in accumulated(sweep) if name in self.started]
        if joined is None and not starts and is_columns(sweep, self.real):  # a sum that goes on over columns is one of the columns' parts
            return self._launch_columns(sweep)
        name = self.stage_names.fresh(f"{self.signature.name}_{self.storage.dtype}_over_{'_'.join((sweep.index.axis, *plane))}")
        body, results = self._stage_body(sweep, starts, joined)
        used = [part for part in self._parameters() if occurs(part[0], body)]
        bounds = [(self.names.first, f"ptrdiff_t {self.names.first}"), (self.names.last, f"ptrdiff_t {self.names.last}")]
        sums = [(self.names.sums, f"double *{self.names.sums}")] if results else []
        declaration = wrapped(f"{self.printer.macro}_CLONES static void {name}(", [text for _, text in (*used, *bounds, *sums)])
        self.stages.append(Function((), declaration, tuple(body)))
        self.scalars += [start.name for start in starts]
        declared = [line for start in starts for line in self.statements.start(start, lanes=False)]
        self.statements.complete |= {start.name for start in starts}
        return [*declared, *self._calls(sweep, name, [part for part, _ in used], results, joined, plane)]

    def _launch_columns(self, sweep: Sweep) -> list[str]:
        self.statements.blocks = [set()]
        stem = f"{self.signature.name}_{self.storage.dtype}"
        made = ColumnParts(self.statements, sweep, self._parameters(), lambda what: self.stage_names.fresh(f"{stem}_{what}"))
        self.stages += made.functions
        self.streams |= any(occurs("stream", function.body) for function in made.functions)
        return made.calls

    def _stage_body(self, sweep: Sweep, starts: Sequence[Start], joined: Joined | None) -> tuple[list[str], list[tuple[Start, int]]]:
        """The function's lines; and where in `sums` each accumulator is."""
        self.statements.blocks = [set()]
        self.statements.ahead = ahead_of(sweep, self.statements) if joined is None else None
        names, each = self.names, 1 if self.real == "float" else 2
        lines = [line for start in starts for line in self.statements.start(start, explained=False)]
        if joined is None:
            lines += self.statements.sweep(sweep, names.first, names.last)
        else:
            lines += [line for s in joined.columns.body if isinstance(s, Start) for line in self.statements.comment_of(s.total)]
            lines += joined_lines(self.statements, joined, names.first, names.last)
        if self.statements.ahead is not None and occurs(names.ahead, lines):
            lines.insert(0, self.statements.ahead.decided(self.statements))
        results, place = [], 0
        for start in starts:
            lines += self.statements.gathered(start.name, start.total.kind)
            results.append((start, place))
            lines.append(f"{names.sums}[{place}] = {start.name};")
            place += 1
            if each == 2 and start.total.kind not in EXTREMA:
                lines.append(f"{names.sums}[{place}] = {names.low(start.name)};")
                place += 1
        self.streams |= occurs("stream", lines)
        return self.statements.streaming(lines), results

    def _columns_of(self, joined: Joined) -> list[str]:
        """Adds what the other parts have summed for each column to the first part's sums, and finishes the columns."""
        sweep, names = joined.columns, self.names
        column, axis = sweep.index.name, sweep.index.axis
        added, read = [], []
        for start, buffer in zip((s for s in sweep.body if isinstance(s, Start)), joined.buffers, strict=True):
            self.statements.complete.add(start.name)
            total, other = f"{buffer.name}[{column}]", f"{buffer.name}[{self._place(axis)} + {column}]"
            if self.real == "float":
                added.append(f"{total} += {other};")
                read.append(f"double {start.name} = {total};")
                continue
            low, other_low = f"{buffer.name}[{axis} + {column}]", f"{buffer.name}[{self._place(axis)} + {axis} + {column}]"
            added += [f"{self.printer.helper('add')}(&{total}, &{low}, {other});", f"{low} += {other_low};"]
            read.append(f"double {start.name} = {total}, {names.low(start.name)} = {low};")
        read += [line for s in sweep.body if isinstance(s, (Load, Assign, Finish, Store)) for line in self.statements.statement(s)]
        columns = f"for (ptrdiff_t {column} = 0; {column} < {axis}; ++{column}) {{"
        parts = f"for (ptrdiff_t {names.part} = 1; {names.part} < {names.parts}; ++{names.part}) {{"
        inner = [f"{self.printer.macro}_INDEPENDENT", columns, *indented(added), "}"]
        return [parts, *indented(inner), "}", columns, *indented(read), "}"]

    def _place(self, axis: str) -> str:
        """Where a part's own sums start in a buffer."""
        return f"{'2*' if self.real == 'double' else ''}{self.names.part}*{axis}"

    def _parameters(self) -> list[tuple[str, str]]:
        """What a loop's function may be given: (name, declaration)."""
        program, ctype = self.signature.program, self.storage.ctype
        found = [(axis, f"ptrdiff_t {axis}") for axis in program.axes]
        found += [(a.name, f"const {ctype(a.axes)} *{a.name}" if a.axes else f"double {a.name}") for a in program.arguments]
        found += [(output.name, f"{ctype(output.axes)} *{output.name}") for output in program.outputs]
        found += [(buffer.name, f"double *{buffer.name}") for buffer in self.signature.loops.buffers]
        return [*found, *((name, f"double {name}") for name in self.scalars), ("stream", "int stream")]

    def _calls(
        self, sweep: Sweep, name: str, given: list[str], results: list[tuple[Start, int]], joined: Joined | None, plane: tuple[str, ...]
    ) -> list[str]:
        axis, names = sweep.index.axis, self.names
        width = results[-1][1] + 1 + (self.real == "double" and results[-1][0].total.kind not in EXTREMA) if results else 0
        if self._alone(sweep):
            return self._one_call(axis, name, given, results, width)
        parts, part, cut, cuts, theirs = names.parts, names.part, self.printer.helper("cut"), axis, given
        if joined is not None:
            cuts = f"{self.printer.helper('least')}({axis}, {self.printer.macro}_JOINED_PARTS)"
            offset = {buffer.name: f"{buffer.name} + {self._place(joined.columns.index.axis)}" for buffer in joined.buffers}
            theirs = [offset.get(argument, argument) for argument in given]
        elif plane:
            cuts = f"{axis} / ({most(self.printer.macro, plane)}) + 1"
        bounds = [f"{cut}({axis}, {part}, {parts})", f"{cut}({axis}, {part} + 1, {parts})"]
        call = wrapped(f"{name}(", [*theirs, *bounds, *([f"{names.sums}[{part}]"] if width else [])], ");")
        whole = wrapped(f"{name}(", [*given, "0", axis, *([f"{names.sums}[0]"] if width else [])], ");")
        loop = f"for (ptrdiff_t {part} = 0; {part} < {parts}; ++{part}) {{"
        lines = [f"const ptrdiff_t {parts} = {self.printer.helper('parts')}({cuts}, {work(sweep)});"]
        lines += [f"double {names.sums}[{self.printer.macro}_PARTS][{width}];"] if width else []
        lines += ["", f"if ({parts} == 1) {{", *indented(whole), "} else {"]
        lines += [*indented([f"{self.printer.macro}_PARALLEL", loop, *indented(call), "}"]), "}"]
        if width:
            lines += [loop, *indented(self._combined(results, f"{names.sums}[{part}]")), "}"]
        return ["{", *indented([*lines, *(self._columns_of(joined) if joined is not None else [])]), "}"]

    def _one_call(self, axis: str, name: str, given: list[str], results: list[tuple[Start, int]], width: int) -> list[str]:
        """A loop whose turns share working memory is run by one thread."""
        call = list(wrapped(f"{name}(", [*given, "0", axis, *([self.names.sums] if width else [])], ");"))
        if not width:
            return call
        return ["{", *indented([f"double {self.names.sums}[{width}];", "", *call, *self._combined(results, self.names.sums)]), "}"]

    def _combined(self, results: list[tuple[Start, int]], sums: str) -> list[str]:
        """Adds a part's sums to the whole."""
        lines = []
        for start, place in results:
            lines.append(self.statements.include(start.name, start.total.kind, f"{sums}[{place}]"))
            if self.real == "double" and start.total.kind not in EXTREMA:
                lines.append(f"{self.names.low(start.name)} += {sums}[{place + 1}];")
        return lines

    def _alone(self, sweep: Sweep) -> bool:
        """Whether two turns of the loop write to the same place of a buffer."""
        buffers = {buffer.name for buffer in self.signature.loops.buffers}
        return any(store.array in buffers and sweep.index not in store.indices for store in stored(sweep))

    def _stream(self) -> list[str]:
        """Whether the largest output is larger than the caches."""
        largest = max((output.axes for output in self.signature.program.outputs), key=len)
        elements = "*".join([*(f"(double){axis}" for axis in largest), f"{self.storage.bytes(largest)}.0"])
        return [f"const int stream = {elements} >= (double){self.printer.macro}_STREAM;"]


def work(sweep: Sweep) -> str:
    """How many elements the loop touches."""
    return "*".join(f"(double){axis}" for axis in _deepest(sweep))


def _deepest(sweep: Sweep) -> list[str]:
    inner = [_deepest(statement) for statement in sweep.body if isinstance(statement, Sweep)]
    return [sweep.index.axis, *max(inner, key=len, default=[])]


def _taken(signature: Signature) -> tuple[str, ...]:
    """Every name that the pass already has."""
    program, statements = signature.program, tuple(everything(signature.loops.body))
    names = [s.name for s in statements if isinstance(s, (Load, Assign, Start))]
    letters = [s.index.name for s in statements if isinstance(s, Sweep)]
    arrays = [*(a.name for a in program.arguments), *(o.name for o in program.outputs), *(b.name for b in signature.loops.buffers)]
    return (*names, *letters, *arrays, *program.axes, "workspace", "stream")
