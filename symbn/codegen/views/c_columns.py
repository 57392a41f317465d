"""Loops over the columns of arrays, many columns at a time.

In: a loop over a letter that is the last index of every array which has it, around loops over rows.  Out: lines in which the loops have
changed places: rows outside, neighbors in memory inside.

What the loop over columns holds as a number becomes an array over a block of columns: sums are taken row by row for all columns of the
block, then each column's numbers are computed, then rows are written. Float sums go to double after a few rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from symbn.codegen.program import Accumulate, Assign, Finish, Load, Start, Statement, Store, Sweep
from symbn.codegen.views.c_elements import fits
from symbn.codegen.views.c_row import Row
from symbn.codegen.views.c_text import indented, occurs
from symbn.codegen.walk import accumulated, everything, expression, loaded, stored
from symbn.expr import Extent, Index, free_indices, reads, walk

if TYPE_CHECKING:
    from symbn.codegen.views.c_statements import Statements

NEUTRAL = {"max": "-HUGE_VAL", "min": "HUGE_VAL"}


def is_columns(sweep: Sweep, real: str) -> bool:
    """Whether the loop may change places with those inside it, and whether its letter is the one that walks through memory."""
    inner = loops_over_rows(sweep, real)
    places = [load.indices for loop in inner for load in loaded(loop) if sweep.index in load.indices]
    places += [store.indices for loop in inner for store in stored(loop)]
    last = all(indices[-1:] == (sweep.index,) and sweep.index not in indices[:-1] for indices in places)
    return last and any(len(indices) > 1 for indices in places)


def loops_over_rows(sweep: Sweep, real: str) -> list[Sweep]:
    """The loops inside, where they may change places with the loop; none where one of them may not."""
    inner = [sunk(statement) for statement in sweep.body if isinstance(statement, Sweep)]
    own = {statement.name for statement in sweep.body if isinstance(statement, Start)}
    sums = {statement.name for loop in inner for statement in everything(loop.body) if isinstance(statement, Accumulate)}
    # A sum that the rows add to has to be the loop's: one that goes on over its turns has no place in a block of them.
    return inner if sums <= own and all(_is_chain(loop, real) for loop in inner) else []


def is_flat(sweep: Sweep, real: str) -> bool:
    """Whether rows follow each other in every array inside and have nothing of their own: then several of them are like a longer one."""
    return all(_is_flat(nest(sunk(loop)), sweep.index) for loop in loops_over_rows(sweep, real))


def _is_flat(loops: list[Sweep], column: Index) -> bool:
    row, place = loops[-1], (*(loop.index for loop in loops), column)
    found = [expr for statement in row.body if (expr := expression(statement)) is not None]
    places = {load.indices for load in loaded(row)} | {store.indices for store in stored(row)}
    # One row's extent is not that of several.
    plain = not any(free_indices(expr) or Extent(column.axis) in walk(expr) for expr in found)
    return places == {place} and plain


def sunk(sweep: Sweep) -> Sweep:
    """The loop with what it reads between its loops read in the innermost: there it stands still, which a compiler sees."""
    *before, inner = sweep.body
    if not isinstance(inner, Sweep) or not all(isinstance(statement, Load) for statement in before):
        return sweep
    return replace(sweep, body=(sunk(replace(inner, body=(*before, *inner.body))),))


def nest(sweep: Sweep) -> list[Sweep]:
    """A chain's loops, outermost first."""
    inner = sweep.body[0]
    return [sweep, *nest(inner)] if isinstance(inner, Sweep) else [sweep]


def _is_chain(sweep: Sweep, real: str) -> bool:
    """Loops around loops, with nothing beside them."""
    if len(sweep.body) == 1 and isinstance(sweep.body[0], Sweep):
        return _is_chain(sweep.body[0], real)
    return all(isinstance(s, (Load, Assign, Accumulate, Store)) and fits(s, real) for s in sweep.body)


@dataclass(frozen=True, slots=True)
class Rows:
    """A loop over rows, the axes that number them, and the accumulators that it adds to."""

    lines: list[str]
    axes: tuple[str, ...]
    sums: tuple[str, ...]


