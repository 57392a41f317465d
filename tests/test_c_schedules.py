"""The shapes of C loops: each at sizes around its lanes, blocks and chunks, against computed bounds; with any number of threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from codegen_layers import derivation

from symbn import load
from symbn.calculus.derivation import Derivation
from symbn.calculus.engine import derive
from symbn.codegen.program import Program
from symbn.oracle.rounding import rounding_bound
from symbn.tools import compiler
from symbn.tools.build import build
from symbn.tools.kernel import Kernel

pytestmark = pytest.mark.skipif(not tuple(compiler.available()), reason="no C compiler")
RNG = np.random.default_rng(11)
# One layer for each shape of loop nest, with sizes around its lanes, blocks of columns, chunks of rows, and 1.
SIZES: dict[str, list[tuple[int, ...]]] = {
    "features": [(1, 1), (33, 1), (1, 515), (37, 513), (67, 31)],
    "rows": [(1, 1), (1, 1031), (19, 33), (35, 514)],
    "planes": [(1, 1, 1), (2, 3, 1031), (3, 2, 31), (5, 1, 33)],
    "soft": [(1, 1), (3, 1031), (2, 33)],
    "affine": [(1, 1, 1), (17, 33, 5), (3, 5, 517)],
}


@pytest.mark.parametrize("name", SIZES)
def test_every_size_stays_within_its_rounding_bound(name: str) -> None:
    """float32 against the float64 of NumPy, from outputs that were full of NaN; the bound is computed from sizes and magnitudes."""
    made = derivation(name)
    narrow, wide = build(made), build(made, target="numpy", dtype="float64")
    formulas = (*made.layer.definitions, *made.intermediates, *(gradient.definition for gradient in made.gradients.values()))
    for sizes in SIZES[name]:
        extents = dict(zip(made.layer.axes, sizes, strict=True))
        parts = (*made.layer.inputs, *made.seeds)
        given = {part.name: RNG.uniform(0.1, 2, [extents[axis] for axis in part.axes]).astype(np.float32) for part in parts}
        inputs = [given[part.name] for part in made.layer.inputs]
        constants = {part.name: np.float64(1e-5) for part in made.layer.constants}
        bounds = rounding_bound(formulas, {**given, **constants}, extents, 2.0**-24)
        found, exact = (_results(kernel, made, inputs, [given[seed.name] for seed in made.seeds], extents) for kernel in (narrow, wide))
        for key, value in found.items():
            allowed = 4 * (np.asarray(bounds[key], np.float64) + 2.0**-23 * np.abs(exact[key])) + 1e-37
            assert np.all(np.abs(value - exact[key]) <= allowed), (key, sizes)


def _results(kernel: Kernel, made: Derivation, inputs: list[Any], seeds: list[Any], extents: dict[str, int]) -> dict[str, Any]:
    """Everything that both passes compute."""
    first, second = (_nan(part.program, extents, kernel.dtype) for part in kernel.passes)
    *_, saved = kernel.forward(*(part.astype(kernel.dtype) for part in inputs), out=first)
    kernel.backward(*(part.astype(kernel.dtype) for part in seeds), saved, out=second)
    return first | second


def _nan(program: Program, extents: dict[str, int], dtype: Any) -> dict[str, Any]:
    return {part.name: np.full([extents[axis] for axis in part.axes], np.nan, dtype) for part in program.outputs}


@pytest.mark.parametrize("name", ["features", "rows", "planes"])
def test_the_result_does_not_depend_on_the_number_of_threads(name: str) -> None:
    made = derivation(name)
    extents = dict(zip(made.layer.axes, (67, 259, 29), strict=False))
    inputs = [RNG.standard_normal([extents[axis] for axis in part.axes]).astype(np.float32) for part in made.layer.inputs]
    seeds = [RNG.standard_normal([extents[axis] for axis in seed.axes]).astype(np.float32) for seed in made.seeds]
    found = []
    for threads in (1, 2, 3):
        kernel = build(made, threads=threads)
        *outputs, saved = kernel.forward(*inputs)
        found.append([*outputs, *kernel.backward(*seeds, saved)])
    for other in found[1:]:
        assert all(np.array_equal(ours, theirs) for ours, theirs in zip(found[0], other, strict=True))


@pytest.mark.parametrize("name", ["features", "rows", "planes", "soft"])
def test_an_output_may_be_its_input_s_memory_beyond_a_block(name: str) -> None:
    made = derivation(name)
    extents = dict(zip(made.layer.axes, (37, 515, 67), strict=False))
    kernel = build(made)
    assert ("dx", "dy") in kernel.passes[1].overlays
    inputs = [RNG.standard_normal([extents[axis] for axis in part.axes]).astype(np.float32) for part in made.layer.inputs]
    dy = RNG.standard_normal(inputs[0].shape).astype(np.float32)
    *_, saved = kernel.forward(*inputs)
    expected = kernel.backward(dy, saved)
    found = kernel.backward(dy, saved, out={"dx": dy})
    assert found.dx is dy
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(found, expected, strict=True))


LAYOUTS: list[tuple[str, tuple[int, ...], tuple[int, ...]]] = [
    ("batchnorm", (100352,), (0,)),
    ("batchnorm1d", (10035, 40), (0,)),
    ("batchnorm2d", (32, 4, 784), (0, 2)),
    ("layernorm", (7, 4096), (1,)),
]


@pytest.mark.parametrize(("name", "shape", "axes"), LAYOUTS)
def test_variance_and_xhat_survive_a_large_mean_with_an_outlier_first(name: str, shape: tuple[int, ...], axes: tuple[int, ...]) -> None:
    kernel = build(derive(load(name), steps=False))
    part, *others = kernel.layer.inputs
    extents = dict(zip(part.axes, shape, strict=True))
    rest: list[Any] = [np.ones([extents[axis] for axis in each.axes], np.float32) if each.axes else np.float32(1) for each in others]
    for mean in (0.0, 1e3, 1e4, 1e6):
        x = (mean + RNG.standard_normal(shape)).astype(np.float32)
        x.reshape(-1)[0] = mean * 1.5 + 100
        *_, saved = kernel.forward(x, *rest, eps=1e-5)
        exact = x.astype(np.longdouble)
        centered = exact - exact.mean(axis=axes, keepdims=True)
        variance = (centered**2).mean(axis=axes, keepdims=True)
        xhat = centered / np.sqrt(variance + np.longdouble(np.float32(1e-5)))
        assert np.max(np.abs(saved.sigma2.reshape(variance.shape) / variance - 1)) < 1e-6
        assert np.max(np.abs(saved.xhat - xhat) / np.maximum(np.abs(xhat), 1e-2)) < 1e-6
