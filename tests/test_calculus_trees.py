"""From polynomials to expressions: the value stays, the form is cheap, the letters do not collide."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbn.calculus.convert import to_poly
from symbn.calculus.cost import Cost, cost_of, equal_trees
from symbn.calculus.powers import power
from symbn.calculus.sums import sum_over
from symbn.calculus.terms import ONE, ZERO, constant, delta, extent, func, temporary, var
from symbn.calculus.trees import TreeBuilder
from symbn.expr import Index, Reduce, free_indices, fresh_index, rename_indices, walk
from symbn.language import expr_text, parse_equation, parse_layer

LAYER = parse_layer('def f(x: "N", d: "N", q: "N N", a, b, c, *, eps=1):\n    y[i] = x[i]\n    return y\n')
AT_I, AT_J = Index("i", "N"), Index("j", "N")
RANKS = {name: place for place, name in enumerate(("d", "x", "q", "a", "b", "c", "eps"))}


def letters(axis, taken):
    return fresh_index(axis, {index.name for index in taken} | set(RANKS))


def builder(**options):
    return TreeBuilder(RANKS, letters, **{"merge": False, "factor": False, **options})


def expression(text):
    return parse_equation(f"{text} = {text}", LAYER).left


def poly(text):
    return to_poly(expression(text))


a, b, c = var("a"), var("b"), var("c")


def moments():
    """Sums with a free index or none, nested ones among them."""
    k, m = temporary("N"), temporary("N")
    x, d, q = var("x", (k,)), var("d", (k,)), var("q", (AT_I, k))
    return [
        sum_over((k,), x), sum_over((k,), d * x), sum_over((k,), x * x), sum_over((k,), q * x), sum_over((k,), func("exp", x * a)),
        sum_over((k, m), x * var("q", (k, m)) * var("d", (m,))), sum_over((k,), power(x * x + a, -1)),
    ]  # fmt: skip


FACTORS = [
    a, b, var("x", (AT_I,)), var("d", (AT_I,)), var("q", (AT_I, AT_I)), var("q", (AT_I, AT_J)), extent("N"), power(extent("N"), -1),
    delta(AT_I, AT_J), func("exp", var("x", (AT_I,)) - a), func("is<", var("x", (AT_I,)) - b), power(c, -2), *moments(),
]  # fmt: skip
RADICALS = [ONE, power(a + b, Fraction(1, 2)), power(b + ONE, Fraction(3, 2)), power(a + var("x", (AT_I,)), Fraction(1, 3))]


@st.composite
def polys(draw):
    total = ZERO
    for _ in range(draw(st.integers(0, 5))):
        term = constant(draw(st.fractions(-4, 4, max_denominator=6)))
        for place in draw(st.lists(st.integers(0, len(FACTORS) - 1), max_size=4)):
            term = term * FACTORS[place]
        total = total + term * RADICALS[draw(st.integers(0, len(RADICALS) - 1))]
    return total


@settings(max_examples=80)
@given(polys(), st.booleans())
def test_the_way_to_a_tree_and_back_is_the_identity(p, merge):
    assert to_poly(builder(merge=merge).build(p, (AT_I, AT_J))) == p


@settings(max_examples=40)
@given(polys())
def test_a_factored_tree_has_the_same_value(p):
    """Its factors multiply out again where they are polynomials; the others are the same atoms."""
    assert to_poly(builder(factor=True).build(p, (AT_I, AT_J))) == p


DENOMINATORS = {
    "a power": power(b + ONE, -2),
    "beside a number": power(a + b, -1).scale(Fraction(3, 2)),
    "beside a variable": power(a + b, -1) * power(c, -1),
    "two sums": power(a + b, -1) * power(a + c, -1),
}


@pytest.mark.parametrize("name", DENOMINATORS)
def test_a_denominator_keeps_its_factors(name):
    assert to_poly(builder().build(DENOMINATORS[name], ())) == DENOMINATORS[name]


@settings(max_examples=40)
@given(polys(), st.booleans())
def test_binders_are_neither_free_nor_bound_above(p, merge):
    tree = builder(merge=merge).build(p, (AT_I, AT_J))
    assert set(free_indices(tree)) <= {AT_I, AT_J}
    check_binders(tree, (AT_I, AT_J))


def check_binders(tree, above):
    if isinstance(tree, Reduce):
        assert not set(tree.indices) & set(above)
        above = (*above, *tree.indices)
    for child in tree.children:
        check_binders(child, above)


@settings(max_examples=40)
@given(polys())
def test_what_is_built_can_be_read_back_as_text(p):
    extra = {"value": ("N", "N")}
    tree = builder().build(p, (AT_I, AT_J))
    again = parse_equation(f"value[i, j] = {expr_text(tree)}", LAYER, extra).right
    assert to_poly(again) == to_poly(tree)


@pytest.mark.parametrize(
    ("given_", "shown"),
    [
        ("a*d[i] - a*mean(d[k] for k in N)", "a*(d[i] - mean(d[k] for k in N))"),
        ("d[i]/sqrt(a + eps) - x[i]/sqrt(a + eps)", "(d[i] - x[i])/sqrt(a + eps)"),
        ("sum(d[k] for k in N)/N", "mean(d[k] for k in N)"),
        ("-a - b", "-(a + b)"),
        ("where(x[i] > 0, a, 0) + b - b", "where(x[i] > 0, a, 0)"),
        ("a**(-1/2)", "1/sqrt(a)"),
        ("x[i]*a/2", "a/2*x[i]"),
    ],
)
def test_the_form_is_the_one_a_reader_expects(given_, shown):
    tree = builder().build(poly(given_), (AT_I,))
    expected = expression(shown)
    assert cost_of([tree])[:-1] <= cost_of([expected])[:-1], expr_text(tree)
    assert to_poly(tree) == to_poly(expected)


def test_a_factored_form_is_found_where_it_is_asked_for():
    tree = builder(factor=True).build(poly("a**2 + 2*a*b + b**2 - c**2"), ())
    assert cost_of([tree]).everything < cost_of([expression("a**2 + 2*a*b + b**2 - c**2")]).everything
    assert to_poly(tree) == poly("a**2 + 2*a*b + b**2 - c**2")


ORDER = [
    ("fewer reductions before fewer operations", "x[i]*a*b*c*d[i]*x[i]", "sum(x[k] for k in N)*x[i]"),
    ("a shared sum counts once", "x[i]*sum(d[k] for k in N) + sum(d[j] for j in N)", "x[i]*sum(d[k] for k in N) + sum(d[j]*a for j in N)"),
    (
        "a mean and a sum of one body are one reduction",
        "mean(x[k] for k in N) + sum(x[j] for j in N)*d[i]",
        "mean(x[k] for k in N) + sum(x[j]*d[j] for j in N)*d[i]",
    ),
    ("a loop over one index before two", "sum(x[k] for k in N)*d[i]", "sum(q[i, k]*x[k] for k in N)"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "cheap", "dear"), ORDER, ids=[row[0] for row in ORDER])
def test_the_order_of_costs(name, cheap, dear):
    assert cost_of([expression(cheap)]) < cost_of([expression(dear)])


def test_costs_are_compared_by_depth_then_reductions_then_operations():
    wanted = ["depth", "reductions", "operations", "everything", "length"]
    assert [name for name in Cost._fields if name in wanted] == wanted


@pytest.mark.xfail(reason="every factor of a product counts at the rank of the whole product", strict=True)
def test_a_product_of_what_has_no_index_is_hoisted():
    assert cost_of([expression("a*b*c*x[i]")]).operations == 1


def test_letters_of_binders_do_not_count():
    assert equal_trees(expression("sum(q[i, j]*x[j] for j in N)"), expression("sum(q[i, k]*x[k] for k in N)"))
    assert not equal_trees(expression("sum(q[i, j]*x[j] for j in N)"), expression("sum(q[j, i]*x[j] for j in N)"))
    assert cost_of([expression("sum(x[j] for j in N) + sum(x[k] for k in N)")]).reductions == 1


def test_a_sum_inside_a_sum_is_the_same_sum():
    inside = expression("sum(d[i]*sum(x[j] for j in N) for i in N)")
    assert cost_of([inside, expression("sum(x[k] for k in N)")]).reductions == cost_of([inside]).reductions == 2


@settings(max_examples=40)
@given(polys())
def test_renaming_a_tree_is_renaming_its_polynomial(p):
    k = Index("k", "N")
    tree = builder().build(p, (AT_I, AT_J))
    moved = rename_indices(tree, {AT_I: k})
    assert AT_I not in free_indices(moved)
    assert to_poly(rename_indices(moved, {k: AT_I})) == to_poly(tree)
    assert len(list(walk(moved))) == len(list(walk(tree)))
