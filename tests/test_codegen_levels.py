"""Sums that wait for other sums: taken apart where the terms do not cancel."""

from __future__ import annotations

from symbn.codegen.levels import leveled
from symbn.language import definition_text, parse_layer


def apart(text: str) -> list[str]:
    body = "\n".join(f"    {line}" for line in text.strip().splitlines())
    layer = parse_layer(f'def one(x: "N D", w: "N D", g: "D"):\n{body}\n    return y\n')
    return [definition_text(definition) for definition in leveled(layer.definitions)]


def test_a_sum_with_a_row_s_number_as_a_factor_waits_for_less() -> None:
    made = apart("""
r[n] = sum(g[d]*x[n, d] for d in D)
u[n, d] = (w[n, d] - x[n, d]*r[n])/D
y[n, d] = u[n, d] - sum(u[n, k] for k in D)
""")
    assert made[-1] == "y[n, d] = u[n, d] - (1/D*sum(w[n, k] for k in D) - r[n]/D*sum(x[n, k] for k in D))"


def test_a_factor_of_the_whole_row_comes_out_also_through_a_definition() -> None:
    made = apart("""
s[n] = sqrt(1 + sum(x[n, d]**2 for d in D))
z[n, d] = x[n, d]/s[n]
y[n, d] = z[n, d]*sum(w[n, k]*z[n, k] for k in D)
""")
    assert made[-1] == "y[n, d] = z[n, d]*(1/s[n]*sum(w[n, k]*x[n, k] for k in D))"


def test_a_mean_that_is_subtracted_from_its_elements_stays() -> None:
    text = """
m[n] = mean(x[n, d] for d in D)
v[n] = mean((x[n, d] - m[n])**2 for d in D)
c[n] = sum((x[n, d] - m[n])*w[n, d] for d in D)
y[n, d] = x[n, d]*v[n]*c[n]
"""
    assert apart(text) == [line.strip() for line in text.strip().splitlines()]


def test_products_of_matrices_and_functions_of_sums_stay() -> None:
    text = """
r[n] = sum(g[d]*x[n, d] for d in D)
y[n, d] = x[n, d]*sum(exp(r[n]*x[n, k]) for k in D) + sum((x[n, k] + r[n]*w[n, k])*(x[m, k] + x[n, d]) for k in D for m in N)
"""
    assert apart(text) == [line.strip() for line in text.strip().splitlines()]
