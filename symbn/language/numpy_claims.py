"""What a text of NumPy code claims.

In: the values of names and expressions, and what the layer calls them.  Out: equations, or an error that says how to state the claim.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from symbn.errors import SymbnError
from symbn.language.equations import Equation
from symbn.language.limits import MAX_LEVELS
from symbn.language.numpy_arrays import Array, Clash, Value, align, levels, numeric
from symbn.language.numpy_expressions import NumpyReader
from symbn.language.numpy_letters import Lettering
from symbn.language.source import suggestion
from symbn.layer import Layer


@dataclass(frozen=True)
class Claims:
    """`extra` are the names of derivatives with their axes, `lets` the layer's names by the user's."""

    reader: NumpyReader
    layer: Layer
    extra: Mapping[str, tuple[str, ...]]
    lets: Mapping[str, str]
    letters: Lettering

    def ours(self, name: str) -> str:
        """What the layer calls it."""
        return self.lets.get(name, name)

    def given(self, name: str) -> bool:
        """Whether the name is one that a backward pass is given, so that assigning to it claims nothing."""
        outputs = (f"d{output}" for output in self.layer.outputs)
        inputs = (given for part in self.layer.inputs for given in (f"{part.name}_dot", f"dd{part.name}"))
        return self.ours(name) in (*outputs, *inputs)

    def derivative(self, name: str) -> bool:
        """Whether the name is one of a derivative."""
        return self.ours(name) in self.extra and not self.given(name)

    def known(self, name: str) -> bool:
        """Whether the layer has a value of that name."""
        return self.ours(name) in self.extra or self.ours(name) in self.layer.names

    def named(self, name: str, value: Array, where: ast.AST, text: str) -> Equation:
        """The claim that a name of the layer has this value."""
        ours = self.ours(name)
        left = self.reader.supply.read(ours, self.reader.names.arrays[ours])
        right = fitted(left, numeric(value))
        if right is None:
            raise self._misfit(ours, left, value, where)
        return self._equation(left, right, text)

    def equal(self, left: ast.expr, right: ast.expr, text: str) -> Equation:
        """The claim that two expressions are equal."""
        sides = self.reader.number(left), self.reader.number(right)
        self.reader.joined((left, right), sides)
        return self._equation(*sides, text)

    def unnamed(self, value: Array, where: ast.AST, text: str) -> Equation:
        """The claim of an expression alone: the gradient, where the layer has one input."""
        if len(self.layer.inputs) != 1:
            gradients = ", ".join(f"d{part.name}" for part in self.layer.inputs)
            raise self.reader.error("what is this the value of?", where, hint=f"write {self.first} = ...; the gradients are {gradients}")
        return self.named(self.first, value, where, f"{self.first} = {text}")

    def text(self, node: ast.AST) -> str:
        """What the user wrote, on one line."""
        text = " ".join((ast.get_source_segment(self.reader.source.text, node) or "").split())
        return f"{ast.unparse(node.target)} after {text}" if isinstance(node, ast.AugAssign) else text

    @property
    def first(self) -> str:
        """The name of the first input's gradient."""
        return f"d{self.layer.inputs[0].name}" if self.layer.inputs else "dx"

    def unknown(self, name: str, value: Value | None, where: ast.AST) -> SymbnError:
        """The error for a result with a name that the layer lacks."""
        close = suggestion(name, [n for n in (*self.extra, *self.layer.names) if not self.given(n)])
        axes = [index.axis for index in value.dims if index] if isinstance(value, Array) else None
        fits = [f"d{part.name}" for part in self.layer.inputs if list(part.axes) == axes]
        best = close.split("'")[1] if close else fits[0] if fits else self.first
        message = f"'{name}' is no name of the layer '{self.layer.name}' or of a derivative"
        return self.reader.error(message, where, hint=f"--let {name}={best} says what it stands for")

    def _equation(self, left: Array, right: Array, text: str) -> Equation:
        dims, exprs = align(left, right)
        if any(levels(expr) > MAX_LEVELS for expr in exprs):
            message = f"this formula has more than {MAX_LEVELS} levels once its local names are written out"
            raise self.reader.error(message, None, hint="check it in parts: state the values in between")
        return Equation(*self.letters.sides(dims, *exprs), text)

    def _misfit(self, name: str, left: Array, right: Array, where: ast.AST) -> SymbnError:
        own = {index.axis for index in left.dims if index}
        over = [place for place, index in enumerate(right.dims) if index and index.axis not in own]
        hint = f"its axes are {left.shape}" if left.rank else "it is a scalar"
        if over:
            axes = str(over[0]) if len(over) == 1 else str(tuple(over))
            named = " and ".join(index.axis for place, index in enumerate(right.dims) if index and place in over)
            hint = f"reduce over {named}: np.sum(..., axis={axes})"
        return self.reader.error(f"'{name}' has shape {left.shape}, but this has shape {right.shape}", where, hint=hint)


def fitted(left: Array, right: Array) -> Array | None:
    """The right side without axes of extent 1 that the left lacks; None where it does not broadcast to the left."""
    if right.rank > left.rank:
        right = Array(tuple(index for index in right.dims if index), right.expr, right.size)
    try:
        dims, _ = align(left, right)
    except Clash:
        return None
    return right if dims == left.dims else None
