"""Names for what a layer leaves without one."""

from __future__ import annotations

import pytest

from symbn.calculus.engine import derive
from symbn.calculus.unnamed import name_the_unnamed
from symbn.language import definition_text, parse_layer
from symbn.oracle import verify_derivation


def named(text):
    layer, made = name_the_unnamed(parse_layer(text))
    return [definition_text(definition) for definition in layer.definitions], [definition.name for definition in made]


def test_sums_inside_and_functions_written_twice_get_names():
    text = """
def layer(x: "N K"):
    p[n, k] = exp(x[n, k])/sum(exp(x[n, j]) for j in K)
    return p
"""
    assert named(text) == (["u[n, k] = exp(x[n, k])", "v[n] = sum(u[n, j] for j in K)", "p[n, k] = u[n, k]/v[n]"], ["u", "v"])


def test_what_has_a_name_is_read_by_it():
    text = """
def layer(x: "N K"):
    e[n, k] = exp(x[n, k])
    p[n, k] = exp(x[n, k])/sum(exp(x[n, j]) for j in K)
    return p
"""
    assert named(text) == (["e[n, k] = exp(x[n, k])", "u[n] = sum(e[n, j] for j in K)", "p[n, k] = e[n, k]/u[n]"], ["u"])


def test_a_mean_is_not_the_sum():
    text = """
def layer(x: "N", s):
    m = mean(x[i] for i in N)
    y[i] = s*x[i] - m*sum(x[k] for k in N)
    return y
"""
    assert named(text)[1] == ["u"]


def test_names_are_taken_that_mean_nothing():
    text = """
def layer(u: "N", x: "N", s):
    dr[i] = u[i]*s
    y[i] = dr[i]*x[i]/sum(x[v] for v in N) + max(u[w] for w in N)
    return y
"""
    assert named(text)[1] == ["a", "b"]


def test_nothing_leaves_a_branch():
    """Where x is not above 0 its logarithm has no value, and the layer has one."""
    text = """
def layer(x: "N"):
    y[i] = where(x[i] > 0, log(x[i]) + log(x[i])**2, 0)
    return y
"""
    assert named(text)[1] == []


LAYERS = {
    "layernorm": """
def layer(x: "N D", g: "D", *, eps=1e-5):
    assert eps > 0
    y[n, d] = g[d]*(x[n, d] - mean(x[n, k] for k in D))/sqrt(mean((x[n, k] - mean(x[n, l] for l in D))**2 for k in D) + eps)
    return y
""",
    "centered in two places": """
def layer(x: "N D", g: "D", *, eps=1e-5):
    assert eps > 0
    m[n] = mean(x[n, k] for k in D)
    v[n] = mean((x[n, k] - m[n])**2 for k in D)
    y[n, d] = g[d]*(x[n, d] - m[n])/sqrt(v[n] + eps)
    return y
""",
    "attention": """
def layer(x: "N K", v: "K"):
    o[n] = sum(exp(x[n, k])/sum(exp(x[n, j]) for j in K)*v[k] for k in K)
    return o
""",
}
# By hand: the sums that the forward pass has not saved, over all results.
HAND = {"layernorm": 5, "centered in two places": 3, "attention": 2}


@pytest.mark.parametrize("name", LAYERS)
def test_no_more_sums_than_by_hand(name):
    found = derive(parse_layer(LAYERS[name]), steps=False)
    definitions = (*found.intermediates, *(gradient.definition for gradient in found.gradients.values()))
    assert sum(definition_text(definition).count(" for ") for definition in definitions) == HAND[name]


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize(("mode", "order"), [("vjp", 1), ("jvp", 1), ("jacobian", 1), ("vjp", 2)])
def test_they_are_right_in_every_mode(name, mode, order):
    assert verify_derivation(derive(parse_layer(LAYERS[name]), mode=mode, order=order, steps=False)).ok


def test_the_explanation_says_what_the_letters_are():
    steps = derive(parse_layer(LAYERS["attention"])).steps
    assert [step.equation for step in steps[:3]] == [
        "u[n, k] = exp(x[n, k])",
        "w[n] = sum(u[n, j] for j in K)",
        "o[n] = sum(u[n, k]/w[n]*v[k] for k in K)",
    ]
