"""What a report says, before any format.

In: a Derivation and its Verification.  Out: a Document of equations, each as a tree where it is one, as text and as LaTeX.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from symbn.calculus.derivation import Derivation, Gradient
from symbn.language import LatexNames, definition_latex, definition_latex_lines, definition_text
from symbn.layer import Definition, Layer
from symbn.oracle import Verification


@dataclass(frozen=True, slots=True)
class Line:
    """An equation as a tree, as text, as LaTeX on one line and on `rows` for a narrow column.

    The label, such as `(2.1)`, and the reason may be "".
    """

    definition: Definition
    text: str
    latex: str
    rows: tuple[str, ...]
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

    @property
    def names(self) -> LatexNames:
        """How names are typeset: the layer's, and the letters that the derivation introduced."""
        lines = [line.definition for section in self.sections for line in section.lines]
        return LatexNames.of(self.layer, {definition.name: definition.axes for definition in lines})


_RESULT = {"vjp": "Backward pass", "jvp": "Forward derivative", "jacobian": "Jacobian"}


def document(derivation: Derivation, verification: Verification, *, steps: bool) -> Document:
    """The report in the order it is read: definitions, steps, result, remarks."""
    found = unverified(derivation, steps=steps)
    return replace(found, remarks=(*found.remarks, verification.line))


def unverified(derivation: Derivation, *, steps: bool) -> Document:
    """The report without the line that says how it was verified."""
    layer, names = derivation.layer, derivation.typeset
    shared = tuple(_defined(part, names) for part in derivation.intermediates)
    found = tuple(_result(gradient, names) for gradient in derivation.gradients.values())
    sections = (
        Section("Definitions", tuple(_defined(part, names) for part in layer.definitions)),
        Section("Derivation", _steps(derivation) if steps else ()),
        Section(_RESULT[derivation.mode] + (", second order" if derivation.order == 2 else ""), shared + found),
    )
    proved = tuple(f"proved for every extent: {statement}" for statement in derivation.invariants)
    remarks = (*_reads(derivation), *proved, *derivation.notes)
    return Document(layer, tuple(section for section in sections if section.lines), remarks)


def definitions(layer: Layer) -> Document:
    """A layer by itself."""
    names = LatexNames.of(layer)
    return Document(layer, (Section("Definitions", tuple(_defined(part, names) for part in layer.definitions)),), ())


def _defined(definition: Definition, names: LatexNames, reason: str = "") -> Line:
    rows = definition_latex_lines(definition, names)
    return Line(definition, definition_text(definition), definition_latex(definition, names), rows, reason=reason)


def _result(gradient: Gradient, names: LatexNames) -> Line:
    cost = f"{_count(gradient.reductions, 'reduction')}, {_count(gradient.operations, 'operation')} per element"
    return _defined(gradient.definition, names, cost)


def _steps(derivation: Derivation) -> tuple[Line, ...]:
    return tuple(Line(s.definition, s.equation, s.latex, s.rows, f"({s.label})", s.reason) for s in derivation.steps)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _reads(derivation: Derivation) -> tuple[str, ...]:
    seeds = ", ".join(seed.name for seed in derivation.seeds)
    values = ", ".join(derivation.residuals)
    given = tuple(f"{what}: {names}" for what, names in (("given", seeds), ("from the forward pass", values)) if names)
    return ("; ".join(given),) if given else ()
