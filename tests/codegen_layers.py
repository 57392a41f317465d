# ruff: noqa: E501
"""Layers that together need everything a kernel can be asked for, with formulas written by hand.

The catalogue's layers come from the engine; these come as they are, so that code generation is tested by itself.
"""

from __future__ import annotations

from types import MappingProxyType

from symbn.calculus.derivation import Derivation, Gradient
from symbn.expr import reads
from symbn.language import parse_definition, parse_layer
from symbn.layer import Input

BATCH = """
def features(x: "N C", gamma: "C", beta: "C", *, eps=1e-5):
    assert eps > 0
    mu[c] = mean(x[j, c] for j in N)
    sigma2[c] = mean((x[j, c] - mu[c]) ** 2 for j in N)
    xhat[i, c] = (x[i, c] - mu[c]) / sqrt(sigma2[c] + eps)
    y[i, c] = gamma[c] * xhat[i, c] + beta[c]
    return y
"""
BATCH_BACK = """
dx[i, c] = gamma[c]/sqrt(sigma2[c] + eps)*(dy[i, c] - mean(dy[k, c] for k in N) - xhat[i, c]*mean(dy[k, c]*xhat[k, c] for k in N))
dgamma[c] = sum(dy[k, c]*xhat[k, c] for k in N)
dbeta[c] = sum(dy[k, c] for k in N)
"""
ROWS = """
def rows(x: "N C", gamma: "C", beta: "C", *, eps=1e-5):
    assert eps > 0
    mu[n] = mean(x[n, c] for c in C)
    sigma2[n] = mean((x[n, c] - mu[n]) ** 2 for c in C)
    xhat[n, c] = (x[n, c] - mu[n]) / sqrt(sigma2[n] + eps)
    y[n, c] = gamma[c] * xhat[n, c] + beta[c]
    return y
"""
ROWS_BACK = """
dx[n, c] = (gamma[c]*dy[n, c] - mean(gamma[k]*dy[n, k] for k in C) - xhat[n, c]*mean(gamma[k]*dy[n, k]*xhat[n, k] for k in C))/sqrt(sigma2[n] + eps)
dgamma[c] = sum(dy[k, c]*xhat[k, c] for k in N)
dbeta[c] = sum(dy[k, c] for k in N)
"""
PLANES = """
def planes(x: "N C S", gamma: "C", *, eps=1e-5):
    assert eps > 0
    ms[c] = mean(x[j, c, t] ** 2 for j in N for t in S)
    y[i, c, s] = gamma[c] * x[i, c, s] * rsqrt(ms[c] + eps)
    return y
"""
PLANES_BACK = """
dx[i, c, s] = gamma[c]*rsqrt(ms[c] + eps)*dy[i, c, s] - gamma[c]*(ms[c] + eps)**(-3/2)*x[i, c, s]*mean(dy[k, c, t]*x[k, c, t] for k in N for t in S)
dgamma[c] = rsqrt(ms[c] + eps)*sum(dy[k, c, t]*x[k, c, t] for k in N for t in S)
"""
SOFT = """
def soft(x: "N C"):
    m[n] = max(x[n, c] for c in C)
    e[n, c] = exp(x[n, c] - m[n])
    y[n, c] = e[n, c]/sum(e[n, k] for k in C)
    return y
"""
SOFT_BACK = """
dx[n, c] = y[n, c]*(dy[n, c] - sum(dy[n, k]*y[n, k] for k in C))
"""
AFFINE = """
def affine(x: "N K", w: "M K", b: "M"):
    y[n, m] = sum(x[n, k]*w[m, k] for k in K) + b[m]
    return y
"""
AFFINE_BACK = """
dx[n, k] = sum(dy[n, m]*w[m, k] for m in M)
dw[m, k] = sum(dy[n, m]*x[n, k] for n in N)
db[m] = sum(dy[n, m] for n in N)
"""
SCORES = """
def scores(q: "T D", k: "T D", v: "T E"):
    a[t, s] = sum(q[t, d]*k[s, d] for d in D)/sqrt(D)
    m[t] = max(a[t, s] for s in T)
    u[t, s] = exp(a[t, s] - m[t])
    p[t, s] = u[t, s]/sum(u[t, r] for r in T)
    y[t, e] = sum(p[t, s]*v[s, e] for s in T)
    return y
"""
SCORES_BACK = """
dp[t, s] = sum(dy[t, e]*v[s, e] for e in E)
da[t, s] = p[t, s]*(dp[t, s] - sum(dp[t, r]*p[t, r] for r in T))/sqrt(D)
dq[t, d] = sum(da[t, s]*k[s, d] for s in T)
dk[s, d] = sum(da[t, s]*q[t, d] for t in T)
dv[s, e] = sum(p[t, s]*dy[t, e] for t in T)
"""
PAIR = """
def pair(a, b, *, c=2):
    s = a*b + c
    y = exp(s)
    z = s**2
    return y, z
"""
PAIR_BACK = """
da = b*(dy*y + 2*s*dz)
db = a*(dy*y + 2*s*dz)
"""
SHRINK = """
def shrink(x: "N"):
    y = mean(x[i] for i in N)
    return y
"""
SHRINK_BACK = """
dx[i] = dy/N
"""
# All of the grammar at once; its formulas are no derivative, and are only computed.
ODD = """
def odd(p: "N N", t: "N", a, *, w: "N", c=0.5):
    assert w[n] > 0
    assert c > 0
    tr = sum(p[i, i] for i in N)
    h[i, j] = (p[i, j] - p[j, i])/(N + 1) + delta(i, j)*t[i]*tr
    lo[i] = min(where(h[i, j] > 0, h[i, j], -h[i, j]) for j in N)
    top[i] = maximum(lo[i], 1) + minimum(t[i], 1/3)
    z = sum(top[i]**(3/2)*w[i] for i in N) + a
    y[i] = top[i]*sigmoid(a)*relu(h[i, i] - c) + sign(t[i])*abs(a)**(2/3) + erf(t[i])*log1p(c) + expm1(a*c) + top[i]**(-3) + tanh(z)*w[i]**c
    r[i] = sin(t[i])*cos(a) + log(w[i]) + sqrt(N) + stop_gradient(c)*pi + where(t[i] <= a, 1, 0)
    return y, z, r
"""
ODD_BACK = """
dp[i, j] = dz*h[i, j] + delta(i, j)*dy[i] - dy[j]*p[j, i]
dt[i] = dy[i]*sum(p[i, k] for k in N)/(2*N - 1) - N*dz + 2/3 + sum(dr[i] for k in N)
da = sum(dy[k]*t[k] for k in N) + dz + sum(sum(p[i, j]**2 for j in N)**2 for i in N)
"""

