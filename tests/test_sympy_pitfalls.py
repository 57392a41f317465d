"""Where SymPy's own sums, deltas and indexed variables go wrong or stop, and what symbn does on the same expression.

Each case says what is true. `there` is SymPy's behavior: it is asserted to be wrong on the versions where it was seen to be, so that the
reason for symbn's own nodes stays on record; a newer SymPy may have mended it, and then only our side is asserted.
"""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy
from sympy import IndexedBase, KroneckerDelta, Piecewise, Product, Sum, ccode, cse, exp, simplify, sqrt, symbols
from sympy.concrete.delta import deltasummation

from symbn.calculus import engine
from symbn.calculus.adjoint import by_read, derivative
from symbn.calculus.convert import to_poly
from symbn.calculus.cost import equal_trees
from symbn.calculus.terms import delta
from symbn.codegen.generate import render
from symbn.expr import Index, Reduce, free_indices, mul, num, rename_indices, walk
from symbn.language import definition_text, expr_text, layer_text, load_layer, parse_equation, parse_layer
from symbn.oracle import verify_derivation

SEEN_WRONG = sympy.__version__.startswith(("1.13", "1.14"))
i, j, k = symbols("i j k", integer=True)
n, N = symbols("n N", integer=True, positive=True)
x, c, dy, p = (IndexedBase(name, real=True) for name in ("x", "c", "dy", "p"))
AT_I, AT_J, AT_K = (Index(letter, "N") for letter in "ijk")
SCRATCH = parse_layer('def scratch(x: "N", c: "N", p: "N N", a, b):\n    y[i] = x[i]\n    return y\n')


def expression(text):
    """An expression of the layer language over SCRATCH's names."""
    return parse_equation(f"{text} = {text}", SCRATCH).left


def poly(text):
    return to_poly(expression(text))


def there(attempt):
    """What SymPy answers, or the exception that it stops with."""
    try:
        return attempt()
    except Exception as error:
        return error


def was_wrong(holds):
    """Holds on the versions where it was seen; says nothing of others."""
    assert holds or not SEEN_WRONG


def derived(text, **options):
    found = engine.derive(parse_layer(text), steps=False, **options)
    assert verify_derivation(found).ok
    return {of: definition_text(gradient.definition) for of, gradient in found.gradients.items()}


def test_derivative_of_a_batch_norm_loss_stops_sympy():
    gamma, eps = symbols("gamma epsilon", positive=True)
    mu = Sum(x[j], (j, 1, N)) / N
    variance = Sum((x[j] - mu) ** 2, (j, 1, N)) / N
    loss = Sum(dy[k] * gamma * (x[k] - mu) / sqrt(variance + eps), (k, 1, N))
    was_wrong(isinstance(there(lambda: loss.diff(x[i]).doit()), TypeError))
    here = derived(layer_text(load_layer("batchnorm")))
    assert here["x"].startswith("dx[i] = gamma/sqrt(sigma2 + eps)*(dy[i] - mean(dy[k] for k in N)")


def test_a_derivative_by_x_i_captures_the_bound_i():
    """sympy#21891: d/dx_i sum_i c_i x_i is c_i for the free i, not sum_i c_i."""
    was_wrong(there(lambda: Sum(c[i] * x[i], (i, 1, n)).diff(x[i])) == Sum(c[i], (i, 1, n)))
    assert derivative(poly("sum(c[i]*x[i] for i in N)"), by_read("x", (AT_I,))) == poly("c[i]")
    assert derivative(poly("sum(c[j]*x[j] for j in N)"), by_read("x", (AT_I,))) == poly("c[i]")


def test_a_substitution_captures_the_bound_index():
    """sum_i x_i j with j -> i is i*sum_m x_m, here with arrays: sum_i x_i c_j with j -> i."""
    captured = there(lambda: Sum(x[i] * j, (i, 1, n)).subs(j, i))
    was_wrong(captured == Sum(x[i] * i, (i, 1, n)))
    renamed = rename_indices(expression("sum(x[i]*c[j] for i in N)"), {AT_J: AT_I})
    assert free_indices(renamed) == (AT_I,)
    assert to_poly(renamed) == poly("c[i]*sum(x[m] for m in N)")


