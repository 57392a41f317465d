"""Layers written from docs/language.md alone, before the engine was read: what each is for stands beside it.

What failed at first is at the end, one test a defect; docs/unseen.md has the table.
"""

from __future__ import annotations

from functools import cache

import pytest
from blind_layers import BLIND
from click.testing import CliRunner

import symbn
from symbn.calculus.convert import to_poly
from symbn.calculus.cost import cost_of
from symbn.calculus.lowest import in_lowest_terms
from symbn.cli import cli
from symbn.errors import LayerError, UnsupportedError
from symbn.language.text import definition_text
from symbn.oracle import verify_derivation
from symbn.tools.verify import verify


@cache
def derived(name):
    return symbn.derive(symbn.loads(BLIND[name].source), steps=False).derivation


@pytest.mark.parametrize("name", BLIND)
def test_a_layer_written_blind_is_derived_verified_and_no_longer_than_it_was(name):
    found = derived(name)
    assert verify_derivation(found).ok
    cost = cost_of([d.expr for d in (*found.intermediates, *(gradient.definition for gradient in found.gradients.values()))])
    assert (cost.reductions, cost.operations) <= (BLIND[name].reductions, BLIND[name].operations)


@pytest.mark.parametrize(
    "body",
    ["y[i] = x[i] - x[i]", "y[i] = 2*x[i] - mean(x[j] for j in N)", "y = sum(x[i] for i in N)"],
    ids=["zero", "linear", "scalar"],
)
def test_a_jacobian_that_reads_no_value_has_the_dtype_of_the_inputs(body):
    """Without any array, the second pass did not know what to compute in."""
    made = symbn.derive(symbn.loads(f'def f(x: "N"):\n    {body}\n    return y\n'), mode="jacobian", steps=False).derivation
    rows = verify(made, targets=("numpy",))
    assert {row.dtype for row in rows} == {"float32", "float64"}
    assert [row.line for row in rows if not row.ok] == []


@pytest.mark.parametrize("expr", ["sqrt(-1)", "rsqrt(-2)", "(-8)**(1/3)", "sqrt(1 - 3)"])
def test_a_root_of_a_negative_number_is_told_where_it_stands(expr):
    with pytest.raises(LayerError, match=r":2: in the definition of 'y': \(-\d\)\*\*\(-?1/[23]\) has no real value"):
        symbn.derive(symbn.loads(f'def f(x: "N"):\n    y[i] = x[i]*{expr}\n    return y\n'))


def test_a_layer_that_has_no_value_anywhere_is_not_called_a_defect(tmp_path):
    file = tmp_path / "nowhere.py"
    file.write_text('def nowhere(x: "N"):\n    y[i] = log(-x[i]**2 - 1)\n    return y\n')
    done = CliRunner().invoke(cli, ["derive", str(file)])
    assert isinstance(done.exception, UnsupportedError)  # which the command line shows, and exits with 2
    assert str(done.exception).startswith("found no input at which 'nowhere' and its derivative have a value")


@pytest.mark.parametrize(
    ("name", "shown"),
    [("softsign", "dx[i] = dy[i]/(1 + abs(x[i]))**2"), ("bce_naive", "dx[i] = dl/N*(p[i] - t[i])")],
)
def test_a_quotient_is_in_lowest_terms(name, shown):
    """It was dy[i]*(1 - x[i]*sign(x[i])/(1 + abs(x[i])))/(1 + abs(x[i])), and p[i]*dp[i]*(1 - p[i]) with 1/(1 - p[i]) in dp."""
    found = derived(name)
    assert [definition_text(d) for d in (*found.intermediates, found.gradients["x"].definition)] == [shown]


def test_what_a_condition_keeps_from_zero_is_not_divided_by():
    """1/(1 + x) beside a condition: over one denominator, the other branch would be 0/0 at -1."""
    source = 'def f(x: "N"):\n    y[i] = where(x[i] > 0, log(1 + x[i]), 0) + x[i]**2\n    return y\n'
    found = symbn.derive(symbn.loads(source), steps=False).derivation
    value = found.gradients["x"].definition.expr
    assert in_lowest_terms(to_poly(value)) is None


def test_a_nested_polynomial_is_typeset_in_no_time():
    """Each level of nesting doubled the work: sixty took for ever."""
    names = [f"a{power}" for power in range(40)]
    total = " + ".join(f"{name}*x[i]**{power}" for power, name in enumerate(names))
    made = symbn.derive(symbn.loads(f'def f(x: "N", {", ".join(names)}):\n    y[i] = {total}\n    return y\n'), wrt="x", steps=False)
    assert "a_{39}" in made.gradients["x"].latex
