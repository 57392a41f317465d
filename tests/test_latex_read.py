"""LaTeX as papers write it becomes equations; what symbn prints is read back as the same value; what cannot be read is shown."""

# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from trees import LAYER, PLACES, TREES, defined, shadows, size, value

import symbn
from symbn import catalogue
from symbn.calculus.derivation import Derivation
from symbn.errors import EquationError
from symbn.expr import ONE, Add, Call, Expr, Index, Num, Pow, Read, transform, walk
from symbn.language import (
    definition_latex,
    definition_latex_lines,
    definition_text,
    expr_latex,
    parse_definition,
    parse_equation,
    parse_latex,
)
from symbn.language.equations import Equation
from symbn.layer import Definition, Layer
from symbn.vocabulary import vocabulary

BATCHNORM = symbn.load("batchnorm")
FEATURES = symbn.load("batchnorm1d")


def extra_of(layer: Layer) -> dict[str, tuple[str, ...]]:
    return {name: quantity.axes for name, quantity in vocabulary(layer).items()}


EXTRA = extra_of(BATCHNORM)
# What an equation may speak of beside the vocabulary: the derivative of a helper.
HELPER = {"dq1_dx": ("N", "N")}


def read(latex: str, layer: Layer = BATCHNORM, **options: Mapping[str, str]) -> Equation:
    (equation,) = parse_latex(latex, layer, extra_of(layer), **options)
    return equation


def meant(text: str, layer: Layer = BATCHNORM) -> Equation:
    return parse_equation(text, layer, {**extra_of(layer), **HELPER})


def says(latex: str, text: str, layer: Layer = BATCHNORM) -> None:
    found, expected = read(latex, layer), meant(text, layer)
    assert (found.left, found.right) == (expected.left, expected.right)


