"""From expressions to text, Unicode and LaTeX: the text is read back as the same thing, the LaTeX compiles and stays in its column."""

# ruff: noqa: E501

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from trees import LAYER, PLACES, TREES, defined, shadows, value

from symbn import catalogue
from symbn.expr import Expr, walk
from symbn.language import (
    LatexNames,
    definition_latex,
    definition_latex_lines,
    definition_pretty,
    definition_text,
    expr_latex,
    expr_text,
    layer_text,
    load_layer,
    parse_definition,
    parse_equation,
    parse_layer,
)
from symbn.language.latex_lines import measure
from symbn.layer import Layer

BATCHNORM = load_layer("batchnorm")
EXTRA = {"dy": ("N",), "dx": ("N",), "dgamma": (), "dxhat_dx": ("N", "N"), "x_dot": ("N",), "ddx": ("N",), "grad_x": ("N",)}
DX = "dx[i] = gamma/sqrt(sigma2 + eps)*(dy[i] - mean(dy[k] for k in N) - xhat[i]*mean(dy[k]*xhat[k] for k in N))"


@settings(max_examples=300)
@given(TREES)
def test_text_is_read_back_with_the_same_meaning(expr: Expr) -> None:
    assume(not shadows(expr))
    known = defined(expr, PLACES)
    assume(known is not None)
    assert known is not None
    seed, expected = known
    read = parse_equation(f"0 = {expr_text(expr)}", LAYER).right
    assert [value(read, place, seed) for place in PLACES] == expected


@settings(max_examples=200)
@given(TREES)
def test_what_was_read_is_printed_and_read_as_the_same_tree(expr: Expr) -> None:
    assume(not shadows(expr))
    assume(defined(expr, PLACES[:1]) is not None)
    once = parse_equation(f"0 = {expr_text(expr)}", LAYER).right
    assert parse_equation(f"0 = {expr_text(once)}", LAYER).right == once


@settings(max_examples=200)
@given(TREES)
def test_latex_has_balanced_braces_and_plain_ascii(expr: Expr) -> None:
    text = expr_latex(expr, LAYER)
    assert text.isascii()
    assert text.count("{") == text.count("}")
    assert text.count(r"\left") == text.count(r"\right")
    assert measure(text) > 0


def same(one: Layer, other: Layer) -> bool:
    """Equal but for line numbers and what the user calls the file."""
    plain = [replace(found, file="", definitions=tuple(replace(d, line=0) for d in found.definitions)) for found in (one, other)]
    return plain[0] == plain[1]


@pytest.mark.parametrize("name", catalogue.names())
def test_a_layer_is_printed_and_read_as_the_same_layer(name: str) -> None:
    layer = load_layer(name)
    assert same(parse_layer(layer_text(layer)), layer)
    assert layer_text(parse_layer(layer_text(layer))) == layer_text(layer)


def test_a_printed_layer_keeps_comments_assumptions_and_defaults() -> None:
    text = (
        '"""A doc with \\\\sigma and \\"quotes\\"\\"\\"."""\n\ndef f(\n    x: "N C",\n    g,  # latex: \\Gamma\n    *,\n    t: "N",\n    eps=1e-5,\n'
        "    slope=0.25,\n    third=1/3,\n):\n    assert eps > 0\n    m[i] = sum(x[i, c] for c in C)  # latex: \\hat{m}\n    assert m[i] >= t[i]\n"
        "    y[i] = m[i]*g**2 - 1/2*t[i]\n    return y, m\n"
    )
    assert layer_text(parse_layer(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        DX,
        "dgamma = sum(dy[k]*xhat[k] for k in N)",
        "dxhat_dx[k, i] = (delta(k, i) - 1/N - xhat[k]*xhat[i]/N)/sqrt(sigma2 + eps)",
        "dx[i] = 2*(x[i] - mu)/N",
        "dx[i] = -1/2*gamma*(sigma2 + eps)**(-3/2)*dy[i]",
        "dx[i] = -dy[i]/N**2 + 3/2*xhat[i]",
        "dx[i] = dy[i]/(gamma*N)/2 + x[i]*(1/2)",
        "dx[i] = (-x[i])**2 - x[i]**(mu**2) - (x[i]**mu)**gamma",
        "dx[i] = where(x[i] > 0, dy[i], -dy[i])*max(abs(x[k]) for k in N)",
        "dx[i] = dy[i] - (x[i] - (mu - gamma))",
    ],
)
def test_a_formula_is_printed_as_people_write_it(text: str) -> None:
    assert definition_text(parse_definition(text, BATCHNORM, EXTRA)) == text


