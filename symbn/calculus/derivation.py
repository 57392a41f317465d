"""What a derivation gives back.

In: nothing; the engine fills these records.  Out: frozen records that the command line, the oracle and the code generator read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symbn.language.latex_names import LatexNames
from symbn.layer import Definition, Input, Layer


@dataclass(frozen=True, slots=True)
class Gradient:
    """One result, `definition.name[definition.indices] = definition.expr`, in the author's names.

    `of` is the input it belongs to (for vjp), the output (jvp), or "output/input" (jacobian). `reductions` counts the sums that the forward
    pass has not saved, `operations` the arithmetic per element once everything index-free is hoisted.
    """

    of: str
    definition: Definition
    reductions: int
    operations: int


@dataclass(frozen=True, slots=True)
class Step:
    """One numbered line that a reader follows.

    `definition` is the equation as a tree; its left side may be a total derivative such as `dy_dx[k, i]`. `equation` and `latex` are the
    same in the layer language and typeset on one line, `rows` typeset for a narrow column (see `language.latex_lines`).
    """

    label: str
    equation: str
    latex: str
    reason: str
    definition: Definition
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Derivation:
    """The derivative of a layer.

    `seeds` are the arrays given to the backward pass beside what the forward pass computed (`dy`; in jvp mode `x_dot`). `intermediates` are
    named values shared by several gradients, such as the adjoint `dp[t, s]` of a forward value, in the order they are computed; each may
    read seeds, forward values and earlier intermediates. `residuals` are the forward values that the results read, inputs and constants
    included. `notes` say what a user should know, such as a search that stopped at its budget. `invariants` are statements proved of the
    gradients for every extent, such as `sum(dx[i] for i in N) == 0`. `save` is what was asked for, in the layer's order, None for a free
    choice. `first` is the derivation that one of order 2 differentiates: `layer` is then its backward pass.
    """

    layer: Layer
    mode: str
    order: int
    wrt: tuple[str, ...]
    seeds: tuple[Input, ...]
    intermediates: tuple[Definition, ...]
    gradients: Mapping[str, Gradient]
    steps: tuple[Step, ...]
    residuals: tuple[str, ...]
    notes: tuple[str, ...] = ()
    invariants: tuple[str, ...] = ()
    save: tuple[str, ...] | None = None
    first: Derivation | None = None

    @property
    def formulas(self) -> tuple[Definition, ...]:
        """Everything that the pass computes, in order: the intermediates, then the results."""
        return (*self.intermediates, *(gradient.definition for gradient in self.gradients.values()))

    @property
    def typeset(self) -> LatexNames:
        """How its names are typeset: the layer's, and the letters that the derivation introduced."""
        return LatexNames.of(self.layer, {definition.name: definition.axes for definition in self.intermediates})