class Columns:
    """Writes one loop over columns; `block` is the macro that says how many numbers an array over a block has room for.

    With `folds`, several rows may be taken as one that is `wide`: each of them then has sums and copies of the columns' numbers of its own.
    """

    block = "COLUMNS"

    def __init__(self, statements: Statements, sweep: Sweep, *, folds: bool = False) -> None:
        self.folds = folds
        self.outer, self.sweep, self.names = statements, sweep, statements.names
        self.printer, self.real, self.macro = statements.printer, statements.real, statements.printer.macro
        self.extrema = {s.name: s.kind for s in everything(sweep.body) if isinstance(s, Accumulate) and s.kind in NEUTRAL}
        self.arrays: dict[str, str] = {}
        self.defined = [s.name for s in sweep.body if isinstance(s, (Load, Assign, Start))]
        self.size, self.place = f"[{self.macro}_{self.block}]", statements.names.lane
        self.split: set[str] = set()
        self.whole: set[str] = set()

    def lines(self, first: str, last: str) -> list[str]:
        """The loop from `first` to before `last`, block by block."""
        names = self.names
        lines = [line for part in self.parts() for line in (part.lines if isinstance(part, Rows) else part)]
        width = f"const ptrdiff_t {names.width} = {self._width(last)};"
        head = f"for (ptrdiff_t {names.column} = {first}; {names.column} < {last}; {names.column} += {names.columns}) {{"
        columns = f"const ptrdiff_t {names.columns} = {self._columns(first, last)};"
        return ["{", *indented([columns, "", head, *indented([width, *lines]), "}"]), "}"]

    def parts(self, bounds: tuple[str, str] | None = None) -> list[list[str] | Rows]:
        """What is done with a block of columns: loops over rows, all of them or within `bounds`, and lines between them."""
        self.outer.note_exact(self.sweep.body)
        self.outer.blocks.append(set())
        segments = self._segments()
        found: list[list[str] | Rows] = [self._loop(s, bounds) if isinstance(s, Sweep) else [] for s in segments]
        for number, segment in enumerate(segments):  # the rows have said what they need of a column
            if not isinstance(segment, Sweep):
                found[number] = self._between(segment, [part for part in segments[number + 1 :] if not isinstance(part, Sweep)])
        self.outer.blocks.pop()
        return found

    def _width(self, last: str) -> str:
        """How many neighbors in memory a block has."""
        return f"{self.printer.helper('least')}({last} - {self.names.column}, {self.names.columns})"

    def _columns(self, _first: str, _last: str) -> str:
        """How many columns to take at once."""
        return f"{self.macro}_{self.block}"

    def _segments(self) -> list[Sweep | list[Statement]]:
        """Inner loops, and runs of what stands between them."""
        found: list[Sweep | list[Statement]] = []
        for statement in self.sweep.body:
            if isinstance(statement, Sweep):
                found.append(statement)
            elif found and not isinstance(found[-1], Sweep):
                found[-1].append(statement)
            else:
                found.append([statement])
        return found

    def _loop(self, sweep: Sweep, bounds: tuple[str, str] | None) -> Rows:
        loops = nest(sunk(sweep))
        row, letters = self._row([loop.index for loop in loops], loops[-1])
        if bounds is not None:
            self.outer.blocks.append(set())  # a function of its own, with copies of its own
        lines = row.nest(letters, bounds)
        if bounds is not None:
            self.outer.blocks.pop()
        self.split |= row.split
        self.whole |= row.whole
        return Rows(lines, tuple(letter.axis for letter in letters), accumulated(sweep))

    def _row(self, letters: list[Index], sweep: Sweep) -> tuple[Row, list[Index]]:
        """What writes the rows of the loops over `letters`, the innermost of which is `sweep`; and the letters that number them."""
        return Row(self.outer, sweep, self.sweep.index, frozenset(self.defined), flat=self.folds), letters

    def _between(self, statements: list[Statement], later: list[list[Statement]]) -> list[str]:
        starts = [line for s in statements if isinstance(s, Start) for line in self._start(s)]
        rest = [s for s in statements if not isinstance(s, Start)]
        return [*starts, *(self._numbers(rest, _read(s for part in later for s in part)) if rest else [])]

    def _start(self, start: Start) -> list[str]:
        """An accumulator for each column."""
        columns, low, lines = self.names.of_columns(start.name), self.names.columns_low(start.name), self.outer.comment_of(start.total)
        if start.name not in self.extrema:
            self.arrays |= dict.fromkeys([columns, low] if self.real == "double" else [columns], "double")
            return [*lines, f"double {columns}{self.size} = {{0.0}}{f', {low}{self.size} = {{0.0}}' if self.real == 'double' else ''};"]
        self.arrays[columns] = self.real
        filled = self.over(self._filled([(columns, self.neutral(columns))]))
        return [*lines, f"{self.real} {columns}{self.size};", *filled, *self._repeated([columns])]

    def neutral(self, columns: str) -> str:
        """What an accumulator's array holds before the first term."""
        kinds = [kind for name, kind in self.extrema.items() if self.names.of_columns(name) == columns]
        return f"{NEUTRAL[kinds[0]]}{'F' if self.real == 'float' else ''}" if kinds else "0.0"

    def _numbers(self, statements: Sequence[Statement], later: set[str]) -> list[str]:
        """What is computed once a column."""
        made = [s.name for s in statements if isinstance(s, (Load, Assign, Finish))]
        read = _read(statements)
        body = [f"const double {n} = {self.names.kept(n)}[{self.place}];" for n in self.defined if n in read and n not in made]
        for statement in statements:
            body += self._gathered(statement.name) if isinstance(statement, Finish) else []
            body += self.outer.statement(statement)
        kept = [part for name in made for part in self._kept(name, later)]
        self.arrays |= {array: real for array, real, _ in kept}
        body += self._filled([(array, value) for array, _, value in kept])
        repeated = self._repeated([array for array, _, _ in kept])
        return [*(f"{real} {array}{self.size};" for array, real, _ in kept), "", *self.over(body), *repeated]

    def _repeated(self, arrays: list[str]) -> list[str]:
        """The columns' numbers once more for each of the rows that are taken as one."""
        lane, width = self.names.lane, self.names.width
        body = [f"{array}[{lane}] = {array}[{lane} - {width}];" for array in arrays]
        loop = [f"for (ptrdiff_t {lane} = {width}; {lane} < {self.names.wide}; ++{lane}) {{", *indented(body), "}"]
        return loop if self.folds and arrays else []

    def _filled(self, values: list[tuple[str, str]]) -> list[str]:
        """Puts numbers of this column where rows find them."""
        return [f"{array}[{self.place}] = {value};" for array, value in values]

    def over(self, body: list[str]) -> list[str]:
        """A loop over the block's columns."""
        lane, letter = self.names.lane, self.sweep.index.name
        at = [f"const ptrdiff_t {letter} = {self.names.column} + {lane};"] if occurs(letter, body) else []
        return [f"for (ptrdiff_t {lane} = 0; {lane} < {self.names.width}; ++{lane}) {{", *indented([*at, *body]), "}"]

    def _gathered(self, name: str) -> list[str]:
        """The accumulator of this column as a number of its own."""
        self.outer.complete.add(name)
        columns, lane = self.names.of_columns(name), self.names.lane
        if name in self.extrema:
            return [f"const double {name} = {'(double)' if self.real == 'float' else ''}{columns}[{lane}];"]
        low = f", {self.names.low(name)} = {self.names.columns_low(name)}[{lane}]" if self.real == "double" else ""
        return [f"double {name} = {columns}[{lane}]{low};"]

    def _kept(self, name: str, later: set[str]) -> list[tuple[str, str, str]]:
        """The arrays in which later loops find a number: (array, type, value)."""
        found = [(self.names.kept(name), "double", name)] if name in later else []
        if name in self.split:
            found.append((self.names.high(name), "float", f"(float){name}"))
            found.append((self.names.low(name), "float", f"{self.printer.helper('low')}({name})"))
        if name in self.whole:
            found.append((self.names.copy(name), self.real, f"{'(float)' if self.real == 'float' else ''}{name}"))
        return found


def _read(statements: Iterable[Statement]) -> set[str]:
    found = [expression(s) for s in statements]
    return {name for expr in found if expr is not None for name in reads(expr)}