TEXTS = {
    "features": (BATCH, BATCH_BACK),
    "rows": (ROWS, ROWS_BACK),
    "planes": (PLANES, PLANES_BACK),
    "soft": (SOFT, SOFT_BACK),
    "affine": (AFFINE, AFFINE_BACK),
    "scores": (SCORES, SCORES_BACK),
    "pair": (PAIR, PAIR_BACK),
    "shrink": (SHRINK, SHRINK_BACK),
    "odd": (ODD, ODD_BACK),
}
NAMES = tuple(TEXTS)
DIFFERENTIATED = tuple(name for name in NAMES if name != "odd")


def derivation(name: str) -> Derivation:
    """One of TEXTS."""
    return written(*TEXTS[name])


def written(source: str, formulas: str) -> Derivation:
    """A derivation whose results are the formulas named after an input; the others are intermediates."""
    layer = parse_layer(source)
    seeds = tuple(Input(f"d{name}", layer.axes_of(name)) for name in layer.outputs)
    axes = {seed.name: seed.axes for seed in seeds}
    results = {f"d{part.name}": part for part in layer.inputs}
    axes |= {name: part.axes for name, part in results.items()}
    intermediates, gradients = [], {}
    for line in formulas.strip().splitlines():
        definition = parse_definition(line, layer, axes)
        axes[definition.name] = definition.axes
        if definition.name in results:
            of = results[definition.name].name
            gradients[of] = Gradient(of, definition, 1, 2)
        else:
            intermediates.append(definition)
    used = {name for d in (*intermediates, *(g.definition for g in gradients.values())) for name in reads(d.expr)}
    residuals = tuple(name for name in layer.names if name in used)
    return Derivation(layer, "vjp", 1, tuple(gradients), seeds, tuple(intermediates), MappingProxyType(gradients), (), residuals)
