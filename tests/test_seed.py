"""The blog post that started this, "Calculus for Batch Normalization", equation by equation, held against what the engine derives.

Every formula of the post stands here as a function over exact rationals, written from the post and not from the engine. The points make
everything rational: x is rational and eps = s**2 - sigma^2 for a rational s, so that sqrt(sigma^2 + eps) = s. Nothing has a tolerance.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction as F
from functools import cache

import numpy as np
import pytest

import symbn
from symbn.calculus import engine
from symbn.language import parse_definition
from symbn.layer import Definition
from symbn.oracle import Exact, evaluate

LAYER = symbn.load("batchnorm")


@dataclass(frozen=True)
class At:
    """An exact point, and the post's forward pass there, by hand."""

    x: tuple[F, ...]
    dy: tuple[F, ...]
    gamma: F
    beta: F
    s: F

    @property
    def n(self):
        return len(self.x)

    @property
    def every(self):
        return range(self.n)

    @property
    def mu(self):
        return sum(self.x) / self.n

    @property
    def var(self):
        return sum((x - self.mu) ** 2 for x in self.x) / self.n

    @property
    def eps(self):
        return self.s**2 - self.var

    @property
    def rstd(self):
        return 1 / self.s

    @property
    def xhat(self):
        return [(x - self.mu) * self.rstd for x in self.x]

    @property
    def y(self):
        return [self.gamma * xhat + self.beta for xhat in self.xhat]


POINTS = [
    At((F(5, 3),), (F(-2),), F(3, 2), F(1, 7), F(1, 2)),
    At((F(1), F(-2, 3)), (F(1, 2), F(3)), F(-2), F(0), F(3)),
    At((F(1, 2), F(4), F(-1)), (F(1), F(-3, 5), F(2, 7)), F(5, 3), F(-1), F(7, 2)),
    At((F(3), F(3), F(-1, 4), F(2, 9), F(8, 5)), (F(-1, 3), F(2), F(5), F(0), F(7, 8)), F(1, 3), F(11), F(5, 2)),
]


def delta(i, j):
    return F(int(i == j))


# The post, in its order.


def d21(at, k, i):
    """(2.1) dx_k/dx_i."""
    return delta(k, i)


def d22_unsimplified(at, i):
    """(2.2) before the delta is sifted: 1/N sum_j 2 (x_j - mu)(delta_ij - 1/N)."""
    return sum(2 * (at.x[j] - at.mu) * (delta(i, j) - F(1, at.n)) for j in at.every) / at.n


def d22(at, i):
    """(2.2) d sigma^2/dx_i = 2/N (x_i - mu)."""
    return F(2, at.n) * (at.x[i] - at.mu)


def d23(at, i):
    """(2.3) d (sigma^2 + eps)^(-1/2)/dx_i = -1/N (sigma^2 + eps)^(-3/2) (x_i - mu)."""
    return -F(1, at.n) * at.rstd**3 * (at.x[i] - at.mu)


def d2(at, k, i):
    """(2) dxhat_k/dx_i by the product rule, from 2.1 and 2.3."""
    return (d21(at, k, i) - F(1, at.n)) * at.rstd + (at.x[k] - at.mu) * d23(at, i)


def d24(at, k, i):
    """(2.4) dy_k/dx_i."""
    left = (delta(k, i) - F(1, at.n)) * at.rstd
    return at.gamma * (left - F(1, at.n) * (at.x[k] - at.mu) * (at.x[i] - at.mu) * at.rstd**3)


def gradient(at, i):
    """dL/dx_i = sum_k dL/dy_k dy_k/dx_i."""
    return sum(at.dy[k] * d24(at, k, i) for k in at.every)


def final_a_as_printed(at, i):
    """The first of the three final lines as the post prints it: its last sum has no dL/dy_k."""
    scale = at.gamma * at.rstd / at.n
    lost = sum((at.x[k] - at.mu) * (at.x[i] - at.mu) * at.rstd**2 for k in at.every)
    return scale * (at.n * at.dy[i] - sum(at.dy) - lost)


def final_a(at, i):
    """The same with its dL/dy_k."""
    scale = at.gamma * at.rstd / at.n
    return scale * (at.n * at.dy[i] - sum(at.dy) - sum(at.dy[k] * (at.x[k] - at.mu) * (at.x[i] - at.mu) * at.rstd**2 for k in at.every))


def final_b(at, i):
    """The second: x_i - mu in front of its sum."""
    last = (at.x[i] - at.mu) * at.rstd**2 * sum(at.dy[k] * (at.x[k] - at.mu) for k in at.every)
    return at.gamma * at.rstd / at.n * (at.n * at.dy[i] - sum(at.dy) - last)


