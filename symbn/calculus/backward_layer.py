"""A backward pass as a layer of its own, to be differentiated again.

In: a first-order derivation.  Out: a Layer whose inputs are the forward inputs and the cotangents, and whose outputs are the gradients.
"""

from __future__ import annotations

from dataclasses import replace

from symbn.calculus.derivation import Derivation
from symbn.layer import Layer


def backward_layer(first: Derivation) -> Layer:
    """Forward definitions, then the named adjoints, then the gradients.

    `dx`, `dgamma` are its outputs, so their cotangents are `ddx`, `ddgamma`.
    """
    layer = first.layer
    gradients = tuple(gradient.definition for gradient in first.gradients.values())
    return replace(
        layer,
        name=f"{layer.name}_backward",
        inputs=(*first.seeds, *layer.inputs),
        definitions=(*layer.definitions, *first.intermediates, *gradients),
        outputs=tuple(definition.name for definition in gradients),
    )
