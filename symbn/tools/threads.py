"""How many threads a compiled kernel may use.

In: a library, a count or None.  Out: a context in which the calling thread's kernels use that many.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext


def limit(library: ctypes.CDLL, threads: int | None) -> Callable[[], AbstractContextManager[None]]:
    """Makes such contexts; None, or a library without OpenMP, leaves everything as it is."""
    if threads is None or not hasattr(library, "omp_set_num_threads"):
        return nullcontext

    @contextmanager
    def limited() -> Iterator[None]:
        before = library.omp_get_max_threads()
        library.omp_set_num_threads(threads)
        try:
            yield
        finally:
            library.omp_set_num_threads(before)

    return limited
