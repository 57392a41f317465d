"""The shapes of C loops: each at sizes around its lanes, blocks and chunks, against computed bounds; with any number of threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from codegen_layers import derivation
from kernel_bounds import check_float32

from symbn import load
from symbn.calculus.engine import derive
from symbn.tools import compiler
from symbn.tools.build import build

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
    check_float32(derivation(name), SIZES[name])


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
