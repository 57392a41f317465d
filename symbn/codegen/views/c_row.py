"""One row of a block of columns, in the arrays' own type.

In: the innermost of the loops over rows.  Out: lines for all rows, each an inner loop over the block's columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from symbn.codegen.printers.infix import SUM
from symbn.codegen.program import Accumulate, Sweep
from symbn.codegen.views.c_elements import OVER_LANES, Elements
from symbn.codegen.views.c_fixed import Fixed, fixed
from symbn.codegen.views.c_text import indented, occurs
from symbn.codegen.walk import stored
from symbn.expr import Expr, Index, Read, transform

if TYPE_CHECKING:
    from symbn.codegen.views.c_statements import Statements


class Row(Elements):
    """Writes the rows; `split` and `whole` collect what they read of a column's numbers, as two floats and as one.

    `block` is the macro that says how many numbers an array over a block has room for.
    Rows that are `flat` follow each other in every array, so that their number says where they are.
    `several` rows are read at once where they are no neighbors in memory. Where they are, one row after the other is what processors fetch
    ahead: that was measured to be up to twice as fast, although each row reads and writes the sums again. Sums of columns and rows in one
    sweep are taken of several long rows at once.
    """

    block, several = "COLUMNS", False

    def __init__(self, statements: Statements, sweep: Sweep, letter: Index, columns: frozenset[str], *, flat: bool = False) -> None:
        super().__init__(statements, sweep)
        self.flat = flat
        self.letter, self.columns = letter, columns
        self.fixed = Fixed(statements, fixed(sweep.body, letter, columns))
        self.changing = tuple(statement for statement in sweep.body if statement not in self.fixed.body)
        self.inner -= self.fixed.made
        self.loads -= self.fixed.made
        self.bounds = (self.names.chunk, self.names.end)
        self.start: dict[Index, str] = {letter: self.names.column}
        self.place = f"{self.names.lane} - {self.names.piece}"
        self.summed: list[str] = []
        self.numbered: list[tuple[str, str]] = []
        self.summing_rows: list[str] = []
        self.split: set[str] = set()
        self.whole: set[str] = set()

    def nest(self, letters: Sequence[Index], bounds: tuple[str, str] | None = None) -> list[str]:
        """The rows in the order of memory, all of them or within `bounds`; `letters` number them, outermost first."""
        kinds = {s.name: s.kind for s in self.sweep.body if isinstance(s, Accumulate)}
        self.summed = [name for name, kind in kinds.items() if kind not in OVER_LANES]
        letter = letters[0].name if len(letters) == 1 else self.names.number
        self.numbered = [] if len(letters) == 1 or self.flat else _numbered(letter, letters)
        if self.flat:
            places = {**dict.fromkeys(letters, "0"), letters[-1]: letter}
            self.letters, self.start = {**self.letters, **places}, {**self.start, **places}
        first, last = bounds or ("0", "*".join(index.axis for index in letters))
        together = self.several and 0 < len(self.summed) == len(kinds) and not stored(self.sweep)
        if together or set(self.summed) - self.outer.wide:
            lines = self._chunks_of_rows(letter, first, last, together=together)
        else:
            lines = self._one_by_one(letter, first, last)
        return [*self._fresh_copies(), *self._steps(lines), *lines]

    def _steps(self, lines: list[str]) -> list[str]:
        """Whether rows pass by the caches, and how many of their elements are written at once."""
        names, least = self.names, f"{self.macro}_PIECE"
        whole = f"const int {names.past} = stream && {names.width} == {self.letter.axis} && {names.width} >= {least};"
        step = f"const ptrdiff_t {names.step} = {names.past} ? {least} : {self.macro}_{self.block};"
        return [whole, step] if occurs(names.step, lines) else []

    def _for(self, letter: str, first: str, last: str, body: list[str]) -> list[str]:
        return [f"for (ptrdiff_t {letter} = {first}; {letter} < {last}; ++{letter}) {{", *indented(body), "}"]

    def _one_by_one(self, letter: str, first: str, last: str) -> list[str]:
        """A loop over rows; what a row has one of is computed there, unless it has been for the chunk."""
        computed = [] if self.fixed.at else self.fixed.computed()
        row = self._row()
        before = [] if self.fixed.at else self.fixed.kept(computed, "", "", "")
        apart = [] if self.several else [f"{self.macro}_APART;"]
        return self._for(letter, first, last, [*apart, *self._with_letters([*before, *row])])

    def _with_letters(self, body: list[str]) -> list[str]:
        """The body, after the letters of a row that is known by its number."""
        return [*(line for letter, line in self.numbered if occurs(letter, body)), *body]

    def _chunks_of_rows(self, letter: str, first: str, last: str, *, together: bool) -> list[str]:
        names, size = self.names, f"{self.macro}_ROWS"
        limit = f"const ptrdiff_t {names.end} = {names.chunk} + {self.outer.printer.helper('least')}({last} - {names.chunk}, {size});"
        head = f"for (ptrdiff_t {names.chunk} = {first}; {names.chunk} < {last}; {names.chunk} += {size}) {{"
        before, chunk = self._rows_first(letter, together=True) if together else ([], self._chunk(letter, together=False))
        return [head, *indented([limit, *before, *chunk]), "}"]

    def chunk(self, letter: str) -> tuple[list[str], list[str]]:
        """The rows of one chunk, sums alone: what is computed once a row, and what for each block of columns."""
        self.summed = [s.name for s in self.sweep.body if isinstance(s, Accumulate)]
        before, lines = self._rows_first(letter, together=bool(self.summed))
        return [*self._fresh_copies(), *before], lines

    def _rows_first(self, letter: str, *, together: bool) -> tuple[list[str], list[str]]:
        """The numbers of the chunk's rows, and the rows."""
        self.fixed.at = f"[{letter} - {self.bounds[0]}]"
        computed, lines = self.fixed.computed(), self._chunk(letter, together=together)
        return self.fixed.kept(self._with_letters(computed), letter, *self.bounds), lines

    def _body(self) -> list[str]:
        return [line for statement in self.changing for line in self._statement(statement)]

    def _chunk(self, letter: str, *, together: bool) -> list[str]:
        """Rows in float, then added to the columns' doubles; `together` several rows are read at once."""
        names, chunked = self.names, [name for name in self.summed if name not in self.outer.wide]
        rows = self._together(letter) if together else []
        rows += self._one_by_one(letter, names.done if together else self.bounds[0], self.bounds[1])
        if not chunked:
            return rows
        lane = names.lane
        return [
            *(f"{self.real} {names.of_chunk(name)}[{self.macro}_{self.block}];" for name in chunked),
            "",
            f"for (ptrdiff_t {lane} = 0; {lane} < {names.width}; ++{lane}) {{",
            *indented(f"{names.of_chunk(name)}[{lane}] = {self.printer.zero()};" for name in chunked),
            "}",
            *rows,
            *(self._end_chunk(name, names.of_columns(name), names.columns_low(name), names.width) for name in chunked),
        ]

    def _together(self, letter: str) -> list[str]:
        """As many rows at once as there are: a column's sum is read and written once for all of them."""
        names, count = self.names, f"{self.macro}_TOGETHER"
        # A sum that carries what it loses does so from the first term on.
        self.summing_rows = [name for name in self.summed if self.real == "float" or name not in self.outer.wide]
        added, body = self.summing_rows, self._body()
        self.summing_rows = []
        body = self._with_letters(body)
        row = [f"const ptrdiff_t {letter} = {names.done} + {names.row};"] if occurs(letter, body) else []
        column = [
            *(f"{'double' if name in self.outer.wide else self.real} {names.of_rows(name)} = 0;" for name in added),
            f"for (int {names.row} = 0; {names.row} < {count}; ++{names.row}) {{",
            *indented([*row, *body]),
            "}",
            *(self._include(name, names.of_rows(name)) for name in added),
        ]
        head = f"for (; {self._long()}{names.done} + {count} <= {self.bounds[1]}; {names.done} += {count}) {{"
        column = self._lettered(self.letter.name, names.column, column)
        return [f"ptrdiff_t {names.done} = {self.bounds[0]};", "", head, *indented(self._over_columns(column, "0", names.width)), "}"]

    def _long(self) -> str:
        """The condition to read several rows at once: short ones that are neighbors are better read one after the other."""
        return "" if self.several else f"{self.letter.axis}*(ptrdiff_t)sizeof({self.real}) >= {self.macro}_PAGE && "

    def _row(self) -> list[str]:
        body = self._lettered(self.letter.name, self.names.column, self._body())
        written = any(store.array not in self.outer.buffers for store in stored(self.sweep))
        return self._written(body) if written else self._over_columns(body, "0", self.names.width)

    def _written(self, body: list[str]) -> list[str]:
        """A row that is written: as a whole, or piece by piece where it passes by the caches."""
        names, piece = self.names, self.names.piece
        start, least = {**self.start, self.letter: f"{self.start[self.letter]} + {piece}"}, self.outer.printer.helper("least")
        before, after = self._targets(start, f"{self.macro}_{self.block}", f"({names.piece_end} - {piece})", names.past)
        end = f"const ptrdiff_t {names.piece_end} = {least}({names.width}, {piece} + {names.step});"
        lines = [end, *before, "", *self._over_columns(body, piece, names.piece_end), *after]
        return [f"for (ptrdiff_t {piece} = 0; {piece} < {names.width}; {piece} += {names.step}) {{", *indented(lines), "}"]

    def _over_columns(self, body: list[str], first: str, last: str) -> list[str]:
        lane = self.names.lane
        return [f"{self.macro}_INDEPENDENT", f"for (ptrdiff_t {lane} = {first}; {lane} < {last}; ++{lane}) {{", *indented(body), "}"]

    def _accumulate(self, name: str, kind: str, expr: Expr) -> str:
        columns, lane = self.names.of_columns(name), self.names.lane
        if kind in OVER_LANES:
            return f"{columns}[{lane}] = {self.printer.helper(OVER_LANES[kind])}({self.printer.text(expr)}, {columns}[{lane}]);"
        text = self._widened(expr) if name in self.outer.wide else self.printer.at(expr, SUM)
        return f"{self.names.of_rows(name)} += {text};" if name in self.summing_rows else self._include(name, text)

    def _include(self, name: str, text: str) -> str:
        """Adds to the column's sum."""
        lane, columns = self.names.lane, self.names.of_columns(name)
        if name not in self.outer.wide:
            return f"{self.names.of_chunk(name)}[{lane}] += {text};"
        if self.real == "float":
            return f"{columns}[{lane}] += {text};"
        return f"{self.printer.helper('add')}(&{columns}[{lane}], &{self.names.columns_low(name)}[{lane}], {text});"

    def _narrow(self, expr: Expr) -> Expr:
        return transform(expr, self._of_column) if self.real == "double" else super()._narrow(expr)

    def _of_column(self, expr: Expr) -> Expr:
        return Read(self._copy(expr.name)) if isinstance(expr, Read) and expr.name in self.columns | self.fixed.made else expr

    def _copy(self, name: str) -> str:
        if name in self.fixed.made:
            return self.fixed.copy(name)
        if name not in self.columns:
            return super()._copy(name)
        self.whole.add(name)
        return f"{self.names.copy(name)}[{self.names.lane}]"

    def _halves(self, name: str) -> tuple[str, str]:
        if name in self.fixed.made:
            return self.fixed.halves(name)
        if name not in self.columns:
            return super()._halves(name)
        self.split.add(name)
        lane = self.names.lane
        return f"{self.names.high(name)}[{lane}]", f"{self.names.low(name)}[{lane}]"


def _numbered(row: str, letters: Sequence[Index]) -> list[tuple[str, str]]:
    """Each letter, and the line that computes it from a row's number."""
    found: list[tuple[str, str]] = []
    inner = ""
    for place, letter in reversed(list(enumerate(letters))):
        whole = f"{row} / {inner if inner.isidentifier() else f'({inner})'}" if inner else row
        found.append((letter.name, f"const ptrdiff_t {letter.name} = {whole}{f' % {letter.axis}' if place else ''};"))
        inner = f"{letter.axis}*{inner}" if inner else letter.axis
    return found[::-1]
