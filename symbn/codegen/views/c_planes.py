"""Loops over small planes, many at a time.

In: a loop over a letter c around loops over rows and then over the letters that follow c in every array, [..., c, s].  Out: lines in which
the planes of several c, which are neighbors in memory, are one run, as a block of columns is.

Each place of the run has its own sum over the rows; a plane's places are added up at the end. What the loop over c holds as a number is
written to every place of its plane. So the arithmetic on a run is the same however short a plane is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from symbn.codegen.program import Start, Sweep
from symbn.codegen.views.c_columns import NEUTRAL, Columns, loops_over_rows, nest
from symbn.codegen.views.c_row import Row
from symbn.codegen.views.c_text import indented, occurs
from symbn.codegen.walk import everything, expression, loaded, stored
from symbn.expr import Index, free_indices

if TYPE_CHECKING:
    from symbn.codegen.views.c_statements import Statements


def plane_of(sweep: Sweep, real: str) -> tuple[str, ...]:
    """The axes that follow the loop's in every array inside, outermost first; none where the loop is of another shape."""
    planes = {tuple(letter.axis for letter in _plane(loop, sweep.index)) for loop in loops_over_rows(sweep, real)}
    return planes.pop() if len(planes) == 1 else ()


def extent(plane: tuple[str, ...]) -> str:
    """How many elements a plane has."""
    return "*".join(plane)


def most(macro: str, plane: tuple[str, ...]) -> str:
    """How many planes fit a run."""
    return f"{macro}_RUN / {_divisor(plane)}"


def _divisor(plane: tuple[str, ...]) -> str:
    return extent(plane) if len(plane) == 1 else f"({extent(plane)})"


def _plane(loop: Sweep, letter: Index) -> tuple[Index, ...]:
    """The letters after `letter` in the arrays of one loop over rows, where the innermost loops are theirs."""
    letters = tuple(part.index for part in nest(loop))
    cut = [_cut(load.indices, letter) for load in loaded(loop)] + [_cut(store.indices, letter) for store in stored(loop)]
    planes = {after for _, after in cut if after is not None}
    plane = planes.pop() if len(planes) == 1 else ()
    fixed = {index for before, _ in cut for index in before}
    fixed |= {index for s in everything(loop.body) if (expr := expression(s)) is not None for index in free_indices(expr)}
    inner = len(letters) > len(plane) > 0 and letters[-len(plane) :] == plane
    complete = all(letter in store.indices for store in stored(loop))
    return plane if inner and complete and not fixed & {letter, *plane} else ()


def _cut(indices: tuple[Index, ...], letter: Index) -> tuple[tuple[Index, ...], tuple[Index, ...] | None]:
    """What stands before a letter and what after it; None where it is not there."""
    if letter not in indices:
        return indices, None
    place = indices.index(letter)
    return indices[:place], indices[place + 1 :]


class Planes(Columns):
    """Writes one loop over planes."""

    block = "RUN"

    def __init__(self, statements: Statements, sweep: Sweep) -> None:
        super().__init__(statements, sweep)
        self.plane = plane_of(sweep, self.real)
        self.extent = extent(self.plane)
        self.place = self.names.plane
        self.starts = {s.name: s for s in sweep.body if isinstance(s, Start)}

    def _columns(self, first: str, last: str) -> str:
        """How many planes to take at once, all blocks about alike."""
        return f"{self.printer.helper('even')}({last} - {first}, {most(self.macro, self.plane)})"

    def _width(self, last: str) -> str:
        return f"{super()._width(last)}*{self.extent}"

    def _row(self, letters: list[Index], sweep: Sweep) -> tuple[Row, list[Index]]:
        count = len(letters) - len(self.plane)
        return _Run(self.outer, sweep, self.sweep.index, frozenset(self.defined), letters[count:]), letters[:count]

    def over(self, body: list[str]) -> list[str]:
        """A loop over the run's planes."""
        plane, letter = self.names.plane, self.sweep.index.name
        at = [f"const ptrdiff_t {letter} = {self.names.column} + {plane} / {_divisor(self.plane)};"] if occurs(letter, body) else []
        head = f"for (ptrdiff_t {plane} = 0; {plane} < {self.names.width}; {plane} += {self.extent}) {{"
        return [head, *indented([*at, *body]), "}"]

    def _filled(self, values: list[tuple[str, str]]) -> list[str]:
        return self._over_plane([f"{array}[{self.names.lane}] = {value};" for array, value in values]) if values else []

    def _over_plane(self, body: list[str]) -> list[str]:
        lane, plane = self.names.lane, self.names.plane
        return [f"for (ptrdiff_t {lane} = {plane}; {lane} < {plane} + {self.extent}; ++{lane}) {{", *indented(body), "}"]

    def _gathered(self, name: str) -> list[str]:
        self.outer.complete.add(name)
        start, lane = self.starts[name], self.names.lane
        if self.real == "float" and start.total.kind not in NEUTRAL:
            return [f"double {name} = {self.printer.helper('places')}(&{self.names.of_columns(name)}[{self.names.plane}], {self.extent});"]
        body = [self.outer.include(name, start.total.kind, f"{self.names.of_columns(name)}[{lane}]")]
        if self.real == "double" and start.total.kind not in NEUTRAL:
            body.append(f"{self.names.low(name)} += {self.names.columns_low(name)}[{lane}];")
        return [*self.outer.start(start, explained=False, lanes=False), *self._over_plane(body)]


class _Run(Row):
    """Writes the rows of a run. Within a row, c stands still and the last letter of the plane runs on into the planes that follow."""

    block, several = "RUN", True

    def __init__(self, statements: Statements, sweep: Sweep, letter: Index, columns: frozenset[str], plane: list[Index]) -> None:
        super().__init__(statements, sweep, letter, columns)
        self.start |= dict.fromkeys(plane, "0")
        self.letters = {**self.start, plane[-1]: self.names.lane}
        self.place = self.names.lane

    def _line(self, array: str) -> str:
        return "NULL"  # the next row of the run is elsewhere

    def _written(self, body: list[str]) -> list[str]:
        before, after = self._targets(self.start, f"{self.macro}_{self.block}", self.names.width, "stream")
        return [*before, "", *self._over_columns(body, "0", self.names.width), *after]
