"""Certificates: what `symbn check` proved, as data that a script of its own verifies."""

from __future__ import annotations

import ast
import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import symbn
from symbn import catalogue, certificate_check, proof
from symbn.codegen.generate import render
from symbn.proof.certificate import certificate_text, certificates, short_hash

SCRIPT = Path(certificate_check.__file__)
Data = dict[str, Any]

FACTS = (
    ("batchnorm", "sum(xhat[j]**2 for j in N) == N*sigma2/(sigma2 + eps)"),
    ("batchnorm", "xhat[i]**2*(sigma2 + eps) == (x[i] - mu)**2"),
    ("softmax", "sum(y[n, k] for k in K) == 1"),
    ("l2norm", "sum(y[n, d]**2 for d in D) == 1 - eps/(sum(x[n, d]**2 for d in D) + eps)"),
)


def certified(layer: str, equation: str) -> list[Data]:
    return json.loads(json.dumps(certificates(proof.questions(symbn.load(layer), equation))))


def derived(layer: str) -> list[Data]:
    return json.loads(json.dumps(certificates(proof.derived(symbn.load(layer)))))


def terms(value: Any) -> Iterator[list[Any]]:
    """Every [coefficient, powers] anywhere in the data, to be changed in place."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from terms(inner)
    elif isinstance(value, list):
        if len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], list):
            yield value
        else:
            for inner in value:
                yield from terms(inner)


@pytest.mark.parametrize("layer", catalogue.names())
def test_the_certificates_of_the_catalogue_are_accepted(layer: str) -> None:
    for certificate in derived(layer):
        certificate_check.check(certificate)


@pytest.mark.parametrize("layer", catalogue.names())
def test_a_certificate_with_one_coefficient_changed_is_rejected(layer: str) -> None:
    for certificate in derived(layer):
        for place, _ in enumerate(terms(certificate)):
            changed = copy.deepcopy(certificate)
            term = list(terms(changed))[place]
            term[0] = str(Fraction(term[0]) + 1)
            with pytest.raises(certificate_check.WrongError):
                certificate_check.check(changed)


@pytest.mark.parametrize(("layer", "equation"), FACTS)
def test_a_proof_that_needs_relations_is_accepted_and_no_change_of_it(layer: str, equation: str) -> None:
    (certificate,) = certified(layer, equation)
    certificate_check.check(certificate)
    for place, _ in enumerate(terms(certificate)):
        changed = copy.deepcopy(certificate)
        term = list(terms(changed))[place]
        term[0] = str(-Fraction(term[0]))
        with pytest.raises(certificate_check.WrongError):
            certificate_check.check(changed)


def test_some_proof_needs_relations() -> None:
    found = [case["relations"] for layer, equation in FACTS for c in certified(layer, equation) for case in c["cases"]]
    assert any(found)


@pytest.mark.parametrize(
    "relation",
    [
        {"kind": "root", "generator": 0, "power": 1, "numerator": [["1", [[0, 1]]], ["1", []]], "denominator": [["1", []]]},
        {"kind": "root", "generator": 0, "power": 0, "numerator": [], "denominator": [["1", []]]},
        {"kind": "root", "generator": 0, "power": 1, "numerator": [["1", [[1, 1]]]], "denominator": [["1", []]]},
        {"kind": "anything", "generator": 0},
    ],
    ids=["by itself", "no power", "by a later one", "unknown"],
)
def test_a_relation_that_could_contradict_is_rejected(relation: Data) -> None:
    side = {"numerator": [["1", []]], "denominator": [["1", []]]}
    case = {
        "generators": ["a", "b"],
        "left": side,
        "right": {**side, "numerator": [["2", []]]},
        "relations": [relation],
        "multipliers": [[["1", []]]],
        "factor": [["1", []]],
    }
    with pytest.raises(certificate_check.WrongError):
        certificate_check.check({"schema": 1, "cases": [case]})


ONE, X, NOT_X = [["1", []]], [["1", [[0, 1]]]], {"numerator": [["1", []], ["-1", [[0, 1]]]], "denominator": [["1", []]]}
ZERO = {"kind": "root", "generator": 0, "power": 1, "numerator": [], "denominator": ONE}


@pytest.mark.parametrize(
    "forged",
    [
        {"relations": [ZERO], "multipliers": [[["-1", []]]], "factor": X},
        {"relations": [ZERO], "multipliers": [[["-1", []]]], "below": X},
        {
            "relations": [{"kind": "idempotent", "generator": 0}, {"kind": "root", "generator": 1, "power": 1, **NOT_X}],
            "multipliers": [ONE, [["-1", [[0, 1]]]]],
            "factor": [["1", [[0, 1], [1, 1]]]],
        },
        {
            "relations": [ZERO, {"kind": "root", "generator": 1, "power": 1, "numerator": ONE, "denominator": X}],
            "multipliers": [[["-1", [[1, 1]]]], ONE],
        },
        {"numerator": [["1e999999999", []]]},
        {"numerator": [[True, []]]},
        {"numerator": [["1", [[0, 10**30]]]]},
        {"numerator": [["1", [[True, 1]]]]},
    ],
)
def test_a_forgery_is_rejected(forged: Data) -> None:
    below = forged.pop("below", ONE)
    case = {
        "generators": ["a", "b"],
        "left": {"numerator": ONE, "denominator": below},
        "right": {"numerator": forged.pop("numerator", [["2", []]]), "denominator": below},
        "factor": ONE,
        "relations": [],
        "multipliers": [],
        **forged,
    }
    with pytest.raises(certificate_check.WrongError):
        certificate_check.check({"schema": 1, "cases": [case]})


def test_the_script_stands_alone_and_is_short() -> None:
    source = SCRIPT.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 150
    imported = {alias.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)}
    assert imported <= set(sys.stdlib_module_names)


def test_the_script_answers_with_its_exit_status(tmp_path: Path) -> None:
    parts = derived("softmax")
    good, bad, broken = tmp_path / "good.json", tmp_path / "bad.json", tmp_path / "broken.json"
    good.write_text(certificate_text(parts))
    next(terms(parts))[0] = "7"
    bad.write_text(certificate_text(parts))
    broken.write_text("{}")

    def run(*paths: Path) -> int:
        return subprocess.run([sys.executable, "-I", str(SCRIPT), *map(str, paths)], capture_output=True, check=False).returncode

    assert (run(good), run(good, bad), run(broken), run(tmp_path / "missing"), run()) == (0, 1, 2, 2, 2)


def test_generated_files_name_the_certificate_of_their_formulas() -> None:
    expected = short_hash(certificates(proof.derived(symbn.load("softmax"))))
    derivation = symbn.derive("softmax", steps=False).derivation
    for target in ("numpy", "c", "latex"):
        for text in render(derivation, target).values():
            assert f"certificate {expected}" in text


def test_certificates_do_not_depend_on_the_hash_seed() -> None:
    code = (
        "import symbn; from symbn import proof; from symbn.proof.certificate import *;"
        "print(short_hash(certificates(proof.derived(symbn.load('groupnorm')))))"
    )

    def run(seed: str) -> str:
        done = subprocess.run([sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True)
        return done.stdout

    assert run("1") == run("2")


def test_a_header_names_no_proof_that_would_take_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symbn.proof.certificate.HEADER", 10)
    monkeypatch.setattr("symbn.codegen.views.header._PROVED", {})
    for text in render(symbn.derive("softmax", steps=False).derivation, "numpy").values():
        assert "certificate" not in text
