"""Every command and every program in README.md is run, and says what the README shows.

A `console` block holds commands after `$ ` and, below each, lines of its output; a line `...` stands for any lines, ` ... ` within one for
any words. `# exit N` at the end of a command says what it exits with. A `python` block with `file=NAME` is a file that later blocks use;
without, it is a program to run.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SETUP = [
    'python3 -m venv .venv && .venv/bin/pip install -q -e ".[test]" && .venv/bin/symbn derive batchnorm',
    ".venv/bin/python -m pytest -q",
]


def blocks() -> list[tuple[str, str]]:
    """(info string, text) of each fenced block, in order."""
    return re.findall(r"^```([^\n`]+)\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def commands(block: str) -> list[tuple[str, int, list[str]]]:
    """(command, exit status, lines of output shown) of a console block."""
    found = []
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *shown = part.rstrip("\n").split("\n")
        status = re.search(r"# exit (\d+)$", command)
        found.append((command, int(status[1]) if status else 0, shown))
    return found


def test_the_set_up_commands_are_the_ones_that_ci_runs() -> None:
    assert next(text for info, text in blocks() if info == "sh").splitlines() == SETUP
    assert SETUP[0] in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the checkout's generated files and the README's own, as a reader would have them."""
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "generated", folder / "generated")
    for info, text in blocks():
        if name := re.search(r"file=(\S+)", info):
            (folder / name[1]).write_text(text, encoding="utf-8")
    return folder


def run(place: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Runs a command with the same virtual environment first on PATH."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(command, cwd=place, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=300, check=False)


CONSOLE = [command for info, text in blocks() if info == "console" for command in commands(text)]
PROGRAMS = [text for info, text in blocks() if info == "python"]


def pattern(line: str) -> str:
    """A shown line as a regular expression."""
    words = ".*".join(re.escape(part) for part in line.rstrip().split(" ... "))
    return r"(?:.*\n)*?" if line.strip() == "..." else words + r"[ ]*\n"


def test_the_console_blocks_do_what_they_show(place: Path) -> None:
    """From the top down, as a reader types them: some need what those before them have written."""
    for command, status, shown in CONSOLE:
        done = run(place, "bash", "-c", command)
        assert done.returncode == status, f"{command}\n{done.stderr}"
        said = done.stdout + done.stderr
        assert re.search("".join(map(pattern, shown)), said), f"{command}\n--- shown\n" + "\n".join(shown) + f"\n--- said\n{said}"


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_runs(program: str, place: Path) -> None:
    done = run(place, sys.executable, "-c", program)
    assert done.returncode == 0, done.stderr
