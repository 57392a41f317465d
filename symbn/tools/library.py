"""C source to a library that is loaded, compiled once.

In: C files by name.  Out: a loaded library. Libraries are kept in a directory of the user's own, by a hash of everything they come from.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from symbn.errors import TargetError
from symbn.tools.compiler import FLAGS, Compiler, find


def load(files: Mapping[str, str], compiler: Compiler | None = None) -> ctypes.CDLL:
    """The library of the one .c file among `files`."""
    compiler = find() if compiler is None else compiler
    place = cache_directory()
    path = place / f"{_key(files, compiler)}.so"
    if not path.is_file():
        _compile(files, compiler, path)
    try:
        return ctypes.CDLL(str(path))
    except OSError:
        _compile(files, compiler, path)  # a file that was cut short by a full disk, or is another machine's
    try:
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise TargetError(f"cannot load {path}: {error}") from error


def cache_directory() -> Path:
    """`$XDG_CACHE_HOME/symbn/kernels` or `~/.cache/symbn/kernels`; a fresh temporary directory where that cannot be written."""
    try:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        place = base / "symbn" / "kernels"
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.access(place, os.W_OK | os.X_OK):
            return place
    except (OSError, RuntimeError):
        pass
    return Path(tempfile.mkdtemp(prefix="symbn-kernels-"))


def _key(files: Mapping[str, str], compiler: Compiler) -> str:
    parts = [*compiler.command, compiler.version(), *FLAGS, platform.machine(), platform.system()]
    parts += [part for name in sorted(files) for part in (name, files[name])]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _compile(files: Mapping[str, str], compiler: Compiler, path: Path) -> None:
    """Beside the final place, then renamed: two processes may build the same library at once."""
    with tempfile.TemporaryDirectory(prefix="build-", dir=path.parent) as work:
        for name, text in files.items():
            (Path(work) / name).write_text(text, encoding="ascii")
        source = next(Path(work) / name for name in files if name.endswith(".c"))
        made = Path(work) / "library.so"
        compiler.shared(source, made)
        with suppress(FileExistsError):
            made.replace(path)
