"""What the tests of `symbn vendor` share: a layer's source, the command, and changes to files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from symbn.cli import cli
from symbn.tools.vendor_lock import lock_text, read_lock

ROOT = Path(__file__).parents[1]
MINE = """
def mine(x: "N"):
    y = mean(x[i] for i in N)
    return y

def other(x: "N"):
    y = sum(x[i]**2 for i in N)
    return y
"""


def run(*arguments: str) -> Result:
    """`symbn vendor`, its errors as exceptions."""
    return CliRunner().invoke(cli, ["vendor", *arguments])


def checked(place: Path) -> tuple[int, str, str]:
    """Exit status, the difference shown, and what was said."""
    done = run("--check", str(place))
    return done.exit_code, done.stdout, done.stderr


def content(place: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(place.iterdir())}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def reseal(place: Path, change: Callable[[Any], Any]) -> None:
    """Changes a lock's entries and writes it as symbn would."""
    lock = read_lock(place)
    assert lock is not None
    (place / "symbn.lock").write_text(lock_text([change(entry) for entry in lock.entries]))
