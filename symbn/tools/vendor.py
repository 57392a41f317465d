"""Kernels in another project: copied, checked, refreshed.

In: recipes and a directory.  Out: files and symbn.lock, each whole or as it was. Nothing that a person wrote or changed is written over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from symbn._version import __version__
from symbn.codegen.emit import replace_file
from symbn.errors import DriftError, TargetError
from symbn.tools.vendor_check import EDITED, NEWER, Check, Unit, check, content_of
from symbn.tools.vendor_lock import NAME, Entry, Lock, lock_text, read_lock
from symbn.tools.vendor_recipe import Options, Recipe, recipe
from symbn.tools.vendor_text import Made, digest, make

__all__ = ["Changes", "Options", "add", "examine", "update"]


@dataclass(frozen=True, slots=True)
class Changes:
    """What was done: paths written and removed, and how many files were as they should be; `kept` names hand edits that stand."""

    written: tuple[Path, ...]
    removed: tuple[Path, ...]
    same: int
    kept: tuple[Path, ...] = ()


def add(specs: Iterable[str], target: str, options: Options, directory: Path, **asked: Any) -> Changes:
    """Vendors each layer; `asked` says which derivative, as `derive` takes it.

    DriftError, before anything is written, where a file in the way is not as symbn wrote it.
    """
    lock = _lock(directory, new=True)
    if not lock.sealed:
        raise DriftError(f"{directory / NAME} was changed by hand", hint=f"see: symbn vendor --check {directory}")
    recipes = tuple(dict.fromkeys(recipe(spec, target, options, directory, **asked) for spec in specs))
    made: dict[str, tuple[Recipe, Made]] = {}
    for wanted in recipes:
        for name, file in make(wanted).items():
            if name in made:
                raise TargetError(f"two layers would both be written to {directory / name}", hint="rename one of them")
            made[name] = wanted, file
    again = {(wanted.variant, wanted.target) for wanted in recipes}
    old = {e.name: e for e in lock.entries if (e.recipe.variant, e.recipe.target) in again}
    rest = tuple(entry for entry in lock.entries if entry.name not in old)
    _refuse_others(directory, made, old, rest)
    entries = (*rest, *(_entry(name, wanted, file) for name, (wanted, file) in made.items()))
    return _write(directory, {name: file.text for name, (_, file) in made.items()}, old.keys() - made.keys(), entries)


def examine(directory: Path) -> Check:
    """The directory as it is. TargetError without a lock."""
    return check(directory, _lock(directory))


def update(directory: Path, *, force: bool = False) -> Changes:
    """Makes every kernel again, but for those with a hand edit or made by a newer symbn, unless `force`."""
    lock = _lock(directory)
    found = check(directory, lock)
    blocked = [unit for unit in found.units if not force and any(f.state in (EDITED, NEWER) for f in unit.findings)]
    fresh = [unit for unit in found.units if unit not in blocked]
    made = {name: (unit.recipe, file) for unit in fresh for name, file in unit.made.items()}
    old = {entry.name: entry for unit in fresh for entry in unit.entries}
    kept = tuple(_kept(entry, unit, lock) for unit in blocked for entry in unit.entries)
    _refuse_others(directory, {name: file for name, file in made.items() if name not in old}, {}, kept)
    entries = (*kept, *(_entry(name, wanted, file) for name, (wanted, file) in made.items()))
    changes = _write(directory, {name: file.text for name, (_, file) in made.items()}, old.keys() - made.keys(), entries)
    return Changes(changes.written, changes.removed, changes.same, _blocking(directory, blocked))


def _kept(entry: Entry, unit: Unit, lock: Lock) -> Entry:
    """The entry; from a lock that was changed by hand, with a hash that can be trusted, so that the file still counts as changed."""
    return entry if lock.sealed or entry.name not in unit.made else replace(entry, sha256=digest(unit.made[entry.name].text))


def _blocking(directory: Path, units: Sequence[Unit]) -> tuple[Path, ...]:
    return tuple(directory / f.name for unit in units for f in unit.findings if f.state in (EDITED, NEWER))


def _lock(directory: Path, *, new: bool = False) -> Lock:
    if directory.exists() and not directory.is_dir():
        raise TargetError(f"{directory} is not a directory")
    lock = read_lock(directory)
    if lock is None and not new:
        raise TargetError(f"there is no {directory / NAME}", hint=f"vendor a layer first: symbn vendor LAYER -t c --into {directory}")
    return Lock() if lock is None else lock


def _refuse_others(directory: Path, made: Mapping[str, tuple[Recipe, Made]], old: Mapping[str, Entry], rest: Sequence[Entry]) -> None:
    """DriftError where a file to be written or removed is not as symbn wrote it."""
    others = {entry.name: entry for entry in rest}
    for name in dict.fromkeys((*made, *old)):
        path = directory / name
        content = content_of(path)
        if name in others:
            raise TargetError(f"{path} is the file of another layer, {others[name].recipe.variant.layer}", hint="choose another directory")
        if content is None or (name in made and digest(content) == digest(made[name][1].text)):
            continue
        if name not in old:
            raise DriftError(f"{path} is there and not in {NAME}", hint="remove it, or choose another directory")
        if digest(content) != old[name].sha256:
            raise DriftError(f"{path} was changed by hand", hint=f"to lose the change: symbn vendor --update {directory} --force")


def _entry(name: str, made_from: Recipe, file: Made) -> Entry:
    return Entry(name, made_from, file.templates, digest(file.text), __version__)


def _write(directory: Path, texts: Mapping[str, str], gone: Iterable[str], entries: Iterable[Entry]) -> Changes:
    """The lock last: after an interruption the same command goes on where it was."""
    lock = lock_text(sorted(entries, key=lambda entry: entry.name))
    path, written, removed = directory, [], []
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in (*texts.items(), (NAME, lock)):
            path = directory / name
            if content_of(path) != text.encode():
                replace_file(path, text.encode())
                written.append(path)
        for name in sorted(gone):
            path = directory / name
            path.unlink(missing_ok=True)
            removed.append(path)
    except OSError as error:
        raise TargetError(f"cannot write {path}: {error.strerror or error}") from error
    return Changes(tuple(written), tuple(removed), len(texts) + 1 - len(written))
