"""The committed files are what this checkout generates, byte for byte, and nothing else lies beside them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from compiling import WARNINGS, one_instruction_set

from symbn import catalogue
from symbn.cli import cli
from symbn.codegen.targets import TARGETS, file_names
from symbn.codegen.variant import Variant

GENERATED = Path(__file__).parents[1] / "generated"


def test_every_committed_file_is_reproduced() -> None:
    done = CliRunner().invoke(cli, ["generate", "--check", "-o", str(GENERATED)])
    assert done.exit_code == 0, done.output


def test_nothing_else_is_there() -> None:
    found = {path.relative_to(GENERATED).as_posix() for path in GENERATED.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    stems = [*catalogue.names(), *(Variant(*also).stem for also in catalogue.ALSO_COMMITTED)]
    assert found == {f"{target}/{file}" for stem in stems for target in TARGETS for file in file_names(stem, target)}


def test_one_changed_byte_is_found(tmp_path: Path) -> None:
    shutil.copytree(GENERATED, tmp_path / "generated")
    (tmp_path / "generated" / "c" / "batchnorm.c").write_bytes(
        (GENERATED / "c" / "batchnorm.c").read_bytes().replace(b"double", b"doable", 1)
    )
    done = CliRunner().invoke(cli, ["generate", "batchnorm", "--check", "-o", str(tmp_path / "generated")])
    assert done.exit_code == 1
    assert "batchnorm.c" in done.output
    assert "symbn generate" in done.output


DIALECTS = [
    ("gcc", "-std=c99", "-O1"), ("clang", "-std=c99", "-O1"), ("gcc", "-std=c11"),
    ("g++", "-xc++", "-std=c++17"), ("clang++", "-xc++", "-std=c++17"),
]  # fmt: skip


@pytest.mark.parametrize("dialect", DIALECTS, ids=" ".join)
def test_the_committed_c_compiles_without_a_warning(dialect: tuple[str, ...], tmp_path: Path) -> None:
    if shutil.which(dialect[0]) is None:
        pytest.skip(f"no {dialect[0]}")
    sources = sorted((GENERATED / "c").glob("*.c"))
    command = [*dialect, *WARNINGS, *one_instruction_set(sources), "-c" if "-O1" in dialect else "-fsyntax-only", *map(str, sources)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", sorted(path.stem.removesuffix("-standalone") for path in (GENERATED / "latex").glob("*-standalone.tex")))
def test_the_committed_latex_fits_its_column(name: str, tmp_path: Path) -> None:
    if shutil.which("pdflatex") is None:
        pytest.skip("no pdflatex")
    for path in (f"{name}.tex", f"{name}-standalone.tex"):
        shutil.copy(GENERATED / "latex" / path, tmp_path)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", f"{name}-standalone.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, errors="replace")
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout
