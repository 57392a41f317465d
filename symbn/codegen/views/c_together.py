"""A few rows' sums and their columns' sums in one sweep.

In: a Joined whose columns need nothing of a row but what is read.  Out: one sweep that takes the columns' sums and the first of the rows'
sums from the same elements, several rows at once, and the loop over rows without its first sweep. An element is read from memory once,
and a column's number and sum once for all of the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from symbn.codegen.printers.infix import SUM
from symbn.codegen.program import Accumulate, Assign, Joined, Load, Start, Statement, Sweep
from symbn.codegen.views.c_elements import OVER_LANES, shape_of
from symbn.codegen.views.c_row import Row
from symbn.codegen.views.c_text import indented
from symbn.codegen.walk import accumulated, everything, expression
from symbn.expr import Expr, Index, Read, reads, rename_indices, transform

if TYPE_CHECKING:
    from symbn.codegen.views.c_statements import Statements


def first_sums(statements: Statements, joined: Joined) -> Sweep | None:
    """The first sweep along a row, where it can be one with the columns' sums: float sums over the same axis, with float lanes."""
    first = next((s for s in joined.rows.body if isinstance(s, Sweep)), None)
    if joined.rows_first or statements.real != "float" or first is None or first.index.axis != joined.columns.index.axis:
        return None
    names = {*accumulated(first), *accumulated(joined.columns)}
    plain = not any(isinstance(s, Accumulate) and s.kind in OVER_LANES for s in first.body) and not names & statements.wide
    return first if plain and shape_of(first, statements.axes, statements.buffers, statements.real) == "lanes" else None


def without(rows: Sweep, first: Sweep) -> Sweep:
    """The loop over rows without that sweep, and without what only the sweep needs."""
    taken, place = accumulated(first), rows.body.index(first)
    kept = list(rows.body[place + 1 :])
    needed = {name for s in everything(kept) if (expr := expression(s)) is not None for name in reads(expr)}
    for statement in reversed(rows.body[:place]):
        if isinstance(statement, (Load, Assign)) and statement.name not in needed:
            continue
        if not (isinstance(statement, Start) and statement.name in taken):
            kept.insert(0, statement)
            needed |= set(reads(statement.expr)) if isinstance(statement, Assign) else set()
    return Sweep(rows.index, tuple(kept))


def merged(joined: Joined, first: Sweep) -> Sweep:
    """One loop along a row that adds to both kinds of sums; what both compute stands in it once."""
    (inner,) = (s for s in joined.columns.body if isinstance(s, Sweep))
    before = joined.rows.body[: joined.rows.body.index(first)]
    letters = {inner.index: joined.rows.index, first.index: joined.columns.index}
    parts = ([s for s in before if isinstance(s, (Load, Assign))], inner.body, first.body)
    return Sweep(joined.columns.index, tuple(_once((s for part in parts for s in part), letters)))


def _once(body: Iterator[Statement], letters: dict[Index, Index]) -> Iterator[Statement]:
    """The statements under other letters, each value computed by the first that computes it."""
    known: dict[object, str] = {}
    names: dict[str, str] = {}

    def renamed(expr: Expr) -> Expr:
        expr = rename_indices(expr, letters)
        return transform(expr, lambda part: Read(names[part.name]) if isinstance(part, Read) and part.name in names else part)

    for statement in body:
        match statement:
            case Load(name, array, indices):
                indices = tuple(letters.get(index, index) for index in indices)
                made: Load | Assign = Load(name, array, indices)
                value: object = (array, indices)
            case Assign(name, expr, source):
                expr = renamed(expr)
                made, value = Assign(name, expr, source), expr
            case Accumulate(name, kind, expr):
                yield Accumulate(name, kind, renamed(expr))
                continue
        if value in known:
            names[name] = known[value]
        else:
            known[value] = name
            yield made


