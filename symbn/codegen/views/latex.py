r"""A derivation as LaTeX.

In: a Derivation.  Out: a LatexView: sections of displayed equations. The fragment needs amsmath alone and fits a column of 252 pt.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from symbn.calculus.derivation import Derivation, Step
from symbn.codegen.variant import variant_of
from symbn.codegen.views.header import header, reproduce
from symbn.errors import SymbnError
from symbn.language import definition_latex_lines, parse_definition
from symbn.layer import Definition, Layer

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
    results = (*derivation.intermediates, *(gradient.definition for gradient in derivation.gradients.values()))
    sections = (
        Section("Definitions", tuple(Display("", _rows(definition, layer)) for definition in layer.definitions)),
        Section("Derivation", _steps(derivation, results)),
        Section(RESULTS[variant_of(derivation).passes[1]], tuple(Display("", _rows(d, layer)) for d in results)),
    )
    stem = variant_of(derivation).stem
    shown = tuple(section for section in sections if section.displays)
    notes = [r"In a paper: \input this file; it needs \usepackage{amsmath} and no more.", ""]
    return LatexView(header(derivation, reproduce(derivation, "latex"), notes), escaped(layer.name), escaped(layer.doc), stem, shown)


def _steps(derivation: Derivation, results: tuple[Definition, ...]) -> tuple[Display, ...]:
    axes = {f"d{definition.name}": definition.axes for definition in derivation.layer.definitions}  # the adjoints that steps speak of
    axes |= {seed.name: seed.axes for seed in derivation.seeds} | {result.name: result.axes for result in results}
    return tuple(_step(step, derivation.layer, axes) for step in derivation.steps)


def _step(step: Step, layer: Layer, axes: Mapping[str, tuple[str, ...]]) -> Display:
    """Broken into lines where the equation is a definition; as the engine typeset it where it is more than that."""
    try:
        rows = _rows(parse_definition(step.equation, layer, axes), layer)
    except SymbnError:
        rows = (step.latex,)
    return Display(f"({step.label.strip('()')}) {escaped(step.reason)}", rows)


def _rows(definition: Definition, layer: Layer) -> tuple[str, ...]:
    *first, last = definition_latex_lines(definition, layer)
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
