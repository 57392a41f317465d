"""The formulas of public threads get the answers that their files expect."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import pytest

PLACE = Path(__file__).parents[1] / "examples" / "disputes"
SPEC = importlib.util.spec_from_file_location("disputes", PLACE / "run.py")
disputes = importlib.util.module_from_spec(SPEC)
sys.modules["disputes"] = disputes
SPEC.loader.exec_module(disputes)
CASES = tuple(disputes.cases())
CLAIMS = [pytest.param(claim, id=f"{case.number}: {claim.says}") for case in CASES for claim in case.claims]


@pytest.mark.parametrize("claim", CLAIMS)
def test_every_claim_gets_its_verdict(claim) -> None:
    verdict, support = claim.answer()
    assert verdict == claim.expected, support


def test_the_readme_has_the_table_as_it_runs() -> None:
    assert disputes.table() in (PLACE / "README.md").read_text(encoding="utf-8")


def test_no_cell_breaks_the_table() -> None:
    for case in CASES:
        assert "|" not in "".join((case.title, case.question, case.shows, *(claim.says for claim in case.claims))), case.title


def test_there_are_cases_of_every_kind() -> None:
    kinds = {claim.expected.removesuffix(claim.expected.partition("WHEN")[2]) for case in CASES for claim in case.claims}
    assert kinds == {"EQUAL", "NOT EQUAL", "EQUAL WHEN", "does not parse"}
    assert len(CASES) >= 15
    assert len({case.source for case in CASES}) == len(CASES)


def test_a_changed_answer_is_reported(monkeypatch, capsys) -> None:
    first = CASES[0]
    wrong = replace(first.claims[0], expected="NOT EQUAL")
    monkeypatch.setattr(disputes, "cases", lambda: iter((replace(first, title="Another", claims=(wrong,)),)))
    monkeypatch.setattr(sys, "argv", ["run.py", "--check"])
    assert disputes.main() == 1
    told = capsys.readouterr().err
    assert f"{wrong.says}: EQUAL, expected NOT EQUAL" in told
    assert "the table in README.md is not" in told
