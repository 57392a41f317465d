"""What this machine has, and what symbn leaves out without it.

In: nothing.  Out: one finding a tool. Versions come from package metadata and from `--version`; nothing heavy is imported.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from symbn.errors import TargetError
from symbn.tools import compiler


@dataclass(frozen=True, slots=True)
class Finding:
    """One tool: what it is called, what was found ("" for nothing), and what is skipped without it."""

    tool: str
    found: str
    without: str

    @property
    def line(self) -> str:
        """`tool   found`, or `tool   not found: what is skipped`."""
        return f"{self.tool:<12}{self.found or f'not found: {self.without}'}"


# Distribution, the name people know it by, and what is skipped without it.
PACKAGES = (
    ("sympy", "SymPy", "nothing can be derived"),
    ("numpy", "NumPy", "generated NumPy code cannot be run"),
    ("jinja2", "Jinja", "nothing can be generated"),
    ("click", "click", "there is no command line"),
    ("hypothesis", "Hypothesis", "the tests do not run"),
    ("torch", "PyTorch", "symbn bench does not time it, and the tests do not compare with its autograd"),
    ("jax", "JAX", "symbn bench does not time it"),
    ("matplotlib", "matplotlib", "symbn bench draws no roofline"),
)


def examine() -> tuple[Finding, ...]:
    """Every finding, the required ones first."""
    python = Finding("Python", f"{platform.python_version()} ({platform.python_implementation()}, {platform.system()})", "")
    return (python, *(Finding(name, _installed(package), without) for package, name, without in PACKAGES), *_compilers(), _tex())


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _compilers() -> tuple[Finding, ...]:
    """The C compilers, the one that symbn uses first."""
    found = tuple(compiler.available())
    try:
        used = compiler.find().command
    except TargetError as error:
        return (Finding("C compiler", "", f"generated C cannot be built or verified ({error.message})"),)
    return tuple(Finding(each.name, each.version() + (" (used for C)" if each.command == used else ""), "") for each in found)


def _tex() -> Finding:
    return Finding("TeX", _first_line("pdflatex"), "generated LaTeX is not compiled in the tests")


def _first_line(program: str) -> str:
    """The first line of `program --version`, or "" when it is missing or does not answer."""
    path = shutil.which(program)
    if path is None:
        return ""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.partition("\n")[0].strip() or path
