"""An outermost loop over columns, on several threads.

In: the loop.  Out: functions: one for each of its loops over rows, one for a block of columns; and the lines that call the latter.

Rows are cut into parts, and a part reads its rows one after the other, as they lie in memory. Where there are more blocks of columns than
parts of rows, the blocks are what runs at once. No part waits for another: threads may have to share their cores with other programs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from symbn.codegen.program import Sweep
from symbn.codegen.views.c_columns import Columns, Rows
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
        self.names, self.printer, self.real = statements.names, statements.printer, statements.real
        self.macro, self.sweep, self.given, self.fresh = statements.printer.macro, sweep, given, fresh
        self.columns, self.functions, self.rows = Columns(statements, sweep), list[Function](), tuple[str, ...]()
        names = self.names
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
        return lines

    def _over_rows(self, rows: Rows) -> list[str]:
        """The rows, at once or in parts; either is a call of a function of their own."""
        names, extent, sums = self.names, "*".join(rows.axes), self._sums(rows)
        arrays = [(name, f"{'' if name in sums else 'const '}{real} *{name}") for name, real in self.columns.arrays.items()]
        used = self._used(rows.lines, [*self.given, *arrays, *self.place])
        name = self.fresh(f"rows_over_{self.sweep.index.axis}")
        parameters = [*(text for _, text in used), f"ptrdiff_t {names.first}", f"ptrdiff_t {names.last}"]
        self.functions.append(Function((), wrapped(f"{self.macro}_CLONES static void {name}(", parameters), tuple(rows.lines)))
        self.rows = max(self.rows, rows.axes, key=len)
        given = [part for part, _ in used]
        whole = wrapped(f"{name}(", [*given, "0", extent], ");")
        own = {array: f"{names.of_part(array)} + {names.part}*{names.width}" for array in sums}
        parts = names.pieces if sums else names.parts
        part = list(wrapped(f"{name}(", [*(own.get(array, array) for array in given), *self._bounds(extent, parts)], ");"))
        return self._summed(rows, sums, whole, part) if sums else self._at_once(f"{parts} == 1", whole, parts, part)

    def _summed(self, rows: Rows, sums: list[str], whole: Iterable[str], part: list[str]) -> list[str]:
        """Each part has sums of its own, as many as there is room for; they are added up in the order of the parts."""
        names, size = self.names, f"{self.macro}_SUMS" if len(sums) == 1 else f"{self.macro}_SUMS / {len(sums)}"
        at = f"[{names.part}*{names.width} + {names.lane}]"
        zeros = self.columns.over([f"{names.of_part(array)}{at} = {self.columns.neutral(array)};" for array in sums])
        loop = f"for (ptrdiff_t {names.part} = 0; {names.part} < {names.pieces}; ++{names.part}) {{"
        lines = [
            f"const ptrdiff_t {names.pieces} = {self.printer.helper('least')}({names.parts}, {size} / {names.width});",
            "",
            f"if ({names.pieces} <= 1) {{",
            *indented(whole),
            "} else {",
            *indented(f"{self.columns.arrays[array]} {names.of_part(array)}[{size}];" for array in sums),
            "",
            *indented([f"{self.macro}_PARALLEL", loop, *indented([*zeros, *part]), "}"]),
            *indented([loop, *indented(self.columns.over(self._added(rows, at))), "}"]),
            "}",
        ]
        return ["{", *indented(lines), "}"]

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

    def _added(self, rows: Rows, own: str) -> list[str]:
        """Adds a part's sums, which are at `own`, to those of all rows."""
        names, at, body = self.names, f"[{self.names.lane}]", list[str]()
        for name in rows.sums:
            total, low = names.of_columns(name), names.columns_low(name)
            term = f"{names.of_part(total)}{own}"
            if name in self.columns.extrema:
                helper = self.printer.of(self.real).helper(OVER_LANES[self.columns.extrema[name]])
                body.append(f"{total}{at} = {helper}({term}, {total}{at});")
            elif self.real == "float":
                body.append(f"{total}{at} += {term};")
            else:
                body.append(f"{self.printer.helper('add')}(&{total}{at}, &{low}{at}, {term});")
                body.append(f"{low}{at} += {names.of_part(low)}{own};")
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
