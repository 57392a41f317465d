"""A layer's values and gradients in machine numbers, for holding generated kernels against.

In: a layer, arrays.  Out: arrays, by default in longdouble, so that a float64 kernel's own rounding is what a comparison shows.

Gradients are forward-mode duals, one direction for each input element: meant for up to about 2000 elements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symbn.errors import LayerError
from symbn.layer import Constant, Input, Layer
from symbn.oracle.dual import Algebra
from symbn.oracle.evaluate import compute, plain
from symbn.oracle.numbers import Floating, Leaf
from symbn.oracle.points import lift
from symbn.oracle.truth import Truth


def extents_of(layer: Layer, values: Mapping[str, Any]) -> dict[str, int]:
    """The extents that the shapes of inputs and constants say. LayerError where a shape has another rank or two disagree."""
    extents: dict[str, int] = {}
    for part in _parts(layer):
        shape = np.shape(values[part.name]) if part.name in values else ()
        if len(shape) != len(part.axes):
            raise LayerError(f"'{part.name}' has shape {shape}, and needs one extent for each of its {len(part.axes)} axes")
        for axis, size in zip(part.axes, shape, strict=True):
            if extents.setdefault(axis, size) != size:
                raise LayerError(f"'{part.name}' has {size} elements along {axis}, another array {extents[axis]}")
    return extents


def evaluate_layer(layer: Layer, inputs: Mapping[str, Any], constants: Mapping[str, Any], *, dtype: Any = np.longdouble) -> dict[str, Leaf]:
    """Every forward value by name, inputs and constants included. A constant that is not given has its default."""
    given = _given(layer, inputs, constants)
    known = lift(given, Floating(dtype))
    compute(layer.definitions, known, extents_of(layer, given), Algebra(Floating(dtype)))
    return {name: plain(value) for name, value in known.items()}


def reference_gradients(
    layer: Layer,
    inputs: Mapping[str, Any],
    constants: Mapping[str, Any],
    cotangents: Mapping[str, Any],
    *,
    wrt: Sequence[str] | None = None,
    dtype: Any = np.longdouble,
) -> dict[str, Leaf]:
    """The gradient of sum(cotangent * output) by each input of `wrt` (all), by input name, each of its input's shape.

    `cotangents` are keyed by output; an output that is not there has a cotangent of 0.
    """
    given, arithmetic = _given(layer, inputs, constants), Floating(dtype)
    truth = Truth(layer, lift(given, arithmetic), extents_of(layer, given), arithmetic)
    names = [part.name for part in layer.inputs] if wrt is None else wrt
    return truth.vjp(names, {name: arithmetic.array(value)[..., np.newaxis] for name, value in cotangents.items()})


def _given(layer: Layer, inputs: Mapping[str, Any], constants: Mapping[str, Any]) -> dict[str, Any]:
    """Arrays of all inputs and constants. LayerError for one that is missing."""
    defaults = {constant.name: constant.default for constant in layer.constants if constant.default is not None}
    given = {**defaults, **inputs, **constants}
    missing = [part.name for part in _parts(layer) if part.name not in given]
    if missing:
        raise LayerError(f"no value is given for '{missing[0]}'")
    return {part.name: given[part.name] for part in _parts(layer)}


def _parts(layer: Layer) -> tuple[Input | Constant, ...]:
    return (*layer.inputs, *layer.constants)
