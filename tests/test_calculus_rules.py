"""Derivatives of elementwise functions: each smooth one against mpmath's numerical derivative, each kink against its convention."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import pytest

from symbn.calculus import engine
from symbn.calculus.convert import to_poly
from symbn.calculus.functions import apply
from symbn.calculus.rules import partial
from symbn.calculus.terms import ONE, ZERO, func, var
from symbn.errors import LayerError, UnsupportedError
from symbn.expr import FUNCTIONS
from symbn.language import parse_equation, parse_layer
from symbn.oracle import Digits, Exact, evaluate

SMOOTH = {
    "sqrt": mpmath.sqrt,
    "rsqrt": lambda u: 1 / mpmath.sqrt(u),
    "exp": mpmath.exp,
    "log": mpmath.log,
    "log1p": mpmath.log1p,
    "expm1": mpmath.expm1,
    "tanh": mpmath.tanh,
    "sigmoid": lambda u: 1 / (1 + mpmath.exp(-u)),
    "erf": mpmath.erf,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
}
KINKED = {"abs", "sign", "relu", "maximum", "minimum", "where", "stop_gradient"}


def slope(text, values, arithmetic):
    """dx of the scalar layer y = text at dy = 1."""
    parameters = ", ".join(values)
    found = engine.derive(parse_layer(f"def f({parameters}):\n    y = {text}\n    return y\n"), steps=False)
    gradients = [gradient.definition for gradient in found.gradients.values()]
    results = evaluate((*found.layer.definitions, *found.intermediates, *gradients), {**values, "dy": Fraction(1)}, {}, arithmetic)
    return [results[definition.name] for definition in gradients]


def test_every_function_of_the_language_is_here():
    assert set(SMOOTH) | KINKED == set(FUNCTIONS)


@pytest.mark.parametrize("at", [Fraction(1, 3), Fraction(7, 5)])
@pytest.mark.parametrize("name", SMOOTH)
def test_a_smooth_function_has_its_numerical_derivative(name, at):
    (found,) = slope(f"{name}(x)", {"x": at}, Digits())
    with mpmath.workdps(40):
        assert abs(mpmath.mpf(str(found)) - mpmath.diff(SMOOTH[name], mpmath.mpf(at.numerator) / at.denominator)) < mpmath.mpf(10) ** -18


@pytest.mark.parametrize("exponent", ["3", "-2", "(1/2)", "(-3/2)", "(2/3)"])
def test_powers_have_their_numerical_derivative(exponent):
    (found,) = slope(f"x**{exponent}", {"x": Fraction(5, 4)}, Digits())
    power = Fraction(exponent.strip("()"))
    with mpmath.workdps(40):
        true = mpmath.diff(lambda u: u ** (mpmath.mpf(power.numerator) / power.denominator), mpmath.mpf("1.25"))
        assert abs(mpmath.mpf(str(found)) - true) < mpmath.mpf(10) ** -18


def test_a_power_with_a_variable_exponent_has_both_derivatives():
    by_x, by_p = slope("x**p", {"x": Fraction(5, 4), "p": Fraction(7, 3)}, Digits())
    with mpmath.workdps(40):
        x, p = mpmath.mpf("1.25"), mpmath.mpf(7) / 3
        assert abs(mpmath.mpf(str(by_x)) - p * x ** (p - 1)) < mpmath.mpf(10) ** -30
        assert abs(mpmath.mpf(str(by_p)) - x**p * mpmath.log(x)) < mpmath.mpf(10) ** -30


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        ("abs(x)", 2, 1), ("abs(x)", -2, -1), ("abs(x)", 0, 0),
        ("sign(x)", 2, 0), ("sign(x)", 0, 0),
        ("relu(x)", 2, 1), ("relu(x)", -2, 0), ("relu(x)", 0, 0),
        ("stop_gradient(x)", 2, 0), ("x*stop_gradient(x)", 2, 2), ("stop_gradient(x**2) + x", 5, 1),
        ("maximum(x, 1)", 2, 1), ("maximum(x, 1)", 0, 0), ("maximum(x, 1)", 1, Fraction(1, 2)),
        ("minimum(x, 1)", 2, 0), ("minimum(x, 1)", 0, 1), ("minimum(x, 1)", 1, Fraction(1, 2)),
        ("maximum(x, x)", 3, 1), ("minimum(x, 2*x)", 0, Fraction(3, 2)),
        ("where(x > 0, 3*x, 5*x)", 1, 3), ("where(x > 0, 3*x, 5*x)", 0, 5), ("where(x >= 0, 3*x, 5*x)", 0, 3),
        ("where(x == 0, 3*x, 5*x)", 0, 3), ("where(x != 0, 3*x, 5*x)", 0, 5), ("where(x <= 0, 3*x, 5*x)", 0, 3),
        ("where(x < 0, 3*x, 5*x)", 0, 5), ("sqrt(x**2)", -3, -1), ("abs(x)**3", -2, -12),
    ],
)  # fmt: skip
def test_kinks_follow_the_conventions_of_the_language(text, at, expected):
    assert slope(text, {"x": Fraction(at)}, Exact())[0] == expected


def test_a_function_without_a_rule_is_refused_by_name():
    with pytest.raises(UnsupportedError, match="no derivative rule for 'gamma'"):
        partial("gamma", (var("x"),), 0)


PLAIN = [("exp(0)", 1), ("log(1)", 0), ("tanh(0)", 0), ("cos(0)", 1), ("abs(-1)", 1), ("relu(-3)", 0), ("relu(4)", 4)]


@pytest.mark.parametrize(("text", "number"), PLAIN)
def test_functions_of_plain_numbers_are_numbers(text, number):
    layer = parse_layer("def f(x):\n    y = x\n    return y\n")
    assert to_poly(parse_equation(f"x = {text}", layer).right).as_number() == number


def test_the_logarithm_of_a_negative_number_is_refused():
    layer = parse_layer("def f(x):\n    y = x\n    return y\n")
    with pytest.raises(LayerError, match="log of -1"):
        to_poly(parse_equation("x = log(-1)", layer).right)


def test_equal_conditions_are_one_atom():
    x, y = var("x"), var("y")
    assert func("is==", x - y) == func("is==", y - x)
    assert func("is<", x - y) != func("is<", y - x)


def test_a_condition_whose_sides_become_equal_is_one():
    """As where an axis has extent 1, and x[i] == max(x) compares an element with itself."""
    zero = var("x") - var("x")
    assert apply("is==", zero) == ONE
    assert apply("is<", zero) == ZERO
