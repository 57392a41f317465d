"""Attention as an example file: the printed derivation. Layers that have no value anywhere. Invariants of layers without a floor."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from symbn.calculus import engine
from symbn.language import parse_layer

ATTENTION = Path(__file__).resolve().parents[1] / "examples" / "attention.py"


def run(*arguments):
    return subprocess.run([sys.executable, "-m", "symbn", *map(str, arguments)], capture_output=True, text=True, check=False)


def test_the_derivation_of_attention_as_printed():
    done = run("derive", ATTENTION)
    assert done.returncode == 0, done.stderr
    for line in (
        "dp[t, s] = sum(do[t, d]*v[s, d] for d in D)",
        "dm[t] = 0",
        "everything cancels: no output depends on m",
        "dl[t, s] = p[t, s]*(sum(do[t, d]*v[s, d] for d in D) - sum(do[t, d]*o[t, d] for d in D))",
        "dq[t, e] = sum(k[s, e]*dl[t, s] for s in S)/sqrt(E)",
        "dk[s, e] = sum(q[t, e]*dl[t, s] for t in T)/sqrt(E)",
        "dv[s, d] = sum(do[t, d]*p[t, s] for t in T)",
        "proved for every extent: dm[t] == 0",
        "verified: ",
    ):
        assert line in done.stdout


NOWHERE = {
    "a difference of a name and itself": ("y[i] = x[i]/(a - a)",),
    "the sum of normalized values": (
        "m = mean(x[i] for i in N)",
        "v = mean((x[i] - m)**2 for i in N)",
        "z[i] = (x[i] - m)/sqrt(v + 1)",
        "y[i] = x[i]/sum(z[j] for j in N)",
    ),
    "the mean of centered values, in a function": ("c[i] = x[i] - mean(x[j] for j in N)", "y[i] = exp(x[i]/mean(c[j] for j in N))"),
    "the logarithm of a sum of nothing": ("c[i] = x[i] - x[i]", "y[i] = x[i]*log(sum(c[j] for j in N))"),
}


@pytest.mark.parametrize("name", NOWHERE)
def test_a_division_by_what_is_always_zero_is_refused_by_the_name_of_its_definition(name, tmp_path):
    path = tmp_path / "nowhere.py"
    body = "\n    ".join(NOWHERE[name])
    path.write_text(f'def nowhere(x: "N", a):\n    {body}\n    return y\n')
    done = run("derive", path)
    assert done.returncode == 2
    assert f"nowhere.py:{len(NOWHERE[name]) + 1}: in the definition of 'y'" in done.stderr
    assert "identically zero" in done.stderr
    assert "Backward pass" not in done.stdout


def test_a_division_by_what_only_may_be_zero_is_not_refused():
    layer = parse_layer('def f(x: "N"):\n    m = mean(x[i] for i in N)\n    y[i] = x[i]/sum(x[j] - m/2 for j in N)\n    return y\n')
    assert engine.derive(layer).gradients


INVARIANTS = {
    "unit length": (
        'def f(x: "N D"):\n    n[b] = sqrt(sum(x[b, d]**2 for d in D))\n    assert n[b] > 0\n    y[b, d] = x[b, d]/n[b]\n    return y\n',
        {"sum(dx[b, d]*x[b, d] for d in D) == 0"},
    ),
    "the cosine of two vectors": (
        'def f(u: "N D", v: "N D"):\n    a[n] = sqrt(sum(u[n, d]**2 for d in D))\n    b[n] = sqrt(sum(v[n, d]**2 for d in D))\n'
        "    assert a[n] > 0\n    assert b[n] > 0\n    c[n] = sum(u[n, d]*v[n, d] for d in D)/(a[n]*b[n])\n    return c\n",
        {"sum(du[n, d]*u[n, d] for d in D) == 0", "sum(dv[n, d]*v[n, d] for d in D) == 0"},
    ),
    "a softmax with its shift": (
        'def f(x: "N K"):\n    m[n] = max(x[n, j] for j in K)\n    e[n, k] = exp(x[n, k] - m[n])\n    z[n] = sum(e[n, j] for j in K)\n'
        "    y[n, k] = e[n, k]/z[n]\n    return y\n",
        {"sum(dx[n, k] for k in K) == 0", "dx[n, k] == 0 where K = 1", "dm[n] == 0"},
    ),
    "normalization without a floor": (
        'def f(x: "N"):\n    m = mean(x[i] for i in N)\n    v = mean((x[i] - m)**2 for i in N)\n    assert v > 0\n'
        "    y[i] = (x[i] - m)/sqrt(v)\n    return y\n",
        {"sum(dx[i] for i in N) == 0", "sum(dx[i]*x[i] for i in N) == 0"},
    ),
}


@pytest.mark.parametrize("name", INVARIANTS)
def test_what_is_proved_of_a_gradient(name):
    source, expected = INVARIANTS[name]
    assert expected <= set(engine.derive(parse_layer(source), steps=False).invariants)


def test_a_floor_under_the_length_spoils_scale_invariance():
    source = INVARIANTS["unit length"][0].replace("for d in D))", "for d in D) + 1)")
    assert not engine.derive(parse_layer(source), steps=False).invariants
