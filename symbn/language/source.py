"""A text and the places in it.

In: text that a person wrote, and the name they know it by.  Out: errors that name the file, line and column and show the line.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property

from symbn.errors import LayerError, Place, SymbnError


@dataclass(frozen=True)
class Source:
    """`file` is what messages call the text; `kind` is the error class they are raised as."""

    file: str
    text: str
    kind: type[SymbnError] = LayerError

    @cached_property
    def lines(self) -> list[str]:
        """The lines, numbered as Python numbers them."""
        return self.text.split("\n")

    def line(self, number: int) -> str:
        """The text of a 1-based line, or nothing beyond the end."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def at(self, line: int, column: int, *, width: int = 1) -> Place:
        """The place at a 1-based line and a 0-based column, both counted in characters."""
        return Place(self.file, line, column + 1, self.line(line), width)

    def place(self, node: ast.AST) -> Place:
        """Where a syntax node stands. `ast` counts bytes of UTF-8; people count characters."""
        line, start = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        last, stop = getattr(node, "end_lineno", line), getattr(node, "end_col_offset", start + 1)
        column = self._characters(line, start)
        end = self._characters(line, stop) if last == line else len(self.line(line).rstrip())
        return self.at(line, column, width=max(1, end - column))

    def segment(self, node: ast.AST) -> str:
        """The text of a node that lies on one line."""
        place = self.place(node)
        return place.text[place.column - 1 : place.column - 1 + place.width]

    def error(self, message: str, where: ast.AST | Place | None = None, *, hint: str | None = None) -> SymbnError:
        """The error to raise; `where` is a node or a place."""
        place = self.place(where) if isinstance(where, ast.AST) else where
        return self.kind(message, place=place, hint=hint)

    def _characters(self, line: int, offset: int) -> int:
        text = self.line(line)
        return offset if text.isascii() else len(text.encode()[:offset].decode(errors="replace"))


def quoted(names: tuple[str, ...] | list[str], *, limit: int = 12) -> str:
    """`'a', 'b' and 'c'`, cut after `limit`."""
    shown = [f"'{name}'" for name in names[:limit]]
    if len(names) > limit:
        return ", ".join(shown) + ", ..."
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + f" and {shown[-1]}" if shown else "nothing"


def close_it(after: str) -> str:
    """The hint for a bracket that is never closed: what it opens is the text `after` it."""
    text = " ".join(after.split())
    return f"it opens '{text if len(text) <= 40 else text[:37] + '...'}'; close it" if text else "nothing stands after it; close it"


def suggestion(name: str, known: tuple[str, ...] | list[str]) -> str | None:
    """`did you mean ...?` when a known name is close."""
    import difflib  # here, not above: only a message needs it, and start-up time counts

    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if not close:
        close = [k for k in known if k.lower() == name.lower()][:1]
    return f"did you mean '{close[0]}'?" if close else None
