r"""The first look at LaTeX, before any reader recurses into it.

In: LaTeX as papers and posts write it.  Out: tokens with their places, without spacing, labels and display environments; each bracket knows
its partner.

What only sets type is dropped: `\,`, `\quad`, `\left`, `\Bigl`, `\tag{...}`, `$`, `\begin{aligned}`. Spellings of one thing become one:
`\dfrac` is `\frac`, `\varepsilon` is `\epsilon`, `\times` is `\cdot`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from symbn.errors import EquationError, Place, SymbnError
from symbn.language.limits import MAX_BRACKETS, MAX_BYTES, MAX_TOKENS
from symbn.language.source import Source, close_it

_PIECE = re.compile(r"\\[A-Za-z]+\*?|\\.|[^\\]|\\", re.DOTALL)
_ARGUMENT = re.compile(r"\s*\{([^{}]*)\}")
_LINE_GAP = re.compile(r"\s*\[\s*-?[\d.]+\s*[a-z]+\s*\]")
_PLACED = re.compile(r"\s*\[[tbc]\]")
_SILENT = frozenset(
    r"""\, \; \: \! \> \quad \qquad \space \thinspace \medspace \thickspace \enspace \displaystyle \textstyle \scriptstyle \limits
    \nolimits \nonumber \notag \mathopen \mathclose \mathrel \mathbin \mathord \hfill \strut \relax \allowbreak
    ~""".split()  # noqa: SIM905
)
_DISPLAYS = frozenset((r"\(", r"\)", r"\[", r"\]", "$"))  # where one formula ends and another may start
_SILENT_WITH_ARGUMENT = frozenset((r"\tag", r"\tag*", r"\label", r"\hspace", r"\hspace*", r"\vspace", r"\color", r"\phantom", r"\hphantom"))
_SIZED = re.compile(r"\\(left|right|(?:big|Big|bigg|Bigg)([lrm]?))")
_ENVIRONMENTS = frozenset(
    """align align* aligned alignat alignat* alignedat equation equation* gather gather* gathered split multline multline* eqnarray
    eqnarray* displaymath math flalign flalign*""".split()  # noqa: SIM905
)
_SAME = {
    r"\dfrac": r"\frac", r"\tfrac": r"\frac", r"\cfrac": r"\frac", r"\varepsilon": r"\epsilon", r"\varphi": r"\phi", r"\widehat": r"\hat",
    r"\widetilde": r"\tilde", r"\overline": r"\bar", r"\leq": r"\le", r"\geq": r"\ge", r"\neq": r"\ne", r"\leqslant": r"\le",
    r"\geqslant": r"\ge", r"\lt": "<", r"\gt": ">", r"\times": r"\cdot", r"\odot": r"\cdot", r"\ast": r"\cdot", "*": r"\cdot",
    r"\div": "/", r"\lbrace": r"\{", r"\rbrace": r"\}", r"\lbrack": "[", r"\rbrack": "]", r"\vert": "|", r"\ln": r"\log",
    r"\operatorname*": r"\operatorname", r"\lparen": "(", r"\rparen": ")", r"\Vert": r"\|", r"\coloneqq": "=", r"\equiv": "=",
    "\u2212": "-", "\u2013": "-", "\u00b7": r"\cdot", "\u22c5": r"\cdot", "\u00d7": r"\cdot",
}  # fmt: skip
_LEFT = {"|": r"\lvert", r"\|": r"\lVert"}
_RIGHT = {"|": r"\rvert", r"\|": r"\rVert"}
PARTNERS = {"(": ")", "[": "]", r"\{": r"\}", "{": "}", r"\lvert": r"\rvert", r"\lVert": r"\rVert", r"\begin{cases}": r"\end{cases}"}
_CLOSERS = frozenset(PARTNERS.values())
_WORDS = frozenset((r"\text", r"\textrm", r"\textit", r"\textbf", r"\textnormal", r"\mbox"))


@dataclass(frozen=True, slots=True)
class Token:
    r"""`text` is the spelling that the readers know, `\text{words}` in one piece; `start` and `stop` its place in the source's text."""

    text: str
    start: int
    stop: int


