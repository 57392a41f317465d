"""SymPy's door gives the layer that the text gives, and its results go back out as plain SymPy."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import sympy
from sympy import (
    Abs,
    And,
    Eq,
    Float,
    Function,
    Idx,
    IndexedBase,
    KroneckerDelta,
    MatrixSymbol,
    Max,
    Min,
    Ne,
    Or,
    Piecewise,
    Product,
    Rational,
    Sum,
    Symbol,
    cos,
    cosh,
    erf,
    exp,
    log,
    oo,
    pi,
    sign,
    sin,
    sqrt,
    symbols,
    tanh,
)

import symbn
from symbn.language import expr_text, layer_text
from symbn.layer import Layer

x, y, z, xhat, w, q, k_, v, p, s_, o = map(IndexedBase, ("x", "y", "z", "xhat", "w", "q", "k", "v", "p", "s", "o"))
gamma, beta, mu, sigma2, N, D, C, a, b, c = symbols("gamma beta mu sigma2 N D C a b c")
i, j, l, m, n, d, t = symbols("i j l m n d t", integer=True)  # noqa: E741
eps = Symbol("eps", positive=True)

BATCHNORM = [
    Eq(mu, Sum(x[j], (j, 1, N)) / N),
    Eq(sigma2, Sum((x[j] - mu) ** 2, (j, 1, N)) / N),
    Eq(xhat[i], (x[i] - mu) / sqrt(sigma2 + eps)),
    Eq(y[i], gamma * xhat[i] + beta),
]


def batchnorm():
    return symbn.from_sympy("batchnorm", BATCHNORM, inputs=[x, gamma, beta], constants={eps: 1e-5})


def one(right, *, left=None, **options):
    """The text of a one-line layer's right side."""
    layer = symbn.from_sympy("one", [(y[i] if left is None else left, right)], **options)
    return expr_text(layer.definitions[0].expr)


def gradients(layer, **options):
    return {name: formula.text for name, formula in symbn.derive(layer, steps=False, **options).gradients.items()}


def test_batchnorm_is_the_layer_of_the_text():
    layer, text = batchnorm(), symbn.load("batchnorm")
    assert isinstance(layer, Layer)
    for field in ("name", "inputs", "constants", "assumptions", "outputs", "axes"):
        assert getattr(layer, field) == getattr(text, field)
    assert [(d.name, d.indices, d.expr) for d in layer.definitions] == [(d.name, d.indices, d.expr) for d in text.definitions]
    assert gradients(layer) == gradients(text)


def test_layernorm_of_rows_zero_based_with_other_letters():
    mean, var = IndexedBase("mu"), IndexedBase("sigma2")
    g, h = IndexedBase("gamma"), IndexedBase("beta")
    r, e, u = symbols("r e u")
    layer = symbn.from_sympy(
        "layernorm",
        {
            mean[r]: Sum(x[r, e], (e, 0, D - 1)) / D,
            var[r]: Sum((x[r, u] - mean[r]) ** 2, (u, 0, D - 1)) / D,
            xhat[r, e]: (x[r, e] - mean[r]) / sqrt(var[r] + eps),
            y[r, e]: g[e] * xhat[r, e] + h[e],
        },
        inputs={"x": "N D", "gamma": "D", "beta": "D"},
        constants={"eps": 1e-5},
    )
    assert layer.inputs == symbn.load("layernorm").inputs
    source = layer_text(symbn.load("layernorm"))
    for old, new in (
        ("x[n, j] for j in D", "x[r, e] for e in D"),
        ("(x[n, j] - mu[n])**2 for j in D", "(x[r, u] - mu[r])**2 for u in D"),
        ("[n, d]", "[r, e]"), ("[n]", "[r]"), ("[d]", "[e]"),
    ):  # fmt: skip
        assert old in source
        source = source.replace(old, new)
    text = symbn.loads(source)
    assert gradients(layer) == gradients(text)


def test_softmax_without_its_shift():
    Z = Symbol("Z")
    layer = symbn.from_sympy("softmax", [Eq(Z, Sum(exp(x[j]), (j, 1, N))), Eq(y[i], exp(x[i]) / Z)])
    assert [part.name for part in layer.inputs] == ["x"]
    assert gradients(layer) == {"x": "dx[i] = y[i]*(dy[i] - sum(dy[k]*y[k] for k in N))"}


