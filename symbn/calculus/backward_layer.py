"""A backward pass as a layer of its own, to be differentiated again.

In: a first-order derivation, or its parts.  Out: a Layer whose inputs are the forward inputs and the cotangents, and whose outputs are the
gradients.
"""

from __future__ import annotations

from dataclasses import replace

from symbn.calculus.derivation import Derivation
from symbn.layer import Definition, Input, Layer


def backward_layer(first: Derivation) -> Layer:
    """The backward pass that a derivation found."""
    gradients = tuple(gradient.definition for gradient in first.gradients.values())
    return gradients_as_layer(first.layer, first.seeds, first.intermediates, gradients)


def gradients_as_layer(
    layer: Layer, seeds: tuple[Input, ...], intermediates: tuple[Definition, ...], gradients: tuple[Definition, ...]
) -> Layer:
    """Forward definitions, then the named adjoints, then the gradients.

    `dx`, `dgamma` are its outputs, so their cotangents are `ddx`, `ddgamma`.
    """
    return replace(
        layer,
        name=f"{layer.name}_backward",
        inputs=(*seeds, *layer.inputs),
        definitions=(*layer.definitions, *intermediates, *gradients),
        outputs=tuple(definition.name for definition in gradients),
    )