def final_c(at, i):
    """The third, in means and xhat."""
    mean_dy = sum(at.dy) / at.n
    mean_dy_xhat = sum(at.dy[k] * at.xhat[k] for k in at.every) / at.n
    return at.gamma * at.rstd * (at.dy[i] - mean_dy - at.xhat[i] * mean_dy_xhat)


def dgamma(at):
    return sum(at.dy[k] * at.xhat[k] for k in at.every)


def dbeta(at):
    return sum(at.dy)


# What the engine says, at the same points.


@cache
def derived(mode="vjp"):
    return symbn.derive(LAYER, mode=mode)


def values(at, *definitions):
    """Forward values and the given definitions, by the oracle's evaluation over Fraction."""
    given = {"x": list(at.x), "dy": list(at.dy), "gamma": at.gamma, "beta": at.beta, "eps": at.eps}
    return evaluate((*LAYER.definitions, *definitions), given, {"N": at.n}, Exact())


def engine_formula(name, mode="vjp"):
    found = derived(mode).derivation.gradients
    return next(g.definition for g in found.values() if g.definition.name == name)


def steps_named(name):
    """Every line of the derivation whose left side is this total derivative, unfolded down to forward values."""
    axes = {"dy": ("N",), "r": (), "dx": ("N",), "dx_dx": ("N", "N"), "dmu_dx": ("N",), "dsigma2_dx": ("N",), "dr_dx": ("N",)}
    axes |= {"dxhat_dx": ("N", "N"), "dy_dx": ("N", "N"), "dy_dgamma": ("N",), "dy_dbeta": ("N",), "dgamma": (), "dbeta": ()}
    lines: list[Definition] = [parse_definition(step.equation, LAYER, axes) for step in derived().steps]
    return lines, [line for line in lines if line.name == name]


def step_values(at, name):
    """The value of each step for `name`; what a step reads is the last line before it with that name, since each is shown when known."""
    lines, wanted = steps_named(name)
    last = {line.name: line for line in lines}  # the final line of each quantity
    results = []
    for line in wanted:
        needed, known = [], {definition.name for definition in LAYER.definitions} | {"x", "dy", "gamma", "beta", "eps"}
        _require(line, last, known, needed)
        renamed = Definition("value", line.indices, line.expr)
        results.append(values(at, *needed, renamed)["value"])
    return results


def _require(line, last, known, needed):
    from symbn.expr import reads

    for name in reads(line.expr):
        if name not in known:
            _require(last[name], last, known, needed)
            known.add(name)
            needed.append(last[name])


def vector(function, at):
    return [function(at, i) for i in at.every]


def matrix(function, at):
    return [[function(at, k, i) for i in at.every] for k in at.every]


each_point = pytest.mark.parametrize("at", POINTS, ids=[f"N={at.n}" for at in POINTS])


@each_point
def test_the_forward_pass_is_the_posts(at):
    found = values(at)
    assert found["mu"] == at.mu
    assert found["sigma2"] == at.var
    assert found["xhat"].tolist() == at.xhat
    assert found["y"].tolist() == at.y


@each_point
@pytest.mark.parametrize(
    ("name", "post", "shape"),
    [
        pytest.param("dx_dx", d21, matrix, id="2.1"),
        pytest.param("dmu_dx", lambda at, i: F(1, at.n), vector, id="mean"),
        pytest.param("dsigma2_dx", d22_unsimplified, vector, id="2.2-unsimplified"),
        pytest.param("dsigma2_dx", d22, vector, id="2.2"),
        pytest.param("dr_dx", d23, vector, id="2.3"),
        pytest.param("dxhat_dx", d2, matrix, id="2"),
        pytest.param("dy_dx", d24, matrix, id="2.4"),
        pytest.param("dx", gradient, vector, id="gradient"),
    ],
)
def test_every_line_of_the_derivation_has_the_value_of_the_posts_equation(at, name, post, shape):
    found = step_values(at, name)
    assert found
    for line in found:
        assert np.asarray(line).tolist() == shape(post, at)


@pytest.mark.parametrize(
    ("label", "line"),
    [
        ("chain rule sum", "dx[i] = sum(dy[k]*dy_dx[k, i] for k in N)"),
        ("Exp. 2", "dy_dx[k, i] = gamma*dxhat_dx[k, i]"),
        ("2.1", "dx_dx[k, i] = delta(k, i)"),
        ("2.2 unsimplified", "dsigma2_dx[i] = mean(2*(x[j] - mu)*(delta(j, i) - 1/N) for j in N)"),
        ("2.2", "dsigma2_dx[i] = 2/N*(x[i] - mu)"),
        ("2.3", "dr_dx[i] = -(x[i] - mu)/(N*(sigma2 + eps)**(3/2))"),
        ("2.4", "dxhat_dx[k, i] = (delta(k, i) - 1/N)*r - (x[k] - mu)*(x[i] - mu)/(N*(sigma2 + eps)**(3/2))"),
        ("dgamma", "dgamma = sum(dy[i]*xhat[i] for i in N)"),
        ("dbeta", "dbeta = sum(dy[i] for i in N)"),
    ],
)  # fmt: skip
def test_the_derivation_passes_through_the_posts_equations(label, line):
    assert line in [step.equation for step in derived().steps]