def test_attention():
    S, Dk = symbols("S D")
    s, e_, Zt = IndexedBase("s"), Symbol("e"), IndexedBase("Z")
    key = IndexedBase("k", shape=(S, Dk))
    r = Symbol("r")
    layer = symbn.from_sympy(
        "attention",
        [
            Eq(s[t, r], Sum(q[t, d] * key[r, d], (d, 1, Dk)) / sqrt(Dk)),
            Eq(Zt[t], Sum(exp(s[t, r]), (r, 1, S))),
            Eq(p[t, r], exp(s[t, r]) / Zt[t]),
            Eq(o[t, e_], Sum(p[t, r] * v[r, e_], (r, 1, S))),
        ],
        inputs={q: "T D", key: None, v: "S E"},
    )
    text = symbn.loads(
        """
def attention(q: "T D", k: "S D", v: "S E"):
    s[t, r] = sum(q[t, d]*k[r, d] for d in D)/sqrt(D)
    Z[t] = sum(exp(s[t, r]) for r in S)
    p[t, r] = exp(s[t, r])/Z[t]
    o[t, e] = sum(p[t, r]*v[r, e] for r in S)
    return o
"""
    )
    assert gradients(layer) == gradients(text)


@pytest.mark.parametrize("limits", [(j, 1, N), (j, 0, N - 1)])
def test_limits_from_0_and_from_1_are_the_whole_axis(limits):
    assert one(x[i] - Sum(x[j], limits)) == "x[i] - sum(x[j] for j in N)"


def test_a_lower_case_extent_is_an_axis_with_a_capital():
    assert one(x[i] - Sum(x[j], (j, 1, n)) / n) == "x[i] - mean(x[j] for j in N)"
    assert one(x[i] / n * Sum(x[j], (j, 1, n)) / n) == "x[i]*mean(x[j] for j in N)/N"


def test_the_square_of_a_mean_is_taken_apart():
    assert one((Sum(x[j], (j, 1, N)) / N) ** 2, left=mu) in ("sum(x[j] for j in N)**2/N**2", "1/N**2*sum(x[j] for j in N)**2")
    assert one(Sum(x[j], (j, 1, N)) * Sum(x[j] ** 3, (j, 1, N)) / N**2, left=mu).count("mean") == 2


def test_nested_sums_and_several_limits():
    double = Sum(w[l, m] * x[l] * x[m], (l, 1, N), (m, 1, N)) / N**2
    assert one(double, left=mu) in ("mean(w[l, m]*x[l]*x[m] for l in N for m in N)",)
    assert one(Sum(Sum(x[l] * x[m], (l, 1, N)) ** 2, (m, 1, N)), left=mu) == "sum(sum(x[l]*x[m] for l in N)**2 for m in N)"


def test_a_bound_name_that_is_used_outside_too_is_renamed():
    assert one(x[i] - Sum(x[i], (i, 1, N)) / N) == "x[i] - mean(x[j] for j in N)"
    assert one(Sum(x[j] * Sum(x[j] ** 2, (j, 1, N)), (j, 1, N)), left=mu) == "sum(x[j]*sum(x[k]**2 for k in N) for j in N)"
    dummy, other = sympy.Dummy("j"), sympy.Dummy("j")
    inner = Sum(x[dummy] * Sum(x[other] * w[dummy, other], (other, 1, N)), (dummy, 1, N))
    assert one(inner, left=mu) == "sum(x[j]*sum(w[j, k]*x[k] for k in N) for j in N)"


def test_a_free_symbol_named_like_an_index_is_a_value():
    assert one(j * x[i] + Sum(x[j], (j, 1, N))) == "j*x[i] + sum(x[k] for k in N)"
    layer = symbn.from_sympy("two", [Eq(y[i], x[i] - Sum(x[m], (m, 1, N))), Eq(z[j], i * y[j])])
    assert [expr_text(part.expr) for part in layer.definitions] == ["x[j] - sum(x[m] for m in N)", "i*y[j]"]
    assert symbn.derive(layer).verify().ok


def test_capital_and_reserved_letters_are_renamed():
    J, lam = symbols("J lambda")
    assert one(x[i] - Sum(x[J], (J, 1, N))) == "x[i] - sum(x[j] for j in N)"
    assert one(x[i] - Sum(x[lam], (lam, 1, N))) == "x[i] - sum(x[j] for j in N)"


def test_shapes_and_ranges_give_axes():
    held = IndexedBase("w", shape=(N, C))
    layer = symbn.from_sympy("shapes", [(y[i, j], tanh(held[i, j]))])
    assert layer.inputs[0].axes == ("N", "C")
    index = Idx("i", N)
    assert symbn.from_sympy("ranges", [(y[index], tanh(x[index]))]).inputs[0].axes == ("N",)
    W = MatrixSymbol("W", N, D)
    layer = symbn.from_sympy("matrix", [(y[i], Sum(W[i, j] * x[j], (j, 0, D - 1)))])
    assert [(part.name, part.axes) for part in layer.inputs] == [("x", ("D",)), ("W", ("N", "D"))]


