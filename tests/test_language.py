"""The layer language: what is read, and what each mistake is told."""

# ruff: noqa: E501

from __future__ import annotations

from fractions import Fraction

import pytest

from symbn import expr as ex
from symbn.errors import EquationError, LayerError
from symbn.expr import Add, Call, Compare, Delta, Extent, Index, Mul, Num, Pow, Read, Reduce, num
from symbn.language import load_layer, parse_assumption, parse_definition, parse_equation, parse_layer, parse_layers

I, J = Index("i", "N"), Index("j", "N")  # noqa: E741
X, G = Read("x", (I,)), Read("g")


def layer(*lines: str, sig: str = 'x: "N", g, b: "C", *, eps=1e-5, t: "N C"') -> str:
    return f"def f({sig}):\n" + "".join(f"    {line}\n" for line in lines)


def read(text: str) -> ex.Expr:
    """The expression of `y[i] = text`."""
    call = parse_layer(layer(f"y[i] = x[i]*abs({text})", "return y")).definition("y").expr.children[1]
    return call.children[0]


def message(text: str) -> str:
    with pytest.raises(LayerError) as caught:
        parse_layer(text, file="mine.py")
    return str(caught.value)


def test_batchnorm_is_read_as_written() -> None:
    read_layer = load_layer("batchnorm")
    assert [(i.name, i.axes) for i in read_layer.inputs] == [("x", ("N",)), ("gamma", ()), ("beta", ())]
    assert [(c.name, c.axes, c.default) for c in read_layer.constants] == [("eps", (), Fraction(1, 100000))]
    assert read_layer.assumptions == (Compare(">", Read("eps"), num(0)),)
    assert [(d.name, d.axes, d.line) for d in read_layer.definitions] == [("mu", (), 5), ("sigma2", (), 6), ("xhat", ("N",), 7), ("y", ("N",), 8)]
    assert read_layer.outputs == ("y",)
    assert dict(read_layer.latex) == {"sigma2": r"\sigma^2"}
    assert read_layer.doc.startswith("Batch Normalization")
    assert read_layer.file == "symbn/layers/batchnorm.py"
    x_j = Read("x", (J,))
    assert read_layer.definition("sigma2").expr == Reduce("mean", Pow(Add((x_j, Mul((num(-1), Read("mu"))))), num(2)), (J,))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.1", num(Fraction(1, 10))),
        ("1e-5", num(Fraction(1, 100000))),
        ("1_000.5", num(Fraction(2001, 2))),
        ("1/2", num(Fraction(1, 2))),
        ("-2", num(-2)),
        ("2**-2", num(Fraction(1, 4))),
        ("1 + 2*3", num(7)),
        ("x[i]/2", Mul((X, Pow(num(2), num(-1))))),
        ("-1/N", Mul((num(-1), Pow(Extent("N"), num(-1))))),
        ("-2*x[i]", Mul((num(-2), X))),
        ("g - 2*x[i]", Add((G, Mul((num(-2), X))))),
        ("x[i]**2", Pow(X, num(2))),
        ("-x[i]**2", Mul((num(-1), Pow(X, num(2))))),
        ("g/x[i]**2", Mul((G, Pow(X, num(-2))))),
        ("g**(1/2)", Call("sqrt", (G,))),
        ("g**(-1/2)", Pow(Call("sqrt", (G,)), num(-1))),
        ("g**(-3/2)", Pow(G, num(Fraction(-3, 2)))),
        ("g**x[i]", Pow(G, X)),
        ("g/x[i]/2", Mul((G, Pow(X, num(-1)), Pow(num(2), num(-1))))),
        ("max(x[j] for j in N)", Reduce("max", Read("x", (J,)), (J,))),
        ("where(x[i] >= 0, g, 1)", Call("where", (Compare(">=", X, num(0)), G, num(1)))),
        ("maximum(x[i], 0)", Call("maximum", (X, num(0)))),
        ("sum(delta(i, j)*x[j] for j in N)", Reduce("sum", Mul((Delta(I, J), Read("x", (J,)))), (J,))),
        ("sum(t[j, c] for j in N for c in C)", Reduce("sum", Read("t", (J, Index("c", "C"))), (J, Index("c", "C")))),
    ],
)  # fmt: skip
def test_an_expression_keeps_its_order_and_its_exact_numbers(text: str, expected: ex.Expr) -> None:
    assert read(text) == expected


def test_a_delta_takes_its_axis_from_the_other_letter() -> None:
    definition = parse_layer(layer("y[i, k] = delta(k, i)*x[i]", "return y")).definition("y")
    assert definition.indices == (I, Index("k", "N"))


