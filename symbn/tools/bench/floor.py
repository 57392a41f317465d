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
from symbn.tools.threads import limited

SOURCE = Path(__file__).with_name("floor.c")
LINE = 64  # bytes of a cache line


def floors(reads: Sequence[Array], targets: Sequence[Array], threads: int | None) -> dict[str, Callable[[], int]]:
    """By kind of store; `targets` begin on cache lines (see `aligned`). Each returns the sum of all words that it read.

    TargetError without a C compiler.
    """
    library = load({SOURCE.name: SOURCE.read_text(encoding="ascii")})
    function = library.symbn_bench_floor
    function.restype = ctypes.c_uint64
    arguments, pass_over = _groups(reads, targets), limited(function, library, threads)

    def run(*, streaming: bool) -> Callable[[], int]:
        def call() -> int:
            return pass_over(ctypes.c_int(streaming), *arguments)

        call.held = (*reads, *targets)  # type: ignore[attr-defined]  # C has their addresses alone
        return call

    return {"plain": run(streaming=False), "streaming": run(streaming=True)}


def aligned(size: int) -> Array:
    """Bytes that begin on a cache line, touched, so that their pages are there."""
    room = np.zeros(size + LINE, np.uint8)
    start = -room.ctypes.data % LINE
    room[...] = 1
    return room[start : start + size]


def _groups(reads: Sequence[Array], targets: Sequence[Array]) -> tuple[Any, ...]:
    """The arrays by size, the largest first, as C takes them."""
    sizes = sorted({array.nbytes for array in (*reads, *targets)}, reverse=True)
    read = [[array for array in reads if array.nbytes == size] for size in sizes]
    written = [[array for array in targets if array.nbytes == size] for size in sizes]
    return (
        ctypes.c_int(len(sizes)),
        (ctypes.c_ssize_t * len(sizes))(*sizes),
        (ctypes.c_int * len(sizes))(*map(len, read)),
        (ctypes.c_int * len(sizes))(*map(len, written)),
        _addresses(read),
        _addresses(written),
    )


def _addresses(groups: Sequence[Sequence[Array]]) -> Any:
    flat = [array.ctypes.data for group in groups for array in group]
    return (ctypes.c_void_p * max(len(flat), 1))(*flat)