@pytest.mark.parametrize(
    ("right", "text"),
    [
        (Float(0.1) * x[i], "x[i]/10"),
        (0.1 * x[i] + 1e-12, "x[i]/10 + 1/1000000000000"),
        (Float("0.1", 40) * x[i], "x[i]/10"),
        (Rational(2, 3) * x[i], "2*x[i]/3"),
        (-x[i] / 2, "-x[i]/2"),
        (x[i] ** Rational(3, 2), "x[i]**(3/2)"),
        (1 / sqrt(x[i]), "1/sqrt(x[i])"),
        (1 / (1 + exp(-x[i])), "1/(1 + exp(-x[i]))"),
        (pi * sin(x[i]) * cos(x[i]), "pi*sin(x[i])*cos(x[i])"),
        (Abs(x[i]) + sign(x[i]) + erf(x[i]), "abs(x[i]) + erf(x[i]) + sign(x[i])"),
        (log(1 + exp(x[i])), "log(exp(x[i]) + 1)"),
        (Max(x[i], 0), "maximum(0, x[i])"),
        (Min(x[i], a, 2), "minimum(minimum(2, a), x[i])"),
        (Piecewise((x[i], x[i] > 0), (a * x[i], True)), "where(x[i] > 0, x[i], a*x[i])"),
        (Piecewise((0, x[i] < -1), (x[i], x[i] < 1), (1, True)), "where(x[i] < -1, 0, where(x[i] < 1, x[i], 1))"),
        (Function("stop_gradient")(x[i]) * x[i], "stop_gradient(x[i])*x[i]"),
        (Function("sigmoid")(x[i]), "sigmoid(x[i])"),
        (Function("max_over")(x[j], j, N) - x[i], "max(x[j] for j in N) - x[i]"),
        (Sum(KroneckerDelta(i, j) * x[j], (j, 1, N)), "sum(delta(i, j)*x[j] for j in N)"),
        (sympy.E * x[i], "exp(1)*x[i]"),
        (cosh(x[i]), "1/2*(exp(x[i]) + exp(-x[i]))"),
        (x[i] ** a, "x[i]**a"),
    ],
    ids=str,
)
def test_each_form_as_the_layer_language_writes_it(right, text):
    inputs = {"x": "N", "a": ""} if right.has(a) else {"x": "N"}
    assert one(right, inputs=inputs) == text


def test_conditions_joined_by_and_or_not():
    inside = Piecewise((x[i], And(x[i] > -1, x[i] < 1)), (0, True))
    outside = Piecewise((0, Or(x[i] < -1, x[i] > 1)), (x[i], True))
    apart = Piecewise((1, Ne(x[i], 0)), (0, True))
    for right in (inside, outside, apart):
        layer = symbn.from_sympy("choice", [(y[i], right)], inputs={"x": "N"})
        formula = sympy.lambdify(x[i], right)
        given = np.array([-2.0, -1, -0.5, 0, 0.5, 1, 2])
        from symbn.oracle import Floating, evaluate

        found = evaluate(layer.definitions, {"x": given}, {"N": 7}, Floating())["y"]
        assert found.tolist() == [formula(value) for value in given]


def test_signs_known_to_sympy_are_assumptions():
    weight = IndexedBase("w", positive=True)
    layer = symbn.from_sympy("signs", [(mu, Sum(weight[j] * x[j], (j, 1, N)) + eps)], inputs=[x], constants=[weight, eps],
                             assumptions=[Eq(Sum(weight[j], (j, 1, N)), 1)])  # fmt: skip
    shown = layer_text(layer)
    assert "assert eps > 0" in shown
    assert "assert w[j] > 0" in shown
    assert "assert sum(w[j] for j in N) == 1" in shown


def test_constants_take_numbers_or_axes():
    layer = symbn.from_sympy(
        "held", [(mu, Sum(w[j] * x[j] * a + b + c, (j, 1, N)))], constants={"w": "N", "a": "1e-3", b: Rational(1, 3), c: None}
    )
    assert [(part.name, part.axes, part.default) for part in layer.constants] == [
        ("w", ("N",), None), ("a", (), Fraction(1, 1000)), ("b", (), Fraction(1, 3)), ("c", (), None)
    ]  # fmt: skip
    assert [part.name for part in layer.inputs] == ["x"]