def test_letters_may_run_over_other_axes_in_other_definitions() -> None:
    read_layer = parse_layer(layer("u[i] = x[i]", "v[i] = b[i]", "return u, v"))
    assert [d.axes for d in read_layer.definitions] == [("N",), ("C",)]


def test_an_assumption_may_be_an_equation_for_all_indices() -> None:
    read_layer = parse_layer(layer("assert sum(t[n, k] for k in C) == 1", "assert t[n, c] >= 0", "y = g", "return y"))
    assert [ex.free_indices(a) for a in read_layer.assumptions] == [(Index("n", "N"),), (Index("n", "N"), Index("c", "C"))]


def test_latex_comments_belong_to_their_lines() -> None:
    text = 'def f(\n    x: "N",  # latex: X\n    g,  # a gain\n):\n    y = (g\n        + 1)  # latex: \\tilde{y}\n    return y  # done\n'
    assert dict(parse_layer(text).latex) == {"x": "X", "y": r"\tilde{y}"}


def test_a_file_holds_several_layers() -> None:
    text = '"""Two."""\n' + layer("y = g", "return y") + layer("y = g", "return y").replace("def f", "def h")
    assert [found.name for found in parse_layers(text)] == ["f", "h"]
    assert parse_layer(text, function="h").doc == "Two."
    assert message(text) == "mine.py: there are 2 layers here: 'f' and 'h'\nname one: mine.py:f"
    with pytest.raises(LayerError, match="no layer named 'g'"):
        parse_layer(text, function="g")


def test_windows_line_ends_and_a_byte_order_mark_change_nothing() -> None:
    text = layer("y = g", "return y")
    assert parse_layer("\ufeff" + text.replace("\n", "\r\n")) == parse_layer(text)


def test_an_unknown_name_is_shown_with_a_caret_and_a_suggestion() -> None:
    text = load_layer("batchnorm").doc and '''
def batchnorm(x: "N", gamma, beta, *, eps=1e-5):
    mu = mean(x[j] for j in N)
    sigma2 = mean((x[j] - mu) ** 2 for j in N)
    xhat[i] = (x[i] - mu) / sqrt(sigma + eps)
    return xhat
'''
    assert message(text) == (
        "mine.py:5:34: unknown name 'sigma'\n"
        "        xhat[i] = (x[i] - mu) / sqrt(sigma + eps)\n"
        "                                     ^~~~~\n"
        "did you mean 'sigma2'?"
    )


def test_columns_count_characters_and_tabs_not_bytes() -> None:
    text = 'def f(x: "N"):\n\ty[i] =\tx[i]*foo\n\treturn y\n'
    assert message(text).splitlines()[:3] == ["mine.py:2:14: unknown name 'foo'", "     y[i] = x[i]*foo", "                 ^~~"]
    assert message('def f(x: "N"):\n    "\u00e9\u00e9"; y = foo\n    return y').startswith("mine.py:2:15: ")


