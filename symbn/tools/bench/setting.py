"""What all contenders of one task share.

In: a task.  Out: the derivation, the arrays, the pass that is timed, and what every contender should find, computed in double.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from typing import Any

import numpy as np

from symbn.calculus.derivation import Derivation
from symbn.calculus.engine import derive
from symbn.codegen.program import Program
from symbn.codegen.storage import SHORT, Storage, storage_of
from symbn.codegen.work import longest_sum
from symbn.errors import UnsupportedError
from symbn.language import parse_layer
from symbn.layer import Constant, Input
from symbn.tools.bench.inputs import Values, draw
from symbn.tools.bench.task import BACKWARD, Task
from symbn.tools.build import build
from symbn.tools.halves import dtype_of, epsilon, narrowed, widened
from symbn.tools.kernel import Kernel

# How many rounding errors each term of a sum may bring, and a result may have on its own: see `allowed`.
SLACK = 64
Asked = tuple[str, str, int, tuple[str, ...] | None, tuple[str, ...] | None]


@dataclass(frozen=True, slots=True)
class Contender:
    """`call` is timed; `results` names the arrays in what it returned."""

    name: str
    call: Callable[[], Any]
    results: Callable[[Any], Values]


@dataclass(frozen=True, slots=True)
class Setting:
    """`values` are the inputs, constants and seeds by name, `truth` the results, in double."""

    task: Task
    derivation: Derivation
    values: Values
    truth: Values

    @property
    def second(self) -> bool:
        """Whether the second pass is timed."""
        return self.task.direction == BACKWARD

    @property
    def inputs(self) -> Values:
        """What the first pass differentiates by, in order."""
        return {part.name: self.values[part.name] for part in self.derivation.layer.inputs}

    @property
    def constants(self) -> Values:
        """Keyword arguments of the first pass."""
        return {part.name: self.values[part.name] for part in self.derivation.layer.constants}

    @property
    def seeds(self) -> Values:
        """What the second pass is given beside saved values."""
        return {seed.name: self.values[seed.name] for seed in self.derivation.seeds}


def setting_of(task: Task) -> Setting:
    """The setting of a task. UnsupportedError where no values are found at which the layer is defined."""
    derivation = derivation_of(task.text, task.mode, task.order, task.wrt, task.save)
    kernel, storage = kernel_of(task, "numpy", "float64"), storage_of(derivation.layer, SHORT[task.dtype])
    for positive in (False, True):
        values = _stored(draw(derivation, task.extents, dtype_of(storage, ()), positive=positive), derivation, storage)
        wide = {name: widened(value).astype(np.float64) for name, value in values.items()}
        with np.errstate(all="ignore"):
            truth = results_of(kernel, Setting(task, derivation, wide, {}))
        if all(np.isfinite(value).all() for value in truth.values()):
            return Setting(task, derivation, values, truth)
    raise UnsupportedError(f"{task.layer}: no values found at which it is defined, so nothing can be timed")


def _stored(values: Values, derivation: Derivation, storage: Storage) -> Values:
    """The arrays as the kernel takes them; scalars as they are."""
    parts: Sequence[Input | Constant] = (*derivation.layer.inputs, *derivation.layer.constants, *derivation.seeds)
    return values | {part.name: narrowed(values[part.name], dtype_of(storage, part.axes)) for part in parts if storage.is_half(part.axes)}


def results_of(kernel: Kernel, setting: Setting) -> Values:
    """The results of the pass in question by name."""
    first = kernel.passes[0].program
    *outputs, saved = kernel.first(*setting.inputs.values(), **setting.constants)
    if not setting.second:
        kept = {part.name: getattr(saved, part.name) for part in first.outputs if part.saved}
        return dict(zip(setting.derivation.layer.outputs, outputs, strict=True)) | kept
    found: Values = kernel.second(*setting.seeds.values(), saved)._asdict()
    return found


@lru_cache(maxsize=8)
def derivation_of(text: str, mode: str, order: int, wrt: tuple[str, ...] | None, save: tuple[str, ...] | None) -> Derivation:
    """The derivation, remembered: the same layer comes at several shapes."""
    return derive(parse_layer(text), wrt=wrt, mode=mode, order=order, save=save, steps=False)


def kernel_of(task: Task, target: str, dtype: str) -> Kernel:
    """The task's kernel."""
    threads = task.threads if target == "c" else None
    return _kernel((task.text, task.mode, task.order, task.wrt, task.save), target, dtype, threads)


@lru_cache(maxsize=16)
def _kernel(asked: Asked, target: str, dtype: str, threads: int | None) -> Kernel:
    return build(derivation_of(*asked), target=target, dtype=dtype, threads=threads)


def allowed(program: Program, task: Task) -> float:
    """The error that a result may have, relative to its largest element.

    Errors of a sum of n terms grow like sqrt(n) as they come with either sign; a contender that adds in double does better.
    """
    return SLACK * epsilon(task.dtype) * sqrt(longest_sum(program, task.extents))


def wrong(found: Values, setting: Setting, tolerance: float) -> str:
    """Which result is not what it should be, by how much; "" where all are."""
    for name, value in found.items():
        true = setting.truth[name]
        got = widened(np.asarray(value)).astype(np.float64).reshape(true.shape)
        scale = float(np.max(np.abs(true))) or 1.0
        error = float(np.max(np.abs(got - true))) / scale
        if not error <= tolerance:
            return f"{name} is off by {error:.1e} of its largest element, more than {tolerance:.1e}"
    return ""
