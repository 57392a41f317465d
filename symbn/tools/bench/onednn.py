"""oneDNN itself, in the arrays' own layout.

In: a Setting.  Out: a Contender, through the C interface of version 3 (https://oneapi-src.github.io/oneDNN); no header is needed, for the
interface is enumerations and pointers. Deep learning libraries that call it may choose a blocked layout inside; here nothing is reordered.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Mapping, Sequence
from ctypes import byref, c_float, c_int, c_int64, c_uint, c_void_p
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from symbn.tools.bench.inputs import Values
from symbn.tools.bench.setting import Contender, Setting
from symbn.tools.exchange import Array

ONEDNN = "oneDNN"
FILE = "libdnnl.so.3"
# Values of dnnl_types.h.
CPU, IN_ORDER, F32, TRAINING, BACKWARD, SCALE_AND_SHIFT = 1, 1, 3, 64, 128, 0x2 | 0x4
PLAIN = (0, 2, 3, 4)  # row-major layouts by number of axes
SRC, DST, MEAN, VARIANCE, SCALE, SHIFT, DIFF_SRC, DIFF_DST, DIFF_SCALE, DIFF_SHIFT = 1, 17, 49, 50, 51, 52, 129, 145, 255, 256
BATCH, LAYER, SOFTMAX, LOG_SOFTMAX = "batch", "layer", 0x30000, 0x30001
# What oneDNN calls a layer of the catalogue.
KINDS: Mapping[str, Any] = {
    "batchnorm": BATCH,
    "batchnorm1d": BATCH,
    "batchnorm2d": BATCH,
    "layernorm": LAYER,
    "softmax": SOFTMAX,
    "log_softmax": LOG_SOFTMAX,
}


class _Argument(ctypes.Structure):
    """dnnl_exec_arg_t."""

    _fields_ = (("place", c_int), ("memory", c_void_p))


def found() -> bool:
    """Whether the library can be loaded."""
    return _library() is not None


def contender(setting: Setting) -> Contender:
    """The pass in question; RuntimeError where oneDNN refuses it."""
    kind, calls = KINDS[setting.task.known], _Calls()
    x, *parameters = (np.asarray(value) for value in setting.inputs.values())
    x = x[:, None] if x.ndim == 1 else x
    y, dx = np.empty_like(x), np.empty_like(x)
    parameters = [value.reshape(-1) for value in parameters]
    first = {SRC: x, DST: y}
    if kind in (BATCH, LAYER):
        statistics = np.empty(x.shape[1] if kind == BATCH else x.shape[0], np.float32)
        first |= {MEAN: statistics, VARIANCE: statistics.copy(), SCALE: parameters[0], SHIFT: parameters[1]}
    eps = float(setting.values.get("eps", 0))
    hint = calls.forward(kind, x, eps)
    run = calls.ready(hint, first)
    run()
    if not setting.second:
        return Contender(ONEDNN, run, lambda _: {setting.derivation.layer.outputs[0]: y})
    dy = np.asarray(next(iter(setting.seeds.values()))).reshape(x.shape)
    second = {DIFF_SRC: dx, DIFF_DST: dy}
    results = {"dx": dx}
    if not parameters:
        second[DST] = y
    else:
        results |= {"dgamma": np.empty_like(parameters[0]), "dbeta": np.empty_like(parameters[0])}
        # Each refuses what the other asks for.
        unread = (DST, SHIFT) if kind == BATCH else (DST,)
        second |= {place: array for place, array in first.items() if place not in unread}
        second |= {DIFF_SCALE: results["dgamma"], DIFF_SHIFT: results["dbeta"]}
    wanted = {gradient.definition.name for gradient in setting.derivation.gradients.values()}

    def named(_: object) -> Values:
        return {name: value for name, value in results.items() if name in wanted}

    return Contender(ONEDNN, calls.ready(calls.backward(kind, x, eps, hint), second), named)


class _Calls:
    """The few functions that are called, with an engine and a stream of their own."""

    def __init__(self) -> None:
        self.library = _library()
        self.engine, self.stream = c_void_p(), c_void_p()
        self._do("engine_create", byref(self.engine), c_int(CPU), ctypes.c_size_t(0))
        self._do("stream_create", byref(self.stream), self.engine, c_uint(IN_ORDER))

    def forward(self, kind: Any, x: Array, eps: float) -> c_void_p:
        """A description of the forward pass, for training."""
        src, dst, made = self._layout(x.shape), self._layout(x.shape), c_void_p()
        if kind in (BATCH, LAYER):
            statistics = [self._layout(x.shape[:1])] if kind == LAYER else []
            flags = c_uint(SCALE_AND_SHIFT)
            name = f"{kind}_normalization_forward_primitive_desc_create"
            self._do(name, byref(made), self.engine, c_int(TRAINING), src, dst, *statistics, c_float(eps), flags, None)
        else:
            name = "softmax_forward_primitive_desc_create"
            self._do(name, byref(made), self.engine, c_int(TRAINING), c_int(kind), src, dst, c_int(1), None)
        return made

    def backward(self, kind: Any, x: Array, eps: float, hint: c_void_p) -> c_void_p:
        """A description of the backward pass."""
        dx, dy, x_or_y, made = self._layout(x.shape), self._layout(x.shape), self._layout(x.shape), c_void_p()
        if kind in (BATCH, LAYER):
            statistics = [self._layout(x.shape[:1])] if kind == LAYER else []
            flags = c_uint(SCALE_AND_SHIFT)
            name = f"{kind}_normalization_backward_primitive_desc_create"
            self._do(name, byref(made), self.engine, c_int(BACKWARD), dx, dy, x_or_y, *statistics, c_float(eps), flags, hint, None)
        else:
            self._do("softmax_backward_primitive_desc_create", byref(made), self.engine, c_int(kind), dx, dy, x_or_y, c_int(1), hint, None)
        return made

    def ready(self, described: c_void_p, arrays: Mapping[int, Array]) -> Callable[[], None]:
        """The pass over these arrays; when it returns, it is done."""
        made = c_void_p()
        self._do("primitive_create", byref(made), described)
        arguments = (_Argument * len(arrays))(*[_Argument(place, self._memory(array)) for place, array in arrays.items()])
        execute, wait = self.library.dnnl_primitive_execute, self.library.dnnl_stream_wait

        def run() -> None:
            _check("primitive_execute", execute(made, self.stream, c_int(len(arguments)), arguments))
            _check("stream_wait", wait(self.stream))

        run.held = arrays  # type: ignore[attr-defined]  # the library has their addresses alone
        return run

    def _layout(self, shape: Sequence[int]) -> c_void_p:
        made = c_void_p()
        extents = (c_int64 * 12)(*shape)
        self._do("memory_desc_create_with_tag", byref(made), c_int(len(shape)), extents, c_int(F32), c_int(PLAIN[len(shape)]))
        return made

    def _memory(self, array: Array) -> c_void_p:
        made = c_void_p()
        self._do("memory_create", byref(made), self._layout(array.shape), self.engine, c_void_p(array.ctypes.data))
        return made

    def _do(self, name: str, *arguments: Any) -> None:
        _check(name, getattr(self.library, f"dnnl_{name}")(*arguments))


def _check(name: str, status: int) -> None:
    if status != 0:
        raise RuntimeError(f"dnnl_{name} returned {status}")


@cache
def _library() -> Any:
    """From where the system looks, or where pip puts it."""
    for place in (FILE, str(Path(sys.prefix) / "lib" / FILE)):
        try:
            return ctypes.CDLL(place)
        except OSError:
            continue
    return None