# The statement, the place of the caret in it, what is said, and what to write instead.
MISTAKES = [
    ("y[i] = x[i]/0", 13, "division by zero", None),
    ("y[i] = x[i]*eqs", 13, "unknown name 'eqs'", "did you mean 'eps'?"),
    ("y[i] = x[i]*qqq", 13, "unknown name 'qqq'", "known names: 'x', 'g', 'b', 'eps', 't', 'N' and 'C'"),
    ("y[i] = z*x[i]; z = g", 8, "name 'z' is used before its definition on line 2", "define a name above its first use"),
    ("y = y*g", 5, "'y' is defined by itself", "a definition uses only names above it"),
    ("mu = x[i]", 8, "index 'i' is not on the left side", "write mu[i] = ..., or reduce over it: sum(... for i in N)"),
    ("o[i] = 1", 3, "index 'i' has no axis", "an index gets its axis from an array, such as x[i]"),
    ("o[i] = 0*x[i]", 3, "index 'i' has no axis", "an index gets its axis from an array, such as x[i]"),
    ("o[i, i] = x[i]", 3, "index 'i' stands twice on the left", "use another letter, such as 'j'"),
    ("y[i] = x[i]*b[i]", 15, "index 'i' runs over N in 'x' and over C in 'b'", "use two letters"),
    ("y = sum(b[j] for j in N)", 11, "index 'j' runs over N, but 'b' has C there", "write 'for j in C', or use another letter"),
    ("y = sum(x[j] for j in Q)", 23, "'Q' is not an axis of any array", "known axes: 'N' and 'C'"),
    ("y = sum(x[j] for j in x)", 23, "'x' is a value, not an axis", "write the axis: for j in N"),
    ("y[i] = sum(x[i] for i in N)", 21, "index 'i' is already used by the left side", "use another letter, such as 'j'"),
    ("y = sum(sum(x[j] for j in N) for j in N)", 22, "index 'j' is already used by a reduction around it", "use another letter, such as 'k'"),
    ("y[i] = x", 8, "'x' is an array over N", "write x[i]"),
    ("y[i] = g[i]*x[i]", 8, "'g' is a scalar and has no index", "write g"),
    ("y[i] = x[i, i]", 8, "'x' has 1 axis, 'N', but 2 indices here", "write x[i]"),
    ("y[i] = x[i]*i", 13, "index 'i' is not a value", "an index only selects an element: x[i]"),
    ("y[g] = x[g]", 3, "'g' is a value, not an index", "use another letter, such as 'j'"),
    ("y[N] = x[N]", 3, "'N' is an axis, not an index", "an index is a letter that runs over an axis: 'for j in N'"),
    ("y[i] = x[i][i]", 8, "indices stand in one pair of brackets", "write x[i, j]"),
    ("y[i] = x[i+1]", 10, "an index is a single letter", "write x[i]; shifted and computed indices are not supported"),
    ("y = x[0]", 7, "an index is a letter, not a number", "write x[i]; every element has the same formula"),
    ("y = x[1:2]", 7, "a slice is not part of the layer language", "write an index letter for every axis: x[i, c]"),
    ("y[i] = np.sqrt(x[i])", 8, "names with a dot are not part of the layer language", "write sqrt(a)"),
    ("y = x.mean()", 5, "names with a dot are not part of the layer language", "write mean(x[j] for j in N)"),
    ("y = sum([x[j] for j in N])", 5, "sum reduces over an axis", "drop the brackets: sum(x[j] for j in N)"),
    ("y = max(g, eps)", 5, "max reduces over an axis", "write max(x[j] for j in N), or maximum(a, b) of two values"),
    ("y = sum(x[j] for j in range(N))", 23, "an axis stands after 'in'", "write the axis itself: for j in N"),
    ("y = sum(x[j] for j in N if g > 0)", 28, "a reduction has no 'if'", "write sum(where(condition, a, 0) for j in N)"),
    ("y = sqr(g)", 5, "unknown function 'sqr'", "did you mean 'sqrt'?"),
    ("y = sqrt(g, g)", 5, "sqrt takes 1 argument, 2 given", "write sqrt(a)"),
    ("y = g(eps)", 5, "'g' is a value, not a function", "to multiply, write g*(...)"),
    ("y = g if g > 0 else eps", 5, "'... if ... else ...' is not part of the layer language", "write where(condition, a, b)"),
    ("y = where(g > 0 and g < 1, g, 1)", 11, "'and' and 'or' are not part of the layer language", "nest where(...), or write two asserts"),
    ("y = where(not g > 0, g, 1)", 11, "'not' is not part of the layer language", "write the opposite comparison"),
    ("y = where(0 < g < 1, g, 1)", 11, "comparisons are not chained", "nest where(...), or write two asserts: a < b, b < c"),
    ("y = g > 0", 5, "a comparison stands only inside where(...) or after assert", "write where(x[i] > 0, a, b)"),
    ("y = g ^ 2", 5, "'^' is not part of the layer language", "write ** for a power"),
    ("y = g @ g", 5, "'@' is not part of the layer language", "write the sum: sum(a[i, k]*b[k, j] for k in K)"),
    ('y = "g"', 5, "a string is not part of the layer language", "write numbers and names"),
    ('y = f"{g}"', 5, "a string is not part of the layer language", "write numbers and names"),
    ("y = (lambda z: z)", 6, "'lambda' is not part of the layer language", "write the expression itself; to name a value 'lambda', call it 'lam'"),
    ("lambda = g", 1, "'lambda' is a word of Python and not part of the layer language", "if it is a name, choose another, such as 'lam'"),
    ("double = g", 1, "name 'double' is a word of C or C++", "choose another name, such as 'double_value'"),
    ("a__b = g", 1, "name 'a__b' contains '__', which C and C++ keep for themselves", "choose another name, such as 'a_b'"),
    ("sum = g", 1, "name 'sum' is a function of the layer language", "choose another name, such as 'sum_value'"),
    ("dx[i] = x[i]; y = g", 1, "'dx' is also the name of the gradient of 'x'", "rename one of them"),
    ("x_dot = g; y = g", 1, "'x_dot' is also the name of the tangent of 'x'", "rename one of them"),
    ("grad_x = g; y = g", 1, "'grad_x' is also the name of the second gradient of 'x'", "rename one of them"),
    ("dg_dx = g; y = g", 1, "'dg_dx' is also the name of the derivative of 'g' by 'x'", "rename one of them"),
    ("g = eps", 1, "'g' is a parameter and cannot be defined again", "choose another name"),
    ("a, c = g, g", 1, "one name stands left of '='", "write each definition on a line of its own"),
    ("y = g; y = eps", 8, "'y' is already defined on line 2", "give the new value a name of its own"),
    ("y = g; y += 1", 8, "a name is defined once and never changed", "define a new name: total = a + b"),
    ("for j in N: pass", 1, "a 'for' loop is not part of the layer language", "write an index: y[i] = ..., or a reduction: sum(x[j] for j in N)"),
    ("if g: pass", 1, "an 'if' statement is not part of the layer language", "write where(condition, a, b)"),
    ("import numpy", 1, "'import' is not part of the layer language", "sqrt, exp and the other functions are built in"),
    ('assert g > 0, "why"', 15, "an assert has no message", "write a comment instead"),
    ("assert g", 8, "a comparison belongs here", "such as x[i] > 0"),
    ("y: float = g", 1, "a definition has no annotation", "write name = ... or name[i] = ..."),
    ("y = \u03c3*g", 5, "name '\u03c3' is not plain ASCII", "spell it out: sigma is typeset as a sigma, xhat with a hat"),
    ("y = g\u2212eps", 6, "unexpected character '\u2212' (U+2212)", "write -"),
    ("y = 0x10*g", 5, "'0x10' is not a decimal number", "write it in decimal, such as 16, 0.5 or 1e-5"),
    ("y = 9**9**9**9", 11, "the exponent 387420489 is too large: at most 64", None),
    ("y = g)", 6, "this ')' closes nothing", "remove it, or open it before"),
    ("y = (g", 5, "this '(' is never closed", "it opens 'g return y'; close it"),
    ("y = g  # latex: \\input{x}", 8, "'\\input' cannot stand in a latex comment", "write plain mathematics"),
    ("return x", 8, "'x' is a parameter; an output is a definition", "define y = x, then return y"),
    ("return z", 8, "'z' is returned but not defined", "define it first: y = ..."),
    ("return x[i]", 8, "an output is returned whole", "write return x"),
    ("return", 1, "'return' needs the name of the output", "write return y"),
    ("y = g; return y, y", 18, "'y' is returned twice", "return each name once"),
    ("y = g; return y; z = g", 18, "nothing stands after 'return'", "put 'return' last"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "column", "said", "hint"), MISTAKES, ids=[m[0] for m in MISTAKES])
