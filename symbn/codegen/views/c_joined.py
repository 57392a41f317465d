"""Two loops over the same rows as one.

In: a Joined.  Out: lines that take a few rows at a time: each column's sums over them, and what the loop over rows does with them, while
they are in the cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from symbn.codegen.program import Joined, Start, Sweep
from symbn.codegen.views.c_row import Row
from symbn.codegen.views.c_text import indented
from symbn.codegen.views.c_together import Together, first_sums, merged, without
from symbn.codegen.walk import accumulated

if TYPE_CHECKING:
    from symbn.codegen.views.c_statements import Statements


def joined_lines(statements: Statements, joined: Joined, first: str, last: str) -> list[str]:
    """The rows from `first` to before `last`; the sums are left in the Joined's buffers, those that are lost behind them."""
    names, macro, least = statements.names, statements.printer.macro, statements.printer.helper("least")
    column, axis = joined.columns.index.name, joined.columns.index.axis
    zeros = [f"{buffer.name}[{place}] = 0.0;" for buffer in joined.buffers for place in _places(column, axis, statements.real)]
    starts = [s for s in joined.columns.body if isinstance(s, Start)]
    named = zip(starts, joined.buffers, strict=True)
    size, before, chunk, rows = _sweeps(statements, joined)
    sums = [
        f"const ptrdiff_t {names.width} = {least}({axis} - {names.column}, {size});",
        *(line for start, buffer in named for line in _pointers(statements, start.name, buffer.name, axis)),
        *chunk,
    ]
    over_columns = [
        *before,
        "",
        f"for (ptrdiff_t {names.column} = 0; {names.column} < {axis}; {names.column} += {size}) {{",
        *indented(sums),
        "}",
    ]
    over_rows = statements.sweep(rows, names.block_first, names.block_end)
    block = [
        f"const ptrdiff_t {names.block_end} = {names.block_first} + {least}({last} - {names.block_first}, {macro}_ROWS);",
        *([*over_rows, *over_columns] if joined.rows_first else [*over_columns, *over_rows]),
    ]
    return [
        f"for (ptrdiff_t {column} = 0; {column} < {axis}; ++{column}) {{",
        *indented(zeros),
        "}",
        f"for (ptrdiff_t {names.block_first} = {first}; {names.block_first} < {last}; {names.block_first} += {macro}_ROWS) {{",
        *indented(block),
        "}",
    ]


def _sweeps(statements: Statements, joined: Joined) -> tuple[str, list[str], list[str], Sweep]:
    """The columns' sums: how many columns at once, what comes before them, and they themselves; and the loop over rows that is left."""
    names, rows, first = statements.names, joined.rows, first_sums(statements, joined)
    if first is not None:
        starts = [s for s in rows.body if isinstance(s, Start) and s.name in accumulated(first)]
        together = Together(statements, merged(joined, first), starts)
        lines = together.chunk(rows.index.name)
        statements.narrow |= {s.name: f"{names.lanes(s.name)}[{rows.index.name} - {names.block_first}]" for s in starts}
        return together.size(), *lines, without(rows, first)
    (inner,) = (s for s in joined.columns.body if isinstance(s, Sweep))
    row = Row(statements, inner, joined.columns.index, frozenset())
    row.bounds = (names.block_first, names.block_end)
    return f"{statements.printer.macro}_COLUMNS", *row.chunk(inner.index.name), rows


def _places(column: str, axis: str, real: str) -> list[str]:
    """Where a column's sum is, and what it lost."""
    return [column] if real == "float" else [column, f"{axis} + {column}"]


def _pointers(statements: Statements, name: str, buffer: str, axis: str) -> list[str]:
    names = statements.names
    lines = [f"double *const {names.of_columns(name)} = {buffer} + {names.column};"]
    if statements.real == "double":
        lines.append(f"double *const {names.columns_low(name)} = {buffer} + {axis} + {names.column};")
    return lines
