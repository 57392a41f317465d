"""Arrays to time with.

In: a derivation, extents, a dtype.  Out: values of every input, constant and seed, the same on every machine. They keep the layer's
assumptions where these are bounds or say what a sum is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symbn.calculus.derivation import Derivation
from symbn.expr import Compare, Num, Read, Reduce
from symbn.layer import Constant, Input, Layer
from symbn.oracle.points import bounds

Values = dict[str, Any]
# The mean of what stands for dy: with 0 its sum would cancel, and no two ways to add it up would agree.
SEED_MEAN = 0.5


def draw(derivation: Derivation, extents: Mapping[str, int], dtype: np.dtype[Any], *, positive: bool = False) -> Values:
    """Normal numbers, scalars without a default near 1; all `positive` where a layer is not defined otherwise."""
    rng = np.random.default_rng(0)
    layer = derivation.layer
    parts: tuple[Input | Constant, ...] = (*layer.inputs, *layer.constants)
    values = {part.name: _value(part, layer, extents, dtype, rng, positive=positive) for part in parts}
    for claim in layer.assumptions:
        _scale(claim, values)
    return values | {seed.name: _normal(seed.axes, extents, dtype, rng) + dtype.type(SEED_MEAN) for seed in derivation.seeds}


def _value(
    part: Input | Constant, layer: Layer, extents: Mapping[str, int], dtype: np.dtype[Any], rng: np.random.Generator, *, positive: bool
) -> Any:
    default = part.default if isinstance(part, Constant) else None
    if default is not None:
        return dtype.type(float(default))
    drawn = _normal(part.axes, extents, dtype, rng)
    low, high = bounds(part.name, layer, extents)
    if low is not None and high is not None:
        found = float(low) + float(high - low) / (1 + np.exp(-drawn))
    elif low is not None or positive:
        found = float(low or 0) + 0.125 + np.abs(drawn)
    else:
        found = drawn if high is None else float(high) - 0.125 - np.abs(drawn)
    return np.asarray(found, dtype) if part.axes else dtype.type(found)


def _normal(axes: tuple[str, ...], extents: Mapping[str, int], dtype: np.dtype[Any], rng: np.random.Generator) -> Any:
    if not axes:
        return dtype.type(1 + rng.standard_normal() / 8)
    return rng.standard_normal(tuple(extents[axis] for axis in axes), dtype)


def _scale(claim: Compare, values: Values) -> None:
    """Meets `sum(t[n, k] for k in K) == 1` by scaling t. Another equation is left as it is: values are for timing."""
    match claim:
        case Compare("==", Reduce(kind, Read(name, indices), bound), Num(wanted)) if name in values:
            axes = tuple(place for place, index in enumerate(indices) if index in bound)
            found = getattr(values[name], kind)(axis=axes, keepdims=True)
            values[name] = values[name] * (values[name].dtype.type(float(wanted)) / found)