R = r"\sqrt{\sigma^2 + \epsilon}"


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\mu = \frac{1}{N} \sum_{j=1}^{N} x_j", "mu = 1/N*sum(x[j] for j in N)"),
        (r"\mu = \mathrm{mean}_k x_k", "mu = mean(x[k] for k in N)"),
        (r"\mu = \operatorname{mean}_{k} (x_k)", "mu = mean(x[k] for k in N)"),
        (r"\sigma^2 = \frac1N\sum\limits_{j=1}^N{(x_j-\mu)^2}", "sigma2 = 1/N*sum((x[j] - mu)**2 for j in N)"),
        (r"\hat{x}_i = \frac{x_i-\mu}{" + R + "}", "xhat[i] = (x[i] - mu)/sqrt(sigma2 + eps)"),
        (r"\hat {x_i} = \dfrac {(x_i - \mu)}{\sqrt {(\sigma^2 + \varepsilon)}}", "xhat[i] = (x[i] - mu)/sqrt(sigma2 + eps)"),
        (r"\widehat x_{i} = (x_i-\mu)(\sigma_B^2+\epsilon)^{-1/2}", "xhat[i] = (x[i] - mu)*(sigma2 + eps)**(-1/2)"),
        (r"\hat x_i = (x_i-\mu_{\mathcal{B}})(\sigma_\mathcal{B}^2+\epsilon)^{-\frac{1}{2}}", "xhat[i] = (x[i] - mu)*(sigma2 + eps)**(-1/2)"),
        (r"y_i = \gamma\hat{x}_i + \beta", "y[i] = gamma*xhat[i] + beta"),
        (r"\frac{\partial L}{\partial x_i} = \sum_{k=1}^N \frac{\partial L}{\partial y_k} \frac{\partial y_k}{\partial x_i}", "dx[i] = sum(dy[k]*dy_dx[k, i] for k in N)"),
        (r"\partial L/\partial x_i = \sum_k \partial L/\partial y_k \cdot \partial y_k / \partial x_i", "dx[i] = sum(dy[k]*dy_dx[k, i] for k in N)"),
        (r"\frac{\partial\ell}{\partial\gamma} = \sum_{i=1}^m \frac{\partial \mathcal{L}}{\partial y_i}\cdot\widehat{x}_i", "dgamma = sum(dy[i]*xhat[i] for i in N)"),
        (r"\frac{\mathrm{d}L}{\mathrm{d}\beta} = \sum_k \frac{dL}{dy_k}", "dbeta = sum(dy[k] for k in N)"),
        (r"d\beta = \sum_k dy_k", "dbeta = sum(dy[k] for k in N)"),
        (r"\frac{d\sigma^2}{dx_i} = \frac{2}{N}(x_i-\mu)", "dsigma2_dx[i] = 2/N*(x[i] - mu)"),
        (r"\frac{\partial \sigma^2}{\partial x_i} = 2(x_i-\mu)/N", "dsigma2_dx[i] = 2*(x[i] - mu)/N"),
        (r"\frac{\partial x_k}{\partial x_i} = 1(k == i)", "dq1_dx[k, i] = delta(k, i)"),
        (r"\frac{\partial x_k}{\partial x_i} = \delta_{ki}", "dq1_dx[k, i] = delta(k, i)"),
        (r"\frac{\partial x_k}{\partial x_i} = \delta_{k,i}", "dq1_dx[k, i] = delta(k, i)"),
        (r"\frac{\partial x_k}{\partial x_i} = \delta_{k==i}", "dq1_dx[k, i] = delta(k, i)"),
        (r"\frac{\partial x_k}{\partial x_i} = \mathbb{1}(k = i)", "dq1_dx[k, i] = delta(k, i)"),
        (r"\frac{\partial x_k}{\partial x_i} = \mathbf{1}_{k=i}", "dq1_dx[k, i] = delta(k, i)"),
        (r"\frac{\partial x_k}{\partial x_i} = \mathbf{1}_{\{k=i\}}", "dq1_dx[k, i] = delta(k, i)"),
        (r"\frac{\partial x_k}{\partial x_i} = [k = i]", "dq1_dx[k, i] = delta(k, i)"),
        (r"\frac{\partial x_k}{\partial x_i} = \begin{cases} 1 & \text{if } k = i \\ 0 & \text{if } k \neq i \end{cases}", "dq1_dx[k, i] = delta(k, i)"),
        (r"x_i = \sum_{j \ne i} x_j", "x[i] = sum((1 - delta(j, i))*x[j] for j in N)"),
        (r"x_i = \sum_{j=1, j \neq i}^N x_j", "x[i] = sum((1 - delta(j, i))*x[j] for j in N)"),
        (r"x_i = \sum_{j=0}^{N-1} x_j", "x[i] = sum(x[j] for j in N)"),
        (r"x_i = \sum_{j,k} x_j y_k", "x[i] = sum(x[j]*y[k] for j in N for k in N)"),
        (r"x_i = \sum_j \sum_k x_j y_k", "x[i] = sum(x[j]*y[k] for j in N for k in N)"),
        (r"x_i = \sum_k x_k y_k - \gamma", "x[i] = sum(x[k]*y[k] for k in N) - gamma"),
        (r"x_i = \sum_k -2 (x_k - \mu)", "x[i] = sum(-2*(x[k] - mu) for k in N)"),
        (r"x_i = \max_k x_k - \min\limits_{k} x_k", "x[i] = max(x[k] for k in N) - min(x[k] for k in N)"),
        (r"x_i = \max_{1 \le k \le N} \gamma", "x[i] = max(gamma for k in N)"),
        (r"x_i = \max(0, x_i)", "x[i] = maximum(0, x[i])"),
        (r"x_i = e^{x_i - \mu} + \exp(x_i) + \exp x_i", "x[i] = exp(x[i] - mu) + exp(x[i]) + exp(x[i])"),
        (r"x_i = \log\left(x_i\right) + \ln x_i + \tanh^2(x_i) + \sin(x_i)^2", "x[i] = log(x[i]) + log(x[i]) + tanh(x[i])**2 + sin(x[i])**2"),
        (r"x_i = \operatorname{sigmoid}(x_i) + \mathrm{ReLU}(x_i) + \text{erf}(x_i)", "x[i] = sigmoid(x[i]) + relu(x[i]) + erf(x[i])"),
        (r"x_i = |x_i - \mu| \lvert \gamma \rvert + \left|x_i\right|^2", "x[i] = abs(x[i] - mu)*abs(gamma) + abs(x[i])**2"),
        (r"x_i = \sqrt[3]{x_i} + \sqrt{x_i} + \sqrt\gamma", "x[i] = x[i]**(1/3) + sqrt(x[i]) + sqrt(gamma)"),
        (r"x_i = \Bigl[ \{ x_i \} \bigl( \gamma \bigr) \Bigr]", "x[i] = x[i]*gamma"),
        (r"x_i = \gamma * x_i \times 2 \odot \beta \, \quad ~ \mu", "x[i] = gamma*x[i]*2*beta*mu"),
        (r"x_i = \sigma^4 + (\sigma^2)^3 + x_i^2 + x^2_i", "x[i] = sigma2**2 + sigma2**3 + x[i]**2 + x[i]**2"),
        (r"x_i = 0.5 x_i - \frac12 \gamma + 10^{-5}", "x[i] = 0.5*x[i] - 1/2*gamma + 10**(-5)"),
        (r"x_i = -x_i \cdot -2 / N (\mu)", "x[i] = -(x[i]*(-2)/N*mu)"),
        (r"x_i = \pi \mathbf{x}_i \mathrm{sigma2}", "x[i] = pi*x[i]*sigma2"),
        (r"\dot{y}_i = \bar{\bar{x}}_i", "y_dot[i] = ddx[i]"),
        (r"\frac{\partial G}{\partial x_i} = \frac{\partial G}{\partial(\partial L/\partial y_i)}", "grad_x[i] = grad_dy[i]"),
        (r"x_i = \boxed{\gamma} \tag{7} \label{eq:a}", "x[i] = gamma"),
        (r"$$x_i = \underbrace{\gamma + \beta}_{\text{a label}} \, \overbrace{\mu}^{m}$$", "x[i] = gamma + beta*mu"),
        (r"\[ x_i = \mathbb{1}[x_i > 0] \, y_i, \]", "x[i] = where(x[i] > 0, 1, 0)*y[i]"),
        (r"\text{(the mean)} \quad \mu = \gamma, \qquad \text{where}", "mu = gamma"),
        ("x_i = \\gamma % a remark = 3\n + \\beta", "x[i] = gamma + beta"),
    ],
)
def test_what_papers_write_is_read(latex: str, text: str) -> None:
    says(latex, text)


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\mu_d = \frac{1}{N} \sum_n x_{nd}", "mu[d] = 1/N*sum(x[n, d] for n in N)"),
        (r"\hat{x}_{n,d} = (x_{n d} - \mu_d) (\sigma^2_d + \epsilon)^{-1/2}", "xhat[n, d] = (x[n, d] - mu[d])*(sigma2[d] + eps)**(-1/2)"),
        (r"\hat{x}_{ij} = \frac{x_{ij} - \mu_{B,j}}{\sqrt{\sigma_{B,j}^2 + \epsilon}}", "xhat[i, j] = (x[i, j] - mu[j])/sqrt(sigma2[j] + eps)"),
        (r"\frac{\partial L}{\partial\gamma_d} = \sum_{n=1}^{m} \frac{\partial L}{\partial y_{nd}} \hat x_{nd}", "dgamma[d] = sum(dy[n, d]*xhat[n, d] for n in N)"),
        (r"\frac{\partial y_{n,d}}{\partial x_{j,d}} = \frac{1}{m} \sum_{k=1}^{m} \delta_{nj} x_{k,d}", "dy_dx[n, d, j, d] = 1/N*sum(delta(n, j)*x[k, d] for k in N)"),
        (r"\sum_{\alpha} x_{\alpha, j_{1}} = \mu_{j_1}", "sum(x[alpha, j1] for alpha in N) = mu[j1]"),
    ],
)
def test_letters_get_their_axes_from_the_arrays_they_index(latex: str, text: str) -> None:
    says(latex, text, FEATURES)