def test_sifting_a_delta_into_a_nested_sum_captures():
    """sum_j delta(i, j) sum_i p_ji x_i is sum_m p_im x_m, not sum_i p_ii x_i."""
    captured = there(lambda: deltasummation(KroneckerDelta(i, j) * Sum(p[j, i] * x[i], (i, 1, n)), (j, 1, n)))
    was_wrong(isinstance(captured, sympy.Basic) and captured.has(p[i, i]))
    here = poly("sum(delta(i, j)*sum(p[j, i]*x[i] for i in N) for j in N)")
    assert here == poly("sum(p[i, m]*x[m] for m in N)")
    assert here != poly("sum(p[m, m]*x[m] for m in N)")


def test_a_bound_index_never_gets_free():
    """sympy#27359: simplify may free the index of a sum whose body is a Piecewise."""
    body = Piecewise((KroneckerDelta(i, j), x[i] > 0), (0, True))
    found = there(lambda: simplify(Sum(body, (i, 1, n))))
    assert isinstance(found, sympy.Basic | Exception)
    here = poly("sum(where(x[i] > 0, delta(i, j), 0) for i in N)")
    assert here == poly("where(x[j] > 0, 1, 0)")
    assert here.free == (AT_J,)


def test_the_derivative_of_a_product_over_indexed():
    """sympy#13994: d/dx_i prod_i x_i takes the free i for the bound one. A product is exp(sum(log x)) here."""
    found = there(lambda: Product(x[i], (i, 1, n)).diff(x[i]))
    was_wrong(isinstance(found, sympy.Basic) and not found.has(KroneckerDelta))
    text = 'def f(x: "N"):\n    assert x[i] > 0\n    y = exp(sum(log(x[i]) for i in N))\n    return y\n'
    assert derived(text) == {"x": "dx[i] = dy*y/x[i]"}


def test_a_sifted_delta_needs_no_range_guards():
    """Every index of an axis runs over the whole of it: sum_i delta(i, j) x_i is x_j."""
    guarded = there(lambda: simplify(Sum(KroneckerDelta(i, j) * x[i], (i, 1, n)).doit()))
    was_wrong(isinstance(guarded, Piecewise))
    assert poly("sum(delta(i, j)*x[i] for i in N)") == poly("x[j]")


def test_sums_are_equal_up_to_the_names_of_their_binders():
    was_wrong(there(lambda: Sum(x[i], (i, 1, n)) == Sum(x[j], (j, 1, n))) is False)
    assert poly("sum(x[i] for i in N)") == poly("sum(x[j] for j in N)")
    assert equal_trees(expression("sum(x[i] for i in N)"), expression("sum(x[j] for j in N)"))
    assert poly("sum(p[i, j]*c[i]*c[j] for i in N for j in N)") == poly("sum(p[k, m]*c[m]*c[k] for m in N for k in N)")
    assert poly("sum(p[i, j]*c[i] for i in N for j in N)") != poly("sum(p[j, i]*c[i] for i in N for j in N)")


def test_deviations_from_the_mean_sum_to_zero():
    zero = there(lambda: simplify(Sum(x[i] - Sum(x[j], (j, 1, N)) / N, (i, 1, N)).doit()))
    was_wrong(zero != 0)
    assert not poly("sum(x[i] - mean(x[j] for j in N) for i in N)")


def test_the_variance_in_its_two_forms_is_one():
    mu = Sum(x[j], (j, 1, N)) / N
    left = Sum((x[i] - mu) ** 2, (i, 1, N)) / N
    right = Sum(x[i] ** 2, (i, 1, N)) / N - mu**2
    was_wrong(there(lambda: simplify((left - right).doit())) != 0)
    assert poly("mean((x[i] - mean(x[j] for j in N))**2 for i in N)") == poly("mean(x[i]**2 for i in N) - mean(x[j] for j in N)**2")