class Together(Row):
    """Writes that loop for the rows of a block; `along` are the sums along rows, the others are those of columns."""

    def __init__(self, statements: Statements, sweep: Sweep, along: Sequence[Start]) -> None:
        super().__init__(statements, sweep, sweep.index, frozenset())
        self.starts, self.along = along, [start.name for start in along]
        self.summed = [name for name in accumulated(sweep) if name not in self.along]
        self.bounds = (self.names.block_first, self.names.block_end)
        self.count = f"{self.macro}_TOGETHER"

    def sums(self) -> list[str]:
        """Lanes for each row of the block."""
        lines = []
        for start in self.starts:
            lines += self.outer.comment_of(start.total)
            lines.append(f"double {self.names.lanes(start.name)}[{self.macro}_ROWS][{self.macro}_NARROW] = {{{{0.0}}}};")
        return lines

    def chunk(self, letter: str) -> tuple[list[str], list[str]]:
        """What is computed once a row, and what for each block of columns."""
        before, lines = self._rows_first(letter, together=True)
        return [*self._fresh_copies(), *self.sums(), *before], lines

    def _chunk(self, letter: str, *, together: bool) -> list[str]:
        names, widen = self.names, self.outer.printer.helper("widen_columns")
        return [
            *(f"float {names.of_chunk(name)}[{self.size()}] = {{0.0F}};" for name in self.summed),
            f"ptrdiff_t {names.done} = {self.bounds[0]};",
            "",
            *self._rows(letter, self.count),
            *self._rows(letter, "1"),
            *(f"{widen}({names.of_columns(name)}, {names.of_chunk(name)}, {names.width});" for name in self.summed),
        ]

    def size(self) -> str:
        """How many columns a block has: all columns' sums together stay in the first caches."""
        return f"{self.macro}_WIDE / {max(len(self.summed), 2)}"

    def _rows(self, letter: str, count: str) -> list[str]:
        """The loop that takes `count` rows at once."""
        names, narrow, least = self.names, f"{self.macro}_NARROW", self.outer.printer.helper("least")
        once, again = self._columns(letter, count), self._columns(letter, count)
        lanes = f"[{names.done} - {self.bounds[0]} + {names.row}][{names.lane}]"
        widened = [f"{names.lanes(name)}{lanes} += (double){names.of_chunk(name)}[{names.row}][{names.lane}];" for name in self.along]
        chunk = [
            f"const ptrdiff_t {names.end} = {names.chunk} + {least}({names.width} - {names.chunk}, {self.macro}_CHUNK);",
            *(f"float {names.of_chunk(name)}[{count}][{narrow}] = {{{{0.0F}}}};" for name in self.along),
            f"ptrdiff_t {names.at} = {names.chunk};",
            "",
            f"for (; {names.at} + {narrow} <= {names.end}; {names.at} += {narrow}) {{",
            *indented([f"{self.macro}_INDEPENDENT", f"for (int {names.lane} = 0; {names.lane} < {narrow}; ++{names.lane}) {{"]),
            *indented(indented(once)),
            *indented(["}"]),
            "}",
            f"for (int {names.lane} = 0; {names.at} + {names.lane} < {names.end}; ++{names.lane}) {{",
            *indented(again),
            "}",
            f"for (int {names.row} = 0; {names.row} < {count}; ++{names.row}) {{",
            *indented([f"for (int {names.lane} = 0; {names.lane} < {narrow}; ++{names.lane}) {{", *indented(widened), "}"]),
            "}",
        ]
        long = self._long() if count != "1" else ""
        rows = f"for (; {long}{names.done} + {count} <= {self.bounds[1]}; {names.done} += {count}) {{"
        chunks = f"for (ptrdiff_t {names.chunk} = 0; {names.chunk} < {names.width}; {names.chunk} += {self.macro}_CHUNK) {{"
        return [rows, *indented([chunks, *indented(chunk), "}"]), "}"]

    def _columns(self, letter: str, count: str) -> list[str]:
        """What is done for one column of several rows."""
        names = self.names
        return [
            f"const ptrdiff_t {self.letter.name} = {names.column} + {names.at} + {names.lane};",
            *(f"float {names.of_rows(name)} = 0;" for name in self.summed),
            f"for (int {names.row} = 0; {names.row} < {count}; ++{names.row}) {{",
            *indented([f"const ptrdiff_t {letter} = {names.done} + {names.row};", *self._body()]),
            "}",
            *(f"{names.of_chunk(name)}[{names.at} + {names.lane}] += {names.of_rows(name)};" for name in self.summed),
        ]

    def _accumulate(self, name: str, kind: str, expr: Expr) -> str:
        into = f"{self.names.of_chunk(name)}[{self.names.row}][{self.names.lane}]" if name in self.along else self.names.of_rows(name)
        return f"{into} += {self.printer.at(expr, SUM)};"
