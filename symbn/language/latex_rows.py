r"""From a page of LaTeX to equations.

In: tokens.  Out: pairs of sides, each its own tokens. A chain `a = b = c` gives `a = b` and `a = c`.

A line goes on with the one before where it starts with `=`, `+`, `-` or a dot, where a bracket is still open, or where the line before ends
so. Commas between equations, full stops after them and remarks in `\text{...}` at a line's ends are no part of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from symbn.language.latex_scan import PARTNERS, Token, Tokens, match_brackets
from symbn.language.limits import MAX_CHAINED, MAX_STATEMENT_TOKENS

RELATIONS = frozenset(r"= < > \le \ge \ne \approx \sim \propto \to \Rightarrow \implies \iff \in".split(" "))  # noqa: SIM905
_MARK = "aligned"  # an & outside brackets and cases
_JOINS = frozenset(("+", "-", r"\cdot", "/"))
_STOPS = frozenset((".", ",", ";", ":"))
_REMARKS = frozenset(("where", "and", "with", "for", "if", "so", "thus", "hence", "then", "since", "because"))
_CLOSERS = frozenset(PARTNERS.values())


@dataclass(frozen=True, slots=True)
class Sides:
    """The two sides of one equation and its text as written."""

    left: Tokens
    right: Tokens
    text: str


def equations(tokens: Tokens) -> list[Sides]:
    """Every equation, in order."""
    found = [sides for chain in _chains(tokens) for sides in _pairs(tokens, chain)]
    if not found:
        raise tokens.error("there is no equation here", 0, hint=r"write \frac{\partial L}{\partial x_i} = ...")
    if len(found) > MAX_CHAINED:
        raise tokens.error(f"more than {MAX_CHAINED} equations", 0, hint="give them in parts")
    return found


def _chains(tokens: Tokens) -> list[list[Token]]:
    chains: list[list[Token]] = []
    for row in _rows(tokens):
        row = _trimmed(row)
        words = [token for token in row if token.text != _MARK]
        if not words:
            continue
        if chains and _goes_on(chains[-1], row):
            chains[-1] += words
        elif _signs(words):
            chains.append(words)
        else:
            place, stop = tokens.items.index(words[0]), tokens.items.index(words[-1]) + 1
            hint = "an equation has an '='; a line that goes on with the one before starts with a sign"
            raise tokens.error("there is no '=' here", place, stop, hint=hint)
    return chains


def _rows(tokens: Tokens) -> Iterator[list[Token]]:
    """Rows cut at line ends and commas outside brackets; inside brackets other than cases, line ends and marks are dropped."""
    row: list[Token] = []
    open_until: list[int] = []
    cases = 0
    for position, token in enumerate(tokens.items):
        if position in tokens.partner:
            open_until.append(position)
            cases += token.text == r"\begin{cases}"
        elif token.text in _CLOSERS:
            open_until.pop()
            cases -= token.text == r"\end{cases}"
        elif not cases and token.text in (r"\\", "&", ",", ";") and (token.text != "," or not open_until):
            if token.text == "&":
                row += [] if open_until else [replace(token, text=_MARK)]
            elif not open_until:
                yield row
                row = []
            continue
        row.append(token)
    yield row


def _trimmed(row: list[Token]) -> list[Token]:
    """The row without punctuation and remarks at its ends."""
    start, stop = 0, len(row)
    while start < stop and (_is_remark(row[start]) or row[start].text in _STOPS):
        start += 1
    while start < stop and (_is_remark(row[stop - 1]) or row[stop - 1].text in _STOPS):
        stop -= 1
    return row[start:stop]


def _is_remark(token: Token) -> bool:
    words = token.text.removeprefix(r"\text{").removesuffix("}")
    return token.text.startswith(r"\text{") and (not words.replace("_", "").isalnum() or words in _REMARKS)


def _goes_on(before: list[Token], row: list[Token]) -> bool:
    """Whether a row belongs to the equation before it."""
    if before[-1].text in _JOINS or before[-1].text in RELATIONS:
        return True
    words = [token.text for token in row if token.text != _MARK]
    if words[0] == "=":
        return True
    marks = [place for place, token in enumerate(row) if token.text == _MARK]
    own = bool(marks) and marks[0] > 0 and row[marks[0] + 1 :][:1] != [] and row[marks[0] + 1].text == "="
    return words[0] in _JOINS and not own


def _signs(words: list[Token]) -> list[int]:
    """Where relations stand outside brackets."""
    places, depth = [], 0
    for place, token in enumerate(words):
        depth += (token.text in PARTNERS) - (token.text in _CLOSERS)
        if depth == 0 and token.text in RELATIONS:
            places.append(place)
    return places


def _pairs(tokens: Tokens, chain: list[Token]) -> Iterator[Sides]:
    places = _signs(chain)
    sides = []
    for start, stop in zip([-1, *places], [*places, len(chain)], strict=True):
        sign = chain[start] if start >= 0 else chain[stop]
        if sign.text != "=":
            raise tokens.error(f"'{sign.text}' is not an equation", tokens.items.index(sign), hint="write an equation, with '='")
        if start + 1 == stop:
            raise tokens.error("an equation needs two sides", tokens.items.index(sign), hint=r"write \frac{\partial L}{\partial x_i} = ...")
        sides.append(_side(tokens, chain[start + 1 : stop]))
    for side in sides[1:]:
        yield Sides(sides[0], side, f"{_written(sides[0])} = {_written(side)}")


def _side(tokens: Tokens, items: list[Token]) -> Tokens:
    side = replace(tokens, items=items, partner={})
    if len(items) > MAX_STATEMENT_TOKENS:
        place, hint = tokens.items.index(items[0]), "write parts of it as equations of their own"
        raise tokens.error(f"this side is too long: at most {MAX_STATEMENT_TOKENS} letters and signs", place, hint=hint)
    match_brackets(side)
    return side


def _written(side: Tokens) -> str:
    raw = side.raw(0, len(side.items))
    return raw if r"\begin{cases}" in raw else " ".join(raw.replace(r"\\", " ").replace("&", " ").split())
