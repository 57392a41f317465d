"""Arrays of any library as NumPy arrays over the same memory.

In: what a caller gives: a NumPy array, a tensor (DLPack), anything with the buffer protocol, a list.  Out: an array; or a ValueError that
names the argument, for what is on another device, requires a gradient, or is no array at all.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress
from typing import Any

import numpy as np

from symbn.tools.dlpack import Array, bfloat16_bits
from symbn.tools.halves import dtype_named

__all__ = ["Array", "address", "readable", "writable"]
# Device types of DLPack whose memory this process reads as its own: CPU, CUDA's host and managed memory, ROCm's host memory.
HOST_DEVICES = (1, 3, 13, 11)
# Names of this module: they are looked up at every call of a kernel.
_start, _byte = ctypes.addressof, ctypes.c_char.from_buffer
REFUSALS = (AttributeError, BufferError, RuntimeError, TypeError, ValueError)


def readable(name: str, value: object) -> Array:
    """The value as an array; nothing is copied that has memory of its own."""
    if isinstance(value, np.ma.MaskedArray):
        raise ValueError(f"{name} is a masked array, should be a plain one")
    if isinstance(value, np.ndarray):
        return np.asarray(value)
    try:
        _check_device(name, value)
        # __array__ first where there is one: PyTorch's DLPack passes a tensor on as if its lazy negation were not there.
        only_dlpack = hasattr(value, "__dlpack__") and not hasattr(value, "__array__") and not _has_buffer(value)
        return np.from_dlpack(value) if only_dlpack else np.asarray(value)  # type: ignore[arg-type]
    except REFUSALS as error:
        found = _bfloat16(value)
        if found is None:
            raise ValueError(f"{name} is not an array that can be read: {error}") from error
        return found


def writable(name: str, value: object) -> Array:
    """An array over the value's own memory."""
    if isinstance(value, np.ndarray):
        return readable(name, value)
    if _has_buffer(value):
        return np.asarray(memoryview(value))  # type: ignore[arg-type]
    if not hasattr(value, "__dlpack__"):
        raise ValueError(f"{name} is a {type(value).__name__}, should be an array")
    found = readable(name, value)
    try:
        memory = _bfloat16(value) if found.dtype == dtype_named("bfloat16") else np.from_dlpack(value)
    except REFUSALS as error:
        raise ValueError(f"{name} cannot be written in place: {error}") from error
    if memory is None or memory.ctypes.data != found.ctypes.data or memory.strides != found.strides:
        raise ValueError(f"{name} cannot be written in place: its {type(value).__name__} gives a copy of itself")
    return found


def _bfloat16(value: Any) -> Array | None:
    """The array of an object whose numbers are bfloat16, None for another."""
    with suppress(*REFUSALS):
        bits = bfloat16_bits(value, HOST_DEVICES)
        return None if bits is None else bits.view(dtype_named("bfloat16"))
    return None


def address(value: Array) -> int:
    """Where the elements of a contiguous array begin."""
    try:
        return _start(_byte(value))  # type: ignore[arg-type]  # in a fifth of the time that `value.ctypes` takes
    except (TypeError, ValueError, BufferError):  # memory that may not be written, or a dtype that has no buffer
        return int(value.ctypes.data)


def _check_device(name: str, value: object) -> None:
    if hasattr(value, "__dlpack_device__"):
        kind, number = value.__dlpack_device__()
        if int(kind) not in HOST_DEVICES:
            raise ValueError(f"{name} is on another device ({getattr(value, 'device', (int(kind), number))}), should be in main memory")


def _has_buffer(value: object) -> bool:
    with suppress(TypeError, BufferError), memoryview(value):  # type: ignore[arg-type]
        return True
    return False
