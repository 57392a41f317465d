"""How many threads a compiled function may use.

In: a function, its library, a count or None.  Out: the function, whose calls use that many threads of OpenMP.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any


def limited(function: Callable[..., int], library: ctypes.CDLL, threads: int | None) -> Callable[..., int]:
    """None, or a library without OpenMP, leaves everything as it is. The calling thread has its own number again afterwards."""
    if threads is None or not hasattr(library, "omp_set_num_threads"):
        return function
    number, change = library.omp_get_max_threads, library.omp_set_num_threads

    def run(*arguments: Any) -> int:
        before = number()
        if before == threads:
            return function(*arguments)
        change(threads)
        try:
            return function(*arguments)
        finally:
            change(before)

    return run
