r"""What every reader of LaTeX needs: a place in the tokens, the names, and the index letters.

In: tokens, a NameTable, Letters.  Out: peeking, taking, errors with places, and elements at their indices.

Braces that only group are invisible, as on paper: `{a - b} c` is a - b c.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TypeVar

from symbn.errors import SymbnError
from symbn.expr import Expr, Index, Read
from symbn.language.indices import Letters
from symbn.language.latex_rows import RELATIONS
from symbn.language.latex_scan import Tokens
from symbn.language.latex_shapes import Shape, parts_of
from symbn.language.latex_table import NameTable
from symbn.language.source import suggestion
from symbn.layer import Definition

T = TypeVar("T")
_COMMANDS = (r"\frac", r"\sum", r"\sqrt", r"\partial", r"\hat", r"\exp", r"\log", r"\tanh", r"\max", r"\min", r"\cdot", r"\left", r"\right")
_LETTER = re.compile(r"[^\d_,][^_,]*(_\{\d+\})?")
OPENS = ("(", "[", r"\{")
_SPELLINGS = {"lambda": "lam"}
_STOPS = RELATIONS | frozenset((*")]},;.:&+-/", r"\}", r"\\", r"\rvert", r"\rVert", r"\end{cases}", r"\cdot"))
_SUM_HINT = r"write the sum out: \sum_{k=1}^{N}"
_HINTS = {
    r"\cdots": _SUM_HINT, r"\dots": _SUM_HINT, r"\ldots": _SUM_HINT,
    "'": "a prime is not read: give it a name of its own", r"\pm": "write the two equations", r"\mp": "write the two equations",
    r"\over": r"write \frac{...}{...}", r"\prod": "products over an index are not supported", r"\int": "integrals are not supported",
    "!": "factorials are not supported", r"\top": "write the indices: x_{n,d}", "_": "an index stands on a name: x_i",
}  # fmt: skip


class Cursor(ABC):
    """A position in the tokens of one side of an equation; what reads a part of it starts there and leaves it after that part."""

    def __init__(self, tokens: Tokens, table: NameTable, letters: Letters, where: list[Definition]) -> None:
        self.tokens, self.table, self.letters, self.where = tokens, table, letters, where
        self.position, self.end = 0, len(tokens.items)
        self.hidden: set[int] = set()
        self.bars = 0

    @abstractmethod
    def expression(self) -> Expr:
        """Terms with their signs."""

    @abstractmethod
    def term(self) -> Expr:
        """Factors up to the next + or -."""

    @abstractmethod
    def factor(self) -> Expr:
        """One factor with its exponent."""

    @abstractmethod
    def exponent(self) -> Expr:
        """What stands in a superscript, to its end."""

    @abstractmethod
    def unwrap(self) -> None:
        """Makes braces that only group invisible."""

    def peek(self) -> str:
        """The next token's text, or nothing at the end of the span."""
        while self.position < self.end and self.position in self.hidden:
            self.position += 1
        return self.tokens.text(self.position) if self.position < self.end else ""

    def take(self) -> int:
        """Passes the next token; its position."""
        self.peek()
        self.position += 1
        return self.position - 1

    def accept(self, *texts: str) -> bool:
        """Passes the next token where it is one of these."""
        found = self.peek() in texts
        self.position += found
        return found

    def sign(self) -> str:
        """Passes a + or - where one comes next; + where none does."""
        text = self.peek()
        return text if self.accept("+", "-") else "+"

    def starts_factor(self) -> bool:
        """Whether what comes next is multiplied with what came before."""
        text = self.peek()
        return self.is_point() if text == "." else bool(text) and text not in _STOPS and not (text == "|" and self.bars)

    def is_point(self) -> bool:
        """Whether a decimal point comes next, and no full stop."""
        return self.tokens.text(self.position) == "." and self.position + 1 < self.end and self.tokens.text(self.position + 1).isdigit()

    def span(self, start: int, stop: int, read: Callable[[], T]) -> T:
        """What `read` finds in a span, which it has to read to its end."""
        kept = self.position, self.end, self.bars
        self.position, self.end, self.bars = start, stop, 0
        found = read()
        if self.peek():
            raise self.stuck()
        self.position, self.end, self.bars = kept
        return found

    def argument(self) -> tuple[int, int]:
        """The span of the argument that comes next."""
        self.peek()
        start, stop, self.position = self.tokens.argument(self.position)
        return start, stop

    def stuck(self) -> SymbnError:
        """The error for a token that continues nothing."""
        text = self.peek()
        if not text:
            return self.tokens.error("something is missing here", self.position if self.end == len(self.tokens.items) else self.end)
        shown, hint = self.tokens.raw(self.position, self.position + 1), _HINTS.get(text)
        if hint is None and text[1:].isalpha():
            known = [self.table.spelled(name) for name in self.table.arrays if not self.table.names.is_result(name)]
            return self.tokens.error(f"unknown command '{shown}'", self.position, hint=suggestion(text, [*known, *_COMMANDS]))
        return self.tokens.error(f"cannot read on at '{shown}'", self.position, hint=hint)

    def error(self, message: str, position: int, stop: int | None = None, *, hint: str | None = None) -> SymbnError:
        """The error to raise."""
        return self.tokens.error(message, position, stop, hint=hint)

    def exact(self, position: int, build: Callable[..., Expr], *parts: object) -> Expr:
        """Arithmetic that may pass a limit or divide by zero."""
        try:
            return build(*parts)
        except ArithmeticError as error:
            raise self.error(str(error), position, self.position) from None

    def element(self, name: str, letters: tuple[tuple[str, int], ...]) -> Read:
        """A value at its indices."""
        return Read(name, self.indices(name, letters))

    def indices(self, name: str, letters: tuple[tuple[str, int], ...]) -> tuple[Index, ...]:
        """The indices of a value."""
        pairs = zip(letters, self.table.arrays[name], strict=True)
        return tuple(self.letters.use(self.letter(*part), axis, self.tokens.place(part[1]), name) for part, axis in pairs)

    def letter(self, text: str, position: int) -> str:
        """An index letter as the layer language spells it."""
        plain = text.replace(r"\mathrm{", "").replace("\\", "").replace("_{", "").replace("}", "").replace("{", "")
        if plain[:1].isdigit():
            raise self.error("an index is a letter, not a number", position, hint="write x_i; every element has the same formula")
        return _SPELLINGS.get(plain, plain)

    def shape(self) -> tuple[Shape, int] | None:
        """The symbol that comes next and the position after it."""
        self.peek()
        return self.table.symbol_at(self.tokens, self.position, self.end)

    def split(self, start: int, stop: int, sign: str) -> list[tuple[int, int]]:
        """A span's parts between signs outside inner brackets."""
        parts, begin = [], start
        while start < stop:
            text = self.tokens.text(start)
            if text == sign:
                parts.append((begin, start))
                begin = start + 1
            start = self.tokens.partner.get(start, start) + 1
        return [*parts, (begin, stop)]

    def stripped(self, start: int, stop: int) -> tuple[int, int]:
        """A span without the brackets around all of it."""
        while start < stop and self.tokens.text(start) in (*OPENS, "{") and self.tokens.partner[start] == stop - 1:
            start, stop = start + 1, stop - 1
        return start, stop

    def relation(self, start: int, stop: int) -> int | None:
        """Where the first relation stands in a span, outside inner brackets."""
        while start < stop:
            if self.tokens.text(start) in RELATIONS:
                return start
            start = self.tokens.partner.get(start, start) + 1
        return None

    def is_letter(self, start: int, stop: int) -> bool:
        """Whether a span is one index letter."""
        parts = parts_of(self.tokens, start, stop)
        if parts is None or len(parts) != 1 or _LETTER.fullmatch(parts[0][0]) is None:
            return False
        return not self.table.is_scalar(Shape(parts[0][0])) or self.letter(*parts[0]) in self.letters.bound
