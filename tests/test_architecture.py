"""The walls of the house: which part may know of which."""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

import pytest

from symbn import catalogue

PACKAGE = Path(__file__).parents[1] / "symbn"
FILES = sorted(path for path in PACKAGE.rglob("*.py") if "layers" not in path.relative_to(PACKAGE).parts)

# Lowest first. A part may import those of its own row's parts and of the rows above.
ROWS = (
    ("_version", "errors"),
    ("expr",),
    ("layer",),
    ("language", "vocabulary"),
    ("catalogue",),
    ("oracle", "calculus"),
    ("proof",),
    ("codegen",),
    ("tools",),
    ("report",),
    ("api",),
    ("cli",),
)
RANK = {part: rank for rank, row in enumerate(ROWS) for part in row}


def part_of(path: Path) -> str:
    """`symbn/calculus/sums.py` -> calculus, `symbn/expr.py` -> expr."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> list[str]:
    """Every module that a file imports, at its top or inside a function, with `from symbn import x` as `symbn.x`."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            found += [f"symbn.{alias.name}" for alias in node.names] if node.module == "symbn" else [str(node.module)]
    return found


def inner(path: Path) -> list[str]:
    """The parts of symbn that a file imports."""
    return [name.split(".")[1] for name in imports(path) if name.startswith("symbn.")]


def outer(path: Path) -> set[str]:
    """The packages beside symbn that a file imports."""
    return {name.split(".")[0] for name in imports(path)}


def under(*places: str) -> list[Path]:
    """The files of some parts; a part that is not there is an error, not an empty test."""
    found = [path for path in FILES if any(path.relative_to(PACKAGE).as_posix().startswith(place) for place in places)]
    assert found, places
    return found


PARTS = [path for path in FILES if part_of(path) not in ("__init__", "__main__")]


@pytest.mark.parametrize("path", PARTS, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_imports_point_down_only(path: Path) -> None:
    own = part_of(path)
    for part in inner(path):
        assert part in RANK, f"{path.name} imports symbn.{part}, which has no place in ROWS"
        assert part == own or RANK[part] < RANK[own], f"symbn.{own} imports symbn.{part}"


def test_the_model_needs_nothing_but_the_standard_library() -> None:
    for path in under("errors.py", "expr.py", "layer.py", "language/", "catalogue.py", "oracle"):
        assert not outer(path) & {"sympy", "jinja2", "click"}, path


def test_the_oracle_never_sees_the_calculus() -> None:
    for path in under("oracle"):
        assert "calculus.engine" not in imports(path)
        derivation_alone = [name for name in imports(path) if name.startswith("symbn.calculus")]
        assert set(derivation_alone) <= {"symbn.calculus.derivation"}, f"{path}: {derivation_alone}"


def test_the_calculus_knows_no_target() -> None:
    for path in under("calculus/"):
        assert not set(inner(path)) & {"codegen", "tools", "report", "api", "cli"}, path
        assert not outer(path) & {"jinja2", "click"}, path


def test_the_program_knows_neither_sympy_nor_jinja() -> None:
    for path in under("codegen/program.py"):
        assert not outer(path) & {"sympy", "jinja2"}


def test_sympy_is_the_calculus_s_affair() -> None:
    for path in FILES:
        if part_of(path) not in ("calculus", "proof"):
            assert "sympy" not in outer(path), path


@pytest.mark.parametrize("path", under("calculus/", "codegen/"), ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_no_layer_of_the_catalogue_is_named_in_the_machinery(path: Path) -> None:
    words = code_words(path)
    named = [name for name in catalogue.names() if any(name in word for word in words)]
    assert not named, f"{path}: {named}"


def code_words(path: Path) -> list[str]:
    """Names and strings of a file, without its docstrings and comments."""
    source = path.read_text(encoding="utf-8")
    docs = {
        (node.body[0].lineno, node.body[0].col_offset)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None
    }
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return [token.string for token in tokens if token.type in (tokenize.NAME, tokenize.STRING) and token.start not in docs]


def test_no_text_is_ever_evaluated() -> None:
    forbidden = {"eval", "exec", "sympify", "parse_expr", "lambdify", "simplify", "S"}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                assert name not in forbidden, f"{path}:{node.lineno}: {name}"
