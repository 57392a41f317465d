"""What a report says, before any format.

In: a Derivation and its Verification.  Out: a Document of equations, each as a tree where it is one, as text and as LaTeX.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from symbn.calculus.derivation import Derivation, Gradient
from symbn.errors import SymbnError
from symbn.language import definition_latex, definition_text, parse_definition
from symbn.layer import Definition, Layer
from symbn.oracle import Verification


@dataclass(frozen=True, slots=True)
class Line:
    """An equation, with a label such as `(2.1)` and a reason, either of which may be "".

    `definition` is its tree, for formats that break lines or choose symbols; None where the equation is more than `name[i] = expr`.
    """

    text: str
    latex: str
    definition: Definition | None
    label: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the equations below it."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A report: the layer, with what its author says of it, the sections, and the remarks that close it, the verification last."""

    layer: Layer
    sections: tuple[Section, ...]
    remarks: tuple[str, ...]

    @property
    def about(self) -> str:
        """The author's words, on one line."""
        return " ".join(self.layer.doc.split())


Axes = Mapping[str, tuple[str, ...]]
_RESULT = {"vjp": "Backward pass", "jvp": "Forward derivative", "jacobian": "Jacobian"}


def document(derivation: Derivation, verification: Verification, *, steps: bool) -> Document:
    """The report in the order it is read: definitions, steps, result, remarks."""
    layer = derivation.layer
    shared = tuple(_defined(part, layer) for part in derivation.intermediates)
    found = tuple(_result(gradient, layer) for gradient in derivation.gradients.values())
    sections = (
        Section("Definitions", tuple(_defined(part, layer) for part in layer.definitions)),
        Section("Derivation", _steps(derivation) if steps else ()),
        Section(_RESULT[derivation.mode] + (", second order" if derivation.order == 2 else ""), shared + found),
    )
    remarks = (*_reads(derivation), *derivation.notes, verification.line)
    return Document(layer, tuple(section for section in sections if section.lines), remarks)


def _defined(definition: Definition, layer: Layer) -> Line:
    return Line(definition_text(definition), definition_latex(definition, layer), definition)


def _result(gradient: Gradient, layer: Layer) -> Line:
    cost = f"{_count(gradient.reductions, 'reduction')}, {_count(gradient.operations, 'operation')} per element"
    return Line(definition_text(gradient.definition), definition_latex(gradient.definition, layer), gradient.definition, reason=cost)


def _steps(derivation: Derivation) -> tuple[Line, ...]:
    known = {name: derivation.layer.axes_of(name) for name in derivation.layer.names}
    lines = []
    for step in derivation.steps:
        definition = _parsed(step.equation, derivation.layer, known)
        if definition is not None:
            known.setdefault(definition.name, definition.axes)  # a letter that the derivation brings in
        lines.append(Line(step.equation, step.latex, definition, f"({step.label.strip('()')})", step.reason))
    return tuple(lines)


def _parsed(equation: str, layer: Layer, known: Axes) -> Definition | None:
    words = dict.fromkeys(re.findall(r"[A-Za-z]\w*", equation))
    extra = {word: axes for word in words if word not in layer.names and (axes := _axes_of(word, known)) is not None}
    try:
        return parse_definition(equation, layer, extra)
    except SymbnError:
        return None


def _axes_of(word: str, known: Axes) -> tuple[str, ...] | None:
    """The axes of a known name, or of `dx`, `x_dot` or `dy_dx` over known names; None for another word."""
    totals = ((word[1 : found.start()], word[found.end() :]) for found in re.finditer("_d", word))
    readings = ((word,), (word.removesuffix("_dot"),), (word.removeprefix("d"),), *totals)
    parts = next((reading for reading in readings if set(reading) <= set(known)), None)
    return None if parts is None else tuple(axis for part in parts for axis in known[part])


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _reads(derivation: Derivation) -> tuple[str, ...]:
    seeds = ", ".join(seed.name for seed in derivation.seeds)
    values = ", ".join(derivation.residuals)
    given = tuple(f"{what}: {names}" for what, names in (("given", seeds), ("from the forward pass", values)) if names)
    return ("; ".join(given),) if given else ()
