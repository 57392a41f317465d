"""A published derivation, equation by equation: what `examples/batchnorm_post.md` shows is what symbn answers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import symbn
from symbn.errors import EquationError
from symbn.proof import check, questions

POST = (Path(__file__).parents[1] / "examples" / "batchnorm_post.md").read_text(encoding="utf-8")
SECTIONS = re.findall(r"((?:^```latex\n.*?^```\n\s*)+)Verdicts: ([^\n]*)$", POST, flags=re.MULTILINE | re.DOTALL)
LINE = re.search(r"^```python\n(.*?)^```$", POST, flags=re.MULTILINE | re.DOTALL)
NAMES = {"sigmasq": "sigma2", "dl_dy": "dy", "x_norm": "xhat"}


def latex_of(section: str) -> list[str]:
    return re.findall(r"^```latex\n(.*?)^```$", section, flags=re.MULTILINE | re.DOTALL)


def verdicts(latex: str) -> tuple[symbn.Verdict, ...]:
    found = symbn.check("batchnorm", latex, latex=True)
    return found.parts or (found,)


@pytest.mark.parametrize(("section", "expected"), SECTIONS, ids=[str(number) for number in range(len(SECTIONS))])
def test_each_displayed_equation_gets_the_verdict_beside_it(section: str, expected: str) -> None:
    assert [verdict.status for latex in latex_of(section) for verdict in verdicts(latex)] == expected.split(", ")


def test_one_line_of_the_post_is_wrong_and_only_one() -> None:
    said = ", ".join(expected for _, expected in SECTIONS).split(", ")
    assert (len(said), said.count("EQUAL"), said.count("NOT EQUAL")) == (21, 20, 1)
    assert POST.count("```latex\n") == sum(len(latex_of(section)) for section, _ in SECTIONS)


def test_the_wrong_line_lost_its_cotangent() -> None:
    wrong = verdicts(latex_of(SECTIONS[-1][0])[0])[0]
    assert wrong.status == "NOT EQUAL"
    shown = [f"witness: {wrong.witness}", f"hint: {wrong.hint}"]
    assert "\n".join(shown) in POST
    mended = r"\frac{1}{N} \sum_{k=1}^N \frac{\partial L}{\partial y_k} \left("
    first, *rest = latex_of(SECTIONS[-1][0])[0].split(r"\frac{1}{N} \sum_{k=1}^N" + "\n      \\left(")
    (right,) = {verdict.status for verdict in verdicts(mended.join((first, *rest)))}
    assert right == "EQUAL"


def test_the_numerator_without_its_index_is_pointed_at() -> None:
    with pytest.raises(EquationError) as caught:
        symbn.check("batchnorm", r"\frac{\partial (\gamma \hat{x} + \beta)}{\partial \hat{x_k}} = \gamma", latex=True)
    assert str(caught.value).splitlines()[-1] == r"write \hat{x}_{i}"


def test_the_line_of_python_does_not_parse_and_is_right_once_it_does() -> None:
    assert LINE is not None
    code = LINE[1].strip()
    with pytest.raises(EquationError) as caught:
        check(symbn.load("batchnorm"), code, form="numpy", lets=NAMES, file="line.py")
    assert str(caught.value) in POST
    assert symbn.check("batchnorm", f"{code})", numpy=True, lets=NAMES).status == "EQUAL"


def test_the_example_of_the_docs_is_read_as_they_say() -> None:
    page = (Path(__file__).parents[1] / "docs" / "check.md").read_text(encoding="utf-8")
    section = page[page.index("## LaTeX") :]
    latex, text = (re.findall(rf"^```{kind}\n(.*?)^```$", section, flags=re.MULTILINE | re.DOTALL)[0] for kind in ("latex", "text"))
    layer = symbn.load("batchnorm")
    asked = [question.equation for question in questions(layer, latex, form="latex")]
    shown = [questions(layer, line)[0].equation for line in text.splitlines()]
    assert [(equation.left, equation.right) for equation in asked] == [(equation.left, equation.right) for equation in shown]
    assert {verdict.status for verdict in verdicts(latex)} == {"EQUAL"}
