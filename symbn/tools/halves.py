"""Numbers of 16 bits in NumPy, to which bfloat16 is unknown.

In: arrays.  Out: arrays of float32 and back, exact or rounded to nearest even; and what a NumPy dtype is for each of symbn's.

Arrays of bfloat16 have the dtype of the package ml_dtypes where it is installed; else one of our own, a record of one number, which says
what it is and cannot be computed with.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from symbn.codegen.storage import DTYPES, Storage
from symbn.tools.dlpack import Array

FLOAT32 = np.dtype(np.float32)
# What bfloat16 is where NumPy does not know it.
RECORD = np.dtype([("bfloat16", np.uint16)])
# Bits of the fraction, and the exponents of the smallest normal number and of the first that is too large.
FORMATS = {"bfloat16": (7, -126, 128), "float16": (10, -14, 16)}


@cache
def dtype_named(name: str) -> np.dtype[Any]:
    """NumPy's own, or for bfloat16 what stands for it."""
    if name != "bfloat16":
        return np.dtype(name)
    try:
        found: np.dtype[Any] = np.dtype(import_module("ml_dtypes").bfloat16)
    except ImportError:
        return RECORD
    return found


def dtype_of(storage: Storage, axes: tuple[str, ...]) -> np.dtype[Any]:
    """The dtype of an array over these axes."""
    if storage.is_half(axes):
        return dtype_named(DTYPES[storage.dtype])
    return np.dtype(np.float64 if storage.real == "double" else np.float32)


def name_of(dtype: np.dtype[Any]) -> str:
    """The name of a dtype as symbn writes it."""
    return "bfloat16" if dtype == RECORD else str(dtype)


def is_half(dtype: np.dtype[Any]) -> bool:
    """Whether numbers of this dtype are kept in 16 bits and computed in float32."""
    return name_of(dtype) in FORMATS


def widened(values: Array) -> Array:
    """The same numbers as float32; an array of another type as it is."""
    match name_of(values.dtype):
        case "bfloat16":
            return (values.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
        case "float16":
            return values.astype(np.float32)
    return values


def narrowed(values: Array, dtype: np.dtype[Any]) -> Array:
    """The nearest numbers of the dtype, of two the even one; a NaN stays one."""
    if not is_half(dtype):
        return values.astype(dtype)
    values = np.ascontiguousarray(values, np.float32)
    if name_of(dtype) == "float16":
        with np.errstate(over="ignore"):
            return values.astype(dtype)
    bits = values.view(np.uint32)
    nearest = (bits.astype(np.uint64) + 0x7FFF + (bits >> 16 & 1)) >> 16
    return np.where(np.isnan(values), bits >> 16 | 0x40, nearest).astype(np.uint16).view(dtype)


def epsilon(name: str) -> float:
    """The distance from 1 to the next number of a dtype."""
    return 2.0 ** -FORMATS[name][0] if name in FORMATS else float(np.finfo(name).eps)


def half_unit(sizes: Any, name: str) -> Any:
    """How far rounding to the dtype may move a number of at most this size; infinity where it may be beyond the largest."""
    fraction, smallest, beyond = FORMATS[name]
    sizes = np.asarray(sizes, np.longdouble)
    _, exponents = np.frexp(np.maximum(sizes, np.ldexp(np.longdouble(1), smallest)))
    units = np.ldexp(np.longdouble(0.5), exponents - 1 - fraction)
    largest = np.ldexp(np.longdouble(2 - 2.0 ** -(fraction + 1)), beyond - 1)
    return np.where(sizes < largest, units, np.inf)


def as_given(results: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Arrays that were made for a caller, as tensors of PyTorch where the caller's are: it has the types that NumPy lacks."""
    torch = sys.modules.get("torch")
    if torch is None or not any(isinstance(value, torch.Tensor) for value in given.values()):
        return results
    return {name: value if isinstance(value, torch.Tensor) else tensor_of(torch, value) for name, value in results.items()}


def tensor_of(torch: Any, value: Any) -> Any:
    """A tensor over the same memory."""
    if name_of(value.dtype) == "bfloat16":
        return torch.from_numpy(value.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(value) if isinstance(value, np.ndarray) else torch.tensor(value)