def test_a_papers_own_count_is_the_axis_its_sum_runs_over() -> None:
    says(r"\mu = \frac{1}{m} \sum_{i=1}^{m} x_i", "mu = 1/N*sum(x[i] for i in N)")
    says(r"\mu_c = \frac{1}{m} \sum_{i=1}^{m} x_{ic}", "mu[c] = 1/N*sum(x[i, c] for i in N)", FEATURES)
    says(r"\mu = \frac{1}{d \gamma} \sum_{i=1}^{d} x_i", "mu = 1/(N*gamma)*sum(x[i] for i in N)")
    named = read(r"\frac{1}{m} v = \frac{s}{n}", FEATURES, lets={"m": "N", "n": "C", "v": "eps", "s": "eps"})
    assert (named.left, named.right) == (meant("eps/N = 1/N*eps", FEATURES).right, meant("1 = eps/C", FEATURES).right)
    assert read(r"\mathrm{var} = \sigma^2", lets={"var": "sigma2"}).left == Read("sigma2")


def test_a_name_of_the_papers_own_stands_for_an_expression() -> None:
    root = {r"\sigma_d": r"\sqrt{\sigma_d^2+\epsilon}", "r": r"\frac{1}{m}"}
    found = read(r"\hat{x}_{ni} = r (x_{ni}-\mu_i) / \sigma_i + \frac{\partial \sigma_i}{\partial x_{nj}} - \frac{1}{m} \sum_{k=1}^m x_{ki}", FEATURES, lets=root)
    assert definition_text(found.where[0]) == "q1[i] = sqrt(sigma2[i] + eps)"
    expected = parse_equation(
        "0 = 1/N*(x[n, i] - mu[i])/sqrt(sigma2[i] + eps) + dq1_dx[i, n, j] - 1/N*sum(x[k, i] for k in N)",
        FEATURES,
        {"dq1_dx": ("C", "N", "C")},
    )
    assert found.right == expected.right
    root_of_all = {r"\sigma": r"\sqrt{\sigma^2+\epsilon}"}
    assert symbn.check(BATCHNORM, r"x_i = \sigma \hat{x}_i + \mu", latex=True, lets=root_of_all).status == "EQUAL"


