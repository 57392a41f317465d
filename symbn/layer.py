"""The model: what a layer is, whichever door it came in by.

In: expressions.  Out: frozen records. Nothing here computes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType

from symbn.expr import Compare, Expr, Index


@dataclass(frozen=True, slots=True)
class Input:
    """A differentiable input; `axes` outermost first, () for a scalar."""

    name: str
    axes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Constant:
    """A keyword-only parameter: never differentiated, may have a default."""

    name: str
    axes: tuple[str, ...] = ()
    default: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """`name[indices] = expr`; every free index of `expr` is one of `indices`. A scalar has indices ()."""

    name: str
    indices: tuple[Index, ...]
    expr: Expr
    line: int = 0

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes of the defined array, outermost first."""
        return tuple(index.axis for index in self.indices)


# How a layer shows itself in a notebook, as "html" and "latex": the model knows no printer, `symbn.api` puts them here.
SHOWS: dict[str, Callable[[Layer], str]] = {}


@dataclass(frozen=True, slots=True)
class Layer:
    """A forward pass: inputs, constants, assumptions, definitions in order, and the names returned.

    `latex` maps a name to how its author wants it typeset (without indices). `doc` is the module's docstring, `citation` material.
    `file` is what the user called it, for messages.
    """

    name: str
    inputs: tuple[Input, ...]
    constants: tuple[Constant, ...]
    assumptions: tuple[Compare, ...]
    definitions: tuple[Definition, ...]
    outputs: tuple[str, ...]
    doc: str = ""
    latex: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    file: str = "<layer>"

    @property
    def axes(self) -> tuple[str, ...]:
        """All axes, in order of first appearance in the signature, then in the definitions."""
        return tuple(dict.fromkeys(axis for part in self.parts for axis in part.axes))

    @property
    def parts(self) -> tuple[Input | Constant | Definition, ...]:
        """Everything that has a name: inputs, constants, definitions, in the author's order."""
        return (*self.inputs, *self.constants, *self.definitions)

    def axes_of(self, name: str) -> tuple[str, ...]:
        """The axes of an input, constant or definition. KeyError for another name."""
        for part in self.parts:
            if part.name == name:
                return part.axes
        raise KeyError(name)

    def definition(self, name: str) -> Definition:
        """The definition of `name`. KeyError for another name."""
        for definition in self.definitions:
            if definition.name == name:
                return definition
        raise KeyError(name)

    @property
    def names(self) -> tuple[str, ...]:
        """Every name, in the author's order."""
        return tuple(part.name for part in self.parts)

    def _repr_html_(self) -> str | None:
        return SHOWS["html"](self) if "html" in SHOWS else None

    def _repr_latex_(self) -> str | None:
        return SHOWS["latex"](self) if "latex" in SHOWS else None
