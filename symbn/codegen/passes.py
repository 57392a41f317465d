"""The passes of a derivation as Programs.

In: a Derivation.  Out: the forward pass, which keeps what the backward pass reads, and the pass the derivation is about, named by its
mode and order.
"""

from __future__ import annotations

from symbn.calculus.derivation import Derivation
from symbn.codegen.lower import Style, lower, needed_definitions
from symbn.codegen.program import CONSTANT, INPUT, SAVED, Argument, Output, Program
from symbn.errors import UnsupportedError
from symbn.expr import reads
from symbn.layer import Definition, Layer

# What the second pass is called, by mode and order.
DIRECTIONS = {
    ("vjp", 1): "backward",
    ("jvp", 1): "jvp",
    ("jacobian", 1): "jacobian",
    ("vjp", 2): "double_backward",
}


def direction_of(derivation: Derivation) -> str:
    """What the second pass is called. Raises UnsupportedError for a mode that has no kernel."""
    try:
        return DIRECTIONS[derivation.mode, derivation.order]
    except KeyError:
        raise UnsupportedError(f"no code is generated for mode {derivation.mode!r} of order {derivation.order}") from None


def saved_names(derivation: Derivation) -> tuple[str, ...]:
    """The forward values that the second pass reads, in the layer's order."""
    definitions = _definitions(derivation)
    wanted = [gradient.definition.name for gradient in derivation.gradients.values()]
    found = {name for definition in needed_definitions(definitions, wanted) for name in reads(definition.expr)}
    return tuple(name for name in derivation.layer.names if name in found)


def lost_axes(backward: Program) -> tuple[str, ...]:
    """Extents that the second pass needs and none of its arrays tells."""
    told = {axis for argument in backward.arguments for axis in argument.axes}
    return tuple(axis for axis in backward.axes if axis not in told)


def forward_program(derivation: Derivation, style: Style) -> Program:
    """The forward pass: the layer's outputs, then what is saved beside them."""
    layer = derivation.layer
    defined = {definition.name for definition in layer.definitions}
    saved = tuple(name for name in saved_names(derivation) if name in defined and name not in layer.outputs)
    outputs = (
        *(Output(name, layer.axes_of(name)) for name in layer.outputs),
        *(Output(name, layer.axes_of(name), saved=True) for name in saved),
    )
    inputs = tuple(Argument(part.name, part.axes, INPUT) for part in layer.inputs)
    return lower(
        layer.definitions,
        layer=layer.name,
        direction="forward",
        axes=layer.axes,
        arguments=(*inputs, *_constants(layer, layer.names)),
        outputs=outputs,
        style=style,
    )


def backward_program(derivation: Derivation, style: Style) -> Program:
    """The pass that computes the derivation's results from its seeds and the saved values."""
    layer, saved = derivation.layer, saved_names(derivation)
    inputs = {part.name for part in layer.inputs}
    constants = {part.name for part in layer.constants}
    seeds = tuple(Argument(seed.name, seed.axes, INPUT) for seed in derivation.seeds)
    kept = [name for name in saved if name in inputs] + [name for name in saved if name not in inputs and name not in constants]
    outputs = tuple(Output(gradient.definition.name, gradient.definition.axes) for gradient in derivation.gradients.values())
    return lower(
        _definitions(derivation),
        layer=layer.name,
        direction=direction_of(derivation),
        axes=layer.axes,
        arguments=(*seeds, *(Argument(name, layer.axes_of(name), SAVED) for name in kept), *_constants(layer, saved)),
        outputs=outputs,
        style=style,
    )


def _constants(layer: Layer, names: tuple[str, ...]) -> tuple[Argument, ...]:
    return tuple(Argument(part.name, part.axes, CONSTANT, part.default) for part in layer.constants if part.name in names)


def _definitions(derivation: Derivation) -> tuple[Definition, ...]:
    found = (*derivation.intermediates, *(gradient.definition for gradient in derivation.gradients.values()))
    return tuple({definition.name: definition for definition in found}.values())