@pytest.mark.parametrize(
    ("theirs", "ours", "message"),
    [
        ("v", "sigma3", "'v=sigma3': unknown name 'sigma3'"),
        ("v", r"\hat{x}_i", "let:1:1: index 'i' is not on 'v'"),
        ("v w", r"\mu", "let:1:1: a name belongs here"),
        ("v", r"\sqrt{", "let:1:6: this '{' is never closed"),
    ],
)
def test_a_name_that_stands_for_nothing_is_an_error(theirs: str, ours: str, message: str) -> None:
    with pytest.raises(EquationError) as caught:
        read(r"\mu = 1", lets={theirs: ours})
    assert str(caught.value).splitlines()[0] == message


def test_a_chain_gives_an_equation_for_each_sign() -> None:
    latex = r"""\begin{align*}
    \frac{\partial L}{\partial x_i} &= \gamma + \biggl( \beta \tag{1} \\[2pt]
        &\quad + \mu \biggr) \\
    \\
        &= \gamma \\
        & - \beta, \\
    y_i &= \mu \\
        &= -\mu.
    \end{align*}"""
    found = parse_latex(latex, BATCHNORM, EXTRA)
    expected = ["dx[i] = gamma + (beta + mu)", "dx[i] = gamma - beta", "y[i] = mu", "y[i] = -mu"]
    assert [(e.left, e.right) for e in found] == [(meant(text).left, meant(text).right) for text in expected]
    assert found[1].text == r"\frac{\partial L}{\partial x_i} = \gamma - \beta"
    assert all(equation.where == () for equation in found)


def test_displays_beside_each_other_are_equations_of_their_own() -> None:
    latex = r"$$\mu = \gamma$$ \[ \sigma^2 = \beta \] \begin{equation}\begin{aligned} y_i &= \\ \gamma \end{aligned}\end{equation} \mu = 1, \; \mu = 2"
    found = parse_latex(latex, BATCHNORM, EXTRA)
    assert [e.right for e in found] == [meant(f"mu = {text}").right for text in ("gamma", "beta", "gamma", "1", "2")]


def test_invisible_braces_group_nothing() -> None:
    says(r"x_i = \left( {\gamma - \frac{1}{N}\left({x_i}\right)}\left({\mu}\right) \right)", "x[i] = gamma - 1/N*x[i]*mu")


