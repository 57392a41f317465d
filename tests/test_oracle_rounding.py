"""Rounding bounds hold for real float32 and float64 computations, and references agree with exact arithmetic."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbn.errors import LayerError
from symbn.expr import FUNCTIONS
from symbn.language import parse_definition, parse_layer
from symbn.oracle import Exact, Floating, evaluate, evaluate_layer, extents_of, reference_gradients, rounding_bound

LAYER = parse_layer("""
def batchnorm(x: "N", gamma, beta, *, eps=1/1024):
    mu = mean(x[j] for j in N)
    sigma2 = mean((x[j] - mu) ** 2 for j in N)
    xhat[i] = (x[i] - mu) / sqrt(sigma2 + eps)
    y[i] = gamma * xhat[i] + beta
    return y
""")
DX = parse_definition(
    "dx[i] = gamma/sqrt(sigma2 + eps)*(dy[i] - mean(dy[k] for k in N) - xhat[i]*mean(dy[k]*xhat[k] for k in N))", LAYER, {"dy": ("N",)}
)
UNITS = [(np.float32, 2.0**-24), (np.float64, 2.0**-53)]


def data(size, dtype, scale=1.0, shift=0.0, seed=0):
    rng = np.random.default_rng(seed)
    inputs = {"x": (shift + scale * rng.standard_normal(size)).astype(dtype), "gamma": dtype(1.3), "beta": dtype(-0.7)}
    return inputs, {"eps": dtype(1 / 1024)}, rng.standard_normal(size).astype(dtype)


@pytest.mark.parametrize(("dtype", "unit"), UNITS)
@pytest.mark.parametrize("size", [1, 2, 7, 64, 500])
@pytest.mark.parametrize(("scale", "shift"), [(1, 0), (100, 0), (0.01, 0), (1, 1000)])
def test_bounds_hold_in_both_precisions(dtype, unit, size, scale, shift):
    inputs, constants, dy = data(size, dtype, scale, shift)
    values = {**inputs, **constants, "dy": dy}
    definitions = (*LAYER.definitions, DX)
    bounds = rounding_bound(definitions, values, {"N": size}, unit)
    true = evaluate_layer(LAYER, inputs, constants) | {"dx": reference_gradients(LAYER, inputs, constants, {"y": dy})["x"]}
    found = evaluate(definitions, values, {"N": size}, Floating(dtype))
    for name in ("mu", "sigma2", "xhat", "y", "dx"):
        assert np.all(abs(found[name].astype(np.longdouble) - true[name]) <= bounds[name]), name


def test_bounds_tell_a_wrong_divisor_from_rounding():
    inputs, constants, dy = data(64, np.float64)
    bound = rounding_bound((*LAYER.definitions, DX), {**inputs, **constants, "dy": dy}, {"N": 64}, 2.0**-53)["dx"]
    true = reference_gradients(LAYER, inputs, constants, {"y": dy})["x"]
    assert np.all(bound > 0)
    assert np.max(bound) < 1e-9 * np.max(abs(true))


def test_sums_in_pairs_have_the_smaller_bound():
    inputs, constants, _ = data(1000, np.float32)
    pairs, sequence = (
        rounding_bound(LAYER.definitions, {**inputs, **constants}, {"N": 1000}, 2.0**-24, summation=way)["mu"]
        for way in ("pairwise", "sequential")
    )
    assert pairs < sequence / 10


@pytest.mark.parametrize("function", [name for name, count in FUNCTIONS.items() if count == 1])
@settings(max_examples=20, deadline=None)
@given(x=st.floats(0.0625, 4, width=32), h=st.floats(-1, 1))
def test_a_function_moves_by_no_more_than_its_bound(function, x, h):
    layer = parse_layer(f"def f(x):\n    u = x * 0.7 - 0.01\n    y = {function}(u)\n    return y\n")
    bound = rounding_bound(layer.definitions, {"x": x}, {}, 2.0**-24)
    exact = evaluate_layer(layer, {"x": x}, {})
    moved = parse_layer(f"def f(u):\n    y = {function}(u)\n    return y\n")
    shifted = evaluate_layer(moved, {"u": exact["u"] + np.longdouble(h) * bound["u"]}, {})["y"]
    assert np.isnan(shifted) or abs(shifted - exact["y"]) <= bound["y"] * (1 + 1e-9)


def test_a_doubtful_comparison_counts_both_branches():
    layer = parse_layer("def f(x, b):\n    u = x * 0.1 - b\n    y = where(u > 0, 5, 0)\n    return y\n")
    near = rounding_bound(layer.definitions, {"x": 1.0, "b": 0.1}, {}, 2.0**-53)
    sure = rounding_bound(layer.definitions, {"x": 1.0, "b": 0.5}, {}, 2.0**-53)
    assert near["y"] >= 5
    assert sure["y"] == 0


def test_a_denominator_that_may_vanish_is_unbounded():
    layer = parse_layer("def f(x, b):\n    y = 1 / (x * 0.1 - b)\n    return y\n")
    assert np.isinf(rounding_bound(layer.definitions, {"x": 1.0, "b": 0.1}, {}, 2.0**-24)["y"])


def test_numbers_of_the_format_are_exact():
    layer = parse_layer("def f(x):\n    a = 3/8\n    b = 1/10\n    return a, b\n")
    bound = rounding_bound(layer.definitions, {"x": 1}, {}, 2.0**-24)
    assert bound["a"] == 0
    assert 0 < bound["b"] < 1e-8


def test_references_agree_with_exact_arithmetic():
    x = [Fraction(1, 2), Fraction(-3, 4), Fraction(5, 4)]
    given = {"x": x, "gamma": Fraction(3, 2), "beta": Fraction(1)}
    machine = evaluate_layer(LAYER, given, {})
    exact = evaluate(LAYER.definitions, {**given, "eps": Fraction(1, 1024)}, {"N": 3}, Exact())
    np.testing.assert_allclose(machine["y"].astype(float), [float(value) for value in exact["y"]], rtol=1e-15)
    assert set(machine) == set(LAYER.names)


def test_gradients_of_an_output_without_a_cotangent_are_left_out():
    layer = parse_layer('def f(x: "N"):\n    y[i] = x[i]**2\n    z = sum(x[i] for i in N)\n    return y, z\n')
    both = reference_gradients(layer, {"x": [1.0, 2.0]}, {}, {"y": [1.0, 1.0], "z": 3.0})["x"]
    alone = reference_gradients(layer, {"x": [1.0, 2.0]}, {}, {"y": [1.0, 1.0]}, wrt=["x"])["x"]
    assert both.tolist() == [5, 7]
    assert alone.tolist() == [2, 4]


def test_shapes_say_the_extents():
    layer = parse_layer('def f(x: "N C", g: "C"):\n    y[n, c] = x[n, c]*g[c]\n    return y\n')
    assert extents_of(layer, {"x": np.zeros((2, 3)), "g": np.zeros(3)}) == {"N": 2, "C": 3}
    with pytest.raises(LayerError, match="elements along C"):
        extents_of(layer, {"x": np.zeros((2, 3)), "g": np.zeros(4)})
    with pytest.raises(LayerError, match="axes"):
        extents_of(layer, {"x": np.zeros(2), "g": np.zeros(3)})
    with pytest.raises(LayerError, match="no value"):
        evaluate_layer(layer, {"x": np.zeros((2, 3))}, {})
