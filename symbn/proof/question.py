"""What is asked: equations about a layer, in any of the spellings that people use.

In: a layer and the text of an equation, or of code.  Out: one `Question` for each equation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Protocol

from symbn import language
from symbn.expr import Compare, Num, Read, reads
from symbn.language.equations import Equation, parse_assumption, parse_equation
from symbn.layer import Definition, Layer
from symbn.vocabulary import vocabulary

FORMS = ("text", "numpy", "latex")


class Reader(Protocol):
    """A parser of other people's spellings."""

    def __call__(
        self, text: str, layer: Layer, extra: Mapping[str, tuple[str, ...]], /, *, lets: Mapping[str, str], file: str
    ) -> tuple[Equation, ...]:
        """The equations that a text states."""


@dataclass(frozen=True, slots=True)
class Question:
    """One equation; `layer` has the author's definitions and those that the equation brings along; `assume` are the user's assumptions.

    Where two layers are compared, `second` are the other layer's definitions.
    """

    layer: Layer
    equation: Equation
    assume: tuple[Compare, ...] = ()
    second: tuple[Definition, ...] = ()


def questions(
    layer: Layer,
    text: str,
    *,
    form: str = "text",
    lets: Mapping[str, str] | None = None,
    assume: Iterable[str] = (),
    file: str = "equation",
) -> tuple[Question, ...]:
    """The equations that a text states. EquationError, with its place, where it cannot be read."""
    extra = extra_names(layer)
    given = tuple(parse_assumption(one, layer, extra) for one in assume)
    layer = yielding(layer, given)
    return tuple(Question(_extended(layer, equation), equation, given) for equation in _read(layer, text, form, dict(lets or {}), file))


def yielding(layer: Layer, assume: Sequence[Compare]) -> Layer:
    """The layer without what it assumes of a name that an assumption fixes at a number: eps == 0 is asked although eps > 0 is assumed."""
    fixed = fixed_values(layer, assume)
    kept = tuple(claim for claim in layer.assumptions if not set(reads(claim)) & set(fixed))
    return replace(layer, assumptions=kept) if len(kept) < len(layer.assumptions) else layer


def fixed_values(layer: Layer, assume: Sequence[Compare]) -> Mapping[str, Fraction]:
    """Inputs, constants and given names that an assumption fixes at a number, all elements alike."""
    free = {part.name for part in layer.inputs} | {part.name for part in layer.constants}
    free |= {name for name, quantity in vocabulary(layer).items() if quantity.given}
    found = {}
    for claim in assume:
        match claim:
            case Compare("==", Read(name), Num(value)) if name in free:
                found[name] = value
    return found


def extra_names(layer: Layer) -> dict[str, tuple[str, ...]]:
    """The names of derivatives, with their axes."""
    return {name: quantity.axes for name, quantity in vocabulary(layer).items()}


def _read(layer: Layer, text: str, form: str, lets: Mapping[str, str], file: str) -> tuple[Equation, ...]:
    extra = extra_names(layer)
    if form == "text":
        return (parse_equation(text, layer, extra, file=file),)
    reader: Reader = getattr(language, f"parse_{form}")
    return reader(text, layer, extra, lets=lets, file=file)


def _extended(layer: Layer, equation: Equation) -> Layer:
    """The layer with the values that the equation names for itself."""
    return replace(layer, definitions=(*layer.definitions, *equation.where)) if equation.where else layer