def test_common_subexpressions_stay_inside_their_sum():
    """sympy#27971: cse lifts x_i**2 out of the sums that bind i."""
    total = Sum(x[i] ** 2 * exp(x[i]), (i, 1, n)) + Sum(x[i] ** 2, (i, 1, n))
    lifted = there(lambda: cse([total])[0])
    was_wrong(isinstance(lifted, list) and any(i in part.free_symbols and not part.has(Sum) for _, part in lifted))
    for name in ("batchnorm", "softmax", "cosine_similarity", "cross_entropy", "groupnorm"):
        found = engine.derive(load_layer(name), steps=False)
        for definition in (*found.intermediates, *(g.definition for g in found.gradients.values())):
            assert set(free_indices(definition.expr)) <= set(definition.indices)


def test_a_sum_has_no_c_code_in_sympy():
    was_wrong(isinstance(there(lambda: ccode(Sum(x[i], (i, 1, n)))), Exception))
    generated = render(engine.derive(load_layer("batchnorm"), steps=False), "c")
    assert generated
    assert not [name for name, content in generated.items() if "Sum(" in content or "Not supported" in content]


def test_two_runs_name_their_common_subexpressions_alike():
    first, second = (render(engine.derive(load_layer("softmax"), steps=False), "numpy") for _ in range(2))
    assert first == second


def test_a_factor_is_not_distributed_while_it_is_built():
    """SymPy turns 2*(a + b) into 2*a + 2*b at once; what the author wrote is kept here."""
    a, b = symbols("a b")
    was_wrong((2 * (a + b)).is_Add)
    assert expr_text(expression("2*(a + b)")) == "2*(a + b)"
    assert expr_text(mul(num(2), expression("a + b"))) == "2*(a + b)"


def test_exponentials_are_not_merged_behind_the_authors_back():
    a = symbols("a")
    was_wrong(str(exp(a) * exp(a)) == "exp(2*a)")
    assert expr_text(expression("exp(a)*exp(a)")) == "exp(a)*exp(a)"


def test_a_root_of_a_square_is_the_absolute_value():
    """Right there for a real symbol; wrong with force=True, and that is what an expand in a hurry does."""
    real = symbols("r", real=True)
    assert sqrt(real**2) == abs(real)
    was_wrong(there(lambda: sympy.powdenest(sqrt(symbols("z") ** 2), force=True)) == symbols("z"))
    text = 'def f(x: "N"):\n    y[i] = sqrt(x[i]**2)\n    return y\n'
    found = engine.derive(parse_layer(text), steps=False)
    assert verify_derivation(found).ok


def test_a_square_of_a_sum_opens_with_two_binders():
    """sum_i (sum_j p_ij x_j)**2 has two different j inside."""
    here = poly("sum(sum(p[i, j]*x[j] for j in N)**2 for i in N)")
    assert here == poly("sum(p[i, j]*p[i, k]*x[j]*x[k] for i in N for j in N for k in N)")
    assert here != poly("sum(p[i, j]**2*x[j]**2 for i in N for j in N)")


def test_the_diagonal_is_not_the_whole():
    """p_ii is an atom of its own beside p_ij."""
    assert poly("sum(delta(i, j)*p[i, j] for j in N)") == poly("p[i, i]")
    assert derivative(poly("sum(p[i, i] for i in N)"), by_read("p", (AT_J, AT_K))) == delta(AT_J, AT_K)
    assert derivative(poly("sum(p[i, j] for i in N for j in N)"), by_read("p", (AT_J, AT_K))) == poly("1")


def test_means_of_numbers_are_exact():
    assert poly("mean(3 for j in N)").as_number() == 3
    assert poly("sum(1/3 for j in N)/N").as_number() == Fraction(1, 3)


@pytest.mark.parametrize("name", ["batchnorm", "softmax", "layernorm"])
def test_results_leave_as_sympy_with_their_own_binders(name):
    """What goes out again as SymPy binds every index that the author's definition does not have."""
    from symbn.calculus.to_sympy import to_sympy

    found = engine.derive(load_layer(name), steps=False)
    for gradient in found.gradients.values():
        out = to_sympy(gradient.definition.expr)
        letters = {index.name for index in gradient.definition.indices}
        bound = {index.name for node in walk(gradient.definition.expr) if isinstance(node, Reduce) for index in node.indices}
        assert not letters & bound
        assert {symbol.name for symbol in out.free_symbols if symbol.name in bound} == set()
