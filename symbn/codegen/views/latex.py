r"""A derivation as LaTeX.

In: a Derivation.  Out: a LatexView: sections of displayed equations. The fragment needs amsmath alone and fits a column of 252 pt.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from symbn.calculus.derivation import Derivation, Step
from symbn.codegen.variant import variant_of
from symbn.codegen.views.header import header, reproduce
from symbn.language import definition_latex_lines
from symbn.layer import Definition

SPECIAL = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", **{character: f"\\{character}" for character in "&%$#_{}"},
}  # fmt: skip
RESULTS = {
    "backward": "Backward pass",
    "jvp": "Forward derivative",
    "jacobian": "Jacobian",
    "double_backward": "Double backward pass",
}
# A formula in a sentence may be broken after these.
BREAKS = "/*("


@dataclass(frozen=True, slots=True)
class Display:
    """A displayed equation: what is said before it, and its rows, each with its own ending."""

    text: str
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands below it."""

    title: str
    displays: tuple[Display, ...]


@dataclass(frozen=True, slots=True)
class LatexView:
    """A fragment, and the title of the document around it."""

    header: tuple[str, ...]
    title: str
    about: str
    stem: str
    sections: tuple[Section, ...]


def latex_view(derivation: Derivation) -> LatexView:
    """The view of the definitions, the steps where there are any, and the results."""
    layer = derivation.layer
    sections = (
        Section("Definitions", tuple(_defined(definition, derivation) for definition in layer.definitions)),
        Section("Derivation", tuple(_step(step) for step in derivation.steps)),
        Section(RESULTS[variant_of(derivation).passes[1]], tuple(_defined(definition, derivation) for definition in derivation.formulas)),
    )
    stem = variant_of(derivation).stem
    shown = tuple(section for section in sections if section.displays)
    notes = [r"In a paper: \input this file; it needs \usepackage{amsmath} and no more.", ""]
    return LatexView(header(derivation, reproduce(derivation, "latex"), notes), escaped(layer.name), escaped(layer.doc), stem, shown)


def _step(step: Step) -> Display:
    return Display(f"({step.label.strip('()')}) {escaped(step.reason)}", _rows(step.rows))


def _defined(definition: Definition, derivation: Derivation) -> Display:
    return Display("", _rows(definition_latex_lines(definition, derivation.typeset)))


def _rows(lines: tuple[str, ...]) -> tuple[str, ...]:
    *first, last = lines
    return (*(rf"{row} \\" for row in first), last)


def escaped(text: str) -> str:
    r"""Plain words as LaTeX in ASCII; an accent becomes its command, \'{e}, what has none a `?`."""
    words = " ".join(text.split())
    safe = "".join(SPECIAL.get(character) or _letter(character) for character in words)
    for sign in BREAKS:
        safe = safe.replace(sign, rf"{sign}\allowbreak{{}}")
    return safe


# Combining characters and the accents' commands.
ACCENTS = {"\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0308": '"', "\u0327": "c", "\u030c": "v", "\u030a": "r"}


def _letter(character: str) -> str:
    if character.isascii():
        return character
    base, *marks = list(unicodedata.normalize("NFD", character))
    if base.isascii() and len(marks) == 1 and marks[0] in ACCENTS:
        return rf"\{ACCENTS[marks[0]]}{{{base}}}"
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode("ascii")
    return plain or "?"
