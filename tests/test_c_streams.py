"""Outputs that pass by the caches: whole cache lines from any address on, and nothing beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symbn import load
from symbn.calculus.engine import derive
from symbn.tools import compiler
from symbn.tools.build import build

pytestmark = pytest.mark.skipif(not tuple(compiler.available()), reason="no C compiler")
RNG = np.random.default_rng(17)
FLOATS = 16  # of a cache line
# More than 4 MiB in float32: short rows of columns, several as one; rows that end within a line; a long reduction; rows; planes.
LARGE = {
    "batchnorm1d": [(350_003, 3), (20_011, 53), (4_201, 257), (1_027, 1_025)],
    "batchnorm": [(1_050_007,)],
    "layernorm": [(1_031, 1_019)],
    "softmax": [(30_011, 37)],
    "batchnorm2d": [(2_051, 73, 7), (3, 5, 70_009)],
}


def _at(shape: tuple[int, ...], offset: int) -> tuple[Any, Any]:
    """An array that begins so many floats after a cache line, and the memory around it."""
    size = int(np.prod(shape))
    room = np.full(size + 3 * FLOATS, np.nan, np.float32)
    start = (-room.ctypes.data // 4) % FLOATS + offset
    return room[start : start + size].reshape(shape), room


@pytest.mark.parametrize("name", LARGE)
def test_an_output_is_the_same_wherever_it_begins_and_nothing_beside_it_is_written(name: str) -> None:
    made = derive(load(name), steps=False)
    kernel, exact = build(made), build(made, target="numpy", dtype="float64")
    (seed,) = made.seeds
    for sizes in LARGE[name]:
        extents = dict(zip(made.layer.axes, sizes, strict=True))
        given = [RNG.standard_normal([extents[axis] for axis in part.axes]).astype(np.float32) for part in (*made.layer.inputs, seed)]
        *_, saved = kernel.forward(*given[:-1])
        *_, wide = exact.forward(*(value.astype(np.float64) for value in given[:-1]))
        expected = exact.backward(given[-1].astype(np.float64), wide)[0]
        first = None
        for offset in (0, 1, 5, 15):
            dx, room = _at(expected.shape, offset)
            kernel.backward(given[-1], saved, out={"dx": dx})
            assert np.count_nonzero(np.isnan(room)) == room.size - dx.size, (sizes, offset)
            first = dx.copy() if first is None else first
            assert np.array_equal(dx, first), (sizes, offset)
        assert np.allclose(first, expected, rtol=1e-5, atol=1e-6), sizes
