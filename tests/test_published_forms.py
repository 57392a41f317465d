"""The catalogue's results against the closed forms that people published, in exact arithmetic, and no longer than those.

A line that starts with `~` is an intermediate. Each form is a reader's, from the paper or the reference implementation named beside it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from random import Random

import numpy as np
import pytest

from symbn import catalogue
from symbn.calculus import engine
from symbn.calculus.cost import cost_of
from symbn.calculus.derivation import Gradient
from symbn.language import load_layer, parse_definition
from symbn.layer import Input
from symbn.oracle import Digits, Exact, points, verify_derivation
from symbn.oracle.dual import Algebra
from symbn.oracle.evaluate import compute, plain
from symbn.oracle.kinds import is_transcendental
from symbn.oracle.verify import small_extents

PUBLISHED = {
    # Ioffe and Szegedy, arXiv:1502.03167, section 3, put together as in every compact implementation.
    "batchnorm": [
        "dx[i] = gamma/(N*sqrt(sigma2 + eps))*(N*dy[i] - sum(dy[j] for j in N) - xhat[i]*sum(dy[j]*xhat[j] for j in N))",
        "dgamma = sum(dy[j]*xhat[j] for j in N)",
        "dbeta = sum(dy[j] for j in N)",
    ],
    "batchnorm1d": [
        "dx[i, c] = gamma[c]/(N*sqrt(sigma2[c] + eps))*(N*dy[i, c] - sum(dy[j, c] for j in N)"
        " - xhat[i, c]*sum(dy[j, c]*xhat[j, c] for j in N))",
        "dgamma[c] = sum(dy[j, c]*xhat[j, c] for j in N)",
        "dbeta[c] = sum(dy[j, c] for j in N)",
    ],
    "batchnorm2d": [
        "dbeta[c] = sum(dy[m, c, t] for m in N for t in S)",
        "dgamma[c] = sum(dy[m, c, t]*xhat[m, c, t] for m in N for t in S)",
        "dx[n, c, s] = gamma[c]/sqrt(sigma2[c] + eps)*(dy[n, c, s] - mean(dy[m, c, t] for m in N for t in S)"
        " - xhat[n, c, s]*mean(dy[m, c, t]*xhat[m, c, t] for m in N for t in S))",
    ],
    "batchnorm_inference": [
        "dx[n, c, s] = gamma[c]/sqrt(sigma2[c] + eps)*dy[n, c, s]",
        "dgamma[c] = sum(dy[m, c, t]*xhat[m, c, t] for m in N for t in S)",
        "dbeta[c] = sum(dy[m, c, t] for m in N for t in S)",
    ],
    # Luo et al., arXiv:1702.05870, equation 7, with the floor under both lengths.
    "cosine_similarity": [
        "du[n, d] = dy[n]*(v[n, d]/(norm_u[n]*norm_v[n]) - y[n]*u[n, d]/norm_u[n]**2)",
        "dv[n, d] = dy[n]*(u[n, d]/(norm_u[n]*norm_v[n]) - y[n]*v[n, d]/norm_v[n]**2)",
    ],
    # Bishop (2006), equation 4.109.
    "cross_entropy": ["dx[n, k] = dloss/N*(p[n, k] - t[n, k])"],
    # Wu and He, arXiv:1803.08494, as PyTorch's CPU kernel has it.
    "groupnorm": [
        "dx[n, g, k, s] = (gamma[g, k]*dy[n, g, k, s] - mean(gamma[g, l]*dy[n, g, l, t] for l in K for t in S)"
        " - xhat[n, g, k, s]*mean(gamma[g, l]*dy[n, g, l, t]*xhat[n, g, l, t] for l in K for t in S))/sqrt(sigma2[n, g] + eps)",
        "dgamma[g, k] = sum(dy[n, g, k, s]*xhat[n, g, k, s] for n in N for s in S)",
        "dbeta[g, k] = sum(dy[n, g, k, s] for n in N for s in S)",
    ],
    "instancenorm": [
        "dx[n, c, s] = gamma[c]/sqrt(sigma2[n, c] + eps)*(dy[n, c, s] - mean(dy[n, c, t] for t in S)"
        " - xhat[n, c, s]*mean(dy[n, c, t]*xhat[n, c, t] for t in S))",
        "dgamma[c] = sum(dy[n, c, s]*xhat[n, c, s] for n in N for s in S)",
        "dbeta[c] = sum(dy[n, c, s] for n in N for s in S)",
    ],
    # (I - y y^T) dy / |x|.
    "l2norm": ["dx[n, d] = (dy[n, d] - y[n, d]*sum(y[n, j]*dy[n, j] for j in D))/norm[n]"],
    # Ba, Kiros and Hinton, arXiv:1607.06450, as in PyTorch's and Apex's kernels.
    "layernorm": [
        "dx[n, d] = (gamma[d]*dy[n, d] - mean(gamma[j]*dy[n, j] for j in D)"
        " - xhat[n, d]*mean(gamma[j]*dy[n, j]*xhat[n, j] for j in D))/sqrt(sigma2[n] + eps)",
        "dgamma[d] = sum(dy[n, d]*xhat[n, d] for n in N)",
        "dbeta[d] = sum(dy[n, d] for n in N)",
    ],
    # dx = dy w, dw = dy^T x, db = dy^T 1.
    "linear": [
        "dx[n, i] = sum(dy[n, o]*w[o, i] for o in O)",
        "dw[o, i] = sum(dy[n, o]*x[n, i] for n in N)",
        "db[o] = sum(dy[n, o] for n in N)",
    ],
    "log_softmax": ["dx[n, k] = dy[n, k] - exp(y[n, k])*sum(dy[n, l] for l in K)"],
    "logsumexp": ["dx[n, k] = dy[n]*exp(x[n, k] - y[n])"],
    "mse": ["dx[n, d] = 2*dloss/(N*D)*(x[n, d] - t[n, d])"],
    # Zhang and Sennrich, arXiv:1910.07467.
    "rmsnorm": [
        "dx[n, d] = (gamma[d]*dy[n, d] - xhat[n, d]*mean(gamma[j]*dy[n, j]*xhat[n, j] for j in D))/sqrt(ms[n] + eps)",
        "dgamma[d] = sum(dy[n, d]*xhat[n, d] for n in N)",
    ],
    # Bridle (1990).
    "softmax": ["dx[n, k] = y[n, k]*(dy[n, k] - sum(dy[n, l]*y[n, l] for l in K))"],
    # Salimans and Kingma, arXiv:1602.07868, equation 3.
    "weight_norm": [
        "dg[o] = sum(dw[o, j]*v[o, j] for j in I)/norm[o]",
        "dv[o, i] = g[o]/norm[o]*dw[o, i] - g[o]*dg[o]/norm[o]**2*v[o, i]",
    ],
    # Qiao et al., arXiv:1903.10520, equation 11.
    "weight_standardization": [
        "dw[o, i] = (dwhat[o, i] - mean(dwhat[o, j] for j in I)"
        " - what[o, i]*mean(dwhat[o, j]*what[o, j] for j in I))/sqrt(sigma2[o] + eps)",
    ],
}  # fmt: skip

# v = ddx, P(u) = u - mean(u) - xhat*mean(u*xhat), a = mean(v*xhat), b = mean(dy*xhat), r = 1/sqrt(sigma2 + eps).
SECOND = {
    "batchnorm": [
        "~r = 1/sqrt(sigma2 + eps)",
        "~a = mean(ddx[j]*xhat[j] for j in N)",
        "~b = mean(dy[j]*xhat[j] for j in N)",
        "~pv[i] = ddx[i] - mean(ddx[j] for j in N) - xhat[i]*a",
        "~pdy[i] = dy[i] - mean(dy[j] for j in N) - xhat[i]*b",
        "grad_x[i] = gamma*r**2*(xhat[i]*(mean(ddx[j] for j in N)*mean(dy[j] for j in N) - mean(ddx[j]*dy[j] for j in N) + 3*a*b)"
        " - a*(dy[i] - mean(dy[j] for j in N)) - b*(ddx[i] - mean(ddx[j] for j in N))) + ddgamma*r*pdy[i]",
        "grad_dy[i] = gamma*r*pv[i] + ddgamma*xhat[i] + ddbeta",
        "grad_gamma = r*sum(ddx[j]*pdy[j] for j in N)",
        "grad_beta = 0",
    ],
    "l2norm": [
        "~s[n] = sum(dy[n, j]*y[n, j] for j in D)",
        "~t[n] = sum(ddx[n, j]*y[n, j] for j in D)",
        "grad_dy[n, d] = (ddx[n, d] - t[n]*y[n, d])/norm[n]",
        "grad_x[n, d] = (y[n, d]*(3*s[n]*t[n] - sum(ddx[n, j]*dy[n, j] for j in D)) - s[n]*ddx[n, d] - t[n]*dy[n, d])/norm[n]**2",
    ],
    "softmax": [
        "~s[n] = sum(dy[n, l]*y[n, l] for l in K)",
        "~t[n] = sum(ddx[n, l]*y[n, l] for l in K)",
        "~h[n, k] = ddx[n, k]*(dy[n, k] - s[n]) - t[n]*dy[n, k]",
        "grad_dy[n, k] = y[n, k]*(ddx[n, k] - t[n])",
        "grad_x[n, k] = y[n, k]*(h[n, k] - sum(y[n, l]*h[n, l] for l in K))",
    ],
}  # fmt: skip


@cache
def derive(name, order=1):
    return engine.derive(load_layer(name), steps=False, order=order)


def by_hand(name, lines, order=1):
    """The published form in the place of the engine's."""
    found = derive(name, order)
    axes = {part.name: part.axes for part in (*found.layer.inputs, *found.layer.definitions)}
    extra = {seed.name: seed.axes for seed in found.seeds} | {g.definition.name: g.definition.axes for g in found.gradients.values()}
    extra |= {f"d{part.name}": part.axes for part in found.layer.inputs if f"d{part.name}" not in axes}
    shared, gradients = [], {}
    for line in lines:
        definition = parse_definition(line.removeprefix("~"), found.layer, extra)
        if line.startswith("~"):
            shared.append(definition)
            extra[definition.name] = definition.axes
        else:
            of = definition.name.removeprefix("grad_") if order == 2 else definition.name.removeprefix("d")
            gradients[of] = Gradient(of, definition, 0, 0)
    return found, replace(found, intermediates=tuple(shared), gradients=gradients)