LATEX = [
    (
        DX,
        r"\frac{\partial L}{\partial x_{i}} = \frac{\gamma}{\sqrt{\sigma^2 + \epsilon}} \left( \frac{\partial L}{\partial y_{i}}"
        r" - \frac{1}{N} \sum_{k=1}^{N} \frac{\partial L}{\partial y_{k}}"
        r" - \frac{\hat{x}_{i}}{N} \sum_{k=1}^{N} \frac{\partial L}{\partial y_{k}} \hat{x}_{k} \right)",
    ),
    ("dgamma = sum(dy[k] for k in N)", r"\frac{\partial L}{\partial \gamma} = \sum_{k=1}^{N} \frac{\partial L}{\partial y_{k}}"),
    ("dxhat_dx[k, i] = delta(k, i)/N", r"\frac{\partial \hat{x}_{k}}{\partial x_{i}} = \frac{\delta_{k,i}}{N}"),
    ("dx[i] = 2*(x[i] - mu)/N", r"\frac{\partial L}{\partial x_{i}} = \frac{2 (x_{i} - \mu)}{N}"),
    ("x_dot[i] = (sigma2 + eps)**(-3/2)*x[i]", r"\dot{x}_{i} = (\sigma^2 + \epsilon)^{-3/2} x_{i}"),
    ("x_dot[i] = sigma2**2 - xhat[i]**2", r"\dot{x}_{i} = (\sigma^2)^{2} - \hat{x}_{i}^{2}"),
    ("x_dot[i] = sqrt(sigma2)**2*x[i]*3", r"\dot{x}_{i} = 3 \sigma^2 x_{i}"),
    ("x_dot[i] = -1/2*x[i] - 3/N", r"\dot{x}_{i} = -\frac{1}{2} x_{i} - \frac{3}{N}"),
    ("x_dot[i] = sum(x[k] for k in N)*x[i]", r"\dot{x}_{i} = x_{i} \sum_{k=1}^{N} x_{k}"),
    (
        "x_dot[i] = sum(x[k] - mu for k in N)*max(x[k] for k in N)",
        r"\dot{x}_{i} = \left( \sum_{k=1}^{N} (x_{k} - \mu) \right) \max_{k} x_{k}",
    ),
    ("x_dot[i] = xhat[i]/sqrt(sigma2)/N*mean(x[k] for k in N)", r"\dot{x}_{i} = \frac{\hat{x}_{i}}{N^{2} \sqrt{\sigma^2}} \sum_{k=1}^{N} x_{k}"),
    ("x_dot[i] = x[i]/(N*mu)*mean(x[k] for k in N)", r"\dot{x}_{i} = \frac{x_{i}}{N^{2} \mu} \sum_{k=1}^{N} x_{k}"),
    ("x_dot[i] = exp(x[i])**2/abs(x[i])", r"\dot{x}_{i} = \frac{\exp(x_{i})^{2}}{\left|x_{i}\right|}"),
    ("x_dot[i] = where(x[i] >= 0, x[i], 0)", r"\dot{x}_{i} = \begin{cases} x_{i} & \text{if } x_{i} \ge 0 \\ 0 & \text{otherwise} \end{cases}"),
    ("ddx[i] = 0.00001*x[i]", r"\bar{\bar{x}}_{i} = 10^{-5} x_{i}"),
    ("grad_x[i] = 0", r"\frac{\partial G}{\partial x_{i}} = 0"),
]


@pytest.mark.parametrize(("text", "latex"), LATEX, ids=[text for text, _ in LATEX])
def test_a_formula_is_typeset_as_in_a_paper(text: str, latex: str) -> None:
    assert definition_latex(parse_definition(text, BATCHNORM, EXTRA), BATCHNORM) == latex


def test_names_are_typeset_by_rule() -> None:
    names = LatexNames({"x": ("N",), "sigma2": ("N",)}, {"loss": r"\ell", "m": r"m_{\max}"})
    typeset = {name: names.element(name) for name in ("rstd", "x_bar", "muhat", "x1", "w_in", "Z", "eps", "Gamma", "alpha_t", "loss", "p_hat_c")}
    assert typeset == {
        "rstd": r"\mathrm{rstd}", "x_bar": r"\bar{x}", "muhat": r"\hat{\mu}", "x1": "x_{1}", "w_in": r"w_{\mathrm{in}}", "Z": "Z",
        "eps": r"\epsilon", "Gamma": r"\Gamma", "alpha_t": r"\alpha_{t}", "loss": r"\ell", "p_hat_c": r"\hat{p}_{c}",
    }  # fmt: skip
    assert names.element("sigma2", ["c"]) == r"\sigma^2_{c}"
    assert names.element("x1", ["i", "c"]) == "x_{1,i,c}"
    assert names.element("m", ["n"]) == r"{m_{\max}}_{n}"
    assert LatexNames({"x": ("N",), "dx": ("N",)}).element("ddx", ["i"]) == r"\bar{\bar{x}}_{i}"
    assert (names.index("alpha"), names.index("j1"), names.axis("D_in")) == (r"\alpha", "j_{1}", r"D_{\mathrm{in}}")


