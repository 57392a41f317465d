"""The contenders that need nothing but symbn: generated C, generated NumPy, and the NumPy that people publish.

In: a Setting.  Out: Contenders, made when they are asked for, so that one that fails leaves the others alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symbn.codegen.storage import HALVES, SHORT
from symbn.tools.bench.cases import POST
from symbn.tools.bench.setting import Contender, Setting, kernel_of
from symbn.tools.bench.task import Task
from symbn.tools.halves import dtype_of, narrowed
from symbn.tools.kernel import Kernel

C, NUMPY, PUBLISHED = "C", "NumPy", "NumPy, as published"
Maker = Callable[[Setting], Contender]


def own_names(task: Task) -> tuple[str, ...]:
    """What of symbn's own is timed: NumPy does not compute in 16 bits."""
    return (C,) if SHORT[task.dtype] in HALVES else (C, NUMPY)


def own(setting: Setting) -> Mapping[str, Maker]:
    """By name, in the table's order; the published line where there is one."""
    if NUMPY not in own_names(setting.task):
        return {C: _generated("c", C)}
    published = setting.task.known in POST and (setting.second, setting.task.mode, setting.task.order) == (True, "vjp", 1)
    return {C: _generated("c", C), NUMPY: _generated("numpy", NUMPY), **({PUBLISHED: _published} if published else {})}


def _generated(target: str, name: str) -> Maker:
    def make(setting: Setting) -> Contender:
        kernel = kernel_of(setting.task, target, setting.task.dtype)
        out = full(kernel, setting)
        if not setting.second:
            inputs, constants = tuple(setting.inputs.values()), setting.constants
            return Contender(name, lambda: kernel.first(*inputs, **constants, out=out), lambda _: out)
        *_, saved = kernel.first(*setting.inputs.values(), **setting.constants)
        seeds = tuple(setting.seeds.values())
        return Contender(name, lambda: kernel.second(*seeds, saved, out=out), lambda _: out)

    return make


def full(kernel: Kernel, setting: Setting) -> dict[str, Any]:
    """Arrays for the results, full of NaN: their pages are there, and a store that is missing is found."""
    program = kernel.passes[setting.second].program
    extents = setting.task.extents
    return {part.name: _nan([extents[axis] for axis in part.axes], dtype_of(kernel.storage, part.axes)) for part in program.outputs}


def _nan(shape: list[int], dtype: np.dtype[Any]) -> Any:
    return narrowed(np.full(shape, np.nan, np.float32), dtype)


def _published(setting: Setting) -> Contender:
    kernel = kernel_of(setting.task, "numpy", setting.task.dtype)
    *_, saved = kernel.first(*setting.inputs.values(), **setting.constants)
    line, values = POST[setting.task.known], setting.values
    xhat = _normalized(values["x"], saved.sigma2, values["eps"])
    (dy,) = setting.seeds.values()
    names = tuple(gradient.definition.name for gradient in setting.derivation.gradients.values())

    def call() -> tuple[Any, ...]:
        return line(np, dy, xhat, saved.sigma2, values["gamma"], values["eps"])

    found = ("dx", "dgamma", "dbeta")
    return Contender(PUBLISHED, call, lambda made: {name: value for name, value in zip(found, made, strict=True) if name in names})


def _normalized(x: Any, sigma2: Any, eps: Any) -> Any:
    """xhat, of any number of axes: statistics have one axis, the second, or none."""
    channels = (1, -1) + (1,) * (x.ndim - 2) if np.ndim(sigma2) else ()
    axes = tuple(axis for axis in range(x.ndim) if not np.ndim(sigma2) or axis != 1)
    mean = x.mean(axis=axes, keepdims=True, dtype=np.float64).astype(x.dtype)
    return (x - mean) / np.sqrt(np.reshape(sigma2, channels) + eps)
