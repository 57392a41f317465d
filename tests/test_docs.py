"""docs/language.md is the reference: it names every function and every limit as the code has them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from symbn.expr import COMPARISONS, CONSTANTS, FUNCTIONS, REDUCTIONS
from symbn.language import limits

PAGE = (Path(__file__).parents[1] / "docs" / "language.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("function", [*FUNCTIONS, *REDUCTIONS, "delta"])
def test_every_function_is_described(function: str) -> None:
    assert re.search(rf"^\|.*`{function}\(", PAGE, flags=re.MULTILINE)


def test_every_comparison_and_constant_is_described() -> None:
    assert all(f"`{word}`" in PAGE for word in (*COMPARISONS, *CONSTANTS))


def test_the_limits_are_the_ones_in_force() -> None:
    stated = {name: int(value) for name, value in re.findall(r"\(`(MAX_\w+)`\) \| (\d+)", PAGE)}
    assert stated == {name: value for name, value in vars(limits).items() if name.startswith("MAX_")}
