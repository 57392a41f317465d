"""Rewriting by what the definitions say: rules on names, on moments, inside larger contractions, and the search that chooses them."""

from __future__ import annotations

from fractions import Fraction

import pytest

from symbn.calculus.convert import to_poly
from symbn.calculus.problem import prepare
from symbn.calculus.relations import relate
from symbn.calculus.rewrite import Rule, RuleSet, RunawayRules, contract, solve, unify
from symbn.calculus.sums import rename
from symbn.calculus.terms import Atom, Kind, var
from symbn.expr import Index
from symbn.language import load_layer, parse_equation, parse_layer

LAYER = parse_layer(
    """
def f(x: "N", h: "N", p: "T S", v: "S D", g: "T D", q: "N N", a, b, *, eps=1):
    y[i] = x[i]
    return y
"""
)
AT_I, AT_J = Index("i", "N"), Index("j", "N")


def poly(text, extra=None):
    return to_poly(parse_equation(f"{text} = {text}", LAYER, extra or {"mu": (), "z": ("N",), "o": ("T", "D"), "r": ()}).left)


def moment(text):
    """The sum atom of a text that is one."""
    (((monomial, _),)) = poly(text).terms.items()
    (atom,) = (a for a, _ in monomial if a.kind is Kind.SUM)
    return atom


MEAN = Rule(moment("sum(x[j] for j in N)"), poly("N*mu"), source="mu")
CONTRACTION = Rule(moment("sum(p[t, s]*v[s, d] for s in S)"), poly("o[t, d]"), source="o")


def test_a_rule_on_a_name_holds_at_every_index():
    rules = RuleSet([Rule(Atom(Kind.VAR, "x", (AT_I,)), poly("mu + r*z[i]"))])
    assert rules.reduce(poly("x[k]**2")) == poly("(mu + r*z[k])**2")
    assert rules.reduce(poly("sum(x[k] for k in N)")) == poly("N*mu + r*sum(z[k] for k in N)")


def test_the_definition_of_a_mean_is_a_rule_on_its_sum():
    assert RuleSet([MEAN]).reduce(poly("sum(x[k] - mu for k in N)")) == poly("0")


UNTOUCHED = ["sum(h[j]*x[j] for j in N)", "sum(x[j]**2 for j in N)", "sum(q[j, j]*x[j] for j in N)", "sum(h[j] for j in N)"]


@pytest.mark.parametrize("text", UNTOUCHED)
def test_a_rule_on_a_sum_looks_at_every_factor_that_its_index_touches(text):
    assert RuleSet([MEAN]).reduce(poly(text)) == poly(text)


def test_a_contraction_is_found_inside_a_larger_one():
    """sum_s p_ts (sum_d g_td v_sd) is sum_d g_td o_td."""
    larger = poly("sum(p[t, s]*sum(g[t, d]*v[s, d] for d in D) for s in S)")
    assert RuleSet([CONTRACTION]).reduce(larger) == poly("sum(g[t, d]*o[t, d] for d in D)")


def test_but_not_where_another_factor_holds_its_index():
    held = poly("sum(p[t, s]*p[t, s]*g[t, d]*v[s, d] for s in S for d in D)")
    assert RuleSet([CONTRACTION]).reduce(held) == held


def test_a_free_index_of_a_rule_is_not_bound_by_its_sum():
    """t_i = sum_j q_ij says nothing of the trace sum_j q_jj."""
    row = Rule(moment("sum(q[i, j] for j in N)"), poly("z[i]"))
    trace = moment("sum(q[j, j] for j in N)")
    assert contract(row, trace) is None
    assert RuleSet([row]).reduce(poly("sum(q[k, j] for j in N)")) == poly("z[k]")
    assert RuleSet([row]).reduce(poly("sum(q[j, k] for j in N)")) == poly("sum(q[j, k] for j in N)")


