"""The loading door: from what a user calls a layer to the layer.

In: a name in the catalogue, `file.py`, `file.py:function`, or `-`.  Out: a Layer, or a LayerError that says what is wrong.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from symbn.errors import LayerError
from symbn.language.limits import MAX_BYTES
from symbn.language.parse import parse_layer
from symbn.language.shelf import layer_names, layer_source
from symbn.language.source import suggestion
from symbn.layer import Layer

STDIN = "<stdin>"

@dataclass(frozen=True, slots=True)
class Found:
    """A layer's text, the name a person knows it by, and which of its functions is meant, None for the only one."""

    text: str
    file: str
    function: str | None = None


def load_layer(spec: str, *, stdin: str | None = None) -> Layer:
    """The layer that `spec` names; `stdin` is the text behind `-`, read from standard input when it is not given."""
    found = find_layer(spec, stdin=stdin)
    return parse_layer(found.text, file=found.file, function=found.function)


def find_layer(spec: str, *, stdin: str | None = None) -> Found:
    """The text that `spec` names, not parsed yet."""
    if spec == "-":
        return Found(_standard_input() if stdin is None else stdin, STDIN)
    path, function = _split(spec)
    if path is not None:
        return Found(read_source(path), path, function)
    if spec not in layer_names():
        raise _unknown(spec)
    return Found(layer_source(spec), catalogue_file(spec))


def catalogue_file(name: str) -> str:
    """What messages call the file of a layer that comes with symbn."""
    return f"symbn/layers/{name}.py"


def read_source(path: str) -> str:
    """The text of a file, never more than the limit on a layer's size."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except IsADirectoryError:
        raise LayerError(f"{path}: is a directory", hint="name a file in it, such as mine.py") from None
    except FileNotFoundError:
        raise LayerError(f"{path}: no such file", hint=_similar(path)) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise LayerError(f"{path}: cannot be read: {reason}") from None
    return _decoded(content, path)


def _decoded(content: bytes, path: str) -> str:
    if len(content) > MAX_BYTES:
        raise LayerError(f"{path}: too large: at most {MAX_BYTES // 1024} KiB", hint="a layer is a few lines")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise LayerError(f"{path}: not UTF-8: byte {content[error.start]:#04x} on line {line}", hint="save it as UTF-8 text") from None


def _standard_input() -> str:
    return _decoded(sys.stdin.buffer.read(MAX_BYTES + 1), "<stdin>")


def _split(spec: str) -> tuple[str | None, str | None]:
    """The path and the function, or nothing when `spec` is a name."""
    path, colon, function = spec.rpartition(":")
    if colon and path.endswith(".py") and function:
        return path, function
    return (spec, None) if spec.endswith(".py") or "/" in spec or "\\" in spec else (None, None)


def _similar(path: str) -> str | None:
    name = Path(path).name.removesuffix(".py")
    if name in layer_names():
        return f"the catalogue has '{name}': write {name}"
    folder = Path(path).parent
    nearby = sorted(entry.name for entry in folder.glob("*.py"))[:200] if folder.is_dir() else []
    return suggestion(Path(path).name, nearby)


def _unknown(spec: str) -> LayerError:
    close = suggestion(spec, layer_names())
    listing = f"the layers are {', '.join(layer_names())}; a layer of your own is a file: mine.py"
    return LayerError(f"unknown layer '{spec[:80]}'", hint=f"{close}\n{listing}" if close else listing)