def test_a_mistake_is_told_where_what_and_what_instead(line: str, column: int, said: str, hint: str | None) -> None:
    lines = message(layer(line, *([] if "return" in line else ["return y"]))).splitlines()
    assert lines[0] == f"mine.py:2:{column + 4}: {said}"
    assert lines[1] == f"        {line}"
    assert lines[2].index("^") == column + 7
    assert lines[3:] == ([] if hint is None else [hint])


SIGNATURES = [
    ('x: "N", g=3', "an input has no default", "inputs are differentiated; put constants after '*': *, eps=1e-5"),
    ('x: "N", *a', "a layer names every parameter", "write out the inputs, then '*', then the constants"),
    ("x, /", "'/' is not part of the layer language", "remove it"),
    ("x: float", "an annotation is the axes in quotes", 'write x: "N C"; a scalar has no annotation'),
    ('x: "n"', "axis 'n' does not start with a capital", 'write "N"'),
    ('x: "N,C"', "'N,C' is not the name of an axis", 'write names with spaces between them: "N C"'),
    ('x: ""', "no axis in this annotation", "a scalar has no annotation"),
    ("", "layer 'f' has no input", 'write the differentiable inputs first: def layer(x: "N", *, eps=1e-5)'),
    ("x, *, eps=x", "the default of 'eps' is not a number", "write it in decimal, such as 1e-5"),
    ('x, *, t: "N"=1', "'t' is an array and has no default", "remove the default"),
    ('x: "N", N', "'N' is both an axis and a parameter", "an axis and a value need different names"),
    ("sum", "parameter 'sum' is a function of the layer language", "choose another name, such as 'sum_value'"),
    ("x, dx", "'dx' is also the name of the gradient of 'x'", "rename one of them"),
]  # fmt: skip


