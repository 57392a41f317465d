"""Generated code against the oracle.

In: a Derivation, targets, dtypes, extents.  Out: for every result the worst error found, and how much of its rounding bound that is.

Inputs are drawn by the oracle and rounded to the dtype; the truth is the layer's definitions over exactly those numbers, differentiated by
dual numbers in longdouble. Output buffers are full of NaN before the kernel runs, so a store that is missing fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import numpy as np

from symbn.calculus.derivation import Derivation
from symbn.codegen.variant import variant_of
from symbn.oracle.dual import Algebra
from symbn.oracle.evaluate import compute, plain
from symbn.oracle.expect import expectation
from symbn.oracle.numbers import Floating
from symbn.oracle.points import STYLES, Point, lift, points
from symbn.oracle.rounding import rounding_bound
from symbn.tools.build import build
from symbn.tools.kernel import Kernel
from symbn.tools.shapes import Extents, default_shapes

TARGETS = ("numpy", "c")
DTYPES = ("float32", "float64")
# A kernel may reorder products, share sums and take reciprocals: the bound of the formula as written, times this.
SLACK = 4
# Inputs are multiples of 3/GRID: no power of two, so that they fill the significand.
GRID = 10**17 + 3
Arrays = dict[str, Any]


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


@dataclass(frozen=True, slots=True)
class Case:
    """Numbers of a dtype, and what follows from them: `true` values and `bounds` on a kernel's error, by name."""

    extents: Extents
    given: Arrays
    true: Arrays
    bounds: Arrays

    def allowed(self, name: str, dtype: np.dtype[Any]) -> Any:
        """The error that a kernel may make in each element of a result."""
        kind = np.finfo(dtype)
        true = np.asarray(self.true[name], np.longdouble)
        return SLACK * (np.asarray(self.bounds[name]) + float(kind.eps) * np.abs(true)) + float(kind.smallest_normal)


def verify(
    derivation: Derivation,
    targets: Sequence[str] = TARGETS,
    dtypes: Sequence[str] = DTYPES,
    shapes: Iterable[Extents] | None = None,
    *,
    seed: int = 0,
) -> tuple[Row, ...]:
    """One row for every (target, dtype, result). TargetError without a compiler for a target that needs one."""
    extents = tuple(shapes) if shapes is not None else default_shapes(derivation)
    rows = []
    for dtype in dtypes:
        cases = list(draw_cases(derivation, np.dtype(dtype), extents, seed))
        for target in targets:
            kernel = build(derivation, target=target, dtype=dtype)
            rows += _worst(row for case in cases for row in _compared(derivation, kernel, case))
    return tuple(rows)


def draw_cases(derivation: Derivation, dtype: np.dtype[Any], shapes: Sequence[Extents], seed: int) -> Iterator[Case]:
    """A case for each of the shapes where the layer is defined."""
    rng = Random(seed)
    for extents in shapes:
        point = next(points(derivation.layer, extents, derivation.seeds, Floating, rng, STYLES[1:], GRID), None)
        if point is not None:
            yield _case(derivation, dtype, point)


def _case(derivation: Derivation, dtype: np.dtype[Any], point: Point) -> Case:
    given = {name: np.asarray(value, np.float64).astype(dtype) for name, value in point.given.items()}
    arithmetic = Floating(np.longdouble)
    known = lift(given, arithmetic)
    compute(derivation.layer.definitions, known, point.extents, Algebra(arithmetic))
    gradients = derivation.gradients
    derived = expectation(derivation, Point(point.extents, given, known, arithmetic), arithmetic)
    true = {name: plain(value) for name, value in known.items() if name not in given}
    true |= {gradients[key].definition.name: value for key, value in derived.items()}
    formulas = (*derivation.intermediates, *(gradient.definition for gradient in gradients.values()))
    unit = float(np.finfo(dtype).eps) / 2
    bounds = rounding_bound((*derivation.layer.definitions, *formulas), given, point.extents, unit)
    return Case(point.extents, given, true, bounds)


def _compared(derivation: Derivation, kernel: Kernel, case: Case) -> Iterator[Row]:
    variant = variant_of(derivation)
    for written, found in _run(derivation, kernel, case).items():
        name = written if written in case.true else written.rstrip("_")  # a target keeps some names for itself: `np` is `np_` there
        true = np.asarray(case.true[name], np.longdouble)
        wrong = np.abs(np.asarray(found, np.longdouble) - true)
        scale = float(np.max(np.abs(true))) or 1.0
        allowed = case.allowed(name, kernel.dtype)
        with np.errstate(invalid="ignore"):
            used = np.where(np.isinf(allowed) & np.isfinite(wrong), 0, wrong / allowed)
        share = float(np.max(used)) if not np.isnan(used).any() else float("inf")
        error = float(np.max(wrong)) / scale
        yield Row(variant.base, variant.passes[1], kernel.target, str(kernel.dtype), name, error, share, case.extents)


def _run(derivation: Derivation, kernel: Kernel, case: Case) -> Arrays:
    """Every computed value by name, from buffers that were full of NaN."""
    layer = derivation.layer
    forward, backward = (part.program for part in kernel.passes)
    first = {part.name: _nan(part.axes, case.extents, kernel.dtype) for part in forward.outputs}
    inputs = [case.given[part.name] for part in layer.inputs]
    *_, saved = kernel.first(*inputs, **{part.name: case.given[part.name] for part in layer.constants}, out=first)
    second = {part.name: _nan(part.axes, case.extents, kernel.dtype) for part in backward.outputs}
    kernel.second(*(case.given[seed.name] for seed in derivation.seeds), saved, out=second)
    return first | second


def _nan(axes: tuple[str, ...], extents: Extents, dtype: np.dtype[Any]) -> Any:
    return np.full([extents[axis] for axis in axes], np.nan, dtype)


def _worst(rows: Iterable[Row]) -> list[Row]:
    """Of the rows of one kernel, the worst for each result; its error is the largest of all."""
    worst: dict[str, Row] = {}
    errors: dict[str, float] = {}
    for row in rows:
        errors[row.quantity] = max(errors.get(row.quantity, 0.0), row.error)
        if row.quantity not in worst or row.used > worst[row.quantity].used:
            worst[row.quantity] = row
    return [replace(row, error=errors[row.quantity]) for row in worst.values()]