@pytest.mark.parametrize("numerator", [r"(\sigma^2+\epsilon)^{-1/2}", r"\left( \frac{1}{\sqrt{\sigma^2 + \epsilon}} \right)"])
def test_the_derivative_of_an_expression_comes_with_its_definition(numerator: str) -> None:
    found = read(rf"\frac{{\partial {numerator}}}{{\partial x_i}} = -\frac{{1}}{{2}}(\sigma^2+\epsilon)^{{-3/2}} \frac{{2}}{{N}} (x_i - \mu)")
    (helper,) = found.where
    assert (helper.name, helper.indices) == ("q1", ())
    assert found.left == Read("dq1_dx", (Index("i", "N"),))
    assert defined(helper.expr, [{}]) == defined(meant("1 = 1/sqrt(sigma2 + eps)").right, [{}])


def test_an_expression_with_an_index_is_differentiated_at_that_index() -> None:
    found = read(r"\frac{\partial (\gamma \hat{x}_k + \beta)}{\partial \hat{x}_k} \frac{\partial}{\partial x_i} (\gamma \hat{x}_k + \beta) = \gamma")
    (helper,) = found.where
    assert definition_text(helper) == "q1[k] = gamma*xhat[k] + beta"
    assert [node.name for node in walk(found.left) if isinstance(node, Read)] == ["dq1_dxhat", "dq1_dx"]
    assert [i.name for i in found.left.children[0].indices] == ["k", "k"]


def test_the_derivative_of_an_input_or_an_earlier_value_is_that_of_a_helper() -> None:
    found = read(r"\frac{\partial x_k}{\partial x_i} + \frac{\partial \mu}{\partial \hat{x}_i} = 1(k = i)")
    assert [definition_text(helper) for helper in found.where] == ["q1[k] = x[k]", "q2 = mu"]
    assert symbn.check(BATCHNORM, found.text, latex=True).status == "EQUAL"


def test_the_name_of_a_helper_is_new() -> None:
    layer = symbn.loads('def f(x: "N", q1):\n    q2 = sum(x[i] for i in N)\n    y[i] = q1*q2*x[i]\n    return y\n')
    (helper,) = read(r"\frac{\partial (x_i + q_1)}{\partial x_j} = 1", layer).where
    assert helper.name == "q3"


# Errors: what, where and what to do.


