"""The prover alone, without the oracle's second look: what is false somewhere is not proved."""

from __future__ import annotations

import pytest

import symbn
from symbn.errors import EquationError
from symbn.oracle import check_identity
from symbn.proof import Prover, questions

GUARDED = "z = where(x == 0, y, w/x)"

# What the layer is given and defines, an equation that is false somewhere, and what the user assumes.
FALSE = [
    ("x, y", "z = x + y", "where(sqrt(x)*y == 0, 1, 0) == where(y == 0, 1, 0)", ()),  # sqrt(x) may be 0
    ("x, y", "z = x + y", "sign(sqrt(x)*y) == sign(y)", ()),
    ("x, y", "z = where(x + y == 0, 1, 1/(x + y))", "z*(x + y) == 1", ()),  # at x + y = 0 there is no 1/(x + y) to cancel
    ("x", "z = where(x == 0, 1, 1/x)", "z*x == 1", ()),
    ("x, y, w", GUARDED, "y == w", ("x*y == x*w",)),  # that it divides by x in a branch does not say that x is not 0
    ("x", "z = where(x > 0, 2*exp(log(x)), 0)", "sqrt(x**2) == x", ()),  # a root or logarithm in a branch, just so
    ("x", "z = where(x > 0, sqrt(x)*sqrt(x), 0)", "where(x < 0, x, 0) == 0", ()),
    ("x, y", "r = sqrt(x**2*y); z = r*r", "where(x == 0, abs(y) - y, 0) == 0", ()),  # y may be negative where x is 0
    ("x, y", "z = x**2*y; assert z >= 0", "abs(y) == y", ()),
    ('p: "N N"', "assert p[i, i] >= 0; z[i, j] = 2*p[i, j]", "abs(p[i, j]) == p[i, j]", ()),  # of the diagonal alone
    ('x: "N"', "z = sum(x[i] for i in N)", "abs(z**N) == z**N", ()),  # a whole power of what may be negative
    ('x: "N"', "z = sum(x[i] for i in N)", "sqrt((z**N)**2) == z**N", ()),
]


def _layer(parameters: str, body: str) -> symbn.Layer:
    lines = "".join(f"    {line}\n" for line in body.split("; "))
    return symbn.loads(f"def f({parameters}):\n{lines}    return z\n")


@pytest.mark.parametrize(("parameters", "body", "equation", "assume"), FALSE)
def test_what_is_false_somewhere_is_not_proved(parameters: str, body: str, equation: str, assume: tuple[str, ...]) -> None:
    (question,) = questions(_layer(parameters, body), equation, assume=assume)
    assert not Prover(question.layer, question.assume).proves(question.equation.left, question.equation.right)


@pytest.mark.parametrize(
    ("parameters", "body", "equation"),
    [
        ("x, y", "z = x + y", "maximum(sqrt(x), 0) == sqrt(x)"),
        ("x, y", "z = x + y", "maximum(x**2, 0) == x**2"),
        ('x: "N"', "z = sum(x[i] for i in N)", "z**(2*N + 1) == (z**N)**2*z"),
        ('x: "N", y: "N"', "z = sum(x[i] for i in N)", "(x[i]*y[i])**N == x[i]**N*y[i]**N"),
        ('x: "N"', "z = sum(x[i] for i in N)", "2**N*2 == 2**(N + 1)"),
        ("x, y", "z = where(x + y == 0, 0, 1/(x + y))", "z*(x + y) == where(x + y == 0, 0, 1)"),
    ],
)
def test_what_holds_beside_it_is_proved(parameters: str, body: str, equation: str) -> None:
    (question,) = questions(_layer(parameters, body), equation)
    assert Prover(question.layer).proves(question.equation.left, question.equation.right)
    assert check_identity(question.layer, question.equation.left, question.equation.right).witness is None


@pytest.mark.parametrize("assume", [("N == 0",), ("N == -1",), ("1/2 == N",), ("N == 2", "N == 3")])
def test_an_extent_that_no_axis_has_is_refused(assume: tuple[str, ...]) -> None:
    with pytest.raises(EquationError, match="cannot be assumed"):
        symbn.check(_layer('x: "N"', "z = sum(x[i] for i in N)"), "z == N*x[i]", assume=assume)


def test_a_huge_extent_is_not_written_out() -> None:
    verdict = symbn.check(_layer('x: "N"', "z = sum(x[i] for i in N)"), "z == N*x[i]", assume="N == 1000000000")
    assert verdict.status == "UNDECIDED"


def test_functions_of_functions_take_no_time_that_doubles_with_each() -> None:
    deep = "x"
    for _ in range(25):
        deep = f"tanh({deep})"
    (question,) = questions(_layer("x, y", f"z = {deep}*y"), f"z == 2*{deep}", assume=("y == 2",))
    assert Prover(question.layer, question.assume).proves(question.equation.left, question.equation.right)
