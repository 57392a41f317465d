"""The true values of named derivatives.

In: a layer, quantities of its vocabulary, and values of its inputs and cotangents.  Out: the arrays, from the definitions and dual numbers
alone (`truth.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from symbn.errors import UnsupportedError
from symbn.layer import Input, Layer
from symbn.oracle.evaluate import Extents
from symbn.oracle.numbers import Arithmetic, Leaf
from symbn.oracle.truth import Truth
from symbn.vocabulary import Quantity, vocabulary


def seeds_of(layer: Layer, quantities: Iterable[Quantity]) -> tuple[str, ...]:
    """The given names that the values of these quantities depend on, in order: cotangents, tangents, second cotangents."""
    kinds = {quantity.kind for quantity in quantities}
    needed: list[str] = []
    if kinds & {"gradient", "second gradient"}:
        needed += [f"d{name}" for name in layer.outputs]
    if "pushforward" in kinds:
        needed += [f"{part.name}_dot" for part in layer.inputs]
    if "second gradient" in kinds:
        needed += [f"dd{part.name}" for part in layer.inputs]
    names = vocabulary(layer)
    hidden = [name for name in needed if name not in names]
    if hidden:
        raise UnsupportedError(f"the layer's own '{hidden[0]}' hides the given one that the gradients are made of")
    return tuple(needed)


def quantity_values(
    layer: Layer, quantities: Iterable[Quantity], known: Mapping[str, Any], extents: Extents, arithmetic: Arithmetic
) -> dict[str, Leaf]:
    """Each quantity's array by name, with the axis for directions; `known` has the layer's values and the given ones of `seeds_of`."""
    return {quantity.name: _value(layer, quantity, known, extents, arithmetic)[..., np.newaxis] for quantity in quantities}


def _value(layer: Layer, quantity: Quantity, known: Mapping[str, Any], extents: Extents, arithmetic: Arithmetic) -> Leaf:
    cut = _opened(layer, quantity.by) if quantity.kind in ("gradient", "derivative") else layer
    truth = Truth(cut, known, extents, arithmetic)
    match quantity.kind:
        case "gradient":
            return truth.vjp([quantity.by], _of_outputs(layer, known))[quantity.by]
        case "derivative":
            return truth.jacobian(quantity.of, quantity.by)
        case "pushforward":
            return truth.jvp([quantity.of], _of_inputs(layer, "{}_dot", known))[quantity.of]
        case "second gradient":
            return _second(layer, quantity.by, truth, known)
    raise UnsupportedError(f"'{quantity.name}' is given and has no value of its own")


def _second(layer: Layer, by: str, truth: Truth, known: Mapping[str, Any]) -> Leaf:
    tangents = _of_inputs(layer, "dd{}", known)
    if by in (part.name for part in layer.inputs):
        return truth.second([by], _of_outputs(layer, known), tangents)[by]
    return truth.jvp([by[1:]], tangents)[by[1:]]


def _opened(layer: Layer, name: str) -> Layer:
    """The layer with a definition as one more input, so that it can be moved; what is defined after it follows."""
    for definition in layer.definitions:
        if definition.name == name:
            rest = tuple(part for part in layer.definitions if part is not definition)
            return replace(layer, inputs=(*layer.inputs, Input(name, definition.axes)), definitions=rest)
    return layer


def _of_outputs(layer: Layer, known: Mapping[str, Any]) -> dict[str, Leaf]:
    return {name: known[f"d{name}"] for name in layer.outputs}


def _of_inputs(layer: Layer, pattern: str, known: Mapping[str, Any]) -> dict[str, Leaf]:
    return {part.name: known[pattern.format(part.name)] for part in layer.inputs}