def test_the_derivation_keeps_the_posts_order():
    order = ["dx_dx", "dsigma2_dx", "dr_dx", "dxhat_dx", "dy_dx"]
    names = [step.equation.partition("[")[0] for step in derived().steps]
    firsts = [names.index(name) for name in order]
    assert firsts == sorted(firsts)
    assert names[0] == "dx"
    assert all(step.reason for step in derived().steps)


@each_point
def test_the_jacobian_is_equation_2_4(at):
    found = values(at, engine_formula("dy_dx", "jacobian"))["dy_dx"]
    assert found.tolist() == matrix(d24, at)


@each_point
def test_the_jacobians_by_gamma_and_beta_are_xhat_and_1(at):
    found = values(at, engine_formula("dy_dgamma", "jacobian"), engine_formula("dy_dbeta", "jacobian"))
    assert found["dy_dgamma"].tolist() == at.xhat
    assert np.broadcast_to(found["dy_dbeta"], at.n).tolist() == [1] * at.n


@each_point
@pytest.mark.parametrize("line", [gradient, final_a, final_b, final_c], ids=["chain rule", "final a mended", "final b", "final c"])
def test_the_final_lines_equal_the_derived_dx(at, line):
    found = values(at, engine_formula("dx"))["dx"]
    assert found.tolist() == vector(line, at)


@each_point
def test_dgamma_and_dbeta(at):
    found = values(at, engine_formula("dgamma"), engine_formula("dbeta"))
    assert found["dgamma"] == dgamma(at)
    assert found["dbeta"] == dbeta(at)


def test_the_first_final_line_as_printed_is_wrong():
    """The slip: the last sum lost its dL/dy_k. At N = 1, and wherever all x are equal, nothing shows; here it does."""
    at = At((F(0), F(2)), (F(1), F(0)), F(1), F(0), F(2))
    assert vector(final_a_as_printed, at) == [F(1, 4), F(-1, 4)]
    assert vector(final_a, at) == [F(3, 16), F(-3, 16)] == vector(gradient, at)
    assert values(at, engine_formula("dx"))["dx"].tolist() == vector(final_a, at)


def test_the_printed_line_loses_more_than_a_sign():
    """Without its dL/dy_k the sum over k of x_k - mu is 0: the printed line has no third term at all, whatever dy is."""
    for at in POINTS:
        assert vector(final_a_as_printed, at) == [at.gamma * at.rstd * (dy - sum(at.dy) / at.n) for dy in at.dy]


ONE_LINER = "dx = gamma / np.sqrt(var + eps) * (dy - dy.mean() - xhat * (dy * xhat).mean()"


def test_the_numpy_one_liner_lacks_a_parenthesis():
    with pytest.raises(SyntaxError, match=r"'\(' was never closed"):
        compile(ONE_LINER, "post", "exec")


@each_point
def test_with_the_parenthesis_the_one_liner_is_the_derived_dx(at):
    """NumPy computes over arrays of Fraction; only the root is handed in, since NumPy has none for them."""

    class Exactly:
        @staticmethod
        def sqrt(value):
            assert value == at.s**2
            return at.s

    given = {"np": Exactly, "gamma": at.gamma, "var": at.var, "eps": at.eps}
    given |= {"dy": np.array(at.dy, object), "xhat": np.array(at.xhat, object)}
    exec(compile(ONE_LINER + ")", "post", "exec"), given)
    assert given["dx"].tolist() == values(at, engine_formula("dx"))["dx"].tolist()


def test_the_engine_finds_the_posts_compact_form():
    assert derived().gradients["x"].text == (
        "dx[i] = gamma/sqrt(sigma2 + eps)*(dy[i] - mean(dy[k] for k in N) - xhat[i]*mean(dy[k]*xhat[k] for k in N))"
    )
    assert derived().gradients["gamma"].text == "dgamma = sum(dy[k]*xhat[k] for k in N)"
    assert derived().gradients["beta"].text == "dbeta = sum(dy[k] for k in N)"
    assert engine.derive(LAYER, steps=False).gradients["x"].reductions == 2
