"""symbn.lock: what was vendored, from what, and what it read when symbn wrote it.

In: entries.  Out: JSON, sorted, with a hash of itself, so that a lock which was changed by hand is known; and back. Long texts
(definitions, license headers) stand once, under their own sha256.

    {"schema": 1, "sha256": ..., "texts": {SHA256: TEXT}, "files": {NAME: {"layer": ..., "target": ..., "symbn": ..., "sha256": ...,
     "source": {"catalogue": ..., "path": ..., "sha256": ...}, "templates": {NAME: SHA256},
     "options": {"mode": ..., "order": ..., "wrt": ..., "save": ..., "dtypes": ..., "prefix": ..., "single_header": ...,
     "license_header": SHA256}}}}
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from symbn.codegen.variant import Variant
from symbn.errors import DriftError, TargetError
from symbn.tools.vendor_recipe import Options, Origin, Recipe
from symbn.tools.vendor_text import digest

NAME = "symbn.lock"
SCHEMA = 1
MAX_BYTES = 16 * 1024 * 1024
T = TypeVar("T")
FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
HINT = "restore it from version control; or remove it and the files it was for, and vendor them again"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: how it is made, and what it was when symbn wrote it."""

    name: str
    recipe: Recipe
    templates: tuple[tuple[str, str], ...]
    sha256: str
    symbn: str


@dataclass(frozen=True, slots=True)
class Lock:
    """The entries by name. `sealed` says that nobody changed the lock by hand."""

    entries: tuple[Entry, ...] = ()
    sealed: bool = True

    def recipes(self) -> dict[Recipe, tuple[Entry, ...]]:
        """The entries of each kernel."""
        found: dict[Recipe, tuple[Entry, ...]] = {}
        for entry in self.entries:
            found[entry.recipe] = (*found.get(entry.recipe, ()), entry)
        return found


def read_lock(directory: Path) -> Lock | None:
    """The directory's lock, None where it has none. DriftError for one that cannot be understood."""
    path = directory / NAME
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TargetError(f"cannot read {path}: {error.strerror or error}") from error
    if len(content) > MAX_BYTES:
        raise DriftError(f"{path} is too large to be a lock", hint=HINT)
    try:
        data = json.loads(content)
        if isinstance(data, dict) and isinstance(data.get("schema"), int) and data["schema"] > SCHEMA:
            raise DriftError(f"{path} was written by a newer symbn", hint="install that one: pip install --upgrade symbn")
        return _lock(data)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = f"there is no {error} in it" if isinstance(error, KeyError) else str(error)
        raise DriftError(f"{path} is not a lock that symbn wrote: {why}", hint=HINT) from None


def lock_text(entries: Iterable[Entry]) -> str:
    """The lock as it is written."""
    entries = tuple(entries)
    texts = {digest(text): text for entry in entries for text in _texts(entry.recipe)}
    data: dict[str, Any] = {"schema": SCHEMA, "texts": texts, "files": {entry.name: _entry_data(entry) for entry in entries}}
    return json.dumps({**data, "sha256": _seal(data)}, indent=2, sort_keys=True) + "\n"


def _seal(data: Mapping[str, Any]) -> str:
    return digest(json.dumps({key: value for key, value in data.items() if key != "sha256"}, sort_keys=True))


def _texts(recipe: Recipe) -> list[str]:
    return [recipe.origin.text, *([recipe.options.license_header] if recipe.options.license_header else [])]


def _entry_data(entry: Entry) -> dict[str, Any]:
    variant, origin, options = entry.recipe.variant, entry.recipe.origin, entry.recipe.options
    return {
        "layer": variant.layer,
        "target": entry.recipe.target,
        "symbn": entry.symbn,
        "sha256": entry.sha256,
        "source": {"catalogue": origin.catalogue, "path": origin.path or None, "sha256": digest(origin.text)},
        "templates": dict(entry.templates),
        "options": {
            "mode": variant.mode,
            "order": variant.order,
            "wrt": None if variant.wrt is None else list(variant.wrt),
            "save": None if variant.save is None else list(variant.save),
            "dtypes": None if options.dtypes is None else list(options.dtypes),
            "prefix": options.prefix,
            "single_header": options.single_header,
            "license_header": digest(options.license_header) if options.license_header else None,
        },
    }


def _lock(data: Any) -> Lock:
    texts = {_is(str, key): _is(str, text) for key, text in data["texts"].items()}
    for key, text in texts.items():
        if digest(text) != key:
            raise ValueError(f"the text under {key[:12]}... has another sha256")
    entries = tuple(_entry(name, file, texts) for name, file in sorted(data["files"].items()))
    return Lock(entries, _seal(data) == data["sha256"])


def _entry(name: str, data: Any, texts: Mapping[str, str]) -> Entry:
    if not FILE.fullmatch(name):
        raise ValueError(f"{name[:80]!r} is not the name of a file beside it")
    source, options = _is(dict, _is(dict, data)["source"]), _is(dict, data["options"])
    origin = Origin(_is(bool, source["catalogue"]), _is(str, source["path"] or ""), _text(texts, source["sha256"]))
    if origin.path and not origin.path.endswith(".py"):
        raise ValueError(f"{origin.path[:80]!r} is not a layer's source")
    prefix, license_header = options["prefix"], options["license_header"]
    variant = Variant(
        _is(str, data["layer"]), _is(str, options["mode"]), _is(int, options["order"]), _names(options["wrt"]), _names(options["save"])
    )
    asked = Options(
        _names(options["dtypes"]),
        None if prefix is None else _is(str, prefix),
        _is(bool, options["single_header"]),
        _text(texts, license_header) if license_header else "",
    )
    templates = tuple(sorted((_is(str, key), _is(str, value)) for key, value in data["templates"].items()))
    recipe = Recipe(variant, _is(str, data["target"]), asked, origin)
    return Entry(name, recipe, templates, _is(str, data["sha256"]), _is(str, data["symbn"]))


def _text(texts: Mapping[str, str], key: Any) -> str:
    if key not in texts:
        raise ValueError(f"there is no text under {_is(str, key)[:12]}..., which a file was made from")
    return texts[key]


def _names(value: Any) -> tuple[str, ...] | None:
    return None if value is None else tuple(_is(str, name) for name in _is(list, value))


def _is(kind: type[T], value: Any) -> T:
    if not isinstance(value, kind):
        raise TypeError(f"{value!r:.80} is not of type {kind.__name__}")
    return value
