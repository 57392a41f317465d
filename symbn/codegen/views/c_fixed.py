"""What a row has one of, for all its columns.

In: the innermost of the loops over rows.  Out: lines that compute its numbers that need no column before the columns' loop, and what stands
for such a number inside it. Where several rows are read at once, each number is an array over the rows of a chunk.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from symbn.codegen.program import Assign, Load, Statement
from symbn.codegen.views.c_text import indented
from symbn.expr import Index, reads

if TYPE_CHECKING:
    from symbn.codegen.views.c_statements import Statements


def fixed(body: Sequence[Statement], letter: Index, columns: frozenset[str]) -> tuple[Load | Assign, ...]:
    """The statements that need neither the column's letter nor its numbers."""
    changing = set(columns)
    found: list[Load | Assign] = []
    for statement in body:
        match statement:
            case Load(name, _, indices) if letter not in indices:
                found.append(statement)
            case Assign(name, expr) if not changing & set(reads(expr)):
                found.append(statement)
            case Load(name) | Assign(name):
                changing.add(name)
    return tuple(found)


class Fixed:
    """The numbers of a row. `whole` and `split` collect those that the columns' loop reads, as one number and as two floats."""

    def __init__(self, statements: Statements, body: Sequence[Load | Assign]) -> None:
        self.outer, self.body, self.names = statements, body, statements.names
        self.made = frozenset(statement.name for statement in body)
        self.whole: dict[str, None] = {}
        self.split: dict[str, None] = {}
        self.at = ""

    def copy(self, name: str) -> str:
        """A number in the elements' type."""
        if self.outer.real == "double" and not self.at:
            return name
        self.whole[name] = None
        return f"{self._copy(name)}{self.at}"

    def halves(self, name: str) -> tuple[str, str]:
        """A number as the nearest float and the rest."""
        self.split[name] = None
        high, low = self._halves(name)
        return f"{high}{self.at}", f"{low}{self.at}"

    def computed(self) -> list[str]:
        """The numbers in double; to be written before what reads them."""
        return [line for statement in self.body for line in self.outer.statement(statement)]

    def kept(self, computed: list[str], letter: str, first: str, last: str) -> list[str]:
        """Before the columns' loop: arrays over the rows from `first` to before `last`, or with `at` empty the numbers of this row."""
        copies = self._copies()
        if not self.at:
            return [*computed, *(f"const {real} {name} = {value};" for real, name, value in copies)]
        if not copies:
            return []
        arrays = [f"{real} {name}[{self.outer.printer.macro}_ROWS];" for real, name, _ in copies]
        inner = [*computed, *(f"{name}{self.at} = {value};" for _, name, value in copies)]
        return [*arrays, "", f"for (ptrdiff_t {letter} = {first}; {letter} < {last}; ++{letter}) {{", *indented(inner), "}"]

    def _copies(self) -> list[tuple[str, str, str]]:
        """(type, name, value)."""
        real, low = self.outer.real, self.outer.printer.helper("low") if self.split else ""
        found = [(real, self._copy(name), f"{'(float)' if real == 'float' else ''}{name}") for name in self.whole]
        for name in self.split:
            first, second = self._halves(name)
            found += [("float", first, f"(float){name}"), ("float", second, f"{low}({name})")]
        return found

    def _copy(self, name: str) -> str:
        return self.names.of_each(name, "") if self.at else self.names.copy(name)

    def _halves(self, name: str) -> tuple[str, str]:
        if self.at:
            return self.names.of_each(name, "_high"), self.names.of_each(name, "_low")
        return self.names.high(name), self.names.low(name)
