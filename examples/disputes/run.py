"""What symbn says to formulas that people argued about.

In: the cases beside this file, one TOML file a thread.  Out: a Markdown table; with a case's number, all that symbn has to say to it.
`--check` is silent unless an answer is not the one expected, or the README's table is not this one; then it exits 1.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import symbn
from symbn.errors import EquationError

HERE = Path(__file__).parent
UNREADABLE = "does not parse"


@dataclass(frozen=True, slots=True)
class Claim:
    """One side of a dispute; `form` is text, numpy, torch or latex."""

    says: str
    equation: str
    expected: str
    layer: str
    lets: tuple[tuple[str, str], ...] = ()
    form: str = "text"
    assume: tuple[str, ...] = ()

    @cache  # noqa: B019  (a run asks of each claim twice)
    def answer(self) -> tuple[str, str]:
        """The verdict, and what supports it."""
        layer = symbn.loads(self.layer) if "\n" in self.layer else symbn.load(self.layer)
        reads = {"numpy": self.form in ("numpy", "torch"), "latex": self.form == "latex"}
        try:
            verdict = symbn.check(layer, self.equation, lets=dict(self.lets), assume=self.assume, **reads)
        except EquationError as error:
            return UNREADABLE, str(error)
        return verdict.headline, str(verdict)


@dataclass(frozen=True, slots=True)
class Case:
    """One thread."""

    number: str
    title: str
    source: str
    question: str
    shows: str
    claims: tuple[Claim, ...]

    def row(self) -> str:
        """The line of the table."""
        answers = "<br>".join(f"{claim.says}: **{claim.answer()[0]}**" for claim in self.claims)
        return f"| {self.number} | [{self.title}]({self.source}). {self.question} | {answers} | {self.shows} |"

    def full(self) -> str:
        """Everything about it."""
        parts = [f"{self.title}\n{self.source}\n{self.question}"]
        return "\n\n".join((*parts, *(f"{claim.says}\n{claim.answer()[1]}" for claim in self.claims)))


def cases() -> Iterator[Case]:
    """All cases, in order."""
    for path in sorted(HERE.glob("*.toml")):
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        shared = {"layer": data["layer"], "lets": tuple(data.get("lets", {}).items())}
        claims = tuple(Claim(**(shared | claim | {"assume": tuple(claim.get("assume", ()))})) for claim in data["claim"])
        yield Case(path.stem[:2], data["title"], data["source"], data["question"], data["shows"], claims)


def table() -> str:
    """The README's table."""
    return "\n".join(("| | Question | symbn | |", "| --- | --- | --- | --- |", *(case.row() for case in cases())))


def complaints() -> Iterator[str]:
    """What is not as it should be."""
    for case in cases():
        for claim in case.claims:
            verdict, support = claim.answer()
            if verdict != claim.expected:
                yield f"{case.number} {case.title}, {claim.says}: {verdict}, expected {claim.expected}\n{support}"
    if table() not in (HERE / "README.md").read_text(encoding="utf-8"):
        yield "the table in README.md is not what `python examples/disputes/run.py` prints"


def main() -> int:
    """0, or 1 when something is not as it should be."""
    parser = argparse.ArgumentParser(description="What symbn says to formulas that people argued about.")
    parser.add_argument("number", nargs="?", help="a case to show in full, such as 09")
    parser.add_argument("--check", action="store_true", help="compare the answers with those expected, and the table with the README's")
    options = parser.parse_args()
    if options.check:
        found = list(complaints())
        sys.stderr.writelines(f"{line}\n" for line in found)
        return 1 if found else 0
    chosen = [case.full() for case in cases() if case.number == options.number]
    sys.stdout.write("\n".join(chosen or (table(),)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
