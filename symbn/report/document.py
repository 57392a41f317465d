"""What a report says, before any format.

In: a Derivation and its Verification.  Out: a Document of lines, each as layer-language text and as LaTeX.
"""

from __future__ import annotations

from dataclasses import dataclass

from symbn.calculus.derivation import Derivation, Gradient
from symbn.language import definition_latex, definition_text
from symbn.layer import Definition, Layer
from symbn.oracle import Verification


@dataclass(frozen=True, slots=True)
class Line:
    """An equation in the layer language and in LaTeX, with a label such as `(2.1)` and a reason, either of which may be ""."""

    text: str
    latex: str
    label: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the equations below it."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A report: its name, what the layer's author says of it, the sections, and the remarks that close it, the verification last."""

    title: str
    about: str
    sections: tuple[Section, ...]
    remarks: tuple[str, ...]


_RESULT = {"vjp": "Backward pass", "jvp": "Forward derivative", "jacobian": "Jacobian"}


def document(derivation: Derivation, verification: Verification, *, steps: bool) -> Document:
    """The report in the order it is read: definitions, steps, result, remarks."""
    layer = derivation.layer
    sections = [Section("Definitions", tuple(_defined(part, layer) for part in layer.definitions))]
    if steps:
        taken = tuple(Line(step.equation, step.latex, f"({step.label.strip('()')})", step.reason) for step in derivation.steps)
        sections.append(Section("Derivation", taken))
    shared = tuple(_defined(part, layer) for part in derivation.intermediates)
    found = tuple(_result(gradient, layer) for gradient in derivation.gradients.values())
    sections.append(Section(_RESULT[derivation.mode] + (", second order" if derivation.order == 2 else ""), shared + found))
    remarks = (*_reads(derivation), *derivation.notes, verification.line)
    return Document(layer.name, " ".join(layer.doc.split()), tuple(section for section in sections if section.lines), remarks)


def _defined(definition: Definition, layer: Layer) -> Line:
    return Line(definition_text(definition), definition_latex(definition, layer))


def _result(gradient: Gradient, layer: Layer) -> Line:
    cost = f"{_count(gradient.reductions, 'reduction')}, {_count(gradient.operations, 'operation')} per element"
    return Line(definition_text(gradient.definition), definition_latex(gradient.definition, layer), reason=cost)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _reads(derivation: Derivation) -> tuple[str, ...]:
    seeds = ", ".join(seed.name for seed in derivation.seeds)
    values = ", ".join(derivation.residuals)
    given = tuple(f"{what}: {names}" for what, names in (("given", seeds), ("from the forward pass", values)) if names)
    return ("; ".join(given),) if given else ()
