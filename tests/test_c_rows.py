"""Sums over rows and sums along them in one loop: against NumPy in double, at sizes around a chunk of rows, a block of columns, and 1."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from bounded import compare, drawn, results
from compiling import WARNINGS, one_instruction_set

from symbn import load
from symbn.calculus.derivation import Derivation
from symbn.calculus.engine import derive
from symbn.codegen.generate import render
from symbn.codegen.lower import LOOPS
from symbn.codegen.passes import backward_program
from symbn.codegen.program import Joined
from symbn.codegen.schedule import schedule
from symbn.language import parse_layer
from symbn.tools import compiler
from symbn.tools.build import build
from symbn.tools.kernel import Kernel

RNG = np.random.default_rng(3)
NEEDS_C = pytest.mark.skipif(not tuple(compiler.available()), reason="no C compiler")
# A row's sums with column weights, a gate beside them, and saved numbers of a row.
GATED = """
def gated(u: "B F", weight: "F", gate: "F", *, tiny=1e-3):
    assert tiny > 0
    power[b] = mean(weight[f]*u[b, f]**2 for f in F)
    z[b, f] = gate[f]*u[b, f]*rsqrt(power[b]**2 + tiny)
    return z
"""
# An extremum beside the sums.
PEAKED = """
def peaked(q: "M V", a: "V", b: "V"):
    top[m] = max(q[m, v] for v in V)
    total[m] = sum(a[v]*q[m, v] for v in V)
    r[m, v] = a[v]*(q[m, v] - top[m]) + b[v]*q[m, v]*total[m]
    return r
"""
# Two trailing axes are summed.
SHEETS = """
def sheets(x: "N H W", g: "H W"):
    s[n] = sum(x[n, h, w]**2 for h in H for w in W)
    y[n, h, w] = g[h, w]*x[n, h, w]/(1 + s[n])
    return y
"""
LAYERS = {
    "layernorm": load("layernorm"),
    "rmsnorm": load("rmsnorm"),
    **{name: parse_layer(text) for name, text in (("gated", GATED), ("peaked", PEAKED), ("sheets", SHEETS))},
}
ROWS, COLUMNS = (1, 3, 4, 5, 17, 33), (1, 3, 15, 16, 17, 513, 1025)
SIZES: dict[str, list[tuple[int, ...]]] = {
    "layernorm": [*((rows, 17) for rows in ROWS), *((5, columns) for columns in COLUMNS), (33, 1025), (1, 1)],
    "rmsnorm": [(1, 1), (17, 513), (33, 31), (4, 1025)],
    "gated": [*((rows, 33) for rows in ROWS), *((6, columns) for columns in COLUMNS), (35, 1025)],
    "peaked": [(1, 1), (5, 3), (19, 17), (33, 515)],
    "sheets": [(1, 1, 1), (5, 3, 17), (18, 2, 513), (4, 35, 1)],
}


@cache
def _derivation(name: str, mode: str = "vjp", order: int = 1, save: tuple[str, ...] | None = None) -> Derivation:
    return derive(LAYERS[name], mode=mode, order=order, save=save, steps=False)


@cache
def _kernel(case: tuple[str, str, int, tuple[str, ...] | None], target: str, dtype: str, threads: int | None = None) -> Kernel:
    return build(_derivation(*case), target=target, dtype=dtype, threads=threads)


def _joined(made: Derivation) -> list[bool]:
    """For each Joined whether its rows come first."""
    return [s.rows_first for s in schedule(backward_program(made, LOOPS)).body if isinstance(s, Joined)]


def test_sums_over_rows_wait_for_the_row_where_they_need_its_sums() -> None:
    assert _joined(_derivation("layernorm")) == [False]
    assert _joined(_derivation("layernorm", order=2)) == [True]
    assert _joined(_derivation("gated", order=2)) == [True]


def _cases() -> Iterator[tuple[str, str, int, tuple[str, ...] | None, str]]:
    for name in SIZES:
        yield from ((name, "vjp", 1, None, dtype) for dtype in ("float32", "float64"))
    yield "layernorm", "vjp", 1, ("x", "mu", "sigma2"), "float32"
    yield "layernorm", "vjp", 1, ("x", "mu", "sigma2"), "float64"
    for name in ("layernorm", "gated"):
        yield name, "jvp", 1, None, "float32"
        yield name, "vjp", 2, None, "float32"
    yield "gated", "vjp", 2, None, "float64"


@NEEDS_C
@pytest.mark.parametrize(("name", "mode", "order", "save", "dtype"), tuple(_cases()))
def test_every_size_stays_within_its_rounding_bound(name: str, mode: str, order: int, save: tuple[str, ...] | None, dtype: str) -> None:
    case = (name, mode, order, save)
    kernel, wide = _kernel(case, "c", dtype), _kernel(case, "numpy", "float64")
    for sizes in SIZES[name]:
        compare(_derivation(*case), kernel, wide, sizes, RNG)


@pytest.mark.parametrize("program", ["gcc", "clang"])
def test_no_compiler_has_a_warning(program: str, tmp_path: Path) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"no {program}")
    for name, save in (("layernorm", ("x", "mu", "sigma2")), ("gated", None), ("peaked", None), ("sheets", None)):
        for file, text in render(_derivation(name, save=save), "c").items():
            (tmp_path / file).write_text(text, encoding="ascii")
    files = sorted(tmp_path.glob("*.c"))
    command = [program, "-std=c99", *WARNINGS, *one_instruction_set(files), "-O1", "-c", *map(str, files)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@NEEDS_C
@pytest.mark.parametrize(("name", "order"), [("layernorm", 1), ("layernorm", 2), ("gated", 2)])
def test_the_result_does_not_depend_on_the_number_of_threads(name: str, order: int) -> None:
    case = (name, "vjp", order, None)
    made, extents = _derivation(*case), dict(zip(LAYERS[name].axes, (67, 1029), strict=True))
    given = drawn(made, extents, RNG)
    given |= {part.name: np.abs(given[part.name]) for part in made.layer.constants}
    one, *others = (results(_kernel(case, "c", "float32", threads), made, given, extents) for threads in (1, 2, 3))
    assert all(np.array_equal(one[key], other[key]) for other in others for key in one)
