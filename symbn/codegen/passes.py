"""The passes of a derivation as Programs.

In: a Derivation.  Out: the forward pass, which keeps what the backward pass reads, and the pass the derivation is about, named by its
mode and order.
"""

from __future__ import annotations

from collections.abc import Sequence

from symbn.calculus.derivation import Derivation
from symbn.codegen.lower import Style, lower, needed_definitions
from symbn.codegen.program import CONSTANT, INPUT, SAVED, Argument, Output, Program
from symbn.codegen.variant import variant_of
from symbn.expr import Compare, Read, Reduce, reads, walk
from symbn.layer import Definition, Layer

EXTREMA = ("max", "min")


def saved_names(derivation: Derivation) -> tuple[str, ...]:
    """The forward values that the second pass reads, in the layer's order."""
    definitions = _definitions(derivation)
    wanted = [gradient.definition.name for gradient in derivation.gradients.values()]
    found = {name for definition in needed_definitions(definitions, wanted) for name in reads(definition.expr)}
    found -= {definition.name for definition in definitions}  # a forward value that the second pass computes again
    return tuple(name for name in derivation.layer.names if name in found)


def lost_axes(backward: Program) -> tuple[str, ...]:
    """Extents that the second pass needs and none of its arrays tells."""
    told = {axis for argument in backward.arguments for axis in argument.axes}
    return tuple(axis for axis in backward.axes if axis not in told)


def forward_program(derivation: Derivation, style: Style) -> Program:
    """The forward pass: the layer's outputs, then what is saved beside them."""
    layer, variant = derivation.layer, variant_of(derivation)
    defined = {definition.name for definition in layer.definitions}
    saved = tuple(name for name in saved_names(derivation) if name in defined and name not in layer.outputs)
    outputs = (
        *(Output(name, layer.axes_of(name)) for name in layer.outputs),
        *(Output(name, layer.axes_of(name), saved=True) for name in saved),
    )
    inputs = tuple(Argument(part.name, part.axes, INPUT) for part in layer.inputs)
    return lower(
        layer.definitions,
        layer=variant.base,
        direction=variant.passes[0],
        axes=layer.axes,
        arguments=(*inputs, *_constants(layer, layer.names)),
        outputs=outputs,
        style=style,
    )


def backward_program(derivation: Derivation, style: Style) -> Program:
    """The pass that computes the derivation's results from its seeds and the saved values."""
    layer, saved, variant = derivation.layer, saved_names(derivation), variant_of(derivation)
    inputs = {part.name for part in layer.inputs}
    constants = {part.name for part in layer.constants}
    seeds = tuple(Argument(seed.name, seed.axes, INPUT) for seed in derivation.seeds)
    kept = [name for name in saved if name in inputs] + [name for name in saved if name not in inputs and name not in constants]
    outputs = tuple(Output(gradient.definition.name, gradient.definition.axes) for gradient in derivation.gradients.values())
    return lower(
        _definitions(derivation),
        layer=variant.base,
        direction=variant.passes[1],
        axes=layer.axes,
        arguments=(*seeds, *(Argument(name, layer.axes_of(name), SAVED) for name in kept), *_constants(layer, saved)),
        outputs=outputs,
        style=style,
    )


def _constants(layer: Layer, names: tuple[str, ...]) -> tuple[Argument, ...]:
    return tuple(Argument(part.name, part.axes, CONSTANT, part.default) for part in layer.constants if part.name in names)


def _definitions(derivation: Derivation) -> tuple[Definition, ...]:
    again, found = _found_again(derivation.layer, derivation.formulas), dict[str, Definition]()
    for formula in derivation.formulas:
        found |= {definition.name: definition for definition in again if definition.name in reads(formula.expr)}
        found[formula.name] = formula
    return tuple(found.values())


def _found_again(layer: Layer, formulas: Sequence[Definition]) -> list[Definition]:
    """The maxima and minima of computed values with which the formulas compare these: ties are ties among numbers computed alike.

    What the first pass found was rounded when it was stored, as were the values; none of the second pass's would equal it.
    """
    known = {name for formula in formulas for name in reads(formula.expr)}
    compared = [node for formula in formulas for node in walk(formula.expr) if isinstance(node, Compare) and node.operator == "=="]
    names = {name for node in compared for name in reads(node)} - {formula.name for formula in formulas}
    given = {part.name for part in layer.inputs} | {part.name for part in layer.constants}
    return [
        definition
        for definition in layer.definitions
        if definition.name in names
        and isinstance(definition.expr, Reduce)
        and definition.expr.kind in EXTREMA
        and set(reads(definition.expr)) <= known
        and not (isinstance(definition.expr.body, Read) and definition.expr.body.name in given)
    ]
