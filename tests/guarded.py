"""Every kernel of `build` on arrays that end where memory ends: run as a program, for a kernel that leaves its arrays ends the process.

    python guarded.py LAYER...
"""

from __future__ import annotations

import ctypes
import faulthandler
import mmap
import sys
from typing import Any

import numpy as np

import symbn
from symbn.codegen.program import INPUT

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
PAGE = mmap.PAGESIZE
EXTENTS = ((1, 1, 1, 1), (2, 3, 5, 7), (3, 67, 1, 5), (131, 2, 3, 1), (5, 1031, 1, 1), (1025, 3, 1, 2), (7, 5, 257, 3))
HELD: list[mmap.mmap] = []


def guarded(shape: list[int], dtype: np.dtype[Any], side: str, value: float) -> Any:
    """An array whose first byte, or whose last, has a page beside it that may not be touched."""
    size = max(int(np.prod(shape)) * dtype.itemsize, dtype.itemsize)
    inner = -(-size // PAGE) * PAGE
    memory = mmap.mmap(-1, inner + 2 * PAGE)
    HELD.append(memory)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for page in (start, start + PAGE + inner):
        if LIBC.mprotect(page, PAGE, 0) != 0:
            raise OSError(ctypes.get_errno(), "mprotect")
    offset = PAGE + (inner - size if side == "end" else 0)
    array = np.frombuffer(memory, dtype, int(np.prod(shape)), offset).reshape(shape)
    array[...] = value
    return array


def run(name: str, dtype: str) -> None:
    kernel = symbn.build(name, dtype=dtype)
    for sizes in EXTENTS:
        for side in ("start", "end"):
            call(kernel, dict(zip(kernel.layer.axes, sizes, strict=False)), side)
        HELD.clear()


def call(kernel: Any, extents: dict[str, int], side: str) -> None:
    """Both passes; every element of every result is written."""
    rng = np.random.default_rng(1)

    def empty(part: Any) -> Any:
        return guarded([extents[axis] for axis in part.axes], kernel.dtype, side, np.nan)

    def filled(part: Any) -> Any:
        array = empty(part)
        array[...] = rng.uniform(0.25, 1.25, array.shape)
        return array if array.ndim else float(array)

    forward, backward = (one.program for one in kernel.passes)
    first, second = ({part.name: empty(part) for part in program.outputs} for program in (forward, backward))
    constants = {part.name: filled(part) for part in kernel.layer.constants}
    *_, saved = kernel.forward(*(filled(part) for part in kernel.layer.inputs), **constants, out=first)
    kernel.backward(*(filled(part) for part in backward.arguments if part.role == INPUT), saved, out=second)
    for title, found in (*first.items(), *second.items()):
        assert np.isfinite(found).all(), f"an element of {title} is not written at {extents}"


if __name__ == "__main__":
    faulthandler.enable()
    for layer in sys.argv[1:]:
        for kind in ("float32", "float64"):
            print(layer, kind, flush=True)
            run(layer, kind)
