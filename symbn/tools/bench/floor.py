"""The memory floor: what reading every input once and writing every output once takes on this machine.

In: the arrays that a pass reads, and arrays as large as those it writes.  Out: functions to time. Stores that go around the caches are
faster for what is larger than they are, and slower otherwise: both are timed, and the floor is the faster.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from symbn.tools.exchange import Array
from symbn.tools.library import load
from symbn.tools.threads import limit

SOURCE = Path(__file__).with_name("floor.c")
LINE = 64  # bytes of a cache line
BLOCK = 16 * 1024  # bytes of the largest array between two switches to another one


def floors(reads: Sequence[Array], targets: Sequence[Array], threads: int | None) -> dict[str, Callable[[], int]]:
    """By kind of store; `targets` begin on cache lines (see `aligned`). Each returns the sum of all words that it read.

    TargetError without a C compiler.
    """
    library = load({SOURCE.name: SOURCE.read_text(encoding="ascii")})
    function = library.symbn_bench_floor
    function.restype = ctypes.c_uint64
    blocks = max(1, max((array.nbytes for array in (*reads, *targets)), default=0) // BLOCK)
    within = limit(library, threads)

    def run(*, streaming: bool) -> Callable[[], int]:
        arguments = (ctypes.c_ssize_t(blocks), ctypes.c_int(streaming), *_arrays(reads), *_arrays(targets))

        def call() -> int:
            with within():
                return int(function(*arguments))

        return call

    return {"plain": run(streaming=False), "streaming": run(streaming=True)}


def aligned(size: int) -> Array:
    """Bytes that begin on a cache line, touched, so that their pages are there."""
    room = np.zeros(size + LINE, np.uint8)
    start = -room.ctypes.data % LINE
    room[...] = 1
    return room[start : start + size]


def _arrays(arrays: Sequence[Array]) -> tuple[Any, ...]:
    """The count, the addresses and the sizes, as C takes them. The addresses are good while the arrays are held."""
    count = len(arrays)
    addresses = (ctypes.c_void_p * max(count, 1))(*(array.ctypes.data for array in arrays))
    addresses.held = tuple(arrays)  # type: ignore[attr-defined]
    sizes = (ctypes.c_ssize_t * max(count, 1))(*(array.nbytes for array in arrays))
    return ctypes.c_int(count), addresses, sizes
