"""What a derivation's results should be.

In: a derivation, seen through `Derived`, and a point.  Out: the true arrays, from the layer's definitions alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from symbn.errors import UnsupportedError
from symbn.expr import reads
from symbn.layer import Definition, Input, Layer
from symbn.oracle.numbers import Arithmetic, Leaf
from symbn.oracle.points import Point, lift
from symbn.oracle.truth import Truth


class Result(Protocol):
    """One result: what it belongs to and its formula."""

    @property
    def of(self) -> str:
        """The input, the output, or `output/input` it belongs to."""

    @property
    def definition(self) -> Definition:
        """`name[indices] = formula`."""


class Derived(Protocol):
    """What the oracle reads of a derivation; `symbn.calculus.derivation.Derivation` is one."""

    @property
    def layer(self) -> Layer:
        """Whose derivative it is."""

    @property
    def mode(self) -> str:
        """One of `vjp`, `jvp` and `jacobian`."""

    @property
    def order(self) -> int:
        """1 or 2."""

    @property
    def seeds(self) -> tuple[Input, ...]:
        """Arrays given beside the forward pass: dy, x_dot, ddx."""

    @property
    def intermediates(self) -> tuple[Definition, ...]:
        """Shared values, in order."""

    @property
    def gradients(self) -> Mapping[str, Result]:
        """The results by name."""


def expectation(derivation: Derived, point: Point, arithmetic: Arithmetic) -> dict[str, Leaf]:
    """What each result should be, by its key in `gradients`, from the layer's definitions alone."""
    known = point.known if arithmetic is point.arithmetic else lift(point.given, arithmetic)
    layer = forward_layer(derivation.layer) if derivation.order == 2 else derivation.layer
    truth = Truth(layer, known, point.extents, arithmetic)
    results = {key: gradient.of for key, gradient in derivation.gradients.items()}
    match derivation.mode, derivation.order:
        case "vjp", 1:
            values = truth.vjp(list(results.values()), _cotangents(layer, known))
        case "vjp", 2:
            values = _second(layer, truth, known, _named(derivation, layer, "dd{}", known))
        case "jvp", 1:
            values = truth.jvp(layer.outputs, _named(derivation, layer, "{}_dot", known))
        case "jacobian", 1:
            values = {pair: truth.jacobian(*pair.split("/")) for pair in results.values()}
        case _:
            raise UnsupportedError(f"no truth for mode {derivation.mode} of order {derivation.order}")
    return {key: values[of] for key, of in results.items()}


def forward_layer(layer: Layer) -> Layer:
    """The forward pass inside a backward pass that is written as a layer; a layer without cotangents among its inputs is given back.

    A cotangent is an input `dy` beside a definition `y`. What depends on no cotangent is the forward pass, and the `y` are its
    outputs. So the truth of a second derivative rests on no formula for the first.
    """
    names = {definition.name for definition in layer.definitions}
    cotangents = {part.name for part in layer.inputs if part.name.startswith("d") and part.name[1:] in names}
    backward = set(cotangents)
    for definition in layer.definitions:
        if backward & set(reads(definition.expr)):
            backward.add(definition.name)
    return replace(
        layer,
        inputs=tuple(part for part in layer.inputs if part.name not in cotangents),
        definitions=tuple(definition for definition in layer.definitions if definition.name not in backward),
        outputs=tuple(part.name[1:] for part in layer.inputs if part.name in cotangents) or layer.outputs,
    )


def _second(layer: Layer, truth: Truth, known: Mapping[str, Any], tangents: Mapping[str, Leaf]) -> dict[str, Leaf]:
    """Gradients of S by the inputs, and by the cotangents `dy`, under these names with and without `grad_`."""
    by_input = truth.second([part.name for part in layer.inputs], _cotangents(layer, known), tangents)
    by_cotangent = {f"d{name}": value for name, value in truth.jvp(layer.outputs, tangents).items()}
    found = by_cotangent | by_input
    return found | {f"grad_{name}": value for name, value in found.items()}


def _cotangents(layer: Layer, known: Mapping[str, Any]) -> dict[str, Leaf]:
    return {name: known[f"d{name}"] for name in layer.outputs}


def _named(derivation: Derived, layer: Layer, pattern: str, known: Mapping[str, Any]) -> dict[str, Leaf]:
    """The seeds that belong to the layer's inputs, by input."""
    seeds = {seed.name for seed in derivation.seeds}
    return {part.name: known[pattern.format(part.name)] for part in layer.inputs if pattern.format(part.name) in seeds}