@pytest.mark.parametrize(
    ("latex", "message", "under", "hint"),
    [
        (r"x_i = \sigma", r"unknown name '\sigma'", r"\sigma", r"did you mean '\sigma^2'?"),
        (r"\mu_{\mathrm{running}} = 1", r"'\mu' is a scalar and has no index", r"\mu_{\mathrm{running}}", None),
        (r"\mu_B = \mu_A", r"'\mu_A' and the one with 'B' would both be '\mu'", r"\mu_A", r"write '\mu' for the layer's"),
        (r"x_i = \tilde{x}_i", r"unknown name '\tilde{x}_i'", r"\tilde{x}_i", r"did you mean 'x'?"),
        (r"x_i = \gama", r"unknown command '\gama'", r"\gama", r"did you mean '\gamma'?"),
        (r"\hat{x} = 1", r"'\hat{x}' has an index over N, but not here", r"\hat{x}", r"write \hat{x}_{i}"),
        (r"x_i = \gamma_i", r"'\gamma' is a scalar and has no index", r"\gamma_i", r"write \gamma"),
        (r"y_i = \left( x_i - \mu", "this '\\left(' is never closed", r"\left(", r"it opens 'x_i - \mu'; close it"),
        (r"y_i = \frac{(x_i}{\gamma}", "this '(' is never closed before the '}'", "(", "it opens 'x_i'; close it"),
        (r"y_i = \frac{x_i}{\gamma", "this '{' is never closed", "{", r"it opens '\gamma'; close it"),
        (r"y_i = x_i)", "this ')' closes nothing", ")", "remove it, or open it before"),
        (r"y_i = 1/2N", "what stands under the '/' is not clear here", "2N", r"write \frac{...}{...}, or parentheses"),
        (r"y_i = \sum x_i", "this does not say over which index", r"\sum", r"write \sum_{k=1}^{N}"),
        (r"y_i = \sum_{k=2}^N x_k", "a sum runs over a whole axis", "k=2", r"write \sum_{k=1}^{N}"),
        (r"y_i = \sum_{k=1}^{N-1} x_k", "a sum runs over a whole axis", "N-1", r"write \sum_{k=1}^{N}, or \sum_{k=0}^{N-1}"),
        (r"y_i = \sum_k \gamma", "index 'k' has no axis", r"\sum_k \gamma", "an index gets its axis from an array, such as x[k]"),
        (r"y_i = x_1", "an index is a letter, not a number", "1", "write x_i; every element has the same formula"),
        (r"y_i = x_1 + \cdots + x_N", "an index is a letter, not a number", "1", "write x_i; every element has the same formula"),
        (r"y_i = \mu + \cdots + \mu", r"cannot read on at '\cdots'", r"\cdots", r"write the sum out: \sum_{k=1}^{N}"),
        (r"y_i = x_i^\top x_i", r"'\top' is not an exponent", r"\top", None),
        (r"y_i = x_i'", "cannot read on at '''", "'", "a prime is not read: give it a name of its own"),
        (r"y_i \approx x_i", r"'\approx' is not an equation", r"\approx", "write an equation, with '='"),
        (r"y_i - x_i", "there is no '=' here", "y_i - x_i", None),
        (r"= x_i", "an equation needs two sides", "=", None),
        (r"\frac{\partial^2 L}{\partial x_i^2} = 1", "a second derivative by two inputs has no name here", r"\partial^2 L", None),
        (r"\frac{\partial L}{\partial \epsilon} = 1", r"nothing is differentiated by '\epsilon', which is no input and no definition", r"\epsilon", None),
        (r"\frac{\partial L}{\partial (x_i + 1)} = 1", "a derivative is by a name of the layer", "x_i + 1", r"write \partial x_i"),
        (r"\frac{\partial Q}{\partial x_i} = 1", "unknown name 'Q'", "Q", None),
        (r"y_i = \log x_i y_i", "where the function's argument ends is not clear here", r"\log x_i", "write it in parentheses"),
        (r"y_i = \frac{x_i}{0}", "division by zero", "0", None),
        (r"y_i = x_i^{99}", "the exponent 99 is too large: at most 64", None, None),
        (r"y_i = \sum_i x_i", "index 'i' is bound here and stands free elsewhere", None, "use another letter, such as 'j'"),
        (r"y_i = \begin{array}{c} 1 \end{array}", "the environment 'array' is not read", r"\begin{array}", None),
        ("y_i = \u03bc", "unexpected character '\u03bc'", "\u03bc", "write it as a command of LaTeX"),
        (r"y_i = 1e-5", "unknown name 'e'", "e", "a power of ten is written 10^{-5}, an exponential e^{...}"),
        (r"\mu = \frac{1}{n} \sum_{i=1}^{n} \sum_{j=1}^{m} x_i", "index 'j' has no axis", None, None),
    ],
)
def test_where_it_cannot_read_on_it_says_so(latex: str, message: str, under: str | None, hint: str | None) -> None:
    with pytest.raises(EquationError) as caught:
        parse_latex("\n" + latex, BATCHNORM, EXTRA)
    error = caught.value
    assert error.message == message
    assert error.place is not None
    assert error.place.line == 2
    if under is not None:
        assert error.place.text[error.place.column - 1 :][: error.place.width] == under[: error.place.width]
        assert error.place.width in (len(under), len(under.replace(" ", "")), 1)
    if hint is not None:
        assert error.hint == hint


def test_a_caret_stands_under_the_parenthesis_that_is_never_closed() -> None:
    with pytest.raises(EquationError) as caught:
        parse_latex("\\mu = \\gamma\ny_i = \\gamma ( x_i - ( \\mu + \\beta )", BATCHNORM, EXTRA)
    assert str(caught.value) == (
        "equation:2:14: this '(' is never closed\n    y_i = \\gamma ( x_i - ( \\mu + \\beta )\n                 ^\nit opens 'x_i - ( \\mu + \\beta )'; close it"
    )


