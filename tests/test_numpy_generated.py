"""Generated NumPy modules, run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from codegen_layers import NAMES, derivation, written
from hypothesis import given
from hypothesis import strategies as st

from symbn.codegen.generate import render
from symbn.tools.build import load_module

RNG = np.random.default_rng(7)
MODULES: dict[str, ModuleType] = {}


def module(name: str) -> ModuleType:
    if name not in MODULES:
        MODULES[name] = load_module(render(derivation(name), "numpy"))
    return MODULES[name]


def features(dtype: Any = np.float64, shape: tuple[int, int] = (5, 4)) -> tuple[Any, ...]:
    return tuple(RNG.standard_normal(s).astype(dtype) for s in (shape, shape[1:], shape[1:]))


def test_the_module_needs_numpy_alone(tmp_path: Path) -> None:
    (name, text), *_ = render(derivation("odd"), "numpy").items()
    (tmp_path / name).write_text(text)
    script = "import sys, odd; print(sorted(m for m in sys.modules if m.split('.')[0] in ('symbn', 'sympy', 'jinja2', 'scipy')))"
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", NAMES)
def test_the_module_has_what_it_says(name: str) -> None:
    made = module(name)
    assert set(made.__all__) <= set(vars(made))
    assert {f"{name}_forward", f"{name}_backward"} <= set(made.__all__)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_in_is_dtype_out(dtype: Any) -> None:
    arguments = {"x": (3, 4), "gamma": (4,), "beta": (4,), "q": (3, 4), "k": (3, 4), "v": (3, 5), "w": (6, 4), "b": (6,)}
    cases = {
        "features": ("x", "gamma", "beta"),
        "rows": ("x", "gamma", "beta"),
        "soft": ("x",),
        "scores": ("q", "k", "v"),
        "affine": ("x", "w", "b"),
    }
    for name, wanted in cases.items():
        values = [RNG.standard_normal(arguments[part]).astype(dtype) for part in wanted]
        y, saved = getattr(module(name), f"{name}_forward")(*values)
        gradients = getattr(module(name), f"{name}_backward")(y, saved)
        assert {value.dtype for value in (y, *saved, *gradients)} == {np.dtype(dtype)}, name


def test_odd_expressions_keep_float32() -> None:
    made = module("odd")
    p, t, w = (RNG.uniform(0.5, 1, shape).astype(np.float32) for shape in ((4, 4), (4,), (4,)))
    y, z, r, saved = made.odd_forward(p, t, 0.5, w=w)
    gradients = made.odd_backward(y, z, r, saved)
    assert {np.asarray(value).dtype for value in (y, z, r, *gradients)} == {np.dtype(np.float32)}


def test_python_numbers_will_do_for_scalars() -> None:
    made = module("pair")
    y, z, saved = made.pair_forward(1, 2.0, c=3)
    assert (float(z), type(y)) == (25.0, np.float64)
    y, _, saved = made.pair_forward(np.float32(1), np.float32(2), c=np.float32(3))
    assert type(y) is np.float32
    assert type(made.pair_backward(1.0, 1.0, saved).da) is np.float32


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gamma": np.ones(3)}, r"gamma has shape \(3,\), should be \(C,\) = \(4,\)"),
        ({"x": np.ones((5, 4, 1))}, r"x has shape \(5, 4, 1\), should be \(N, C\)"),
        ({"x": np.float64(1)}, r"x has shape \(\), should be \(N, C\)"),
        ({"beta": np.ones((4, 1))}, r"beta has shape \(4, 1\), should be \(C,\) = \(4,\)"),
        ({"x": np.ones((5, 4), int)}, "x has dtype int64, should be float32 or float64"),
        ({"gamma": np.ones(4, np.float32)}, "gamma has dtype float32, should be float64"),
        ({"x": np.ones((5, 4), complex)}, "x has dtype complex128"),
        ({"x": np.ones((0, 4))}, r"x has shape \(0, 4\), every extent should be at least 1"),
        ({"eps": np.ones(2)}, r"eps has shape \(2,\), should be a scalar"),
        ({"eps": "small"}, "eps has dtype"),
        ({"eps": None}, "eps has dtype object"),
    ],
)
def test_a_wrong_argument_is_named_with_what_it_should_be(change: dict[str, Any], message: str) -> None:
    values = dict(zip(("x", "gamma", "beta"), features(), strict=True)) | change
    with pytest.raises(ValueError, match=message):
        module("features").features_forward(**values)


def test_a_cotangent_of_the_wrong_shape_is_named() -> None:
    _, saved = module("features").features_forward(*features())
    with pytest.raises(ValueError, match=r"dy has shape \(4, 4\), should be \(N, C\) = \(5, 4\)"):
        module("features").features_backward(np.ones((4, 4)), saved)


def test_no_argument_is_changed_and_no_result_is_an_argument() -> None:
    made = load_module(render(written('def same(x: "N"):\n    y[i] = x[i]\n    return y\n', "dx[i] = dy[i]"), "numpy"))
    x = RNG.standard_normal(5)
    y, saved = made.same_forward(x)
    dx = made.same_backward(y, saved).dx
    assert not np.shares_memory(x, y)
    assert not np.shares_memory(y, dx)


def test_two_equal_gradients_are_two_arrays() -> None:
    source = 'def twice(x: "N C", a: "C", b: "C"):\n    y[i, c] = x[i, c] + a[c] + b[c]\n    return y\n'
    made = load_module(render(written(source, "da[c] = sum(dy[i, c] for i in N)\ndb[c] = sum(dy[i, c] for i in N)"), "numpy"))
    _, saved = made.twice_wrt_a_b_forward(*features())
    found = made.twice_wrt_a_b_backward(np.ones((5, 4)), saved)
    assert not np.shares_memory(found.da, found.db)


def test_nan_stays_in_its_feature() -> None:
    x, gamma, beta = features()
    x[2, 1] = np.nan
    y, saved = module("features").features_forward(x, gamma, beta)
    assert np.isnan(y).all(axis=0).tolist() == [False, True, False, False]
    dx = module("features").features_backward(np.ones_like(y), saved).dx
    assert np.isnan(dx).all(axis=0).tolist() == [False, True, False, False]


def test_one_sample_has_no_spread() -> None:
    x, gamma, beta = features(shape=(1, 3))
    y, saved = module("features").features_forward(x, gamma, beta)
    assert np.array_equal(y[0], beta)
    assert np.array_equal(module("features").features_backward(np.ones_like(y), saved).dx, np.zeros((1, 3)))


@given(st.integers(1, 7), st.integers(1, 5), st.floats(-3, 3), st.integers(0, 2**31))
def test_dx_is_linear_in_dy(n: int, c: int, factor: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    _, saved = module("features").features_forward(rng.standard_normal((n, c)), rng.standard_normal(c), rng.standard_normal(c))
    a, b = rng.standard_normal((2, n, c))
    backward = module("features").features_backward
    for left, first, second in zip(backward(a + factor * b, saved), backward(a, saved), backward(b, saved), strict=True):
        scale = 1e3 * (1 + np.max(np.abs(first)) + np.max(np.abs(second)))
        assert np.max(np.abs(left - first - factor * second)) <= 1e-15 * n * scale


def test_dx_sums_to_zero_for_any_dy() -> None:
    x, gamma, beta = features(shape=(50, 3))
    _, saved = module("features").features_forward(x, gamma, beta)
    dx = module("features").features_backward(RNG.standard_normal((50, 3)), saved).dx
    assert np.max(np.abs(dx.sum(axis=0))) < 1e-13


def test_float32_sums_are_added_in_double() -> None:
    x = np.full(2**20 + 1, 0.1, np.float32)
    y, _ = module("shrink").shrink_forward(x)
    assert y == np.float32(0.1)


def test_names_that_the_module_needs_for_itself_are_given_an_underscore() -> None:
    source = 'def shadow(extents: "N", dtype):\n    y[i] = extents[i]*dtype\n    return y\n'
    made = load_module(render(written(source, "dextents[i] = dy[i]*dtype\nddtype = sum(dy[i]*extents[i] for i in N)"), "numpy"))
    y, saved = made.shadow_forward(np.arange(3.0), 2.0)
    assert y.tolist() == [0, 2, 4]
    assert made.shadow_backward(y, saved).ddtype == 10


def test_long_index_letters_are_shortened_for_einsum() -> None:
    source = (
        'def long(x: "N K", w: "M K", p: "N N"):\n    y[row, col] = sum(x[row, k1]*w[col, k1] for k1 in K) + p[row, row]\n    return y\n'
    )
    made = load_module(render(written(source, "dp[row, k2] = delta(row, k2)*sum(dy[row, col] for col in M)"), "numpy"))
    x, w, p = RNG.standard_normal((3, 4)), RNG.standard_normal((5, 4)), RNG.standard_normal((3, 3))
    y, saved = made.long_wrt_p_forward(x, w, p)
    assert np.allclose(y, x @ w.T + np.diag(p)[:, None])
    assert np.array_equal(made.long_wrt_p_backward(y, saved).dp, np.diag(made.long_wrt_p_backward(y, saved).dp.diagonal()))