@dataclass
class Tokens:
    """The tokens of a text; `partner` maps an opening bracket's position in the list to its closing one's."""

    source: Source
    items: list[Token] = field(default_factory=list)
    partner: dict[int, int] = field(default_factory=dict)

    def text(self, position: int) -> str:
        """The spelling of a token, or nothing beyond the end."""
        return self.items[position].text if 0 <= position < len(self.items) else ""

    def raw(self, start: int, stop: int) -> str:
        """What the user wrote for a run of tokens, on one line."""
        return " ".join(self.source.text[self.items[start].start : self.items[stop - 1].stop].split()) if start < stop else ""

    def canonical(self, start: int, stop: int) -> str:
        """A run of tokens in the spelling that readers know."""
        return "".join(token.text for token in self.items[start:stop])

    def place(self, position: int, stop: int | None = None) -> Place:
        """Where a token stands, or a run of tokens; beyond the last one, the end of the text."""
        if not self.items:
            return _place(self.source, 0, 1)
        if position >= len(self.items):
            return _place(self.source, self.items[-1].stop, self.items[-1].stop + 1)
        return _place(self.source, self.items[position].start, self.items[max(position, (stop or 0) - 1)].stop)

    def error(self, message: str, position: int, stop: int | None = None, *, hint: str | None = None) -> SymbnError:
        """The error to raise."""
        return self.source.error(message, self.place(position, stop), hint=hint)

    def argument(self, position: int, depth: int = 0) -> tuple[int, int, int]:
        r"""What TeX takes as an argument here: the span of its content, and the position after it. `\frac12` has two of one digit."""
        if self.text(position) == "{":
            return position + 1, self.partner[position], self.partner[position] + 1
        if position >= len(self.items) or self.text(position) in _CLOSERS:
            raise self.error("an argument is missing here", position, hint="write it in braces: {...}")
        stop = position + 1
        for _ in range(_TAKES.get(self.text(position), 0)):
            if depth > MAX_BRACKETS:
                raise self.error(f"commands nested too deeply: at most {MAX_BRACKETS}", position, hint="shorten the equation")
            _, _, stop = self.argument(stop, depth + 1)
        return position, stop, stop


_TAKES = dict.fromkeys((r"\sqrt", r"\hat", r"\bar", r"\tilde", r"\dot", r"\mathrm", r"\mathcal", r"\mathbf", r"\mathbb"), 1) | {r"\frac": 2}


def scan(text: str, file: str) -> Tokens:
    """The tokens; an error where a limit is passed, a bracket has no partner, or a character cannot be read."""
    source = Source(file, text, EquationError)
    if len(text) > MAX_BYTES:
        raise source.error(f"{file}: too large: at most {MAX_BYTES // 1024} KiB", hint="give it in parts")
    tokens = Tokens(source, _pieces(source))
    if len(tokens.items) > MAX_TOKENS:
        raise source.error(f"this text is too long: at most {MAX_TOKENS} words and signs", hint="give it in parts")
    match_brackets(tokens)
    return tokens


def _place(source: Source, start: int, stop: int) -> Place:
    line = source.text.count("\n", 0, start)
    column = start - (source.text.rfind("\n", 0, start) + 1)
    end = source.text.find("\n", start)
    return source.at(line + 1, column, width=max(1, min(stop, len(source.text) if end < 0 else end) - start))


def _pieces(source: Source) -> list[Token]:
    found: list[Token] = []
    position = 0
    while position < len(source.text):
        match = _PIECE.match(source.text, position)
        assert match is not None
        position = _take(source, match[0], position, match.end(), found)
    return found


