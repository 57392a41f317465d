r"""Symbols as they stand on paper: a letter with its accents and scripts.

In: tokens.  Out: a Shape, whatever order and braces it was written with: `\hat{x}_i`, `\hat{x_i}` and `{\hat x}_{i}` are one.
"""

from __future__ import annotations

from dataclasses import dataclass

from symbn.language.latex_names import GREEK
from symbn.language.latex_scan import Tokens

ACCENTS = frozenset((r"\hat", r"\bar", r"\tilde", r"\dot", r"\ddot", r"\check", r"\breve", r"\acute", r"\grave"))
_WORD_STYLES = frozenset(r"\mathrm \operatorname \mathit \mathsf \mathtt \mathbf \boldsymbol \bm \vec".split(" "))  # noqa: SIM905
_LETTER_STYLES = frozenset((r"\mathcal", r"\mathbb", r"\mathscr", r"\mathfrak", r"\mathbbm", r"\mathds"))
_LETTERS = frozenset((*(f"\\{name}" for name in GREEK), r"\ell", r"\nabla", r"\max", r"\min", r"\star"))
STYLES = _WORD_STYLES | _LETTER_STYLES


@dataclass(frozen=True, slots=True)
class Shape:
    r"""`nucleus` is the letter under its accents, `below` its subscript's parts, each with its position, `above` its superscript's span.

    A letter's weight and slant are left out, its script is not: \mathbf{x} is x, \mathcal{L} is not L.
    """

    nucleus: str
    below: tuple[tuple[str, int], ...] = ()
    above: tuple[int, int] | None = None

    @property
    def below_texts(self) -> tuple[str, ...]:
        """The parts of the subscript."""
        return tuple(text for text, _ in self.below)

    def over(self, accent: str) -> Shape:
        """The same under an accent."""
        return Shape(f"{accent}{{{self.nucleus}}}", self.below, self.above)


def shape_at(tokens: Tokens, position: int, end: int) -> tuple[Shape, int] | None:
    """The symbol that starts here and the position after it; None where none does."""
    found = nucleus_at(tokens, position, end)
    return None if found is None else scripts(tokens, *found, end)


def whole_shape(tokens: Tokens, start: int, stop: int) -> Shape | None:
    """The symbol that fills a span; None where something else stands there too."""
    found = shape_at(tokens, start, stop)
    return found[0] if found is not None and found[1] == stop else None


def scripts(tokens: Tokens, shape: Shape, position: int, end: int) -> tuple[Shape, int] | None:
    """The symbol with the scripts that follow it, and the position after them; None where a subscript is no list of letters."""
    while position < end and tokens.text(position) in ("_", "^"):
        start, stop, after = tokens.argument(position + 1)
        if tokens.text(position) == "^":
            if shape.above is not None:
                break
            shape = Shape(shape.nucleus, shape.below, (start, stop))
        else:
            parts = parts_of(tokens, start, stop)
            if parts is None:
                return None
            shape = Shape(shape.nucleus, (*shape.below, *parts), shape.above)
        position = after
    return shape, position


def nucleus_at(tokens: Tokens, position: int, end: int) -> tuple[Shape, int] | None:
    """The letter or word that starts here, with its accents and what stands under these, and the position after it."""
    text = tokens.text(position) if position < end else ""
    if text.startswith(r"\text{"):
        return (Shape(rf"\mathrm{{{text[6:-1]}}}"), position + 1) if text[6:-1].replace("_", "").isalnum() else None
    if (len(text) == 1 and text.isalpha()) or text in _LETTERS:
        return Shape(text), position + 1
    if text in ACCENTS:
        start, stop, after = tokens.argument(position + 1)
        inner = whole_shape(tokens, start, stop)
        return None if inner is None else (inner.over(text), after)
    if text in STYLES:
        start, stop, after = tokens.argument(position + 1)
        inner = _styled(tokens, text, start, stop)
        return None if inner is None else (inner, after)
    if text == "{" and tokens.text(tokens.partner[position] + 1) in ("_", "^"):
        inner = whole_shape(tokens, position + 1, tokens.partner[position])
        return None if inner is None else (inner, tokens.partner[position] + 1)
    return None


def _styled(tokens: Tokens, style: str, start: int, stop: int) -> Shape | None:
    word = tokens.canonical(start, stop).replace(r"\_", "_")
    if style in _LETTER_STYLES:
        return Shape(f"{style}{{{word}}}") if len(word) == 1 else None
    if len(word) > 1 and word[0].isalpha() and word.replace("_", "").isalnum():
        plain = "_" not in word or r"\_" in tokens.canonical(start, stop)
        return Shape(rf"\mathrm{{{word}}}") if plain else whole_shape(tokens, start, stop)
    return whole_shape(tokens, start, stop)


def parts_of(tokens: Tokens, start: int, stop: int) -> tuple[tuple[str, int], ...] | None:
    r"""The parts of a subscript: `n,d`, `nd`, `1,i`, `j_{1}`. None where something else stands there, such as an equation."""
    parts: list[tuple[str, int]] = []
    while start < stop:
        text = tokens.text(start)
        if text == ",":
            start += 1
        elif text.isdigit():
            digits = start
            while start < stop and tokens.text(start).isdigit():
                start += 1
            parts.append((tokens.canonical(digits, start), digits))
        elif text == "{" and start in tokens.partner:
            inner = parts_of(tokens, start + 1, tokens.partner[start])
            if inner is None:
                return None
            parts += inner
            start = tokens.partner[start] + 1
        else:
            found = shape_at(tokens, start, stop)
            if found is None or found[0].above is not None:
                return None
            shape = found[0]
            below = f"_{{{','.join(shape.below_texts)}}}" if shape.below else ""
            parts.append((shape.nucleus + below, start))
            start = found[1]
    return tuple(parts)
