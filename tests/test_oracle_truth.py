"""Values and derivatives from definitions, against results worked out by hand."""

import math
from fractions import Fraction

import numpy as np
import pytest

from symbn.expr import FUNCTIONS, Call, Extent, Index, Read, Reduce, add, mul
from symbn.language import parse_layer
from symbn.layer import Definition
from symbn.oracle import ComplexStep, Digits, Exact, Floating, Truth, evaluate
from symbn.oracle.points import lift

F = Fraction


def truth(text, given, extents, arithmetic=None):
    arithmetic = arithmetic or Exact()
    return Truth(parse_layer(text), lift(given, arithmetic), extents, arithmetic)


def gradient(body, x, arithmetic=None, signature='x: "N"'):
    """The gradient of the sum of y by x, with y = body."""
    layer = truth(f"def f({signature}):\n    y[i] = {body}\n    return y\n", {"x": x}, {"N": len(x)}, arithmetic)
    return list(layer.vjp(["x"], {"y": layer.arithmetic.array([[1]] * len(x))})["x"])


@pytest.mark.parametrize(
    ("body", "slope"),
    [
        ("x[i] ** 3", 12),
        ("1 / x[i]", F(-1, 4)),
        ("x[i] ** -2", F(-1, 4)),
        ("sqrt(2*x[i])", F(1, 2)),
        ("rsqrt(2*x[i])", F(-1, 8)),
        ("(2*x[i]) ** (3/2)", 6),
        ("(8*x[i]) ** (1/4)", F(1, 4)),
        ("x[i] ** N", 1),
        ("x[i] * stop_gradient(x[i])", 2),
        ("where(x[i] > 1, x[i] * x[i], 1 / (x[i] - 2))", 4),
        ("maximum(x[i], 5) + minimum(3 * x[i], 7)", 3),
    ],
)
def test_derivative_at_two_by_hand(body, slope):
    assert gradient(body, [2]) == [slope]


@pytest.mark.parametrize(
    ("body", "slope"),
    [
        ("abs(x[i])", 0),
        ("relu(x[i])", 0),
        ("sign(x[i])", 0),
        ("maximum(x[i], 3*x[i])", 2),
        ("minimum(x[i], 0)", F(1, 2)),
        ("where(x[i] > 0, x[i], 7*x[i])", 7),
        ("where(x[i] >= 0, x[i], 7*x[i])", 1),
    ],
)
@pytest.mark.parametrize("arithmetic", [Exact, Digits, Floating, ComplexStep])
def test_conventions_at_zero(body, slope, arithmetic):
    assert gradient(body, [0], arithmetic()) == [slope]


@pytest.mark.parametrize("arithmetic", [Exact, Floating, ComplexStep])
def test_ties_share_the_cotangent_evenly(arithmetic):
    text = 'def f(x: "N"):\n    y = max(x[i] for i in N)\n    z = min(x[i] for i in N)\n    return y, z\n'
    layer = truth(text, {"x": [1, 3, 1, 3]}, {"N": 4}, arithmetic())
    cotangents = {"y": layer.arithmetic.array([1]), "z": layer.arithmetic.array([4])}
    assert list(layer.vjp(["x"], cotangents)["x"]) == [2, F(1, 2), 2, F(1, 2)]


def test_undefined_values_in_the_other_branch_do_no_harm():
    assert gradient("where(x[i] > 0, sqrt(x[i]), 0)", [4, -4, 0]) == [F(1, 4), 0, 0]


def test_diagonals_transposes_and_shadowed_letters():
    text = "def f(p: 'N N'):\n    d[i] = p[i, i]\n    t[i, j] = p[j, i]\n    return d, t\n"
    j = Index("j", "N")
    shadowed = mul(Read("d", (j,)), Reduce("sum", add(Read("p", (j, j)), Extent("N")), (j,)))
    definitions = (*parse_layer(text).definitions, Definition("s", (j,), shadowed))
    found = evaluate(definitions, {"p": [[1, 2], [3, 4]]}, {"N": 2}, Exact())
    assert found["d"].tolist() == [1, 4]
    assert found["t"].tolist() == [[1, 3], [2, 4]]
    assert found["s"].tolist() == [9, 36]


def test_reductions_over_several_indices_and_of_constants():
    text = (
        "def f(x: 'N C'):\n    a = mean(x[n, c] for n in N for c in C)\n"
        "    b = sum(1 for n in N) * max(delta(i, j) for i in N for j in N)\n    return a, b\n"
    )
    found = evaluate(parse_layer(text).definitions, {"x": [[1, 2, 3], [4, 5, 7]]}, {"N": 2, "C": 3}, Exact())
    assert (found["a"].item(), found["b"].item()) == (F(22, 6), 2)


