"""Kernels in C against NumPy in double: every element within a small multiple of its computed bound, from outputs that were full of NaN."""

from __future__ import annotations

from typing import Any

import numpy as np

from symbn.calculus.derivation import Derivation
from symbn.oracle.rounding import rounding_bound
from symbn.tools.kernel import Kernel


def drawn(made: Derivation, extents: dict[str, int], rng: np.random.Generator) -> dict[str, Any]:
    """Inputs, constants and seeds of both signs, away from zero."""
    parts = (*made.layer.inputs, *made.layer.constants, *made.seeds)
    sizes = {part.name: [extents[axis] for axis in part.axes] for part in parts}
    return {name: (rng.uniform(0.5, 2, size) * np.where(rng.random(size) < 0.5, -1, 1)).astype(np.float32) for name, size in sizes.items()}


def results(kernel: Kernel, made: Derivation, given: dict[str, Any], extents: dict[str, int]) -> dict[str, Any]:
    """Everything that both passes compute."""
    first, second = (
        {part.name: np.full([extents[axis] for axis in part.axes], np.nan, kernel.dtype) for part in passed.program.outputs}
        for passed in kernel.passes
    )
    values = {name: value.astype(kernel.dtype) for name, value in given.items()}
    constants = {part.name: values[part.name] for part in made.layer.constants}
    *_, saved = kernel.first(*(values[part.name] for part in made.layer.inputs), **constants, out=first)
    kernel.second(*(values[seed.name] for seed in made.seeds), saved, out=second)
    return first | second


def compare(made: Derivation, kernel: Kernel, wide: Kernel, sizes: tuple[int, ...], rng: np.random.Generator) -> None:
    """Holds one against the other; both sides round where both are double."""
    extents = dict(zip(made.layer.axes, sizes, strict=True))
    given = drawn(made, extents, rng)
    given |= {part.name: np.abs(given[part.name]) for part in made.layer.constants}
    formulas = (*made.layer.definitions, *made.intermediates, *(gradient.definition for gradient in made.gradients.values()))
    eps = float(np.finfo(kernel.dtype).eps)
    bounds = rounding_bound(formulas, {name: value.astype(np.float64) for name, value in given.items()}, extents, eps / 2)
    found, exact = (results(each, made, given, extents) for each in (kernel, wide))
    for name, value in found.items():
        allowed = 4 * (np.asarray(bounds[name], np.float64) + eps * np.abs(exact[name])) + 1e-37
        assert np.all(np.abs(value - exact[name]) <= allowed), (name, sizes)