def _take(source: Source, piece: str, start: int, stop: int, found: list[Token]) -> int:
    """Adds what a piece stands for, if anything; the position after it and what belongs to it."""
    if piece.isspace() or piece in _SILENT or piece.removeprefix("\\").isspace():
        return stop
    if piece == "%":
        end = source.text.find("\n", start)
        return len(source.text) if end < 0 else end
    if piece in _SILENT_WITH_ARGUMENT:
        return _braced(source, piece, start, stop)[1]
    if piece in (r"\begin", r"\end"):
        return _environment(source, piece, start, stop, found)
    if piece in _WORDS:
        words, stop = _braced(source, piece, start, stop)
        found.append(Token(rf"\text{{{words.strip()}}}", start, stop))
        return stop
    if piece in _DISPLAYS:
        found.append(Token(r"\\", start, stop))
        return stop
    sized = _SIZED.fullmatch(piece)
    if sized:
        return _delimiter(source, sized, start, stop, found)
    if piece == r"\\":
        gap = _LINE_GAP.match(source.text, stop)
        stop = gap.end() if gap else stop
    text = _SAME.get(piece, piece)
    if not text.isascii() or text == "\\":
        raise source.error(f"unexpected character '{piece}'", _place(source, start, stop), hint="write it as a command of LaTeX")
    if text == ":" and source.text[stop : stop + 1] == "=":
        return stop
    if text == "=" and found and found[-1].text == "=" and found[-1].stop == start:
        found[-1] = Token("=", found[-1].start, stop)
    else:
        found.append(Token(text, start, stop))
    return stop


def _braced(source: Source, piece: str, start: int, stop: int) -> tuple[str, int]:
    match = _ARGUMENT.match(source.text, stop)
    if match is None:
        raise source.error(f"'{piece}' has no words in braces after it", _place(source, start, stop), hint=f"write {piece}{{...}}")
    return match[1], match.end()


def _environment(source: Source, piece: str, start: int, stop: int, found: list[Token]) -> int:
    name, after = _braced(source, piece, start, stop)
    if name == "cases":
        found.append(Token(rf"{piece}{{cases}}", start, after))
    elif name not in _ENVIRONMENTS:
        hint = "write the equations alone, or in align, gather or equation"
        raise source.error(f"the environment '{name}' is not read", _place(source, start, after), hint=hint)
    else:
        if piece == r"\begin" and name in ("alignat", "alignat*", "alignedat"):
            after = _braced(source, piece, start, after)[1]
        placed = _PLACED.match(source.text, after) if piece == r"\begin" else None
        after = placed.end() if placed else after
        found.append(Token(r"\\", start, after))
    return after


def _delimiter(source: Source, sized: re.Match[str], start: int, stop: int, found: list[Token]) -> int:
    r"""The bracket after \left, \right, \Bigl and the like; `\left.` stands for nothing."""
    while source.text[stop : stop + 1].isspace():
        stop += 1
    match = _PIECE.match(source.text, stop)
    if match is None:
        raise source.error(f"'{sized[0]}' has no bracket after it", _place(source, start, stop), hint="write \\left( ... \\right)")
    if match[0] != ".":
        text = _SAME.get(match[0], match[0])
        sides = _LEFT if sized[1] == "left" or sized[2] == "l" else _RIGHT if sized[1] == "right" or sized[2] == "r" else {}
        found.append(Token(sides.get(text, text), start, match.end()))
    return match.end()


def match_brackets(tokens: Tokens) -> None:
    """Fills in the partners; an error for a bracket without one."""
    opened: list[int] = []
    for position, token in enumerate(tokens.items):
        if token.text in PARTNERS:
            opened.append(position)
            if len(opened) > MAX_BRACKETS:
                raise tokens.error(f"brackets nested too deeply: at most {MAX_BRACKETS}", position, hint="shorten the equation")
        elif token.text in _CLOSERS:
            if not opened:
                raise tokens.error(f"this '{_shown(tokens, position)}' closes nothing", position, hint="remove it, or open it before")
            if PARTNERS[tokens.text(opened[-1])] != token.text:
                raise _unclosed(tokens, opened[-1], position)
            tokens.partner[opened.pop()] = position
    if opened:
        raise _unclosed(tokens, opened[-1], len(tokens.items))


def _unclosed(tokens: Tokens, position: int, stop: int) -> SymbnError:
    """The error for a bracket that is still open where `stop` closes another."""
    closer = f" before the '{_shown(tokens, stop)}'" if stop < len(tokens.items) else ""
    message = f"this '{_shown(tokens, position)}' is never closed{closer}"
    return tokens.error(message, position, hint=close_it(tokens.raw(position + 1, stop)))


def _shown(tokens: Tokens, position: int) -> str:
    return tokens.raw(position, position + 1)
