"""Reports, from a derivation written by hand: what each format shows, whatever the engine does."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

import symbn
from symbn import catalogue
from symbn.calculus.derivation import Derivation, Gradient, Step
from symbn.language import definition_latex, definition_latex_lines, load_layer, parse_definition
from symbn.layer import Input
from symbn.oracle import Verification, verify_derivation
from symbn.report import render

LAYER = load_layer("batchnorm")
SEEDS = {"dy": ("N",), "dx": ("N",)}
DX = "dx[i] = gamma/sqrt(sigma2 + eps)*(dy[i] - mean(dy[k] for k in N) - xhat[i]*mean(dy[k]*xhat[k] for k in N))"
LONG = "dx[i] = " + " + ".join(f"gamma**{n}/sqrt(sigma2 + eps)*mean(dy[k]*xhat[k] for k in N)*dy[i]" for n in range(2, 9))


def gradient(of: str, text: str) -> Gradient:
    """A gradient from its text."""
    return Gradient(of, parse_definition(text, LAYER, SEEDS), 2, 9)




def step(label: str, text: str, reason: str) -> Step:
    """A step from its text."""
    definition = parse_definition(text, LAYER, {**SEEDS, "dy_dx": ("N", "N")})
    return Step(label, text, definition_latex(definition, LAYER), reason, definition, definition_latex_lines(definition, LAYER))


STEPS = (
    step("1", "dx[i] = sum(dy[k]*dy_dx[k, i] for k in N)", "chain rule over all k: every y_k depends on x_i & <more>"),
    step("2.1", "dx[i] = dy[i]", "50% of {it} is #1"),
)
DERIVATION = Derivation(
    layer=LAYER,
    mode="vjp",
    order=1,
    wrt=("x", "gamma"),
    seeds=(Input("dy", ("N",)),),
    intermediates=(),
    gradients={"x": gradient("x", DX), "gamma": gradient("gamma", "dgamma = sum(dy[k]*xhat[k] for k in N)")},
    steps=STEPS,
    residuals=("gamma", "sigma2", "eps", "xhat"),
    notes=("sum of dx is 0",),
)


@pytest.fixture(scope="module")
def verification() -> Verification:
    found = verify_derivation(DERIVATION)
    assert found.ok
    return found


def test_text_shows_every_part_in_order(verification: Verification) -> None:
    shown = render(DERIVATION, verification, form="text")
    parts = ["batchnorm: Batch Norm", "Definitions", "  mu = mean(", "Derivation", "(1)", "chain rule", "(2.1)", "Backward pass", DX]
    parts += ["2 reductions", "given: dy", "sum of dx is 0", verification.line]
    positions = [shown.index(part) for part in parts]
    assert positions == sorted(positions)
    assert shown.endswith(verification.line)
    assert shown.isascii()


def test_unicode_text_has_greek_letters(verification: Verification) -> None:
    shown = render(DERIVATION, verification, form="text", unicode=True)
    assert "γ" in shown
    assert "gamma/sqrt" not in shown


def test_json_keeps_the_text_of_every_formula(verification: Verification) -> None:
    found = json.loads(render(DERIVATION, verification, form="json"))
    assert "dx[i] = " + found["gradients"]["x"]["expr"] == DX
    assert [step["label"] for step in found["steps"]] == ["1", "2.1"]
    assert found["verified"] == {"line": verification.line, "ok": True}


def test_markdown_escapes_words_and_fences_formulas(verification: Verification) -> None:
    shown = render(DERIVATION, verification, form="markdown")
    assert r"y\_k" in shown
    assert "&lt;more&gt;" in shown
    assert re.findall(r"```math\n(.*?)\n```", shown, flags=re.DOTALL)[0].startswith(r"\mu")


def test_an_unknown_format_is_a_key_error(verification: Verification) -> None:
    with pytest.raises(KeyError):
        render(DERIVATION, verification, form="pdf")


@pytest.mark.parametrize("text", [DX, LONG], ids=["short", "long"])
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed: LaTeX reports are not compiled")
def test_latex_compiles_without_an_overfull_box(text: str, verification: Verification, tmp_path: Path) -> None:
    steps = (*STEPS, step("3", text, "substitute, with sqrt(sigma2 + eps)*sum(dy[k]*xhat[k] for k in N)/(N*gamma*N*gamma*N*gamma)"))
    layer = replace(LAYER, doc='Sch\u00f6lkopf\'s "\u03bc", 100% of a_b^c & {d} ~ <e> | $f$ \\g #1')
    derivation = replace(DERIVATION, layer=layer, gradients={"x": gradient("x", text)}, steps=steps)
    compile_report(render(derivation, verification, form="latex"), tmp_path)


@pytest.mark.parametrize("name", catalogue.names())
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed: LaTeX reports are not compiled")
def test_every_layer_s_report_fits_a_column(name: str, verification: Verification, tmp_path: Path) -> None:
    compile_report(render(symbn.derive(name).derivation, verification, form="latex"), tmp_path)


def compile_report(text: str, tmp_path: Path) -> None:
    """Compiles with pdflatex, which must find no box too wide and need amsmath alone."""
    (tmp_path / "report.tex").write_text(text, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "report.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout, done.stdout
    assert set(re.findall(r"\\usepackage(?:\[[^]]*\])?\{(\w+)\}", text)) == {"amsmath"}
