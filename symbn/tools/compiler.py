"""The C compiler of this machine.

In: the environment.  Out: commands that compile C; TargetError when there is none, or when it refuses.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from symbn.errors import TargetError

PROGRAMS = ("cc", "gcc", "clang")
HINT = "install gcc or clang, or `pip install ziglang`, or set CC"
# IEEE arithmetic as written: the sums' error terms live from it.
# Nobody reads the floating-point exception flags: with them, GCC would make no vector instructions of a comparison.
FLAGS = ("-std=c99", "-O3", "-fno-trapping-math", "-fPIC", "-shared")
# Asked for first, and left out where the compiler has none of it.
THREADS = ("-fopenmp",)
PATIENCE = 300  # seconds for one file


@dataclass(frozen=True, slots=True)
class Compiler:
    """A command that compiles C, `name` as a person calls it."""

    name: str
    command: tuple[str, ...]

    def version(self) -> str:
        """The first line of what it says of itself; "" when it does not answer."""
        return _version(self.command)

    def shared(self, source: Path, output: Path) -> None:
        """Compiles one file to a shared library, with threads where the compiler has them. TargetError with what the compiler said."""
        if self._run(source, output, (*FLAGS, *THREADS)).returncode != 0:
            done = self._run(source, output, FLAGS)
            if done.returncode != 0:
                raise TargetError(f"{self.name} refused {source.name}:\n{done.stderr.strip()}")

    def _run(self, source: Path, output: Path, flags: Sequence[str]) -> subprocess.CompletedProcess[str]:
        command = [*self.command, *flags, "-o", str(output), str(source), "-lm"]
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise TargetError(f"{self.name} could not be run: {error}", hint=HINT) from error


def find() -> Compiler:
    """The compiler to use: $CC, cc, gcc, clang, or zig from the package index. TargetError when there is none."""
    wanted = os.environ.get("CC", "").strip()
    if wanted:
        command = shlex.split(wanted)
        if shutil.which(command[0]) is None:
            raise TargetError(f"there is no C compiler: CC is {wanted!r}, which is not a program", hint=HINT)
        return Compiler(command[0], tuple(command))
    for compiler in available():
        return compiler
    raise TargetError("there is no C compiler", hint=HINT)


def available() -> Iterator[Compiler]:
    """Every compiler that is here, the preferred one first; $CC is not looked at."""
    for name in PROGRAMS:
        path = shutil.which(name)
        if path is not None:
            yield Compiler(name, (path,))
    if importlib.util.find_spec("ziglang") is not None:
        yield Compiler("ziglang", (sys.executable, "-m", "ziglang", "cc"))


@cache
def _version(command: tuple[str, ...]) -> str:
    try:
        done = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.partition("\n")[0].strip()
