"""Arrays with more elements than a 32-bit integer counts, in a few megabytes: one small file, mapped again and again, one after the other.

What is written at one place is read at every multiple of the period from it. `Tiled.array` lives as long as its Tiled.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from typing import Any

import numpy as np

TILE = 2 << 20  # bytes
MAP_FIXED, MAP_NORESERVE = 0x10, 0x4000
NOWHERE = ctypes.c_void_p(-1).value
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.mmap.restype = ctypes.c_void_p
LIBC.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
LIBC.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
BOTH = mmap.PROT_READ | mmap.PROT_WRITE


class Tiled:
    """An array of `shape` over one tile; `period` is how many elements the tile holds."""

    def __init__(self, shape: tuple[int, ...], dtype: Any) -> None:
        kind = np.dtype(dtype)
        self.period = TILE // kind.itemsize
        count = int(np.prod(shape, dtype=object))
        self.size = -(-count * kind.itemsize // TILE) * TILE
        self.file = os.memfd_create("tile")
        os.ftruncate(self.file, TILE)
        self.start = self._map(None, self.size, 0, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_NORESERVE, -1)
        for place in range(self.start, self.start + self.size, TILE):
            self._map(place, TILE, BOTH, mmap.MAP_SHARED | MAP_FIXED, self.file)
        self.array = np.frombuffer((ctypes.c_char * self.size).from_address(self.start), kind, count).reshape(shape)

    def _map(self, place: int | None, size: int, protection: int, flags: int, file: int) -> int:
        start = LIBC.mmap(place, size, protection, flags, file, 0)
        if start in (None, NOWHERE):
            raise OSError(ctypes.get_errno(), "mmap")
        return int(start)

    def fill(self, value: float) -> None:
        """Every element at once."""
        self.array.reshape(-1)[: self.period] = value

    def close(self) -> None:
        """Nothing may use the array after this."""
        del self.array
        LIBC.munmap(self.start, self.size)
        os.close(self.file)

    def __enter__(self) -> Tiled:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