@pytest.mark.parametrize(
    "text",
    ["{" * 500, "(" * 500 + "=", r"\hat" * 3000 + "x=1", "x_i=" + r"\sum_k " * 2000, "x_i=" + "-" * 5000 + "1", "x_i=" + r"\exp" * 1000, "a" * 300_000,
     "x_i=" + "=1" * 500, "x_i=" + "9" * 2000, "x_i=" + "x_i" * 5000, r"x_i=\text", r"x_i=\left", r"x_i=\frac", "x_i=x_", "x_i=x^", "\\", "$", "", "=", "&=&",
     r"x_i=\begin{cases}\end{cases}", r"x_i=\begin", r"\end{align}", r"x_i=\sum_{}x_i", r"x_i=\sqrt[", r"x_i=|x_i", r"x_i=1(", r"x_i=\mathbb", r"x_i=\partial",
     r"x_i=\frac{\partial}{\partial}", r"x_i=\frac{d}{d}", r"x_i=\underbrace", r"x_i=\mathrm{}", r"x_i=\delta_{}", r"x_i=\sum_{k=}^{}x_k", "x_i=.", "x_i=1.2.3"],
    ids=range(37),
)  # fmt: skip
def test_a_hostile_text_is_refused_early(text: str) -> None:
    with pytest.raises(EquationError):
        parse_latex(text, BATCHNORM, EXTRA)


PIECES = st.sampled_from(
    r"""\frac \sum \sqrt \partial \hat \bar \mathrm \mathcal \mathbb \text{if} \left( \right) \begin{cases} \end{cases} \underbrace \exp \max \delta
    \cdot \\ & { } ( ) [ ] | _ ^ _{k=1}^N _{ki} ^{-1/2} = < \ne + - / , . 1 2 x_i \sigma^2 \mu \gamma L d k i N \in \{ \}""".split()  # noqa: SIM905
)


@settings(max_examples=400)
@given(st.lists(PIECES, max_size=14))
def test_any_text_is_read_or_refused_with_a_place(pieces: list[str]) -> None:
    text = r"\mu = " + " ".join(pieces)
    columns = [1]
    try:
        parse_latex(text, BATCHNORM, EXTRA)
    except EquationError as error:
        columns.append(error.place.column if error.place is not None else -1)
    assert all(1 <= column <= len(text) + 1 for column in columns)


# What symbn prints is read back.


def plain(expr: Expr) -> Expr:
    """The expression with what LaTeX writes otherwise: rsqrt(a) is 1/sqrt(a), sqrt(a)**2 is a, log1p(a) is log(1 + a)."""

    def change(node: Expr) -> Expr:
        match node:
            case Call("rsqrt", (inside,)):
                return Pow(Call("sqrt", (inside,)), Num(-ONE.value))
            case Call("log1p", (inside,)):
                return Call("log", (Add((ONE, inside)),))
            case Call("expm1", (inside,)):
                return Add((Call("exp", (inside,)), Num(-ONE.value)))
            case Pow(Call("sqrt", (inside,)), Num(power)) if power.denominator == 1 and power % 2 == 0:
                return Pow(inside, Num(power / 2))
        return node

    return transform(expr, change)


def last_place(definition: Definition) -> dict[str, int]:
    return {index.name: size(index.axis) - 1 for index in definition.indices}


@cache
def derived(name: str, mode: str, order: int) -> Derivation:
    return symbn.derive(name, mode=mode, order=order).derivation


def printed(derivation: Derivation) -> Iterator[tuple[Definition, str]]:
    """Every equation of a derivation, on one line and broken."""
    names = derivation.typeset
    for definition in (*derivation.layer.definitions, *derivation.formulas):
        yield definition, definition_latex(definition, names)
        yield definition, r" \\ ".join(definition_latex_lines(definition, names, 30))
    for step in derivation.steps:
        yield step.definition, step.latex
        yield step.definition, "\\begin{aligned}\n" + " \\\\\n".join(step.rows) + "\n\\end{aligned}"


def names_in(equations: list[tuple[Definition, str]], layer: Layer) -> dict[str, tuple[str, ...]]:
    """The vocabulary, and the names that a derivation introduces."""
    found = extra_of(layer)
    for definition, _ in equations:
        for node in (Read(definition.name, definition.indices), *walk(definition.expr)):
            if isinstance(node, Read) and node.name not in layer.names:
                found.setdefault(node.name, tuple(index.axis for index in node.indices))
    return found


