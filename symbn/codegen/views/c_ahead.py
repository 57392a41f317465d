"""Reading ahead.

In: an outermost loop over rows or planes, with several loops inside over the same elements.  Out: lines that fetch what the next turn reads
first while this turn is written. A plane's elements are not neighbors of the next one's, so no machine fetches them by itself; a row's are,
but no machine looks beyond a page.

It is only worth it, and done at run time, where both turns' elements have room in a core's own cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from symbn.codegen.program import Load, Sweep
from symbn.codegen.views.c_text import indented
from symbn.codegen.walk import everything, loaded
from symbn.expr import Index

if TYPE_CHECKING:
    from symbn.codegen.views.c_statements import Statements

LINE = 64  # bytes that a cache fetches at once


@dataclass(frozen=True, slots=True)
class Ahead:
    """`writer` is the innermost loop that fetches `loads` for the next turn of the loop over `letter`."""

    letter: Index
    writer: Sweep
    loads: tuple[Load, ...]

    def decided(self, statements: Statements) -> str:
        """Whether to read ahead, by the size of a turn."""
        sizes = "".join(f"(double){index.axis}*" for index in self.loads[0].indices if index != self.letter)
        size = f"{sizes}{sum(statements.bytes(load.array) for load in self.loads)}.0"
        return f"const int {statements.names.ahead} = {size} <= (double){statements.printer.macro}_AHEAD;"

    def lines(self, statements: Statements) -> list[str]:
        """For one block of the writing loop."""
        names, macro, letter = statements.names, statements.printer.macro, self.letter.name
        body = []
        for load in self.loads:
            there = {self.letter: f"{letter} + 1", self.writer.index: f"{names.chunk} + {names.lane}"}
            place = statements.element(load.array, load.indices, there)
            step = f"{names.lane} += {LINE // statements.bytes(load.array)}"
            body += [f"for (ptrdiff_t {names.lane} = 0; {names.lane} < {names.width}; {step}) {{", f"    {macro}_FETCH(&{place});", "}"]
        return [f"if ({names.ahead} && {letter} + 1 < {names.last}) {{", *indented(body), "}"]


def ahead_of(sweep: Sweep, statements: Statements) -> Ahead | None:
    """How the turns of an outermost loop read ahead; None where the last loop inside reads nothing that the first one does."""
    inner = [statement for statement in sweep.body if isinstance(statement, Sweep)]
    if len(inner) < 2:
        return None
    first = {load.array for load in loaded(inner[0])}
    writers = [s for s in everything(inner[-1:]) if isinstance(s, Sweep) and statements.shape(s) == "blocks"]
    loads = tuple(load for load in loaded(inner[-1]) if load.array in first and sweep.index in load.indices)
    return Ahead(sweep.index, writers[-1], loads) if len(writers) == 1 and loads else None
