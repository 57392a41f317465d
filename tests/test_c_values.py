"""Values at the edges, over the catalogue: random shapes against the oracle, NaN, infinity, numbers below the smallest normal one, and
more elements than a 32-bit integer counts.

Run with `-m slow` for the long half of the last.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from huge import Tiled
from hypothesis import given, settings
from hypothesis import strategies as st

import symbn
from symbn import catalogue
from symbn.calculus.derivation import Derivation
from symbn.language import load_layer
from symbn.tools import compiler
from symbn.tools import verify as verification
from symbn.tools.kernel import Kernel

pytestmark = pytest.mark.skipif(not tuple(compiler.available()), reason="no C compiler")
linux = pytest.mark.skipif(sys.platform != "linux", reason="memfd is Linux's")
TESTS = Path(__file__).parent
RNG = np.random.default_rng(23)
# Widths of vectors and blocks, and their neighbors.
EDGES = (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 129, 255, 257, 511, 521, 1031)
# One for each way of reducing: all, leading, trailing and middle axes, a product, a maximum. To compile the others takes long.
SOME = ("batchnorm", "batchnorm1d", "batchnorm2d", "layernorm", "groupnorm", "linear", "cross_entropy", "logsumexp")
OTHERS = tuple(name for name in catalogue.names() if name not in SOME)
LAYERS = [*SOME, *(pytest.param(name, marks=pytest.mark.slow) for name in OTHERS)]
MOST = 2000  # elements: the oracle is exact and slow


@cache
def derived(name: str) -> Derivation:
    return symbn.derive(name, steps=False).derivation


@cache
def kernel(name: str, target: str, dtype: str) -> Kernel:
    return symbn.build(name, target=target, dtype=dtype)


@st.composite
def cases(draw: Any) -> tuple[str, str, dict[str, int], int]:
    name = draw(st.sampled_from(SOME))
    extents, left = {}, MOST
    for axis in draw(st.permutations(derived(name).layer.axes)):
        extents[axis] = draw(st.sampled_from([edge for edge in EDGES if edge <= left]) | st.integers(1, min(left, 40)))
        left //= extents[axis]
    return name, draw(st.sampled_from(["float32", "float64"])), extents, draw(st.integers(0, 3))


@settings(max_examples=40)
@given(cases())
def test_any_shape_is_within_its_rounding_bound(case: tuple[str, str, dict[str, int], int]) -> None:
    name, dtype, extents, seed = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verification, "build", lambda made, *, target, dtype: kernel(made.layer.name, target, dtype))
        for row in verification.verify(derived(name), ("c",), (dtype,), [extents], seed=seed):
            assert row.ok, row.line


def arguments(name: str, dtype: str) -> tuple[list[Any], dict[str, Any], list[Any]]:
    """Inputs, constants and cotangents, positive, with extents that are odd and unequal."""
    layer, seeds = derived(name).layer, derived(name).seeds
    extents = dict(zip(layer.axes, (7, 19, 3, 5), strict=False))

    def drawn(axes: tuple[str, ...]) -> Any:
        return RNG.uniform(0.25, 1.25, [extents[axis] for axis in axes]).astype(dtype) if axes else 0.5

    constants = {part.name: drawn(part.axes) for part in layer.constants}
    return [drawn(part.axes) for part in layer.inputs], constants, [drawn(seed.axes) for seed in seeds]


def results(name: str, target: str, dtype: str, given: tuple[list[Any], dict[str, Any], list[Any]]) -> list[Any]:
    inputs, constants, seeds = given
    made = kernel(name, target, dtype)
    with np.errstate(all="ignore"):
        *outputs, saved = made.forward(*inputs, **constants)
        return [*outputs, *made.backward(*seeds, saved)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", LAYERS)
def test_nan_and_infinity_reach_what_they_should_and_no_more(name: str, dtype: str) -> None:
    for value in (np.nan, np.inf, -np.inf):
        for place in (0, -1):
            for spoiled in (0, 2):
                given = arguments(name, dtype)
                target = next((array for array in given[spoiled] if np.ndim(array)), None)
                if target is None:
                    continue
                target.flat[place] = value
                for ours, other in zip(*(results(name, target, dtype, given) for target in ("c", "numpy")), strict=True):
                    assert np.array_equal(np.isfinite(ours), np.isfinite(other)), (value, place, spoiled)


@pytest.mark.parametrize("names", [SOME, pytest.param(OTHERS, marks=pytest.mark.slow)], ids=["some", "others"])
def test_what_build_compiles_stays_within_its_arrays(names: tuple[str, ...]) -> None:
    """At full optimization, between pages that may not be touched, in a process of its own."""
    command = [sys.executable, str(TESTS / "guarded.py"), *names]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(TESTS.parent)}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout.splitlines()[-1:] + done.stderr.splitlines()


@pytest.mark.parametrize(("dtype", "tiny"), [("float32", 2.0**-149), ("float64", 2.0**-1074)])
def test_numbers_below_the_smallest_normal_one_are_not_flushed(dtype: str, tiny: float) -> None:
    x = (np.arange(-300, 301) * tiny).astype(dtype).reshape(-1, 1)
    assert np.count_nonzero(x) == 600
    one, none = np.ones((1, 1), dtype), np.zeros(1, dtype)
    made = kernel("linear", "c", dtype)
    y, saved = made.forward(x, one, none)
    assert np.array_equal(y, x)
    assert np.array_equal(made.backward(x, saved).dx, x)
    wide = np.repeat(x.T, 3, axis=0)
    shifted, _ = kernel("batchnorm_inference", "c", dtype).forward(
        wide[:, None, :], none + 1, none, mu=none, sigma2=none + 1, eps=0.0
    )  # fmt: skip
    assert np.array_equal(shifted[:, 0, :], wide)


# 2**31 elements and more ----------------------------------------------------------------------------------------------------------------

WIDE = (65537, 32771)  # each fits in 32 bits, their product does not


def mean_square(shape: tuple[int, int]) -> None:
    """mse of 3 and 1 is 4, and its gradient by each element 2*2/(N*D): whatever element an index gets wrong shows."""
    made = kernel("mse", "c", "float32")
    with Tiled(shape, np.float32) as x, Tiled(shape, np.float32) as t, Tiled(shape, np.float32) as dx:
        x.fill(3)
        t.fill(1)
        dx.fill(np.nan)
        loss, saved = made.forward(x.array, t=t.array)
        assert loss == 4
        count = float(shape[0]) * shape[1]
        made.backward(np.float32(count), saved, out={"dx": dx.array})
        flat = dx.array.reshape(-1)
        assert np.allclose(flat[-dx.period :], 4, rtol=1e-6)
        del saved, flat


@linux
def test_a_product_of_extents_beyond_32_bits_is_indexed_right() -> None:
    mean_square(WIDE)


@linux
@pytest.mark.slow
@pytest.mark.parametrize("shape", [(1, 2**31 + 9), (2**31 + 9, 1)])
def test_an_extent_beyond_32_bits_is_indexed_right(shape: tuple[int, int]) -> None:
    mean_square(shape)


@linux
@pytest.mark.slow
@pytest.mark.parametrize(("name", "huge"), [(name, axis) for name in catalogue.names() for axis in load_layer(name).axes])
def test_every_kernel_takes_an_extent_beyond_32_bits(name: str, huge: str) -> None:
    """One axis is huge, the others 1, each input is constant: every element of an output is then the same finite number."""
    layer, made = derived(name).layer, kernel(name, "c", "float32")
    extents = {axis: 2**31 + 9 if axis == huge else 1 for axis in layer.axes}
    with ExitStack() as stack:

        def filled(axes: tuple[str, ...], value: float) -> Any:
            if not axes:
                return np.float32(value)
            tiled = stack.enter_context(Tiled(tuple(extents[axis] for axis in axes), np.float32))
            tiled.fill(value)
            return tiled.array

        first, second = ({part.name: filled(part.axes, np.nan) for part in one.program.outputs if part.axes} for one in made.passes)
        constants = {part.name: filled(part.axes, 0.5) for part in layer.constants}
        *_, saved = made.forward(*(filled(part.axes, 0.5) for part in layer.inputs), **constants, out=first)
        made.backward(*(filled(seed.axes, 0.5) for seed in derived(name).seeds), saved, out=second)
        for found in (*first.values(), *second.values()):
            flat = found.reshape(-1)
            assert np.isfinite(flat[0])
            assert np.allclose(flat[-1000:], flat[0], rtol=1e-5)
