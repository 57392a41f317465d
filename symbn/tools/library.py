"""C source to a library that is loaded, compiled once.

In: C files by name.  Out: a loaded library. Libraries are kept in a directory of the user's own, under a hash of everything they come from
and a hash of their content: what was cut short by a full disk or changed later is never loaded, for to load it may crash the process.
"""

from __future__ import annotations

import atexit
import ctypes
import hashlib
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

from symbn.errors import TargetError
from symbn.tools.compiler import FLAGS, THREADS, Compiler, find


def load(files: Mapping[str, str], compiler: Compiler | None = None) -> ctypes.CDLL:
    """The library of the one .c file among `files`."""
    compiler = find() if compiler is None else compiler
    key = _key(files, compiler)
    problem = None
    for place in _places():
        path = _kept(place, key) or _compile(files, compiler, place, key)
        try:
            return ctypes.CDLL(str(path))
        except OSError as error:  # such as a file system that nothing may be executed from
            problem = TargetError(f"cannot load {path}: {error}")
    raise problem or TargetError("there is no directory to build in")


def _places() -> Iterator[Path]:
    """Where a library may be, the first that works is taken."""
    kept = cache_directory()
    if kept is not None:
        yield kept
    yield _temporary(os.getpid())


def cache_directory() -> Path | None:
    """`$XDG_CACHE_HOME/symbn/kernels` or `~/.cache/symbn/kernels`; None where that cannot be written, or others could."""
    try:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        place = base / "symbn" / "kernels"
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        return place if os.access(place, os.W_OK | os.X_OK) and _is_ours(place) else None
    except (OSError, RuntimeError):
        return None


def _is_ours(place: Path) -> bool:
    """Whether nobody else could have put a library there: it would run as us."""
    if not hasattr(os, "getuid"):
        return True
    state = place.stat()
    return state.st_uid == os.getuid() and not state.st_mode & 0o022


@cache
def _temporary(process: int) -> Path:
    """A directory of this process alone, removed when it ends."""
    place = Path(tempfile.mkdtemp(prefix="symbn-kernels-"))

    def remove() -> None:
        if os.getpid() == process:  # not in what was forked from it
            shutil.rmtree(place, ignore_errors=True)

    atexit.register(remove)
    return place


def _key(files: Mapping[str, str], compiler: Compiler) -> str:
    parts = [*compiler.command, compiler.version(), *FLAGS, *THREADS, platform.machine(), platform.system(), _processor()]
    parts += [part for name in sorted(files) for part in (name, files[name])]
    return _digest("\0".join(parts).encode())


@cache
def _processor() -> str:
    """What this processor can do: a home directory may be shared by different ones, and CC may say -march=native."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.partition(":")[0].strip() in ("flags", "Features"):
                return " ".join(sorted(line.partition(":")[2].split()))
    return platform.processor()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def _kept(place: Path, key: str) -> Path | None:
    """The library as it was compiled; what has another content is removed."""
    for path in sorted(place.glob(f"{key}-*.so")):
        with suppress(OSError):
            if path.stem.partition("-")[2] == _digest(path.read_bytes()):
                return path
            path.unlink()
    return None


def _compile(files: Mapping[str, str], compiler: Compiler, place: Path, key: str) -> Path:
    """Beside the final place, then renamed: two processes may build the same library at once."""
    try:
        with tempfile.TemporaryDirectory(prefix="build-", dir=place) as work:
            for name, text in files.items():
                (Path(work) / name).write_text(text, encoding="ascii")
            source = next(Path(work) / name for name in files if name.endswith(".c"))
            made = Path(work) / "library.so"
            compiler.shared(source, made)
            path = place / f"{key}-{_digest(made.read_bytes())}.so"
            with suppress(FileExistsError):
                made.replace(path)
            return path
    except OSError as error:
        raise TargetError(f"cannot build in {place}: {error.strerror or error}") from error
