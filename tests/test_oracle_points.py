"""Points keep the assumptions and make radicands rational squares."""

from fractions import Fraction
from math import isqrt
from random import Random

import numpy as np
import pytest

from symbn.language import parse_layer
from symbn.oracle import Digits, Exact, Floating, points

F = Fraction


def drawn(text, extents, make=Exact, seed=0):
    found = list(points(parse_layer(text), extents, (), make, Random(seed)))
    assert found
    return found


@pytest.mark.parametrize("seed", range(3))
def test_eps_makes_the_radicand_a_rational_square(seed):
    text = """
def f(x: "N", *, eps=1):
    assert eps > 0
    v = mean(x[i] ** 2 for i in N)
    y[i] = x[i] * rsqrt(v + eps)
    return y
"""
    for point in drawn(text, {"N": 3}, seed=seed):
        radicand = point.known["v"].item() + point.given["eps"].item()
        assert isqrt(radicand.numerator) ** 2 == radicand.numerator
        assert isqrt(radicand.denominator) ** 2 == radicand.denominator
        assert point.given["eps"].item() > 0
        assert point.arithmetic.kind == "rational arithmetic"


def test_a_bounded_eps_stays_within_its_bounds():
    text = "def f(x, *, eps=1):\n    assert eps > 0\n    assert eps < 1/100\n    y = sqrt(x**2 + eps)\n    return y\n"
    assert all(0 < point.given["eps"].item() < F(1, 100) for point in drawn(text, {}))


@pytest.mark.parametrize("make", [Exact, Digits, Floating])
@pytest.mark.parametrize(
    ("claim", "holds"),
    [
        ("t[n, k] >= 0", lambda t, u: (t >= 0).all()),
        ("t[n, k] < 1/10", lambda t, u: (t < F(1, 10)).all()),
        ("2 <= u", lambda t, u: u >= 2),
        ("sum(t[n, k] for k in K) == 1", lambda t, u: (t.sum(axis=1) == 1).all()),
        ("mean(t[n, k] for n in N) == 0", lambda t, u: (t.sum(axis=0) == 0).all() and (t != 0).any()),
        ("sum(t[n, k] for n in N for k in K) == u", lambda t, u: t.sum() == u),
        ("sum(t[n, k] for n in N for k in K) == 0", lambda t, u: t.sum() == 0 and (t != 0).any()),
        ("u == 1/3", lambda t, u: u == F(1, 3)),
        ("t[n, k] < u", lambda t, u: (t < u).all()),
    ],
)
def test_assumptions_hold(claim, holds, make):
    body = f"    assert {claim}\n    y = u * sum(x[n, k] * t[n, k] for n in N for k in K)\n    return y\n"
    text = f'def f(x: "N K", *, t: "N K", u=1):\n{body}'
    for point in drawn(text, {"N": 2, "K": 3}, make):
        assert holds(point.given["t"], point.given["u"].item())


def test_a_domain_is_found():
    for point in drawn('def f(x: "N"):\n    y[i] = log(x[i]) + log1p(-x[i])\n    return y\n', {"N": 4}, Digits):
        assert all(0 < value < 1 for value in point.given["x"])


def test_impossible_assumptions_have_no_point():
    layer = parse_layer("def f(x):\n    assert x > 2\n    assert x < 1\n    y = x\n    return y\n")
    assert list(points(layer, {}, (), Exact, Random(0))) == []


def test_values_are_fractions_of_the_right_shape():
    point = drawn('def f(x: "N C", a):\n    y[n, c] = a*x[n, c]\n    return y\n', {"N": 2, "C": 3})[0]
    assert point.given["x"].shape == (2, 3)
    assert point.given["a"].shape == ()
    assert all(isinstance(value, Fraction) for value in point.given["x"].flat)
    assert np.shape(point.known["y"]) == (2, 3, 1)
