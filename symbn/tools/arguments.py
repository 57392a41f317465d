"""What a caller gives a kernel, made safe to pass on.

In: anything.  Out: contiguous arrays of the kernel's dtype and agreeing shapes, or a ValueError that names the argument, the shape it has
and the shape it should have. Nothing else reaches compiled code.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from operator import le
from typing import Any

import numpy as np
from numpy import ndarray

from symbn.codegen.views.header import shape as shape_text
from symbn.tools.exchange import Array, address, readable, writable
from symbn.tools.halves import is_half, name_of

MAX_EXTENT = 2**63 - 1


def array(name: str, value: object, axes: tuple[str, ...], extents: dict[str, int], dtype: np.dtype[Any]) -> Array:
    """The value as an array over `axes`, copied only where it is not contiguous; extents that are not known yet are learned from it."""
    found = value if type(value) is ndarray else readable(name, value)
    if found.dtype != dtype:
        raise _wrong_dtype(name, found, dtype)
    shape = found.shape
    if len(shape) != len(axes):
        raise _wrong_shape(name, shape, axes, extents)
    for place, axis in enumerate(axes):
        if extents.setdefault(axis, shape[place]) != shape[place]:
            raise _wrong_shape(name, shape, axes, {**dict(zip(axes, shape, strict=True)), **extents})
    if 0 in shape:
        raise ValueError(f"{name} has shape {shape}, every extent should be at least 1")
    flags = found.flags
    # An array that is not aligned is copied too: C may not read it in place.
    return found if flags.c_contiguous and flags.aligned else np.require(found, requirements=["C", "A"])


def extent(axis: str, value: object) -> int:
    """An extent that was saved."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_EXTENT:
        raise ValueError(f"saved.{axis} is {value!r:.40}, should be an extent")
    return value


def scalar(name: str, value: object, dtype: np.dtype[Any]) -> Any:
    """The value as a scalar of `dtype`."""
    if type(value) is dtype.type:
        return value
    if type(value) is float:
        return dtype.type(value)
    found = readable(name, value)
    if found.dtype.kind not in "fiu":
        raise ValueError(f"{name} has dtype {found.dtype}, should be a real number")
    if found.shape != ():
        raise ValueError(f"{name} has shape {found.shape}, should be a scalar, ()")
    return dtype.type(found[()])


def output(name: str, given: object, axes: tuple[str, ...], extents: Mapping[str, int], dtype: np.dtype[Any]) -> Array:
    """An array to fill: the caller's, or a new one for None."""
    expected = tuple([extents[axis] for axis in axes])
    if given is None:
        return np.empty(expected, dtype)
    found = given if type(given) is ndarray else writable(f"out.{name}", given)
    if found.dtype != dtype:
        raise _wrong_dtype(f"out.{name}", found, dtype)
    if found.shape != expected:
        raise _wrong_shape(f"out.{name}", found.shape, axes, extents)
    flags = found.flags
    if not (flags.c_contiguous and flags.aligned and flags.writeable):
        raise ValueError(f"out.{name} should be contiguous, aligned and writeable")
    return found


def _wrong_dtype(name: str, found: Array, dtype: np.dtype[Any]) -> ValueError:
    order = " (the other byte order)" if found.dtype.newbyteorder() == dtype else ""
    bare = found.dtype == np.uint16 and is_half(dtype)
    hint = ": bits alone do not say which numbers they are, .view(ml_dtypes.bfloat16) or .view(np.float16) does" if bare else ""
    return ValueError(f"{name} has dtype {name_of(found.dtype)}{order}, should be {name_of(dtype)}{hint}")


def _wrong_shape(name: str, shape: tuple[int, ...], axes: tuple[str, ...], extents: Mapping[str, int]) -> ValueError:
    known = all(axis in extents for axis in axes)
    expected = f" = {tuple(extents[axis] for axis in axes)}" if known and axes else ""
    return ValueError(f"{name} has shape {shape}, should be {shape_text(axes) if axes else '()'}{expected}")


def apart(starts: Iterable[int], ends: Iterable[int]) -> bool:
    """Whether no two blocks of memory have a byte in common: each ends before the next one starts."""
    return all(map(le, sorted(ends), sorted(starts)[1:]))


def check_overlap(written: Mapping[str, Array], read: Mapping[str, Array], allowed: Iterable[tuple[str, str]]) -> None:
    """ValueError where writing an output would change what is still to be read; an (output, input) that is `allowed` may be one memory."""
    outputs = [(name, address(value), address(value) + value.nbytes) for name, value in written.items()]
    inputs = [(name, address(value), address(value) + value.nbytes) for name, value in read.items()]
    for place, (name, start, end) in enumerate(outputs):
        for other, first, last in outputs[:place]:
            if start < last and first < end:
                raise ValueError(f"out.{other} and out.{name} overlap in memory")
        for source, first, last in inputs:
            same = first == start and last == end and (name, source) in allowed
            if start < last and first < end and not same:
                raise ValueError(f"out.{name} overlaps {source} in memory")


def wanted_outputs(out: object, names: Collection[str]) -> Mapping[str, object]:
    """`out` by name: a mapping, or a tuple with one entry a name; None, or no entry, stands for a new array."""
    if out is None:
        return {}
    if isinstance(out, dict | Mapping):  # dict alone is quick to see
        for name in out:
            if name not in names:
                raise ValueError(f"out has {name!r}, should have names among {', '.join(names)}")
        return out if type(out) is dict else dict(out)
    if isinstance(out, tuple) and len(out) == len(names):
        return dict(zip(names, out, strict=True))
    raise ValueError(f"out should be a mapping, or a tuple of {len(names)}: {', '.join(names)}")
