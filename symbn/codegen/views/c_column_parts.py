"""An outermost loop over columns, on several threads.

In: the loop.  Out: functions: one for each of its loops over rows, one for a block of columns; and the lines that call the latter.

Rows are cut into parts, and a part reads its rows one after the other, as they lie in memory. Where there are more blocks of columns than
parts of rows, the blocks are what runs at once. No part waits for another: threads may have to share their cores with other programs.

Several short rows that follow each other in every array are taken as one: arithmetic on a row then costs the same however short it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from symbn.codegen.program import Sweep
from symbn.codegen.views.c_columns import Columns, Rows, is_flat
from symbn.codegen.views.c_elements import OVER_LANES
from symbn.codegen.views.c_helpers import Function
from symbn.codegen.views.c_signature import wrapped
from symbn.codegen.views.c_text import indented, occurs

if TYPE_CHECKING:
    from symbn.codegen.views.c_statements import Statements

Parameter = tuple[str, str]  # name, declaration


class ColumnParts:
    """Writes the loop; `given` is what its functions may be called with, `fresh` gives out their names."""

    def __init__(self, statements: Statements, sweep: Sweep, given: list[Parameter], fresh: Callable[[str], str]) -> None:
        self.statements, self.names, self.printer, self.real = statements, statements.names, statements.printer, statements.real
        self.macro, self.sweep, self.given, self.fresh = statements.printer.macro, sweep, given, fresh
        self.folds = is_flat(sweep, self.real)
        self.columns, self.functions, self.rows = Columns(statements, sweep, folds=self.folds), list[Function](), tuple[str, ...]()
        names = self.names
        self.wide = names.wide if self.folds else names.width
        self.place = [(name, f"ptrdiff_t {name}") for name in (names.column, names.width)]
        block = self._block()
        name, used = fresh(f"blocks_over_{sweep.index.axis}"), self._used(block, given)
        parameters = [text for _, text in (*used, *self.place, (names.parts, f"ptrdiff_t {names.parts}"))]
        self.functions.append(Function((), wrapped(f"static void {name}(", parameters), tuple(block)))
        self.calls = self._calls(name, [part for part, _ in used])

    def _block(self) -> list[str]:
        """What is done with a block of columns."""
        lines: list[str] = []
        for part in self.columns.parts((self.names.first, self.names.last)):
            lines += ["", *self._over_rows(part)] if isinstance(part, Rows) else part
        return [*self._fold(), *lines]

    def _fold(self) -> list[str]:
        """How many rows are taken as one, and how many elements that one has."""
        names, axis, folded = self.names, self.sweep.index.axis, f"{self.macro}_FOLDED"
        short = f"{names.width} == {axis} && {names.width} < {self.macro}_PIECE && {'*'.join(self.rows)} >= {folded}"
        fold = f"const ptrdiff_t {names.fold} = {short} ? {folded} / {names.width} : 1;"
        return [fold, f"const ptrdiff_t {names.wide} = {names.fold}*{names.width};"] if self.folds else []

    def _over_rows(self, rows: Rows) -> list[str]:
        """The rows, at once or in parts; either is a call of a function of their own."""
        names, extent, sums = self.names, "*".join(rows.axes), self._sums(rows)
        arrays = [(name, f"{'' if name in sums else 'const '}{real} *{name}") for name, real in self.columns.arrays.items()]
        used = self._used(rows.lines, [*self.given, *arrays, *self.place])
        name = self.fresh(f"rows_over_{self.sweep.index.axis}")
        parameters = [*(text for _, text in used), f"ptrdiff_t {names.first}", f"ptrdiff_t {names.last}"]
        lines = self.statements.streaming(rows.lines)
        self.functions.append(Function((), wrapped(f"{self.macro}_CLONES static void {name}(", parameters), tuple(lines)))
        self.rows = max(self.rows, rows.axes, key=len)
        given = [part for part, _ in used]
        longer = {self.sweep.index.axis: f"{self.sweep.index.axis}*{names.fold}", names.width: names.wide} if self.folds else {}
        count = f"{extent} / {names.fold}" if self.folds else extent
        whole = wrapped(f"{name}(", [*(longer.get(part, part) for part in given), "0", count], ");")
        own = {array: f"{names.of_part(array)} + {names.part}*{self.wide}" for array in sums} | longer
        parts = names.pieces if sums else names.parts
        part = list(wrapped(f"{name}(", [*(own.get(array, array) for array in given), *self._bounds(count, parts)], ");"))
        made = self._summed(rows, sums, whole, part) if sums else self._at_once(f"{parts} == 1", whole, parts, part)
        return [*made, *self._rest(rows, sums, extent, f"{name}(", given)] if self.folds else made

    def _rest(self, rows: Rows, sums: list[str], extent: str, call: str, given: list[str]) -> list[str]:
        """The sums of the rows that were taken as one, added up; and the rows that were too few for one."""
        names, start = self.names, self.names.start
        added = self.columns.over(self._added(rows, {array: f"{array}[{start} + {names.lane}]" for array in sums}))
        loop = [f"for (ptrdiff_t {start} = {names.width}; {start} < {names.wide}; {start} += {names.width}) {{", *indented(added), "}"]
        rest = f"{extent} % {names.fold}"
        last = wrapped(call, [*given, f"{extent} - {rest}", extent], ");")
        return [*(loop if sums else []), f"if ({rest} > 0) {{", *indented(last), "}"]

    def _summed(self, rows: Rows, sums: list[str], whole: Iterable[str], part: list[str]) -> list[str]:
        """Each part has sums of its own, as many as there is room for; they are added up in the order of the parts."""
        names, size = self.names, f"{self.macro}_SUMS" if len(sums) == 1 else f"{self.macro}_SUMS / {len(sums)}"
        own = {array: f"{names.of_part(array)}[{names.part}*{self.wide} + {names.lane}]" for array in sums}
        zeros = self._over_wide([f"{own[array]} = {self.columns.neutral(array)};" for array in sums])
        loop = f"for (ptrdiff_t {names.part} = 0; {names.part} < {names.pieces}; ++{names.part}) {{"
        lines = [
            f"const ptrdiff_t {names.pieces} = {self.printer.helper('least')}({names.parts}, {size} / {self.wide});",
            "",
            f"if ({names.pieces} <= 1) {{",
            *indented(whole),
            "} else {",
            *indented(f"{self.columns.arrays[array]} {names.of_part(array)}[{size}];" for array in sums),
            "",
            *indented([f"{self.macro}_PARALLEL", loop, *indented([*zeros, *part]), "}"]),
            *indented([loop, *indented(self._over_wide(self._added(rows, own))), "}"]),
            "}",
        ]
        return ["{", *indented(lines), "}"]

    def _over_wide(self, body: list[str]) -> list[str]:
        lane = self.names.lane
        return [f"for (ptrdiff_t {lane} = 0; {lane} < {self.wide}; ++{lane}) {{", *indented(body), "}"]

    def _bounds(self, extent: str, parts: str) -> list[str]:
        """Where a part of the rows starts and ends."""
        cut, part = self.printer.helper("cut"), self.names.part
        return [f"{cut}({extent}, {part}, {parts})", f"{cut}({extent}, {part} + 1, {parts})"]

    def _at_once(self, alone: str, whole: Iterable[str], count: str, part: Iterable[str]) -> list[str]:
        """Parts on several threads, or where there is nothing to share no region of threads is entered."""
        head = f"for (ptrdiff_t {self.names.part} = 0; {self.names.part} < {count}; ++{self.names.part}) {{"
        loop = [f"{self.macro}_PARALLEL", head, *indented(part), "}"]
        return [f"if ({alone}) {{", *indented(whole), "} else {", *indented(loop), "}"]

    def _sums(self, rows: Rows) -> list[str]:
        """The arrays that hold the sums, and what they lose."""
        names, lost = self.names, self.real == "double"
        found = [[names.of_columns(s), *([names.columns_low(s)] if lost and s not in self.columns.extrema else [])] for s in rows.sums]
        return [array for arrays in found for array in arrays]

    def _added(self, rows: Rows, own: Mapping[str, str]) -> list[str]:
        """Adds sums, each of which is at its array's `own`, to those of all rows."""
        names, at, body = self.names, f"[{self.names.lane}]", list[str]()
        for name in rows.sums:
            total, low = names.of_columns(name), names.columns_low(name)
            term = own[total]
            if name in self.columns.extrema:
                helper = self.printer.of(self.real).helper(OVER_LANES[self.columns.extrema[name]])
                body.append(f"{total}{at} = {helper}({term}, {total}{at});")
            elif self.real == "float":
                body.append(f"{total}{at} += {term};")
            else:
                body.append(f"{self.printer.helper('add')}(&{total}{at}, &{low}{at}, {term});")
                body.append(f"{low}{at} += {own[low]};")
        return body

    def _calls(self, name: str, given: list[str]) -> list[str]:
        """The blocks, one after the other with their rows in parts, or several at once."""
        names, axis, cut, parts = self.names, self.sweep.index.axis, self.printer.helper("cut"), self.printer.helper("parts")
        size, least = f"{self.macro}_COLUMNS", self.printer.helper("least")
        extent, elements = "*".join(self.rows), "*".join(f"(double){axis}" for axis in self.rows)
        end = f"{cut}({axis}, {names.part} + 1, {names.blocks})"
        column = f"const ptrdiff_t {names.column} = {cut}({axis}, {names.part}, {names.blocks});"
        one, several = (
            [column, "", *wrapped(f"{name}(", [*given, names.column, f"{end} - {names.column}", rows], ");")] for rows in (names.rows, "1")
        )
        head = f"for (ptrdiff_t {names.part} = 0; {names.part} < {names.blocks}; ++{names.part}) {{"
        lines = [
            f"const ptrdiff_t {names.blocks} = ({axis} - 1) / {size} + 1;",
            f"const ptrdiff_t {names.rows} = {parts}(({extent} - 1) / {self.macro}_ROWS + 1, {elements}*(double){least}({axis}, {size}));",
            f"const ptrdiff_t {names.parts} = {parts}({names.blocks}, {elements}*(double){axis});",
            "",
            *self._at_once(f"{names.rows} >= {names.parts}", [head, *indented(one), "}"], names.blocks, several),
        ]
        return ["{", *indented(lines), "}"]

    def _used(self, body: list[str], given: list[Parameter]) -> list[Parameter]:
        return [part for part in given if occurs(part[0], body)]
