"""Functions that generated C computes itself in a float loop, against NumPy in double: over all sizes, signs, and what is no number."""

from __future__ import annotations

import numpy as np
import pytest

from symbn import build, loads
from symbn.oracle.rounding import ULPS
from symbn.tools import compiler

pytestmark = pytest.mark.skipif(not tuple(compiler.available()), reason="no C compiler")
SIZES = np.concatenate([np.geomspace(1e-37, 1.0, 40_001), np.linspace(0.0, 2.0, 40_001), np.linspace(2.0, 88.0, 40_001)])
POINTS = np.concatenate([SIZES, -SIZES]).astype(np.float32)
UNIT = 2.0**-24
TRUE = {"exp": np.exp, "tanh": np.tanh, "sigmoid": lambda x: 1 / (1 + np.exp(-x))}


def values(function: str, x: np.ndarray) -> np.ndarray:
    kernel = build(loads(f'def f(x: "N"):\n    y[i] = {function}(x[i])\n    return y\n'), dtype="float32")
    return np.asarray(kernel.forward(x)[0])


@pytest.mark.parametrize("function", TRUE)
def test_they_are_as_exact_as_the_oracle_assumes(function: str) -> None:
    with np.errstate(over="ignore"):
        true = TRUE[function](POINTS.astype(np.float64))
    found = values(function, POINTS)
    normal = (np.abs(true) > np.finfo(np.float32).tiny) & (np.abs(true) < np.finfo(np.float32).max)
    assert np.max(np.abs(found[normal] / true[normal] - 1)) < ULPS[function] * UNIT
    assert np.max(np.abs(found[~normal] - true[~normal]), initial=0.0) < np.finfo(np.float32).tiny


def test_exp_is_as_exact_as_its_comment_says() -> None:
    x = POINTS[np.abs(POINTS) < 87.0]
    assert np.max(np.abs(values("exp", x) / np.exp(x.astype(np.float64)) - 1)) < 3 * UNIT
    assert values("exp", np.array([0.0, -88.0], np.float32)).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("function", TRUE)
def test_infinities_and_nan(function: str) -> None:
    x = np.array([np.inf, -np.inf, np.nan, 1e30, -1e30, 0.0], np.float32)
    with np.errstate(over="ignore"):
        assert np.array_equal(values(function, x), TRUE[function](x.astype(np.float64)).astype(np.float32), equal_nan=True)


def test_the_sign_of_zero_stays() -> None:
    assert np.signbit(values("tanh", np.array([-0.0, 0.0], np.float32))).tolist() == [True, False]
