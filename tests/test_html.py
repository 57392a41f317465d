"""HTML reports and what notebooks show: one page that needs nothing else, whatever an author wrote."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner
from codegen_layers import ODD

import symbn
from symbn import catalogue
from symbn.calculus.derivation import Derivation
from symbn.cli import cli
from symbn.language import LatexNames, definition_latex, definition_mathml, parse_definition, parse_layer
from symbn.language.comments import COMMANDS
from symbn.language.mathml_names import name_mathml
from symbn.oracle import Verification
from symbn.report import render

VERIFIED = Verification(ok=True, checked={}, extents=({"N": 1},), skipped=(), kind="rational arithmetic", claim="exact")
HOSTILE = """</title></style><script>alert(1)</script><img src=x onerror=alert(1)> & &lt; "'` ]]> --> \u2211 \U0001f600"""
CHILDREN = {"mfrac": 2, "msub": 2, "msup": 2, "msubsup": 3, "mover": 2, "munder": 2, "munderover": 3}
LEAVES = ("mi", "mn", "mo", "mtext")
ELEMENTS = {*CHILDREN, *LEAVES, "math", "mrow", "msqrt", "mtable", "mtr", "mtd"}


class Page(HTMLParser):
    """Reads a page strictly: every element is closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.declarations: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_decl(self, decl: str) -> None:
        self.declarations.append(decl)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@cache
def derived(name: str, mode: str = "vjp", order: int = 1) -> Derivation:
    return symbn.derive(name, mode=mode, order=order).derivation


def check_math(text: str) -> None:
    """Every `<math>` is MathML Core with as many children as each element takes."""
    found = re.findall(r"<math .*?</math>", text)
    assert found
    for math in found:
        for node in ET.fromstring(math).iter():
            assert node.tag in ELEMENTS
            assert len(node) == CHILDREN.get(node.tag, len(node)), math
            assert (node.text is None) == (node.tag not in LEAVES), math
            assert node.tail is None
            assert len(node) == 0 or node.tag not in LEAVES


@pytest.mark.parametrize(
    ("name", "mode", "order"),
    [("batchnorm", "vjp", 1), ("groupnorm", "vjp", 1), ("softmax", "vjp", 2), ("layernorm", "jvp", 1), ("linear", "jacobian", 1)],
)
def test_the_page_is_well_formed_and_needs_nothing_else(name: str, mode: str, order: int) -> None:
    text = render(derived(name, mode, order), VERIFIED, form="html")
    page = Page(text)
    assert page.declarations == ["DOCTYPE html"]
    assert page.tags[:2] == ["html", "head"]
    assert not {"script", "link", "img", "iframe", "object", "embed", "base", "form"} & set(page.tags)
    assert {attribute for attribute, _ in page.attributes} <= {
        "lang", "charset", "name", "content", "class", "display", "alttext", "accent", "fence", "form", "mathvariant",
    }  # fmt: skip
    assert not re.search(r"url\(|@import|https?:|expression\(", text)
    assert text.isascii()
    check_math(text)


def test_the_page_shows_every_part_in_order() -> None:
    page = Page(render(derived("batchnorm"), VERIFIED, form="html"))
    parts = ["batchnorm", "Batch Normalization", "Definitions", "Derivation", "(1)", "chain rule", "Backward pass", "2 reductions"]
    parts += ["given: dy", "proved for every extent: sum(dx[i] for i in N) == 0", VERIFIED.line]
    positions = [page.text.index(part) for part in parts]
    assert positions == sorted(positions)
    assert page.text.rstrip().endswith(VERIFIED.line)


def test_every_formula_has_its_text_in_the_layer_language() -> None:
    page = Page(render(derived("softmax"), VERIFIED, form="html"))
    texts = [value for attribute, value in page.attributes if attribute == "alttext"]
    assert "dx[n, k] = y[n, k]*(dy[n, k] - sum(dy[n, l]*y[n, l] for l in K))" in texts
    assert [step.equation for step in derived("softmax").steps] == texts[4:-1]


def test_without_steps_there_are_none() -> None:
    assert "Derivation" not in render(derived("softmax"), VERIFIED, form="html", steps=False)


def test_an_author_s_words_are_words() -> None:
    source = f'"""{HOSTILE}"""\n\ndef f(x: "N"):\n    y[i] = 2*x[i]\n    return y\n'
    layer = replace(parse_layer(source), latex={"y": "</math><script>alert(2)</script>"})
    for text in (render(symbn.derive(layer).derivation, VERIFIED, form="html"), layer._repr_html_(), symbn.derive(layer)._repr_html_()):
        page = Page(text)
        assert "script" not in page.tags
        assert "img" not in page.tags
        assert HOSTILE.replace("  ", " ") in page.text
        assert text.isascii()
        check_math(text)


def test_the_command_prints_and_writes_the_same_page(tmp_path: Path) -> None:
    printed = CliRunner().invoke(cli, ["derive", "l2norm", "--format", "html"])
    written = CliRunner().invoke(cli, ["derive", "l2norm", "--format", "html", "-o", str(tmp_path / "page.html")])
    assert (printed.exit_code, written.exit_code) == (0, 0)
    assert (tmp_path / "page.html").read_text(encoding="ascii") == printed.stdout
    assert "verified: exact for " in Page(printed.stdout).text


# Formulas ---------------------------------------------------------------------------------------------------------------------------

LAYER = parse_layer(
    'def f(x: "N", a, b, sigma2):\n    xhat[i] = a*x[i] + b\n    y[i] = xhat[i]*sigma2\n    return y\n',
)


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("a", "<mi>a</mi>"),
        ("-a", "<mrow><mo>\u2212</mo><mi>a</mi></mrow>"),
        ("a - b", "<mrow><mi>a</mi><mo>\u2212</mo><mi>b</mi></mrow>"),
        ("2*a", "<mrow><mn>2</mn><mo>\u2062</mo><mi>a</mi></mrow>"),
        ("a/b", "<mfrac><mi>a</mi><mi>b</mi></mfrac>"),
        ("a**b", "<msup><mi>a</mi><mi>b</mi></msup>"),
        ("a**(-3/2)", "<msup><mi>a</mi><mrow><mo>\u2212</mo><mn>3/2</mn></mrow></msup>"),
        ("sqrt(a)", "<msqrt><mi>a</mi></msqrt>"),
        ("rsqrt(a)", "<mfrac><mn>1</mn><msqrt><mi>a</mi></msqrt></mfrac>"),
        ("1e-5", "<msup><mn>10</mn><mrow><mo>\u2212</mo><mn>5</mn></mrow></msup>"),
        ("1/3", "<mfrac><mn>1</mn><mn>3</mn></mfrac>"),
        ("exp(a)", "<mrow><mi>exp</mi><mo>\u2061</mo>(<mi>a</mi>)</mrow>"),
        ("expm1(a)", "<mrow><mrow><mi>exp</mi><mo>\u2061</mo>(<mi>a</mi>)</mrow><mo>\u2212</mo><mn>1</mn></mrow>"),
        ("maximum(a, b)", "<mrow><mi>max</mi><mo>\u2061</mo>(<mrow><mi>a</mi><mo>,</mo><mi>b</mi></mrow>)</mrow>"),
        ("a*(b + 1)", "<mrow><mi>a</mi><mo>\u2062</mo>(<mrow><mi>b</mi><mo>+</mo><mn>1</mn></mrow>)</mrow>"),
        ("(a + b)**2", "<msup>(<mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow>)<mn>2</mn></msup>"),
        ("sigma2**2", "<msup>(<msup><mi>\u03c3</mi><mn>2</mn></msup>)<mn>2</mn></msup>"),
        ("sum(xhat[k] for k in N)", "<mrow><munderover><mo>\u2211</mo><mrow><mi>k</mi><mo>=</mo><mn>1</mn></mrow><mi>N</mi></munderover>"
         '<msub><mover accent="true"><mi>x</mi><mo>^</mo></mover><mi>k</mi></msub></mrow>'),
        ("max(x[k] for k in N)", "<mrow><munder><mo>max</mo><mi>k</mi></munder><msub><mi>x</mi><mi>k</mi></msub></mrow>"),
        ("where(a < b, a, b)", '<mrow><mo fence="true" form="prefix">{</mo><mtable><mtr><mtd><mi>a</mi></mtd><mtd><mtext>\u00a0if\u00a0'
         "</mtext><mrow><mi>a</mi><mo>&lt;</mo><mi>b</mi></mrow></mtd></mtr><mtr><mtd><mi>b</mi></mtd><mtd><mtext>\u00a0otherwise</mtext>"
         "</mtd></mtr></mtable></mrow>"),
    ],
)  # fmt: skip
def test_an_expression_is_set_as_a_paper_has_it(text: str, markup: str) -> None:
    found = definition_mathml(parse_definition(f"da = {text}", LAYER, {"da": ()}), LAYER)
    right = found.partition("<mo>=</mo>")[2].removesuffix("</mrow></math>")
    short = right.replace('<mrow><mo fence="true" form="prefix">(</mo>', "(").replace('<mo fence="true" form="postfix">)</mo></mrow>', ")")
    assert short == markup


@pytest.mark.parametrize("name", catalogue.names())
def test_mathml_has_the_fractions_sums_and_roots_of_the_latex(name: str) -> None:
    derivation = derived(name)
    definitions = [*derivation.layer.definitions, *derivation.intermediates, *(g.definition for g in derivation.gradients.values())]
    for definition in definitions:
        latex, mathml = definition_latex(definition, derivation.layer), definition_mathml(definition, derivation.layer)
        signs = {r"\frac": "<mfrac>", r"\sum": "\u2211", r"\sqrt": "<msqrt>", r"\partial": "\u2202", r"\hat": "<mover"}
        assert {sign: latex.count(sign) for sign in signs} == {sign: mathml.count(markup) for sign, markup in signs.items()}


def test_everything_in_the_grammar_has_mathml() -> None:
    layer = parse_layer(ODD)
    check_math("\n".join(definition_mathml(definition, layer) for definition in layer.definitions))


@pytest.mark.parametrize(
    ("latex", "markup"),
    [
        (r"\gamma_{i}", "<msub><mi>\u03b3</mi><mi>i</mi></msub>"),
        (r"\sigma^2_{c}", "<msubsup><mi>\u03c3</mi><mi>c</mi><mn>2</mn></msubsup>"),
        (r"\mathrm{rstd}", '<mi mathvariant="normal">rstd</mi>'),
        (r"\mathrm{a\_b}", '<mi mathvariant="normal">a_b</mi>'),
        (r"\bar{\hat{x}}", '<mover accent="true"><mover accent="true"><mi>x</mi><mo>^</mo></mover><mo>\u00af</mo></mover>'),
        (r"\unheardof{x}", '<mrow><mi mathvariant="normal">unheardof</mi><mi>x</mi></mrow>'),
        (r"x_", "<msub><mi>x</mi><mrow></mrow></msub>"),
        (r"\frac{1", "<mfrac><mn>1</mn><mrow></mrow></mfrac>"),
        (r"\mathrm", "<mrow></mrow>"),
        (r"<&>", "<mrow><mo>&lt;</mo><mo>&amp;</mo><mo>&gt;</mo></mrow>"),
    ],
)
def test_a_name_s_latex_is_read_whatever_it_is(latex: str, markup: str) -> None:
    assert name_mathml(latex) == markup


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_that_a_comment_may_have_is_set(command: str) -> None:
    argument = "{x}" * (2 if command == "frac" else 1)
    markup = name_mathml(rf"\{command}{argument}")
    check_math(f"<math >{markup}</math>")
    words = ("max", "min", "log", "exp")
    assert command in words or f">{command}<" not in markup, "a command that has no sign of its own stands as its name"


def test_braces_in_braces_without_end_are_left_out() -> None:
    assert len(name_mathml("{" * 300 + "x" + "}" * 300)) < 1000


def test_a_letter_that_the_derivation_introduces_has_derivatives_too() -> None:
    text = render(derived("batchnorm"), VERIFIED, form="html")
    (line,) = [line for line in text.splitlines() if 'alttext="dr_dx[i] = -1/2' in line]
    assert "<mfrac><mrow><mi>&#8706;</mi><mi>r</mi></mrow>" in line
    names = LatexNames.of(derived("batchnorm").layer, {"r": (), "dr": (), "dy": ("N",)})
    assert names.is_result("dr")
    assert names.is_result("dy")
    assert not names.is_result("r")


# Notebooks --------------------------------------------------------------------------------------------------------------------------


def test_layers_results_and_formulas_show_themselves() -> None:
    layer = symbn.load("softmax")
    result = symbn.derive(layer)
    for shown in (layer._repr_html_(), result._repr_html_(), result.gradients["x"]._repr_html_()):
        Page(shown)
        check_math(shown)
    assert 'alttext="Z[n] = sum(e[n, j] for j in K)"' in layer._repr_html_()
    assert result._repr_html_().index("Backward pass") < result._repr_html_().index("<summary>Derivation</summary>")
    assert layer._repr_latex_().startswith(r"$\begin{aligned} m_{n} &= \max_{j} x_{n,j} \\ ")
    assert result._repr_latex_().count("&=") == 1
