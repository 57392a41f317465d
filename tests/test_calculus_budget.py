"""Layers that would take forever if every product were multiplied out: the work is bounded, the result is right, what is given up is said.

Work is counted, not timed: products of terms, which are the same on every machine.
"""

from __future__ import annotations

import pytest

from symbn.calculus import engine, jacobian
from symbn.calculus.convert import to_poly
from symbn.calculus.terms import LARGEST_PRODUCT, Poly
from symbn.calculus.work import TooLong
from symbn.errors import UnsupportedError
from symbn.language import parse_equation, parse_layer
from symbn.oracle import verify_derivation


def one_line(signature, expression):
    return f"def f({signature}):\n    y = {expression}\n    return y\n"


def chain(length, line):
    lines = [line.format(k=k, below=k - 1) for k in range(1, length + 1)]
    return "\n    ".join(['def f(h0: "N"):', *lines, f"return h{length}\n"])


SCALARS = [f"a{k}" for k in range(16)]
GATES = ["i", "f", "g", "o"]
LSTM = "\n    ".join([
    'def lstm(x: "N I", h: "N H", c: "N H", ' + ", ".join(f'w{g}: "H I", u{g}: "H H"' for g in GATES) + "):",
    *(f"{g}1[n, a] = {'tanh' if g == 'g' else 'sigmoid'}(sum(w{g}[a, b]*x[n, b] for b in I) + sum(u{g}[a, b]*h[n, b] for b in H))"
      for g in GATES),
    "c1[n, a] = f1[n, a]*c[n, a] + i1[n, a]*g1[n, a]",
    "h1[n, a] = o1[n, a]*tanh(c1[n, a])",
    "return h1, c1\n",
])  # fmt: skip
LAYERS = {
    "a product of many sums": one_line(", ".join(SCALARS), "*".join(f"({a} + {k})" for k, a in enumerate(SCALARS, 1))),
    "a high power of a long sum": one_line(", ".join(SCALARS), f"({' + '.join(SCALARS)})**12"),
    "powers of quotients of powers": one_line("a, b, c, d", "((a + b + c)**3/(a*b + c*d + 1)**5 + (a + d)**4)**6"),
    "a product of many functions": one_line('x: "N"', f"sum({'*'.join(f'(1 + sigmoid({k}*x[i]))' for k in range(1, 11))} for i in N)"),
    "a power of a sum of squares in a sum": one_line('x: "N", w: "M N"', "sum(sum((w[m, i] + x[i] + 1)**2 for i in N)**4 for m in M)"),
    "the eighth power of a sum in a sum": one_line('x: "N", w: "M N"', "sum(sum(w[m, i]*x[i] for i in N)**8 for m in M)"),
    "the eighth central moment": one_line('x: "N"', "mean((x[i] - mean(x[j] for j in N))**8 for i in N)"),
    "nonlinearities with a cube, stacked": chain(4, "h{k}[i] = h{below}[i]/2*(1 + tanh(h{below}[i] + h{below}[i]**3/20))"),
    "means in nonlinearities, stacked": chain(16, "h{k}[i] = tanh(h{below}[i] + mean(h{below}[j] for j in N))"),
    "gates": LSTM,
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_the_work_is_bounded_and_the_result_right(name, monkeypatch):
    work = 0
    multiply = Poly.__mul__

    def counted(left, right):
        nonlocal work
        work += len(left) * len(right)
        return multiply(left, right)

    monkeypatch.setattr(Poly, "__mul__", counted)
    found = engine.derive(parse_layer(LAYERS[name]))
    assert work < 2_000_000
    monkeypatch.undo()
    assert verify_derivation(found).ok


def test_a_product_that_is_too_long_is_refused_before_it_is_made():
    long = Poly({((atom, 1),): 1 for name in range(100) for atom in to_poly(expression(f"a{name}")).atoms()})
    with pytest.raises(TooLong, match="100 and 100 terms"):
        _ = long * long
    assert len(long) ** 2 > LARGEST_PRODUCT


def expression(text):
    layer = parse_layer(one_line(", ".join(f"a{k}" for k in range(100)), "a0"))
    return parse_equation(f"{text} = {text}", layer).left


def test_sums_that_are_kept_as_factors_multiply_out_to_the_same():
    product = expression("(a0 + a1)**2*(a2 + a3)*(a4 + 1)")
    kept, plain = to_poly(product, keep=True), to_poly(product)
    assert (len(kept), len(plain)) == (1, 12)
    expanded = to_poly(expression("1"))
    for atom, exponent in kept.single()[0]:
        for _ in range(exponent):
            expanded = expanded * atom.parts[0]
    assert expanded == plain


def test_a_search_that_stops_early_says_so():
    found = engine.derive(parse_layer(LAYERS["gates"]), steps=False)
    assert any("stopped at its budget" in note for note in found.notes)


def test_a_jacobian_that_is_too_long_is_refused_by_the_name_of_its_definition(monkeypatch):
    monkeypatch.setattr(jacobian, "MOST_TERMS", 2)
    layer = parse_layer(chain(2, "h{k}[i] = h{below}[i]*exp(h{below}[i])"))
    assert engine.derive(layer).steps
    with pytest.raises(UnsupportedError, match="the derivative of 'h2' by 'h0' has too many terms"):
        engine.derive(layer, mode="jacobian")
