"""Small planes, many of them in one run: against NumPy in double, at sizes around a run, a plane, a chunk of rows, and 1."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest

from symbn import load
from symbn.calculus.derivation import Derivation
from symbn.calculus.engine import derive
from symbn.codegen.lower import LOOPS
from symbn.codegen.passes import backward_program, forward_program
from symbn.codegen.program import Program, Sweep
from symbn.codegen.schedule import schedule
from symbn.codegen.views.c import c_view
from symbn.codegen.views.c_planes import plane_of
from symbn.codegen.views.c_sizes import SIZES as WIDTHS
from symbn.language import parse_layer
from symbn.layer import Layer
from symbn.oracle.rounding import rounding_bound
from symbn.tools import compiler
from symbn.tools.build import build
from symbn.tools.kernel import Kernel

PLANE, RUN = WIDTHS["PLANE"][0], WIDTHS["RUN"][0]
RNG = np.random.default_rng(5)
NEEDS_C = pytest.mark.skipif(not tuple(compiler.available()), reason="no C compiler")
# Two rows' letters before the kept axis and two after it, extrema, an array without rows and one without planes.
TILES = """
def tiles(u: "T P B H W", scale: "B", shift: "B H W", *, weight: "T P"):
    top[b] = max(u[t, p, b, i, j] for t in T for p in P for i in H for j in W)
    low[b] = min(u[t, p, b, i, j]*weight[t, p] for t in T for p in P for i in H for j in W)
    power[b] = mean(u[t, p, b, i, j]**2*weight[t, p] for t in T for p in P for i in H for j in W)
    z[t, p, b, h, w] = scale[b]*u[t, p, b, h, w]*rsqrt(power[b] + 1) + shift[b, h, w]*weight[t, p] - top[b] - low[b]
    return z
"""
VOLUMES = """
def volumes(q: "F A D", bias: "A D"):
    total[a] = sum(q[f, a, d]*bias[a, d] for f in F for d in D)
    r[f, a, d] = q[f, a, d]/(1 + total[a]**2)
    return r
