"""What `build` keeps: compiled once, by what it comes from; never loaded when it is not what was compiled."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from codegen_layers import derivation

from symbn.errors import TargetError
from symbn.tools import compiler, library
from symbn.tools.build import build
from symbn.tools.compiler import Compiler

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(not tuple(compiler.available()), reason="no C compiler")
X = np.arange(6.0).reshape(2, 3)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "symbn" / "kernels"


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sources that were compiled."""
    seen: list[str] = []
    real = Compiler.shared

    def shared(self: Compiler, source: Path, output: Path) -> None:
        seen.append(source.name)
        real(self, source, output)

    monkeypatch.setattr(Compiler, "shared", shared)
    return seen


def works() -> bool:
    y, _ = build(derivation("soft"), dtype="float64").forward(X)
    return bool(np.allclose(y.sum(axis=1), 1))


def test_a_kernel_is_compiled_once(cache: Path, compiled: list[str]) -> None:
    assert works()
    assert [path.suffix for path in cache.iterdir()] == [".so"], "nothing else is left behind"
    assert works()
    assert compiled == ["soft.c"]


@pytest.mark.parametrize(
    "damage",
    [lambda made: b"not a library", lambda made: b"", lambda made: made[: len(made) // 2], lambda made: made[:-1] + bytes([made[-1] ^ 1]),
     lambda made: bytes(len(made))],
    ids=["text", "empty", "half", "one bit", "zeros"],
)  # fmt: skip
def test_a_library_that_is_not_what_was_compiled_is_never_loaded(cache: Path, compiled: list[str], damage) -> None:  # type: ignore[no-untyped-def]
    """In a process of its own: what is loaded already hides what is on the disk."""
    script = "import sys; sys.path[:0] = [sys.argv[1]]; import test_build_cache as t; assert t.works()"
    command = [sys.executable, "-c", script, str(ROOT / "tests")]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    (made,) = cache.iterdir()
    content = made.read_bytes()
    made.unlink()
    made.write_bytes(damage(content))
    done = subprocess.run(command, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [path.read_bytes() == content for path in cache.iterdir()] == [True]


def test_a_directory_that_others_may_write_is_not_trusted(cache: Path, compiled: list[str]) -> None:
    cache.mkdir(parents=True)
    cache.chmod(0o777)
    assert library.cache_directory() is None
    assert works()
    assert list(cache.iterdir()) == []


def test_without_a_writable_cache_it_still_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert library.cache_directory() is None
    assert works()


def test_a_home_that_cannot_be_told_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(library.Path, "home", nowhere)
    assert library.cache_directory() is None
    assert works()


def test_the_temporary_directory_is_one_a_process_and_goes_with_it(tmp_path: Path) -> None:
    script = (
        "import os, sys; sys.path[:0] = [sys.argv[1]]; import test_build_cache as t\n"
        "assert t.works() and t.works(); from symbn.tools import library; print(library._temporary(os.getpid()))\n"
        "sys.stdout.flush(); child = os.fork(); child == 0 and sys.exit(); os.waitpid(child, 0)\n"
        "assert library._temporary(os.getpid()).is_dir(), 'a forked process must not remove it'"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": os.devnull, "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script, str(ROOT / "tests")], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.splitlines()[0]).parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_nothing_can_be_loaded_from_is_passed_over(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = library.ctypes.CDLL

    def load(path: str) -> object:
        if path.startswith(str(cache)):
            raise OSError("failed to map segment from shared object")
        return real(path)

    monkeypatch.setattr(library.ctypes, "CDLL", load)
    assert works()
    monkeypatch.setattr(library, "_places", lambda: iter((cache,)))
    with pytest.raises(TargetError, match=r"cannot load .*: failed to map"):
        works()


def test_another_compiler_command_processor_or_source_is_another_library(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"a.c": "int a;", "a.h": ""}
    used = compiler.find()
    keys = [
        library._key(files, used),
        library._key({**files, "a.h": "/* */"}, used),
        library._key(files, Compiler(used.name, (*used.command, "-march=native"))),
        library._key(files, Compiler("other", ("other",))),
    ]
    monkeypatch.setattr(library, "FLAGS", (*library.FLAGS, "-g"))
    keys.append(library._key(files, used))
    monkeypatch.setattr(library, "_processor", lambda: "another one")
    keys.append(library._key(files, used))
    assert len(set(keys)) == len(keys)
    assert library._key(dict(reversed(files.items())), used) == keys[-1], "the order of the files does not count"


def test_many_processes_and_threads_may_build_at_once(cache: Path) -> None:
    script = (
        "import sys, threading; sys.path[:0] = [sys.argv[1]]; import test_build_cache as t; good = []\n"
        "threads = [threading.Thread(target=lambda: good.append(t.works())) for _ in range(3)]\n"
        "[thread.start() for thread in threads]; [thread.join() for thread in threads]; assert good == [True]*3, good"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = [subprocess.Popen([sys.executable, "-c", script, str(ROOT / "tests")], env=env) for _ in range(3)]
    assert [process.wait(timeout=120) for process in running] == [0, 0, 0]
    assert {path.suffix for path in cache.iterdir()} == {".so"}


def test_the_kernel_runs_beside_python() -> None:
    """ctypes lets go of the interpreter's lock: this thread counts on while the other one computes."""
    kernel = build(derivation("affine"), dtype="float64")
    size = 700
    given = [np.ones((size, size)), np.ones((size, size)), np.ones(size)]
    out = {"y": np.empty((size, size))}
    kernel.forward(*given, out=out)
    thread = threading.Thread(target=kernel.forward, args=given, kwargs={"out": out})
    counted = 0
    thread.start()
    while thread.is_alive():
        counted += 1
    assert counted > 1000


def test_threads_that_share_inputs_do_not_disturb_each_other() -> None:
    kernel = build(derivation("rows"), dtype="float64")
    rng = np.random.default_rng(5)
    x, gamma, beta = rng.standard_normal((300, 70)), rng.standard_normal(70), rng.standard_normal(70)
    wanted, _ = kernel.forward(x, gamma, beta)
    wrong: list[int] = []

    def run(number: int) -> None:
        for _ in range(20):
            y, saved = kernel.forward(x, gamma, beta)
            grads = kernel.backward(y, saved)
            if not (np.array_equal(y, wanted) and np.isfinite(grads.dx).all()):
                wrong.append(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