def formulas(derivation):
    return (*derivation.intermediates, *(gradient.definition for gradient in derivation.gradients.values()))


def values(derivation, point):
    known = dict(point.known)
    compute(formulas(derivation), known, point.extents, Algebra(point.arithmetic))
    return {definition.name: plain(known[definition.name]) for definition in formulas(derivation)}


def cost(derivation):
    found = cost_of([definition.expr for definition in formulas(derivation)])
    return found.reductions, found.operations


def assert_equal_everywhere(found, hand):
    """Both forms at two points for each of several extents: the very same rationals, or 40 digits where there is an exponential."""
    layer = found.layer
    transcendental = any(is_transcendental(part.expr) for part in (*layer.definitions, *formulas(found), *formulas(hand)))
    seeds = [Input(f"d{out}", layer.axes_of(out)) for out in layer.outputs if f"d{out}" not in layer.names]
    seeds = list({part.name: part for part in (*seeds, *found.seeds)}.values())
    compared = 0
    for extents in small_extents(layer.axes):
        for _, point in zip(range(2), points(layer, extents, seeds, Digits if transcendental else Exact, Random(1)), strict=False):
            ours, theirs = values(found, point), values(hand, point)
            for of in found.gradients:
                mine, published = (side[found.gradients[of].definition.name] for side in (ours, theirs))
                assert mine.shape == published.shape
                if transcendental:
                    gap = max((abs(a - b) for a, b in zip(mine.flat, published.flat, strict=True)), default=0)
                    assert gap <= 1e-40 * max([1, *(abs(a) for a in mine.flat)])
                else:
                    assert np.all(mine == published)
            compared += 1
    assert compared >= 5