"""
LAYERS = {"batchnorm2d": load("batchnorm2d"), "tiles": parse_layer(TILES), "volumes": parse_layer(VOLUMES)}
SIZES: dict[str, list[tuple[int, ...]]] = {
    "batchnorm2d": [
        *((1, 1, 1), (2, 3, 3), (5, 17, 7), (17, 513, 7), (33, 3, 49), (5, 41, 50), (2, 17, 64), (1, 513, 1)),
        *((2, 5, PLANE), (2, 5, PLANE + 1), (3, RUN + 1, 1), (19, 3, RUN // 3)),
    ],
    "tiles": [(1, 1, 1, 1, 1), (2, 3, 17, 3, 5), (5, 4, 41, 7, 7), (1, 33, 2, 1, 50), (2, 2, 3, 16, 17)],
    "volumes": [(1, 1, 1), (35, 513, 3), (2, 17, 64), (5, 3, 300)],
}  # fmt: skip


@cache
def _derivation(name: str, mode: str = "vjp", order: int = 1) -> Derivation:
    return derive(LAYERS[name], mode=mode, order=order, steps=False)


@cache
def _kernel(name: str, mode: str, order: int, target: str, dtype: str, threads: int | None = None) -> Kernel:
    return build(_derivation(name, mode, order), target=target, dtype=dtype, threads=threads)


def _planes(program: Program) -> list[tuple[str, ...]]:
    return [plane_of(sweep, "float") for sweep in schedule(program).body if isinstance(sweep, Sweep)]


def _layer(rows: str, plane: str, body: str) -> Layer:
    return parse_layer(f'def one(x: "{rows} C {plane}", v: "{plane}", w: "{rows} C", *, k: "C C"):\n    {body}\n    return y\n')


def test_planes_are_the_letters_after_the_kept_one() -> None:
    assert _planes(backward_program(_derivation("batchnorm2d"), LOOPS)) == [("S",)]
    assert _planes(forward_program(_derivation("tiles"), LOOPS)) == [("H", "W")]
    assert _planes(forward_program(derive(load("batchnorm1d"), steps=False), LOOPS)) == [()]


@pytest.mark.parametrize(("name", "ahead"), [("batchnorm2d", True), ("batchnorm1d", False), ("instancenorm", False), ("softmax", True)])
def test_the_next_turn_is_read_ahead_where_a_turn_reads_it_twice(name: str, ahead: bool) -> None:
    view = c_view(derive(load(name), steps=False), dtypes=("f32",))
    assert any("_FETCH(&" in line for function in view.functions for line in function.body) == ahead
    assert view.fetches == ahead


OTHER = [
    "m[c] = sum(x[n, c, s]*v[s] for n in N for s in S)\n    y[n, c, s] = x[n, c, s]*m[c]",  # an array over the planes' places alone
    "m[c] = sum(x[n, c, s]*w[n, c] for n in N for s in S)\n    y[n, c, s] = x[n, c, s]*m[c]",  # a number for each row
    "m[c] = sum(x[n, c, s]*delta(c, d)*k[c, d] for n in N for s in S for d in C)\n    y[n, c, s] = x[n, c, s]*m[c]",  # the letter twice
]


@NEEDS_C
@pytest.mark.parametrize("body", OTHER)
def test_a_loop_of_another_shape_is_no_run_of_planes_and_right(body: str) -> None:
    made = derive(_layer("N", "S", body), steps=False)
    _compare(made, build(made), build(made, target="numpy", dtype="float64"), (3, 5, 7))


def _given(made: Derivation, extents: dict[str, int]) -> dict[str, Any]:
    parts = (*made.layer.inputs, *made.layer.constants, *made.seeds)
    return {part.name: RNG.uniform(0.5, 2, [extents[axis] for axis in part.axes]).astype(np.float32) for part in parts}


def _results(kernel: Kernel, made: Derivation, given: dict[str, Any], extents: dict[str, int]) -> dict[str, Any]:
    """Everything that both passes compute, from outputs that were full of NaN."""
    first, second = (
        {part.name: np.full([extents[axis] for axis in part.axes], np.nan, kernel.dtype) for part in passed.program.outputs}
        for passed in kernel.passes
    )
    values = {name: value.astype(kernel.dtype) for name, value in given.items()}
    constants = {part.name: values[part.name] for part in made.layer.constants}
    *_, saved = kernel.first(*(values[part.name] for part in made.layer.inputs), **constants, out=first)
    kernel.second(*(values[seed.name] for seed in made.seeds), saved, out=second)
    return first | second


def _compare(made: Derivation, kernel: Kernel, wide: Kernel, sizes: tuple[int, ...]) -> None:
    """Each element within a small multiple of its computed bound; both sides round where both are double."""
    extents = dict(zip(made.layer.axes, sizes, strict=True))
    given = _given(made, extents)
    formulas = (*made.layer.definitions, *made.intermediates, *(gradient.definition for gradient in made.gradients.values()))
    eps = float(np.finfo(kernel.dtype).eps)
    bounds = rounding_bound(formulas, {name: value.astype(np.float64) for name, value in given.items()}, extents, eps / 2)
    found, exact = (_results(each, made, given, extents) for each in (kernel, wide))
    for name, value in found.items():
        allowed = 4 * (np.asarray(bounds[name], np.float64) + eps * np.abs(exact[name])) + 1e-37
        assert np.all(np.abs(value - exact[name]) <= allowed), (name, sizes)


def _cases() -> Iterator[tuple[str, str, int, str]]:
    for name in SIZES:
        yield from ((name, "vjp", 1, dtype) for dtype in ("float32", "float64"))
        yield name, "jvp", 1, "float32"
    yield "batchnorm2d", "vjp", 2, "float32"
    yield "volumes", "vjp", 2, "float64"


@NEEDS_C
@pytest.mark.parametrize(("name", "mode", "order", "dtype"), tuple(_cases()))
def test_every_size_stays_within_its_rounding_bound(name: str, mode: str, order: int, dtype: str) -> None:
    kernel, wide = _kernel(name, mode, order, "c", dtype), _kernel(name, mode, order, "numpy", "float64")
    for sizes in SIZES[name]:
        _compare(_derivation(name, mode, order), kernel, wide, sizes)


@NEEDS_C
@pytest.mark.parametrize(("name", "sizes"), [("batchnorm2d", (37, 513, 49)), ("tiles", (3, 5, 259, 7, 7))])
def test_the_result_does_not_depend_on_the_number_of_threads(name: str, sizes: tuple[int, ...]) -> None:
    made = _derivation(name)
    extents = dict(zip(made.layer.axes, sizes, strict=True))
    given = _given(made, extents)
    one, *others = (_results(_kernel(name, "vjp", 1, "c", "float32", threads), made, given, extents) for threads in (1, 2, 3))
    assert all(np.array_equal(one[key], other[key]) for other in others for key in one)


@NEEDS_C
def test_dx_may_be_dy_also_where_it_passes_by_the_caches() -> None:
    made = _derivation("batchnorm2d")
    for sizes in ((9, 41, 49), (43, 513, 49)):
        extents = dict(zip(made.layer.axes, sizes, strict=True))
        given, kernel = _given(made, extents), _kernel("batchnorm2d", "vjp", 1, "c", "float32")
        *_, saved = kernel.forward(*(given[part.name] for part in made.layer.inputs))
        expected = kernel.backward(given["dy"], saved)
        found = kernel.backward(given["dy"], saved, out={"dx": given["dy"]})
        assert found.dx is given["dy"]
        assert all(np.array_equal(ours, theirs) for ours, theirs in zip(found, expected, strict=True))


@NEEDS_C
@pytest.mark.parametrize("sizes", [(4096, 5, 1), (512, 5, 49), (97, 5, 256)])
@pytest.mark.parametrize("mean", [0.0, 1e3, 1e4, 1e6])
def test_variance_and_xhat_survive_a_large_mean_with_an_outlier_first(sizes: tuple[int, int, int], mean: float) -> None:
    kernel = _kernel("batchnorm2d", "vjp", 1, "c", "float32")
    x = (mean + RNG.standard_normal(sizes)).astype(np.float32)
    x[0, :, 0] = mean * 1.5 + 100
    *_, saved = kernel.forward(x, np.ones(5, np.float32), np.ones(5, np.float32))
    exact = x.astype(np.longdouble)
    centered = exact - exact.mean(axis=(0, 2), keepdims=True)
    variance = (centered**2).mean(axis=(0, 2), keepdims=True)
    xhat = centered / np.sqrt(variance + np.longdouble(np.float32(1e-5)))
    assert np.max(np.abs(saved.sigma2.reshape(variance.shape) / variance - 1)) < 1e-6
    assert np.max(np.abs(saved.xhat - xhat) / np.maximum(np.abs(xhat), 1e-2)) < 1e-6
