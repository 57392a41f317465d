"""Sums over leading axes in C: blocks of columns, rows in parts, sums of parts; at odd sizes, with any number of threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from codegen_layers import derivation
from kernel_bounds import check_float32, results

from symbn import loads
from symbn.calculus.derivation import Derivation
from symbn.calculus.engine import derive
from symbn.tools import compiler
from symbn.tools.build import build

pytestmark = pytest.mark.skipif(not tuple(compiler.available()), reason="no C compiler")
RNG = np.random.default_rng(13)
LAYERS = {
    # Channels last: the rows are numbered by two letters.
    "last": """
def last(x: "N S C", gamma: "C", *, eps=1e-5):
    assert eps > 0
    mu[c] = mean(x[j, t, c] for j in N for t in S)
    ms[c] = mean((x[j, t, c] - mu[c])**2 for j in N for t in S)
    y[n, s, c] = gamma[c]*(x[n, s, c] - mu[c])*rsqrt(ms[c] + eps)
    return y
""",
    # Two trailing axes are kept: a loop over columns within one over groups.
    "kept": """
def kept(x: "N G C", *, eps=1e-5):
    assert eps > 0
    ms[g, c] = mean(x[j, g, c]**2 for j in N)
    y[n, g, c] = x[n, g, c]*rsqrt(ms[g, c] + eps)
    return y
""",
    # An extremum of columns, beside a sum; what is subtracted is exact.
    "highest": """
def highest(x: "N C"):
    m[c] = max(x[j, c] for j in N)
    low[c] = min(x[j, c] for j in N)
    total[c] = sum(exp(x[j, c] - m[c]) for j in N)
    y[n, c] = exp(x[n, c] - m[c])/total[c] + low[c]*x[n, c]
    return y
""",
    # A sum that goes on over the columns, made of what each column's rows gave.
    "squares": """
def squares(x: "N C"):
    m[c] = mean(x[j, c] for j in N)
    z = sum(m[c]**2 for c in C)
    y[n, c] = x[n, c]*m[c]
    return y, z
""",
    # What the number of columns is in a row: short rows may not be taken as one.
    "sized": """
def sized(x: "N C"):
    m[c] = mean(exp(x[j, c]/C) for j in N)
    y[n, c] = exp(x[n, c]/C)*m[c]
    return y
""",
    # A weight of rows, and three letters before the columns.
    "weighted": """
def weighted(x: "N S T C", w: "N T"):
    a[c] = sum(w[j, q]*x[j, r, q, c] for j in N for r in S for q in T)
    y[n, s, t, c] = x[n, s, t, c]*a[c]
    return y
""",
}
# More sums than parts of 1024 columns have room for.
MANY = [f"s{k}[c] = sum(x[j, c]**{k} for j in N)" for k in range(1, 10)]
LAYERS["many"] = "\n".join(
    (
        "",
        'def many(x: "N C"):',
        *(f"    {line}" for line in MANY),
        f"    y[c] = {' + '.join(f's{k}[c]' for k in range(1, 10))}",
        "    return y",
    )
)
FEATURES = [(1, 1), (1, 3), (3, 17), (5, 129), (17, 513), (3, 1025), (2, 2051), (1003, 3), (517, 67), (97, 1030), (40, 9000)]
SIZES: dict[str, list[tuple[int, ...]]] = {
    "last": [(1, 1, 1), (3, 5, 17), (17, 1, 129), (1, 17, 513), (31, 37, 65), (5, 7, 1026)],
    "kept": [(1, 1, 1), (5, 3, 17), (17, 2, 129), (33, 1, 1100), (3, 5, 513)],
    "highest": [(1, 1), (3, 17), (17, 129), (5, 513), (1100, 33), (300, 1025)],
    "many": [(1, 1), (67, 3), (70, 1027)],
    "sized": [(1, 1), (3, 17), (1003, 3), (600, 100)],
    "squares": [(1, 1), (3, 17), (70, 700), (1003, 3), (5, 2051)],
    "weighted": [(1, 1, 1, 1), (3, 1, 5, 17), (1, 3, 17, 129), (5, 7, 11, 65), (3, 2, 1, 1027)],
}


def _made(name: str) -> Derivation:
    return derivation(name) if name == "features" else derive(loads(LAYERS[name]), steps=False)


@pytest.mark.parametrize("name", SIZES)
def test_float32_stays_within_its_rounding_bound_at_odd_sizes(name: str) -> None:
    check_float32(_made(name), SIZES[name])


def test_a_norm_of_features_stays_within_its_rounding_bound_whatever_is_cut() -> None:
    """A row, a column, less than a block and more, few rows of many columns and many rows of few."""
    check_float32(derivation("features"), FEATURES)


@pytest.mark.parametrize("name", ["features", *SIZES])
def test_the_result_does_not_depend_on_the_number_of_threads(name: str) -> None:
    made = _made(name)
    for dtype in ("float32", "float64"):
        for sizes in FEATURES[-4:] if name == "features" else SIZES[name][-2:]:
            found = _on_threads(made, dtype, dict(zip(made.layer.axes, sizes, strict=True)))
            for other in found[1:]:
                assert all(np.array_equal(value, other[key]) for key, value in found[0].items()), (dtype, sizes)


def _on_threads(made: Derivation, dtype: str, extents: dict[str, int]) -> list[dict[str, Any]]:
    inputs, seeds = (
        [RNG.standard_normal([extents[axis] for axis in part.axes]).astype(dtype) for part in parts]
        for parts in (made.layer.inputs, made.seeds)
    )
    return [results(build(made, dtype=dtype, threads=threads), made, inputs, seeds, extents) for threads in (1, 2, 3)]


def test_the_variance_in_float64_survives_a_large_mean() -> None:
    """Against longdouble: sums carry what they lose, also from one part of the rows to the next."""
    x = RNG.standard_normal((3001, 33)) + 1e6
    *_, saved = build(derivation("features"), dtype="float64").forward(x, np.ones(33), np.ones(33), eps=1e-5)
    exact = x.astype(np.longdouble)
    variance = ((exact - exact.mean(axis=0)) ** 2).mean(axis=0)
    assert np.max(np.abs(saved.sigma2 / variance - 1)) < 1e-12
