"""Sums over a symbolic extent: split, factored, sifted, separated, merged, and named canonically."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from symbn.calculus.adjoint import by_read, derivative
from symbn.calculus.convert import to_poly
from symbn.calculus.sums import apply_deltas, open_sum, rename, sum_over
from symbn.calculus.terms import ONE, ZERO, Kind, delta, extent, var
from symbn.expr import Index
from symbn.language import parse_definition, parse_equation, parse_layer
from symbn.oracle import Exact, evaluate

LAYER = parse_layer(
    'def f(x: "N", c: "N", p: "N N", w: "M N", v: "M", a, b, *, eps=1):\n    y[i] = x[i] + 0*c[i]\n    z[m] = v[m]\n    return y, z\n'
)
AT_I, AT_J, AT_K = (Index(letter, "N") for letter in "ijk")


def poly(text):
    return to_poly(parse_equation(f"{text} = {text}", LAYER).left)


EQUAL = {
    "split over terms": ("sum(x[j] + c[j] for j in N)", "sum(x[k] for k in N) + sum(c[k] for k in N)"),
    "what does not depend comes out": ("sum(a*x[j]*v[m] for j in N)", "a*v[m]*sum(x[j] for j in N)"),
    "sum(1) = N": ("sum(1 for j in N)", "N"),
    "of a constant": ("sum(a for j in N for m in M)", "a*N*M"),
    "delta sifted": ("sum(delta(i, j)*x[j]**2 for j in N)", "x[i]**2"),
    "delta sifted from its other side": ("sum(delta(j, i)*x[j]*p[j, i] for j in N)", "x[i]*p[i, i]"),
    "two deltas": ("sum(delta(i, j)*delta(j, k)*x[j] for j in N for k in N)", "x[i]"),
    "delta between two bound indices": ("sum(delta(j, k)*p[j, k] for j in N for k in N)", "sum(p[j, j] for j in N)"),
    "unrelated factors separated": ("sum(x[j]*v[m] for j in N for m in M)", "sum(x[j] for j in N)*sum(v[m] for m in M)"),
    "nested sums merged": ("sum(c[i]*sum(p[i, j]*x[j] for j in N) for i in N)", "sum(c[i]*p[i, j]*x[j] for i in N for j in N)"),
    "nested sums in the other order": (
        "sum(x[j]*sum(p[i, j]*c[i] for i in N) for j in N)", "sum(c[i]*sum(p[i, j]*x[j] for j in N) for i in N)",
    ),
    "a square of a sum": ("sum(x[j] for j in N)**2", "sum(x[j]*x[k] for j in N for k in N)"),
    "a square of a nested sum": (
        "sum(sum(w[m, n]*x[n] for n in N)**2 for m in M)", "sum(w[m, n]*w[m, k]*x[n]*x[k] for m in M for n in N for k in N)",
    ),
    "mean": ("mean(x[j] for j in N)", "sum(x[j] for j in N)/N"),
    "mean over two axes": ("mean(w[m, n] for m in M for n in N)", "sum(sum(w[m, n] for n in N) for m in M)/(M*N)"),
    "mean of means": ("mean(mean(w[m, n] for m in M) for n in N)", "mean(w[m, n] for n in N for m in M)"),
    "deviations": ("sum(x[j] - mean(x[k] for k in N) for j in N)", "0"),
    "variance": ("mean((x[j] - mean(x[k] for k in N))**2 for j in N)", "mean(x[j]**2 for j in N) - mean(x[j] for j in N)**2"),
    "max of a constant": ("max(a + b for j in N)", "a + b"),
    "binders renamed": (
        "sum(p[i, j]*p[j, k]*p[k, i] for i in N for j in N for k in N)", "sum(p[k, i]*p[i, j]*p[j, k] for k in N for j in N for i in N)",
    ),
    "N is a number": ("sum(x[j] for j in N)/N*(N - 1)", "sum(x[j] for j in N) - mean(x[j] for j in N)"),
}  # fmt: skip
UNEQUAL = {
    "a transposed factor": ("sum(p[i, j]*c[i]*x[j] for i in N for j in N)", "sum(p[j, i]*c[i]*x[j] for i in N for j in N)"),
    "the diagonal": ("sum(p[j, j] for j in N)", "sum(p[i, j] for i in N for j in N)"),
    "a sum of products": ("sum(x[j]*c[j] for j in N)", "sum(x[j] for j in N)*sum(c[j] for j in N)"),
    "another axis": ("sum(1 for j in N)", "sum(1 for m in M)"),
    "a free index": ("sum(p[i, j] for j in N)", "sum(p[j, i] for j in N)"),
    "a cube": ("sum(x[j]**3 for j in N)", "sum(x[j] for j in N)**3"),
}


def numbers(text):
    """The value of a formula by the oracle, at unequal extents, so that the table above is itself checked."""
    generator = np.random.default_rng(3)
    shapes = {"x": 3, "c": 3, "p": (3, 3), "w": (2, 3), "v": 2, "a": (), "b": (), "eps": ()}
    exact = np.vectorize(lambda n: Fraction(int(n), 7), otypes=[object])
    values = {name: exact(generator.integers(1, 30, shape)) for name, shape in shapes.items()}
    free = sorted({i.name for i in parse_equation(f"{text} = {text}", LAYER).indices})
    left = f"value[{', '.join(free)}]" if free else "value"
    axes = tuple("M" if letter == "m" else "N" for letter in free)
    definition = parse_definition(f"{left} = {text}", LAYER, {"value": axes})
    return dict.fromkeys(free) | {"": evaluate((definition,), values, {"N": 3, "M": 2}, Exact())["value"].tolist()}


@pytest.mark.parametrize("name", EQUAL)
def test_the_same_sum_is_the_same_polynomial(name):
    left, right = EQUAL[name]
    assert poly(left) == poly(right)


@pytest.mark.parametrize("name", UNEQUAL)
def test_another_sum_is_another_polynomial(name):
    left, right = UNEQUAL[name]
    assert poly(left) != poly(right)
    assert numbers(left) != numbers(right)


@pytest.mark.parametrize("name", [n for n, (left, right) in EQUAL.items() if right != "0"])
def test_the_table_of_equal_sums_is_true(name):
    left, right = EQUAL[name]
    assert numbers(left)[""] == numbers(right)[""]


def test_binders_have_canonical_names_that_no_author_can_write():
    ((monomial, _),) = poly("sum(p[i, j]*x[j] for j in N)").terms.items()
    (atom,) = (a for a, _ in monomial if a.kind is Kind.SUM)
    assert all(index.name.startswith("~") for index in atom.parts[0])
    assert atom.free == (AT_I,)


def test_opening_a_sum_gives_fresh_binders_each_time():
    ((monomial, _),) = poly("sum(x[j]**2 for j in N)").terms.items()
    (first, _), (second, _) = open_sum(monomial[0][0]), open_sum(monomial[0][0])
    assert first != second
    fresh, body = open_sum(monomial[0][0])
    assert sum_over(fresh, body) == poly("sum(x[j]**2 for j in N)")


def test_renaming_never_touches_a_binder():
    inner = poly("sum(p[i, j]*x[j] for j in N)")
    for target in (AT_J, AT_K, Index("zeta", "N")):
        moved = rename(inner, {AT_I: target})
        assert moved.free == (target,)
        assert rename(moved, {target: AT_I}) == inner


def test_a_delta_renames_what_stands_beside_it():
    both = delta(AT_I, AT_J) * var("x", (AT_J,)) * var("p", (AT_I, AT_J))
    assert apply_deltas(both) == delta(AT_I, AT_J) * var("x", (AT_I,)) * var("p", (AT_I, AT_I))


def test_summing_nothing_gives_extents():
    assert sum_over((AT_I, AT_J), ONE) == extent("N") * extent("N")
    assert sum_over((AT_I,), ZERO) == ZERO


@pytest.mark.parametrize(
    ("text", "by", "expected"),
    [
        ("sum(x[j]**2 for j in N)", "x", "2*x[i]"),
        ("sum(c[j]*x[j] for j in N)**2", "x", "2*c[i]*sum(c[j]*x[j] for j in N)"),
        ("x[k]", "x", "delta(i, k)*x[i]/x[i]"),
        ("exp(sum(x[j] for j in N))", "x", "exp(sum(x[j] for j in N))"),
        ("sum(exp(a*x[j]) for j in N)", "x", "a*exp(a*x[i])"),
        ("sum(p[j, k]*x[j]*x[k] for j in N for k in N)", "x", "sum(p[i, k]*x[k] for k in N) + sum(p[k, i]*x[k] for k in N)"),
        ("sqrt(sum(x[j]**2 for j in N) + eps)", "x", "x[i]/sqrt(sum(x[j]**2 for j in N) + eps)"),
    ],
)
def test_partial_derivatives_sift_their_deltas(text, by, expected):
    assert derivative(poly(text), by_read(by, (AT_I,))) == poly(expected)
