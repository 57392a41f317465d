"""A tensor of bfloat16 as an array over the same memory.

In: an object that speaks DLPack.  Out: an array, or None. NumPy reads DLPack too, but has no bfloat16 and refuses it; the capsule is a C
structure that says where the numbers are (https://dmlc.github.io/dlpack/latest/c_api.html).
"""

from __future__ import annotations

import ctypes
from ctypes import c_char_p, c_int32, c_int64, c_uint8, c_uint16, c_uint32, c_uint64, c_void_p, py_object
from typing import Any

import numpy as np

BFLOAT = (4, 16, 1)  # kDLBfloat, bits, lanes
READ_ONLY = 1  # DLPACK_FLAG_BITMASK_READ_ONLY
Array = np.ndarray[Any, np.dtype[Any]]

_valid, _pointer = ctypes.pythonapi.PyCapsule_IsValid, ctypes.pythonapi.PyCapsule_GetPointer
_valid.argtypes, _valid.restype = [py_object, c_char_p], ctypes.c_int
_pointer.argtypes, _pointer.restype = [py_object, c_char_p], c_void_p


class _Tensor(ctypes.Structure):
    """DLTensor."""

    _fields_ = (
        ("data", c_void_p), ("device", c_int32), ("device_number", c_int32), ("rank", c_int32), ("code", c_uint8), ("bits", c_uint8),
        ("lanes", c_uint16), ("shape", ctypes.POINTER(c_int64)), ("strides", ctypes.POINTER(c_int64)), ("offset", c_uint64),
    )  # fmt: skip


class _Managed(ctypes.Structure):
    """DLManagedTensor."""

    _fields_ = (("tensor", _Tensor), ("context", c_void_p), ("delete", c_void_p))
    flags = 0


class _Versioned(ctypes.Structure):
    """DLManagedTensorVersioned."""

    _fields_ = (
        ("major", c_uint32), ("minor", c_uint32), ("context", c_void_p), ("delete", c_void_p), ("flags", c_uint64), ("tensor", _Tensor),
    )  # fmt: skip


class _Memory:
    """What an array holds on to: the capsule, which keeps the memory."""

    def __init__(self, capsule: object, interface: dict[str, Any]) -> None:
        self.capsule, self.__array_interface__ = capsule, interface


def bfloat16_bits(value: Any, devices: tuple[int, ...]) -> Array | None:
    """The numbers' bits as uint16; None for another type of number, or memory on none of these devices."""
    try:
        capsule = value.__dlpack__(max_version=(1, 0))
    except TypeError:  # it is older than versions
        capsule = value.__dlpack__()
    for name, kind in ((b"dltensor_versioned", _Versioned), (b"dltensor", _Managed)):
        if _valid(capsule, name):
            managed = kind.from_address(_pointer(capsule, name))
            return _array(capsule, managed.tensor, bool(managed.flags & READ_ONLY), devices)
    return None


def _array(capsule: object, tensor: _Tensor, read_only: bool, devices: tuple[int, ...]) -> Array | None:
    if (tensor.code, tensor.bits, tensor.lanes) != BFLOAT or tensor.device not in devices:
        return None
    shape = tuple(tensor.shape[axis] for axis in range(tensor.rank))
    if 0 in shape:
        return np.empty(shape, np.uint16)
    strides = tuple(2 * tensor.strides[axis] for axis in range(tensor.rank)) if tensor.strides else None
    place = (tensor.data + tensor.offset, read_only)
    typestr = np.dtype(np.uint16).str
    return np.asarray(_Memory(capsule, {"version": 3, "shape": shape, "typestr": typestr, "data": place, "strides": strides}))