def test_every_layer_has_its_published_form():
    assert set(PUBLISHED) == set(catalogue.names())


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_result_is_the_published_form(name):
    found, hand = by_hand(name, PUBLISHED[name])
    assert set(found.gradients) == set(hand.gradients)
    assert_equal_everywhere(found, hand)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_result_is_no_longer_than_the_published_form(name):
    found, hand = by_hand(name, PUBLISHED[name])
    assert cost(found) <= cost(hand)


@pytest.mark.parametrize("name", SECOND)
def test_the_second_order_is_the_published_form(name):
    found, hand = by_hand(name, SECOND[name], order=2)
    assert set(found.gradients) == set(hand.gradients)
    assert verify_derivation(hand).ok
    assert_equal_everywhere(found, hand)


@pytest.mark.parametrize("name", SECOND)
def test_the_second_order_is_no_longer_than_the_published_form(name):
    found, hand = by_hand(name, SECOND[name], order=2)
    assert cost(found) <= cost(hand)


def test_the_comparison_sees_a_wrong_coefficient():
    found, hand = by_hand("batchnorm", [line.replace("3*a*b", "2*a*b") for line in SECOND["batchnorm"]], order=2)
    with pytest.raises(AssertionError):
        assert_equal_everywhere(found, hand)


if __name__ == "__main__":
    for order, table in ((1, PUBLISHED), (2, SECOND)):
        for name, lines in table.items():
            found, hand = by_hand(name, lines, order)
            print(f"{name:24}{order:3}  ours {cost(found)}  published {cost(hand)}")
