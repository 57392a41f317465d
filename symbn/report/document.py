"""What a report says, before any format.

In: a Derivation and its Verification.  Out: a Document of equations, each as a tree where it is one, as text and as LaTeX.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from symbn.calculus.derivation import Derivation, Gradient, Step
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
    def line(step: Step) -> Line:
        return Line(step.equation, step.latex, _parsed(step.equation, derivation.layer), f"({step.label.strip('()')})", step.reason)

    return tuple(map(line, derivation.steps))


def _parsed(equation: str, layer: Layer) -> Definition | None:
    words = dict.fromkeys(re.findall(r"[A-Za-z]\w*", equation))
    axes = {word: found for word in words if (found := _derivative_axes(word, layer)) is not None}
    try:
        return parse_definition(equation, layer, axes)
    except SymbnError:
        return None


def _derivative_axes(word: str, layer: Layer) -> tuple[str, ...] | None:
    """The axes of `dx`, `x_dot` or `dy_dx`; None for a word that names no derivative of the layer's values."""
    if word in layer.names:
        return None
    totals = ((word[1 : found.start()], word[found.end() :]) for found in re.finditer("_d", word))
    readings = ((word.removesuffix("_dot"),), (word.removeprefix("d"),), *totals)
    parts = next((reading for reading in readings if set(reading) <= set(layer.names)), None)
    return None if parts is None else tuple(axis for part in parts for axis in layer.axes_of(part))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _reads(derivation: Derivation) -> tuple[str, ...]:
    seeds = ", ".join(seed.name for seed in derivation.seeds)
    values = ", ".join(derivation.residuals)
    given = tuple(f"{what}: {names}" for what, names in (("given", seeds), ("from the forward pass", values)) if names)
    return ("; ".join(given),) if given else ()
