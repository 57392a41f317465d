"""Generated C against the float64 of generated NumPy, within bounds that are computed from sizes and magnitudes."""

from __future__ import annotations

from typing import Any

import numpy as np

from symbn.calculus.derivation import Derivation
from symbn.codegen.program import Program
from symbn.oracle.rounding import rounding_bound
from symbn.tools.build import build
from symbn.tools.kernel import Kernel

RNG = np.random.default_rng(11)


def check_float32(made: Derivation, every: list[tuple[int, ...]]) -> None:
    """Both passes in float32, for the sizes in the order of the layer's axes, from outputs that were full of NaN."""
    narrow, wide = build(made), build(made, target="numpy", dtype="float64")
    formulas = (*made.layer.definitions, *made.intermediates, *(gradient.definition for gradient in made.gradients.values()))
    for sizes in every:
        extents = dict(zip(made.layer.axes, sizes, strict=True))
        parts = (*made.layer.inputs, *made.seeds)
        given = {part.name: RNG.uniform(0.1, 2, [extents[axis] for axis in part.axes]).astype(np.float32) for part in parts}
        inputs = [given[part.name] for part in made.layer.inputs]
        constants = {part.name: np.float64(1e-5) for part in made.layer.constants}
        bounds = rounding_bound(formulas, {**given, **constants}, extents, 2.0**-24)
        found, exact = (results(kernel, made, inputs, [given[seed.name] for seed in made.seeds], extents) for kernel in (narrow, wide))
        for key, value in found.items():
            allowed = 4 * (np.asarray(bounds[key], np.float64) + 2.0**-23 * np.abs(exact[key])) + 1e-37
            assert np.all(np.abs(value - exact[key]) <= allowed), (key, sizes)


def results(kernel: Kernel, made: Derivation, inputs: list[Any], seeds: list[Any], extents: dict[str, int]) -> dict[str, Any]:
    """Everything that both passes compute."""
    first, second = (_nan(part.program, extents, kernel.dtype) for part in kernel.passes)
    *_, saved = kernel.forward(*(part.astype(kernel.dtype) for part in inputs), out=first)
    kernel.backward(*(part.astype(kernel.dtype) for part in seeds), saved, out=second)
    return first | second


def _nan(program: Program, extents: dict[str, int], dtype: Any) -> dict[str, Any]:
    return {part.name: np.full([extents[axis] for axis in part.axes], np.nan, dtype) for part in program.outputs}
