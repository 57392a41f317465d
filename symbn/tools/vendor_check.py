"""Vendored files against their lock and against what symbn makes of it today.

In: a directory with a lock.  Out: a Check: for each file its state, and what mends it. Nothing is written.

An entry's sha256 says what symbn wrote, so a file that reads otherwise was changed by hand; a file that reads so, but is not what symbn
makes today, is stale. Where the lock itself was changed by hand its hashes prove nothing, and every file that differs counts as changed by
hand.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from symbn._version import __version__
from symbn.codegen.generate import NOTICE
from symbn.codegen.generate import diff as differences
from symbn.errors import SymbnError, TargetError
from symbn.tools.vendor_lock import NAME, Entry, Lock
from symbn.tools.vendor_recipe import Recipe, renewed
from symbn.tools.vendor_text import Made, digest, make

SAME, EDITED, STALE, NEWER, MISSING, STRAY, LOCK = "same", "edited", "stale", "newer", "missing", "stray", "lock"
HEAD = 128 * 1024  # bytes of a file in which its notice stands, after a license header
LF = (b"\r\n", b"\n")  # line endings are the checkout's affair


@dataclass(frozen=True, slots=True)
class Finding:
    """A file's state, one of the words above, and what a person should know of it."""

    name: str
    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Unit:
    """A kernel: the recipe as it is today, what it makes, and its entries in the lock."""

    recipe: Recipe
    made: Mapping[str, Made]
    entries: tuple[Entry, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """What was found in a directory; `findings` names what is not as it should be."""

    directory: Path
    units: tuple[Unit, ...]
    others: tuple[Finding, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that is not as it should be."""
        return tuple(finding for unit in self.units for finding in unit.findings if finding.state != SAME) + self.others

    @property
    def lines(self) -> tuple[str, ...]:
        """One line a finding, then one for each command that mends some of them."""
        found = [f"{f.state}: {self.directory / f.name}{f' ({f.reason})' if f.reason else ''}" for f in self.findings]
        return (*found, *self._mending())

    @property
    def diff(self) -> str:
        """From each file that differs to what symbn makes."""
        shown = {f.name for f in self.findings if f.state in (EDITED, STALE, NEWER)}
        return differences({name: made.text for unit in self.units for name, made in unit.made.items() if name in shown}, self.directory)

    def _mending(self) -> list[str]:
        states = {finding.state for finding in self.findings}
        update = f"symbn vendor --update {shlex.quote(str(self.directory))}"
        strays = [shlex.quote(str(self.directory / f.name)) for f in self.findings if f.state == STRAY]
        newest = max((entry.symbn for unit in self.units for entry in unit.entries), key=version_key, default=__version__)
        return [
            *([f"mend: {update}"] if states & {STALE, MISSING, LOCK} else []),
            *([f"mend, and lose what was changed by hand: {update} --force"] if EDITED in states else []),
            *([f"mend: pip install {shlex.quote(f'symbn>={newest}')}"] if NEWER in states else []),
            *([f"remove: rm {' '.join(strays)}"] if strays else []),
        ]


def check(directory: Path, lock: Lock) -> Check:
    """Every file of the lock, and every generated file beside them. Raises what making the files raises."""
    units = tuple(_unit(directory, lock, recipe, entries) for recipe, entries in lock.recipes().items())
    known = {entry.name for entry in lock.entries}
    strays = [Finding(name, STRAY, "made by symbn, and not in the lock") for name in _generated(directory) if name not in known]
    changed = [] if lock.sealed else [Finding(NAME, LOCK, "changed by hand")]
    return Check(directory, units, (*changed, *strays))


def _unit(directory: Path, lock: Lock, recipe: Recipe, entries: tuple[Entry, ...]) -> Unit:
    today = renewed(recipe, directory)
    try:
        made = make(today)
    except SymbnError:
        if not all(_is_newer(entry) for entry in entries):
            raise
        made = {}  # what a newer symbn can do, this one may not
    findings = [_finding(directory, lock, entry, today, made.get(entry.name)) for entry in entries]
    known = {entry.name for entry in entries}
    findings += [Finding(name, MISSING, "symbn makes it now") for name in made if name not in known]
    return Unit(today, made, entries, tuple(findings))


def _finding(directory: Path, lock: Lock, entry: Entry, today: Recipe, made: Made | None) -> Finding:
    content = content_of(directory / entry.name)
    if content is None:
        return Finding(entry.name, MISSING)
    here, wanted = digest(content), None if made is None else digest(made.text)
    if here == wanted:
        return Finding(entry.name, SAME) if here == entry.sha256 else Finding(entry.name, LOCK, "the lock says that it reads otherwise")
    if here != entry.sha256:
        return Finding(entry.name, EDITED, f"by hand, after symbn {entry.symbn} wrote it")
    if not lock.sealed:
        return Finding(entry.name, EDITED, "it is not what symbn makes, and the lock was changed by hand")
    if _is_newer(entry):
        return Finding(entry.name, NEWER, f"made by symbn {entry.symbn}, this is {__version__}")
    return Finding(entry.name, STALE, _why(entry, today, made))


def _why(entry: Entry, today: Recipe, made: Made | None) -> str:
    """What changed since the file was made."""
    if made is None:
        return "symbn makes no such file any more"
    if today.origin.text != entry.recipe.origin.text:
        return f"its source has changed: {today.origin.path or today.variant.layer}"
    if entry.symbn != __version__:
        return f"made by symbn {entry.symbn}, this is {__version__}"
    return "its template has changed" if made.templates != entry.templates else "symbn's generator has changed"


def _is_newer(entry: Entry) -> bool:
    return version_key(entry.symbn) > version_key(__version__)


def version_key(version: str) -> tuple[int, ...]:
    """`0.10.2` after `0.9`; what follows the numbers does not count."""
    numbers = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(number) for number in numbers[0].split(".")[:8]) if numbers else ()


def content_of(path: Path) -> bytes | None:
    """The file's bytes with Unix line endings, None where there is none. TargetError for what is no file."""
    if not (path.is_symlink() or path.exists()):
        return None
    if path.is_symlink() or not path.is_file():
        raise TargetError(f"{path} is not a regular file", hint="symbn writes over nothing else; move it away")
    try:
        return path.read_bytes().replace(*LF)
    except OSError as error:
        raise TargetError(f"cannot read {path}: {error.strerror or error}") from error


def _generated(directory: Path) -> list[str]:
    """The files with symbn's notice."""
    found = []
    for path in sorted(directory.iterdir()):
        if path.is_file() and path.name != NAME:
            with path.open("rb") as file:
                if NOTICE in file.read(HEAD):
                    found.append(path.name)
    return found