def test_rules_that_feed_each_other_are_given_up():
    rules = RuleSet([Rule(Atom(Kind.VAR, "a", ()), poly("b + 1")), Rule(Atom(Kind.VAR, "b", ()), poly("a + 1"))])
    with pytest.raises(RunawayRules):
        rules.reduce(poly("a"))


def test_rules_say_which_definitions_were_used():
    rules = RuleSet([MEAN, CONTRACTION])
    rules.reduce(poly("sum(x[k] for k in N)*a"))
    assert list(rules.fired) == ["mu"]


def test_unification_binds_indices_and_keeps_repetitions_apart():
    pattern = Atom(Kind.VAR, "q", (AT_I, AT_J))
    diagonal = Atom(Kind.VAR, "q", (AT_I, AT_I))
    k = Index("k", "N")
    assert list(unify(pattern, Atom(Kind.VAR, "q", (k, AT_I)), {})) == [{AT_I: k, AT_J: AT_I}]
    assert list(unify(diagonal, Atom(Kind.VAR, "q", (k, AT_I)), {})) == []
    assert list(unify(diagonal, Atom(Kind.VAR, "q", (k, k)), {})) == [{AT_I: k}]


def test_solving_divides_only_by_what_cannot_vanish():
    x, value = Atom(Kind.VAR, "x", (AT_I,)), poly("a*x[i] + mu")
    assert solve(poly("z[i]"), value, x, ()) is None
    rule = solve(poly("z[i]"), value, x, (Atom(Kind.VAR, "a", ()),))
    assert rule is not None
    assert rule.right == poly("(z[i] - mu)/a")


def test_an_even_power_does_not_give_its_base():
    assert solve(poly("z[i]"), poly("x[i]**2"), Atom(Kind.VAR, "x", (AT_I,)), ()) is None


def test_a_root_gives_its_radicand():
    base = next(a for m in poly("sqrt(a + eps)").terms for a, _ in m)
    rule = solve(poly("r"), poly("sqrt(a + eps)"), base, ())
    assert rule is not None
    assert rule.exponent == Fraction(1, 2)
    assert RuleSet([rule]).reduce(poly("(a + eps)**(-3/2)")) == poly("r**(-3)")


def reduced(name, text, names):
    layer = load_layer(name)
    problem = prepare(layer)
    rules = relate(problem, {}).rules
    return rules.reduce(to_poly(parse_equation(f"{text} = {text}", layer, names).left))


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("batchnorm", "sum(xhat[j] for j in N)", "0"),
        ("batchnorm", "sum(x[j] - mu for j in N)", "0"),
        ("batchnorm", "sum(xhat[j]**2 for j in N)/N - sigma2/(sigma2 + eps)", "0"),
        ("layernorm", "sum(xhat[n, j] for j in D)", "0"),
        ("softmax", "sum(y[n, j] for j in K)", "1"),
    ],
)
def test_what_the_definitions_imply(name, text, value):
    layer = load_layer(name)
    assert reduced(name, text, {}) == to_poly(parse_equation(f"{value} = {value}", layer).left)


@pytest.mark.parametrize("name", ["batchnorm", "softmax", "rmsnorm", "cosine_similarity"])
def test_reducing_twice_changes_nothing(name):
    problem = prepare(load_layer(name))
    rules = relate(problem, {}).rules
    for poly_ in (*problem.polys.values(), *(rule.right for rule in rules.rules)):
        assert rules.reduce(rules.reduce(poly_)) == rules.reduce(poly_)


@pytest.mark.parametrize("name", ["batchnorm", "softmax", "rmsnorm", "cosine_similarity"])
def test_the_right_side_of_a_rule_has_no_index_that_its_left_lacks(name):
    for rule in relate(prepare(load_layer(name)), {}).rules.rules:
        assert set(rule.right.free) <= set(rule.left.free)


def test_a_rule_may_be_used_under_other_letters():
    rule = Rule(Atom(Kind.VAR, "x", (AT_I,)), var("z", (AT_I,)))
    assert rule.at({AT_I: AT_J}) == rename(rule.right, {AT_I: AT_J}) == var("z", (AT_J,))