def test_a_formula_fits_a_terminal() -> None:
    pretty = definition_pretty(parse_definition(DX, BATCHNORM, EXTRA), BATCHNORM)
    assert pretty == "dx\u1d62 = \u03b3/\u221a(\u03c3\u00b2 + \u03b5)\u00b7(dy\u1d62 \u2212 mean_k dy\u2096 \u2212 x\u0302\u1d62\u00b7mean_k dy\u2096\u00b7x\u0302\u2096)"
    layer = load_layer("batchnorm1d")
    assert definition_pretty(layer.definition("mu"), layer) == "\u03bc[c] = mean_j x[j, c]"
    assert definition_pretty(layer.definition("sigma2"), layer) == "\u03c3\u00b2[c] = mean_j (x[j, c] \u2212 \u03bc[c])\u00b2"


LONG = [
    DX,
    "grad_x[i] = gamma/(sigma2 + eps)*(xhat[i]*mean(dy[k]*ddx[k] for k in N) - dy[i]*mean(ddx[k]*xhat[k] for k in N) - ddx[i]*mean(dy[k]*xhat[k]"
    " for k in N) + 3*xhat[i]*mean(ddx[k]*xhat[k] for k in N)*mean(dy[k]*xhat[k] for k in N) - xhat[i]*mean(ddx[k] for k in N)*mean(dy[k] for k in N))",
    "dgamma = sum(dy[k]*(dy[k]*xhat[k] + dy[k] + xhat[k]*ddx[k] + sigma2*dy[k] - x[k]*dy[k] + exp(x[k])*dy[k] + mu*xhat[k]) for k in N)",
    "dx[i] = exp(x[i] - mu)*exp(x[i]*gamma)*exp(x[i]*beta)*exp(x[i] + beta)*exp(x[i] - gamma)*exp(x[i]*mu)*exp(beta*gamma)*tanh(x[i])",
]


@pytest.mark.parametrize("text", LONG, ids=["dx", "grad_x", "dgamma", "dx of a product"])
def test_a_long_equation_is_broken_into_lines_that_say_the_same(text: str) -> None:
    definition = parse_definition(text, BATCHNORM, EXTRA)
    lines = definition_latex_lines(definition, BATCHNORM, 36)
    assert len(lines) > 1
    assert all(line.count("&") == 1 for line in lines)
    assert all(measure(line) < 40 for line in lines)
    joined = " ".join(lines).replace("&\\quad ", "").replace("&", "")
    plain = re.sub(r"\\biggl\(", r"\\left(", re.sub(r"\\biggr\)", r"\\right)", joined)).replace(r" \cdot ", " ")
    assert plain == definition_latex(definition, BATCHNORM)


def test_a_short_equation_stays_on_one_line() -> None:
    assert definition_latex_lines(BATCHNORM.definition("mu"), BATCHNORM) == (r"\mu &= \frac{1}{N} \sum_{j=1}^{N} x_{j}",)


def everything() -> list[tuple[str, ...]]:
    formulas = [parse_definition(text, BATCHNORM, EXTRA) for text in (*LONG, *(text for text, _ in LATEX))]
    equations = [definition_latex_lines(formula, BATCHNORM) for formula in formulas]
    for name in catalogue.names():
        layer = load_layer(name)
        equations += [definition_latex_lines(definition, layer) for definition in layer.definitions]
    return equations


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_every_equation_compiles_with_amsmath_alone_and_stays_in_a_column(tmp_path: Path) -> None:
    body = "".join("\\begin{equation}\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}\\end{equation}\n" for lines in everything())
    page = "\\setlength\\textwidth{516pt}\\setlength\\columnsep{12pt}"
    source = f"\\documentclass[10pt,twocolumn]{{article}}\\usepackage{{amsmath}}{page}\\begin{{document}}\n{body}\\end{{document}}\n"
    (tmp_path / "all.tex").write_text(source, encoding="ascii")
    command = ["pdflatex", "-interaction=nonstopmode", "-no-shell-escape", "all.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=120, check=False)
    assert [line for line in done.stdout.splitlines() if line.startswith("!") or "Overfull" in line] == []
    assert done.returncode == 0


def test_walking_a_printed_tree_costs_no_more_than_reading_it() -> None:
    long = parse_equation("0 = g" + " + g*x[i]" * 400, LAYER).right
    assert len(list(walk(long))) > 1200
    assert parse_equation(f"0 = {expr_text(long)}", LAYER).right == long