@pytest.mark.parametrize("function", [name for name, count in FUNCTIONS.items() if count == 1 and name != "stop_gradient"])
def test_every_function_has_one_slope_in_every_arithmetic(function):
    body, x = f"{function}(x[i] / 2 + 1/3)", [F(1, 4), F(5, 4), F(2)]
    digits = [float(v) for v in gradient(body, x, Digits())]
    for arithmetic in (Floating(), Floating(np.longdouble), ComplexStep()):
        np.testing.assert_allclose(np.asarray(gradient(body, x, arithmetic)).real.astype(float), digits, rtol=4e-15)
    step = 1e-20
    central = evaluate_at(body, [v + F(step) for v in x]) - evaluate_at(body, [v - F(step) for v in x])
    np.testing.assert_allclose([float(v) for v in central / (2 * F(step))], digits, rtol=1e-12)


@pytest.mark.parametrize("arithmetic", [Digits, Floating, ComplexStep])
def test_pi_is_a_number(arithmetic):
    found = evaluate([Definition("c", (), Call("pi", ()))], {}, {}, arithmetic())["c"].item()
    assert float(found.real) == math.pi


def evaluate_at(body, x):
    digits = Digits(80)
    found = evaluate(parse_layer(f'def f(x: "N"):\n    y[i] = {body}\n    return y\n').definitions, {"x": x}, {"N": len(x)}, digits)["y"]
    return np.array([F(*v.as_integer_ratio()) if hasattr(v, "as_integer_ratio") else F(str(v)) for v in found], dtype=object)


def test_second_order_is_a_dual_of_duals():
    text = 'def f(x: "N", a):\n    y[i] = a * x[i] ** 3\n    return y\n'
    for arithmetic in (Exact(), ComplexStep()):
        layer = truth(text, {"x": [2, 3], "a": 5}, {"N": 2}, arithmetic)
        seeds = lift({"dy": [1, 7], "ddx": [2, 1], "dda": 3}, arithmetic)
        found = layer.second(["x", "a"], {"y": seeds["dy"]}, {"x": seeds["ddx"], "a": seeds["dda"]})
        # S = sum(3 a x^2 dy ddx) + sum(x^3 dy) dda
        expected = [6 * 5 * 2 * 1 * 2 + 3 * 4 * 1 * 3, 6 * 5 * 3 * 7 * 1 + 3 * 9 * 7 * 3]
        np.testing.assert_allclose([float(np.real(v)) for v in found["x"]], expected, rtol=1e-15)
        np.testing.assert_allclose(float(np.real(found["a"])), 3 * 4 * 1 * 2 + 3 * 9 * 7 * 1, rtol=1e-15)


def test_jacobian_puts_the_numerator_first():
    text = 'def f(x: "N", w: "M N"):\n    y[m] = sum(w[m, n] * x[n] for n in N)\n    return y\n'
    layer = truth(text, {"x": [1, 2], "w": [[1, 2], [3, 4], [5, 6]]}, {"N": 2, "M": 3})
    assert layer.jacobian("y", "x").tolist() == [[1, 2], [3, 4], [5, 6]]


def test_directions_in_chunks_give_the_same_gradient(monkeypatch):
    text = 'def f(x: "N", a):\n    y[i] = a * x[i] ** 2 + mean(x[j] for j in N)\n    return y\n'
    whole = truth(text, {"x": [1, 2, 3, 4, 5], "a": 3}, {"N": 5})
    cotangents = {"y": whole.arithmetic.array([[1], [2], [3], [4], [5]])}
    expected = whole.vjp(["x", "a"], cotangents)
    monkeypatch.setattr("symbn.oracle.truth.CHUNK", 15)
    chunked = whole.vjp(["a", "x"], cotangents)
    assert chunked["x"].tolist() == expected["x"].tolist()
    assert chunked["a"].item() == expected["a"].item()


def test_stacked_normalization_is_exact():
    text = """
def twice(x: "N", *, eps=1):
    assert eps > 0
    u[i] = (x[i] - mean(x[j] for j in N)) / sqrt(mean((x[j] - mean(x[k] for k in N)) ** 2 for j in N) + eps)
    y[i] = u[i] / sqrt(sum(u[j] ** 4 for j in N) + sqrt(3))
    return y
"""
    given, extents = {"x": [1, 2, 5], "eps": F(1, 3)}, {"N": 3}
    exact, machine = truth(text, given, extents), truth(text, given, extents, Floating())
    found, expected = (layer.vjp(["x"], {"y": layer.arithmetic.array([[1], [-2], [3]])})["x"] for layer in (exact, machine))
    assert exact.arithmetic.kind == "exact square roots"
    np.testing.assert_allclose([float(v) for v in found], expected, rtol=1e-12)