def test_several_outputs():
    layer = symbn.from_sympy("both", [(mu, Sum(x[j], (j, 1, N)) / N), (y[i], x[i] - mu)], outputs=[y, mu])
    assert layer.outputs == ("y", "mu")
    assert symbn.derive(layer).verify().ok


BAD = {
    "unknown": (lambda: one(x[i] * Symbol("gama"), inputs={"x": "N", "gamma": ""}), ("unknown symbol 'gama'", "did you mean 'gamma'?")),
    "undeclared": (lambda: one(x[i] * a, inputs={"x": "N"}), ("unknown symbol 'a'", "add it to inputs or to constants")),
    "no axis": (lambda: one(tanh(x[i])), ("nothing says what the axis of 'x' is", 'inputs={"x": "N"}')),
    "two axes": (lambda: one(Sum(x[j], (j, 1, N)) + Sum(x[j], (j, 1, D)), left=mu), ("'x' runs over", "use two letters")),
    "declared axes": (lambda: one(Sum(x[j], (j, 1, N)), left=mu, inputs={"x": "D"}), ("over D", "over N")),
    "rank": (lambda: one(x[i] + x[i, j], inputs={"x": "N"}), ("is read with",)),
    "declared rank": (lambda: one(x[i], inputs={"x": "N D"}), ("is declared with N D and read with 1 indices",)),
    "shift": (lambda: one(x[i] - x[i + 1], inputs={"x": "N"}), ("'i + 1' is not an index", "no shifts")),
    "element": (lambda: one(x[i] - x[1], inputs={"x": "N"}), ("x[1] is one element",)),
    "free": (lambda: one(x[i] * x[j], inputs={"x": "N"}), ("the index 'j' is neither on the left side nor bound by a Sum",)),
    "twins": (lambda: one(Sum(x[j], (Symbol("j"), 1, N)), left=mu), ("two symbols 'j' with unlike assumptions",)),
    "index as number": (lambda: one(Sum(j * x[j], (j, 1, N)), left=mu), ("the index 'j' is used as a number",)),
    "from 2": (lambda: one(Sum(x[j], (j, 2, N)), left=mu), ("(j, 2, N) are not a whole axis", "(j, 1, N) or (j, 0, N - 1)")),
    "to N": (lambda: one(Sum(x[j], (j, 0, N)), left=mu), ("(j, 0, N) are not a whole axis",)),
    "fixed": (lambda: one(Sum(x[j], (j, 1, 4)), left=mu), ("has the fixed extent 4", "(j, 1, N)")),
    "infinite": (lambda: one(Sum(x[j], (j, 1, oo)), left=mu), ("not a whole axis",)),
    "product": (lambda: one(Product(x[j], (j, 1, N)), left=mu), ("'Product' has no place in a layer", "exp(Sum(log(...)))")),
    "imaginary": (lambda: one(sympy.I * x[i], inputs={"x": "N"}), ("'ImaginaryUnit' has no place",)),
    "piecewise": (lambda: one(Piecewise((x[i], x[i] > 0)), inputs={"x": "N"}), ("no value where none of its conditions", "(value, True)")),
    "whole": (lambda: one(Function("exp")(x), inputs={"x": "N"}), ("'x' stands without its indices", "write x[i]")),
    "function": (lambda: one(Function("sigmod")(x[i]), inputs={"x": "N"}), ("unknown function 'sigmod'", "did you mean 'sigmoid'?")),
    "order": (lambda: symbn.from_sympy("late", [(y[i], x[i] - mu), (mu, Sum(x[j], (j, 1, N)))]), ("'mu' is used before it is defined",)),
    "twice": (lambda: symbn.from_sympy("twice", [(mu, Sum(x[j], (j, 1, N))), (mu, a)]), ("'mu' is defined twice",)),
    "true": (lambda: symbn.from_sympy("true", [Eq(a, a)]), ("True or False", "write the pair")),
    "left": (lambda: symbn.from_sympy("left", [(a + b, c)]), ("'a + b' cannot stand on the left",)),
    "left twice": (lambda: symbn.from_sympy("left", [(y[i, i], x[i])]), ("cannot stand on the left", "y[i, j]")),
    "empty": (lambda: symbn.from_sympy("empty", []), ("has no definitions",)),
    "name": (lambda: symbn.from_sympy("a b", BATCHNORM), ("layer name 'a b' is not a name",)),
    "odd name": (lambda: one(x[i] * Symbol(r"\hat{g}"), inputs=None), (r"'\hat{g}' is not a name", "call it 'ghat'")),
    "injection": (lambda: one(Sum(x[j], (j, 1, N)) * Symbol("a\n    return y"), left=mu), ("is not a name in the layer language",)),
    "keyword": (lambda: one(Sum(x[j], (j, 1, N)) * Symbol("lambda"), left=mu), ("'lambda'", "lam")),
    "output": (lambda: symbn.from_sympy("out", BATCHNORM, outputs="yy"), ("the output 'yy' is not defined", "did you mean 'y'?")),
    "default": (lambda: symbn.from_sympy("d", BATCHNORM, constants={eps: float("nan")}), ("is neither a number nor the axes",)),
    "huge": (lambda: one(Sum(x[j], (j, 1, N)) ** Rational(1, 999), left=mu), ("exponent",)),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_said_with_what_to_write(case):
    make, parts = BAD[case]
    with pytest.raises(symbn.LayerError) as caught:
        make()
    for part in parts:
        assert part in str(caught.value)


def test_results_are_plain_sympy_that_lambdify_takes():
    expr = symbn.derive(batchnorm(), steps=False).gradients["x"].expr
    plain = {
        "Add",
        "Mul",
        "Pow",
        "Symbol",
        "Idx",
        "Indexed",
        "IndexedBase",
        "Sum",
        "Tuple",
        "Integer",
        "NegativeOne",
        "One",
        "Rational",
        "Half",
        "Str",
    }
    assert {type(part).__name__ for part in sympy.preorder_traversal(expr)} <= plain
    size = 3
    spread = expr.subs(next(part for part in expr.free_symbols if str(part) == "N"), size).doit()
    rng = np.random.default_rng(0)
    given, dy = rng.normal(size=size), rng.normal(size=size)
    var, g, e = given.var(), 1.5, 1e-3
    normal = (given - given.mean()) / np.sqrt(var + e)
    true = g / np.sqrt(var + e) * (dy - dy.mean() - normal * (dy * normal).mean())
    values = {"gamma": g, "sigma2": var, "eps": e}
    values |= {f"dy[{place + 1}]": dy[place] for place in range(size)} | {f"xhat[{place + 1}]": normal[place] for place in range(size)}
    index = next(part for part in expr.free_symbols if str(part) == "i")
    for place in range(size):
        scalar = spread.subs(index, place + 1)
        atoms = sorted((part for part in scalar.atoms(sympy.Symbol, sympy.Indexed) if str(part) in values), key=str)
        function = sympy.lambdify(atoms, scalar, modules="math")
        assert function(*(values[str(part)] for part in atoms)) == pytest.approx(true[place], rel=1e-12)


def test_lambdify_takes_the_sum_itself_on_arrays_that_start_at_1():
    expr = symbn.derive(batchnorm(), steps=False).gradients["gamma"].expr
    names = {str(part): part for part in expr.free_symbols if isinstance(part, sympy.Symbol)}
    function = sympy.lambdify([names["N"], names["dy"], names["xhat"]], expr, modules="numpy")
    assert function(3, np.array([np.nan, 1.0, 2, 3]), np.array([np.nan, 4.0, 5, 6])) == 32


def test_sympys_printers_take_the_results():
    found = symbn.derive(batchnorm(), steps=False)
    expr = found.gradients["x"].expr
    assert r"\sum_{k=1}^{N}" in sympy.latex(expr)
    assert "sum(dy[k]*xhat[k] for k in range(1, N+1))" in sympy.pycode(expr)
    assert "Sum" in sympy.srepr(expr)
    assert sympy.pretty(expr)
    assert sympy.ccode(found.layer and symbn.derive(symbn.from_sympy("cube", [(b, a**3 * tanh(a))])).gradients["a"].expr)


def test_softmax_with_max_shift_goes_out_and_comes_back_in():
    layer = symbn.load("softmax")
    from symbn.calculus.to_sympy import to_sympy

    equations = [(to_sympy_left(part), to_sympy(part.expr)) for part in layer.definitions]
    again = symbn.from_sympy("softmax", equations, inputs={"x": "N K"})
    assert gradients(again) == gradients(layer)


def to_sympy_left(definition):
    indices = [Symbol(index.name, integer=True) for index in definition.indices]
    return IndexedBase(definition.name, real=True)[tuple(indices)] if indices else Symbol(definition.name, real=True)


def test_symbn_s_help_needs_no_sympy():
    code = "import sys; from symbn.language import from_sympy; print('sympy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"
