"""Generated code against the oracle.

In: a Derivation, targets, dtypes, extents.  Out: for every result the worst error found, and how much of its rounding bound that is.

Output buffers are full of NaN before the kernel runs, so a store that is missing fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symbn.calculus.derivation import Derivation
from symbn.codegen.storage import HALVES
from symbn.codegen.variant import variant_of
from symbn.tools.build import build
from symbn.tools.halves import dtype_of, name_of, narrowed, widened
from symbn.tools.kernel import Kernel
from symbn.tools.shapes import Extents, default_shapes
from symbn.tools.verify_case import Arrays, Case, draw_cases

TARGETS = ("numpy", "c")
# What is verified where nobody says which.
USUAL = ("float32", "float64")


@dataclass(frozen=True, slots=True)
class Row:
    """One result of one kernel; `computes` is what its second pass is called, such as `backward`.

    `error` is max|found - true|/max|true|, `used` the largest share of the allowed error, at `extents`.
    """

    layer: str
    computes: str
    target: str
    dtype: str
    quantity: str
    error: float
    used: float
    extents: Extents

    @property
    def ok(self) -> bool:
        """Whether every element was within its bound."""
        return self.used <= 1

    @property
    def line(self) -> str:
        """`batchnorm  backward  c  float32  dx  error 1.2e-07, 3% of the bound`."""
        state = f"{self.used:.1%} of the bound" if self.ok else f"TOO LARGE at {', '.join(f'{k} = {v}' for k, v in self.extents.items())}"
        return f"{self.layer}  {self.computes}  {self.target:<5}  {self.dtype}  {self.quantity:<10}  error {self.error:.1e}, {state}"


def verify(
    derivation: Derivation,
    targets: Sequence[str] = TARGETS,
    dtypes: Sequence[str] = USUAL,
    shapes: Iterable[Extents] | None = None,
    *,
    seed: int = 0,
) -> tuple[Row, ...]:
    """One row for every (target, dtype, result); NumPy does not compute in 16 bits.

    TargetError without a compiler for a target that needs one.
    """
    extents = tuple(shapes) if shapes is not None else default_shapes(derivation)
    rows = []
    for dtype in dtypes:
        cases = list(draw_cases(derivation, dtype, extents, seed))
        for target in (each for each in targets if each != "numpy" or dtype in USUAL):
            kernel = build(derivation, target=target, dtype=dtype)
            rows += _worst(row for case in cases for row in _compared(derivation, kernel, case))
    return tuple(rows)


def _compared(derivation: Derivation, kernel: Kernel, case: Case) -> Iterator[Row]:
    variant = variant_of(derivation)
    for written, found in _run(derivation, kernel, case).items():
        name = written if written in case.true else written.rstrip("_")  # a target keeps some names for itself: `np` is `np_` there
        true = np.asarray(case.true[name], np.longdouble)
        wrong = np.abs(np.asarray(widened(np.asarray(found)), np.longdouble) - true)
        scale = float(np.max(np.abs(true))) or 1.0
        allowed = case.allowed(name)
        with np.errstate(invalid="ignore"):
            # A number beyond the largest half is infinity, and what follows from it NaN.
            free = np.isinf(allowed) & (np.isfinite(wrong) | (case.storage.dtype in HALVES))
            used = np.where(free, 0, wrong / allowed)
        share = float(np.max(used)) if not np.isnan(used).any() else float("inf")
        error = float(np.max(wrong)) / scale
        yield Row(variant.base, variant.passes[1], kernel.target, name_of(kernel.dtype), name, error, share, case.extents)


def _run(derivation: Derivation, kernel: Kernel, case: Case) -> Arrays:
    """Every computed value by name, from buffers that were full of NaN."""
    layer = derivation.layer
    forward, backward = (part.program for part in kernel.passes)
    first = {part.name: _nan(part.axes, case) for part in forward.outputs}
    inputs = [case.stored(part.name) for part in layer.inputs]
    *_, saved = kernel.first(*inputs, **{part.name: case.stored(part.name) for part in layer.constants}, out=first)
    second = {part.name: _nan(part.axes, case) for part in backward.outputs}
    kernel.second(*(case.stored(seed.name) for seed in derivation.seeds), saved, out=second)
    return first | second


def _nan(axes: tuple[str, ...], case: Case) -> Any:
    return narrowed(np.full([case.extents[axis] for axis in axes], np.nan), dtype_of(case.storage, axes))


def _worst(rows: Iterable[Row]) -> list[Row]:
    """Of the rows of one kernel, the worst for each result; its error is the largest of all."""
    worst: dict[str, Row] = {}
    errors: dict[str, float] = {}
    for row in rows:
        errors[row.quantity] = max(errors.get(row.quantity, 0.0), row.error)
        if row.quantity not in worst or row.used > worst[row.quantity].used:
            worst[row.quantity] = row
    return [replace(row, error=errors[row.quantity]) for row in worst.values()]