@pytest.mark.parametrize(("sig", "said", "hint"), SIGNATURES, ids=[s[0] for s in SIGNATURES])
def test_a_wrong_signature_is_told_what_instead(sig: str, said: str, hint: str) -> None:
    lines = message(layer("y = 1", "return y", sig=sig)).splitlines()
    assert lines[0].startswith("mine.py:1:")
    assert lines[0].endswith(f": {said}")
    assert lines[-1] == hint


def test_what_is_no_layer_is_told_what_a_layer_is() -> None:
    shape = 'a layer is a function: def layer(x: "N"): ... return y'
    assert message("") == f"mine.py: no layer in this text\n{shape}"
    assert message("x = 3").splitlines()[-1] == shape
    assert message(layer("y = g")).splitlines()[-1] == "add 'return y'"
    assert "'import' is not part" in message("import numpy\n")
    assert "a decorator is not part" in message("@jit\n" + layer("y = g", "return y"))
    assert "'async' is not part" in message("async " + layer("y = g", "return y"))
    assert "two layers named 'f'" in message(layer("y = g", "return y") * 2)


LAYER = load_layer("batchnorm")
EXTRA = {"dy": ("N",), "dx": ("N",), "dxhat_dx": ("N", "N"), "dbeta": ()}


def test_an_equation_has_one_sign_of_either_kind() -> None:
    one, two = (parse_equation(f"dbeta {sign} sum(dy[k] for k in N)", LAYER, EXTRA) for sign in ("=", "=="))
    assert (one.left, one.right) == (two.left, two.right)
    assert parse_equation("mean(xhat[j] for j in N) = 0", LAYER).indices == ()
    assert parse_equation("dxhat_dx[k, i] = delta(k, i) - 1/N", LAYER, EXTRA).indices == (Index("k", "N"), Index("i", "N"))
    assert parse_equation("dx[i]\n == (dy[i]\n + 1)", LAYER, EXTRA).right == Add((Read("dy", (I,)), num(1)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dx[i] = foo", "equation:1:9: unknown name 'foo'"),
        ("dx[i] = dy[i] = 2", "equation:1:15: there is more than one '=' or comparison here"),
        ("dx[i] < 2", "equation:1:7: '<' is not an equation"),
        ("dx[i]", "equation:1:1: there is no '=' here"),
        ("= 3", "equation:1:1: an equation needs two sides"),
        ("dx[i] = (dy[i]", "equation:1:9: this '(' is never closed"),
        ("dx[i] = sum(dy[i] for i in N)", "equation:1:23: index 'i' is bound here and stands free elsewhere"),
        ("dx[i] = dy[i] +", "equation:1:16: "),
        ("", "equation:1:1: there is no '=' here"),
    ],
)
def test_a_wrong_equation_is_told_where(text: str, said: str) -> None:
    with pytest.raises(EquationError) as caught:
        parse_equation(text, LAYER, EXTRA)
    assert str(caught.value).splitlines()[0].startswith(said)


def test_a_definition_takes_its_axes_from_the_known_name() -> None:
    assert parse_definition("dx[i] = 0", LAYER, EXTRA).axes == ("N",)
    assert parse_definition("dgamma = sum(dy[k] for k in N)", LAYER, EXTRA).axes == ()
    assert parse_definition("db[c] = sum(dy[n, c] for n in N)", load_layer("batchnorm1d"), {"dy": ("N", "C")}).axes == ("C",)
    with pytest.raises(EquationError, match="has no axis"):
        parse_definition("other[i] = 0", LAYER, EXTRA)
    with pytest.raises(EquationError, match="not a definition"):
        parse_definition("dx[i] == 0", LAYER, EXTRA)


def test_an_assumption_is_any_comparison() -> None:
    assert parse_assumption("gamma > 0", LAYER) == Compare(">", Read("gamma"), num(0))
    assert parse_assumption("gamma = 1", LAYER) == Compare("==", Read("gamma"), num(1))


def test_numbers_are_never_floats() -> None:
    assert all(isinstance(node.value, Fraction) for node in ex.walk(read("0.1*x[i] + 1e-300")) if isinstance(node, Num))


def test_an_axis_that_appears_only_in_a_constant_is_refused_with_the_definition_that_reads_it() -> None:
    with pytest.raises(LayerError) as error:
        parse_layer('def f(x: "N", *, w: "K"):\n    y[i] = x[i]*sum(w[k] for k in K)\n    return y\n')
    assert "axis 'K' appears only in the constant 'w', which the definition of 'y' reads" in str(error.value)
    assert "give an input the axis K" in str(error.value)
