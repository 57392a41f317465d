"""What a caller gives a kernel, made safe to pass on.

In: anything.  Out: contiguous arrays of the kernel's dtype and agreeing shapes, or a ValueError that names the argument, the shape it has
and the shape it should have. Nothing else reaches compiled code.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np

from symbn.codegen.views.header import shape as shape_text
from symbn.tools.exchange import Array, readable, writable
from symbn.tools.halves import is_half, name_of

MAX_EXTENT = 2**63 - 1


def array(name: str, value: object, axes: tuple[str, ...], extents: dict[str, int], dtype: np.dtype[Any]) -> Array:
    """The value as an array over `axes`, copied only where it is not contiguous; extents that are not known yet are learned from it."""
    found = readable(name, value)
    check_dtype(name, found, dtype)
    if found.ndim == len(axes):
        for axis, extent in zip(axes, found.shape, strict=True):
            extents.setdefault(axis, extent)
    check_shape(name, found.shape, axes, extents)
    if found.size == 0:
        raise ValueError(f"{name} has shape {found.shape}, every extent should be at least 1")
    # An array that is not aligned is copied too: C may not read it in place.
    return np.require(found, requirements=["C", "A"])


def extent(axis: str, value: object) -> int:
    """An extent that was saved."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_EXTENT:
        raise ValueError(f"saved.{axis} is {value!r:.40}, should be an extent")
    return value


def scalar(name: str, value: object, dtype: np.dtype[Any]) -> Any:
    """The value as a scalar of `dtype`."""
    found = readable(name, value)
    if found.dtype.kind not in "fiu":
        raise ValueError(f"{name} has dtype {found.dtype}, should be a real number")
    if found.shape != ():
        raise ValueError(f"{name} has shape {found.shape}, should be a scalar, ()")
    return dtype.type(found[()])


def check_dtype(name: str, found: Array, dtype: np.dtype[Any]) -> None:
    """ValueError unless the array's dtype is this one, in this machine's byte order."""
    if found.dtype != dtype:
        order = " (the other byte order)" if found.dtype.newbyteorder() == dtype else ""
        bare = found.dtype == np.uint16 and is_half(dtype)
        hint = ": bits alone do not say which numbers they are, .view(ml_dtypes.bfloat16) or .view(np.float16) does" if bare else ""
        raise ValueError(f"{name} has dtype {name_of(found.dtype)}{order}, should be {name_of(dtype)}{hint}")


def check_shape(name: str, shape: tuple[int, ...], axes: tuple[str, ...], extents: Mapping[str, int]) -> None:
    """ValueError unless the shape is what the axes' extents say."""
    known = all(axis in extents for axis in axes)
    expected = tuple(extents[axis] for axis in axes) if known else None
    if shape != expected:
        wanted = shape_text(axes) if axes else "()"
        raise ValueError(f"{name} has shape {shape}, should be {wanted}{f' = {expected}' if known and axes else ''}")


def output(name: str, given: object, axes: tuple[str, ...], extents: Mapping[str, int], dtype: np.dtype[Any]) -> Array:
    """An array to fill: the caller's, or a new one for None."""
    if given is None:
        return np.empty(tuple(extents[axis] for axis in axes), dtype)
    found = writable(f"out.{name}", given)
    check_dtype(f"out.{name}", found, dtype)
    check_shape(f"out.{name}", found.shape, axes, extents)
    if not (found.flags.c_contiguous and found.flags.aligned and found.flags.writeable):
        raise ValueError(f"out.{name} should be contiguous, aligned and writeable")
    return found


def check_overlap(outputs: Mapping[str, Array], inputs: Mapping[str, Array], allowed: frozenset[tuple[str, str]]) -> None:
    """ValueError where writing an output would change what is still to be read."""
    for (left, first), (right, second) in combinations(outputs.items(), 2):
        if np.may_share_memory(first, second):
            raise ValueError(f"out.{left} and out.{right} overlap in memory")
    for name, target in outputs.items():
        for source, value in inputs.items():
            same = target.ctypes.data == value.ctypes.data and target.shape == value.shape and (name, source) in allowed
            if np.may_share_memory(target, value) and not same:
                raise ValueError(f"out.{name} overlaps {source} in memory")


def wanted_outputs(out: object, names: tuple[str, ...]) -> dict[str, object]:
    """`out` by name: a mapping, or a tuple with one entry a name; None stands for a new array."""
    if out is None:
        return dict.fromkeys(names)
    if isinstance(out, Mapping):
        unknown = [name for name in out if name not in names]
        if unknown:
            raise ValueError(f"out has {unknown[0]!r}, should have names among {', '.join(names)}")
        return {name: out.get(name) for name in names}
    if isinstance(out, tuple) and len(out) == len(names):
        return dict(zip(names, out, strict=True))
    raise ValueError(f"out should be a mapping, or a tuple of {len(names)}: {', '.join(names)}")