# Second order of the quick ones: its search takes seconds a layer, and its notation is the same everywhere.
SECOND = ("batchnorm", "l2norm", "softmax", "cross_entropy", "mse", "linear", "rmsnorm")


@pytest.mark.parametrize(
    ("name", "mode", "order"),
    [*((name, mode, 1) for name in catalogue.names() for mode in ("vjp", "jvp", "jacobian")), *((name, "vjp", 2) for name in SECOND)],
)
def test_every_equation_that_symbn_prints_is_read_back(name: str, mode: str, order: int) -> None:
    derivation = derived(name, mode, order)
    equations = list(printed(derivation))
    extra = names_in(equations, derivation.layer)
    for definition, latex in equations:
        (found,) = parse_latex(latex, derivation.layer, extra)
        assert found.left == Read(definition.name, definition.indices), latex
        at = last_place(definition)
        known = defined(plain(definition.expr), [at])
        assert known is not None
        assert known == (known[0], [value(found.right, at, known[0])]), latex


@pytest.mark.parametrize(
    ("source", "text", "latex"),
    [
        ("L = x + g", "dg = dL", r"\frac{\partial \ell}{\partial g} = \frac{\partial \ell}{\partial L}"),
        ("L = x + g", "dL_dg = 1", r"\frac{\partial L}{\partial g} = 1"),
        ("G = x + g", "grad_g = grad_dG", r"\frac{\partial H}{\partial g} = \frac{\partial H}{\partial(\partial L/\partial G)}"),
        ("y = x + sigma2*sigma", "sigma2 = sigma**2", r"\sigma_{2} = \sigma^{2}"),
        ("v = sigma + g  # latex: \\sigma^2\n    y = v*x", "v = sigma**2", r"\sigma^2 = (\sigma)^{2}"),
        ("norm = x**2 # latex: \\lVert x \\rVert\n    y = norm*g", "dnorm = norm**2", r"\frac{\partial L}{\partial \lVert x \rVert} = \lVert x \rVert^{2}"),
        ("m = x**2 # latex: m_{\\max}\n    y = m*g", "m = m**2", r"{m_{\max}} = {m_{\max}}^{2}"),
        ("m = max(g for k in N)\n    y = m*g*sum(a[i] for i in N)", "m = max(g for k in N)", r"m = \max_{1 \le k \le N} g"),
        ("e = x*g\n    y = e", "e = e**x", "e = e^{x}"),
        ("y = x*g", "y = x*(-2)*(g*(-3))", "y = 6 x g"),
        ("y = x*g", "y = x + g*(-3)", "y = x - 3 g"),
        ("y = x*g", "y = sum(a[i] for i in N)*(2*sum(a[j] for j in N))", r"y = 2 \left( \sum_{i=1}^{N} a_{i} \right) \sum_{j=1}^{N} a_{j}"),
    ],
)
def test_what_could_be_read_otherwise_is_printed_so_that_it_is_not(source: str, text: str, latex: str) -> None:
    inputs = [name for name in ("x", "g", "sigma", "sigma2") if name in source.replace("sigma2", "") or (name == "sigma2" and name in source)]
    layer = symbn.loads(f'def f({", ".join(inputs)}, a: "N"):\n    {source}\n    return {source.split(chr(10))[-1].split()[0]}\n')
    definition = parse_definition(text, layer, extra_of(layer))
    assert definition_latex(definition, layer) == latex
    found = read(latex, layer)
    assert found.left == Read(definition.name, definition.indices)
    assert defined(found.right, [{}]) == defined(definition.expr, [{}])


@settings(max_examples=300)
@given(TREES)
def test_any_expression_is_printed_and_read_with_the_same_meaning(expr: Expr) -> None:
    assume(not shadows(expr))
    known = defined(plain(expr), PLACES)
    assume(known is not None)
    assert known is not None
    seed, expected = known
    (found,) = parse_latex(f"0 = {expr_latex(expr, LAYER)}", LAYER, {})
    assert [value(found.right, place, seed) for place in PLACES] == expected
