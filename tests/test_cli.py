"""The command line as a person meets it: what it prints, where, and what it exits with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import symbn

ROOT = Path(__file__).parents[1]
DX = "dx[i] = gamma/sqrt(sigma2 + eps)*(dy[i] - mean(dy[k] for k in N) - xhat[i]*mean(dy[k]*xhat[k] for k in N))"


HERE = {**os.environ, "PYTHONPATH": str(ROOT)}


def run(*arguments: str, cwd: Path | None = None, stdin: str | bytes = b"", **environment: str) -> subprocess.CompletedProcess[str]:
    """One `symbn` process."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run(
        [sys.executable, "-m", "symbn", *arguments], cwd=cwd, input=data, capture_output=True, timeout=300, check=False,
        env={**HERE, **environment},
    )  # fmt: skip
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))


@pytest.fixture(scope="module")
def derived() -> subprocess.CompletedProcess[str]:
    return run("derive", "batchnorm")


# What answers at once ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["--help"], {}),
        (["derive", "--help"], {}),
        (["list"], {}),
        (["list", "--json"], {}),
        ([], {"_SYMBN_COMPLETE": "bash_complete", "COMP_WORDS": "symbn derive batch", "COMP_CWORD": "2"}),
        ([], {"_SYMBN_COMPLETE": "bash_complete", "COMP_WORDS": "symbn generate -t ", "COMP_CWORD": "3"}),
    ],
    ids=["help", "help of a command", "list", "list as JSON", "completing a layer", "completing a target"],
)
def test_help_list_and_completion_load_nothing_heavy(arguments: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "from symbn.cli import main; main()", *arguments],
        capture_output=True, text=True, timeout=60, check=False, env={**HERE, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "click" in imported
    assert not imported & {"sympy", "numpy", "jinja2", "mpmath"}


def complete(words: str) -> list[str]:
    """What bash would be offered for the last of some words."""
    done = run(_SYMBN_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(len(words.split(" ")) - 1))
    return done.stdout.split()


def test_layers_complete_to_the_catalogue() -> None:
    assert {"plain,batchnorm", "plain,batchnorm1d", "plain,batchnorm2d"} <= set(complete("symbn derive batch"))


def test_a_layer_that_is_no_name_completes_to_files() -> None:
    assert complete("symbn derive ./mi") == ["file,./mi"]


def test_targets_complete() -> None:
    assert {"plain,numpy", "plain,c", "plain,latex"} <= set(complete("symbn generate -t "))


def test_version() -> None:
    done = run("--version")
    assert (done.stdout, done.returncode) == (f"symbn {symbn.__version__}\n", 0)


def test_list_names_layers_and_targets() -> None:
    done = run("list")
    assert (done.returncode, done.stderr) == (0, "")
    table = json.loads(run("list", "--json").stdout)
    assert {"batchnorm", "batchnorm1d", "batchnorm2d"} <= set(table["layers"])
    assert {"numpy", "c", "latex"} <= set(table["targets"])
    for name, summary in (*table["layers"].items(), *table["targets"].items()):
        assert any(line.split() == [name, *summary.split()] for line in done.stdout.splitlines())


# derive -----------------------------------------------------------------------------------------------------------------------------


def test_derive_prints_definitions_steps_result_and_verification(derived: subprocess.CompletedProcess[str]) -> None:
    assert (derived.returncode, derived.stderr) == (0, "")
    lines = [line.strip() for line in derived.stdout.splitlines()]
    positions = [
        lines.index("mu = mean(x[j] for j in N)"),
        next(i for i, line in enumerate(lines) if line.startswith("(1)")),
        len(lines) - 1 - lines[::-1].index(DX),
        next(i for i, line in enumerate(lines) if line.startswith("verified: exact for N = ")),
    ]
    assert positions == sorted(positions)
    assert positions[-1] == len(lines) - 1


def test_piped_text_is_ascii(derived: subprocess.CompletedProcess[str]) -> None:
    assert derived.stdout.isascii()


def on_a_terminal(*arguments: str, **environment: str) -> str:
    """What one `symbn` process prints on a terminal."""
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "symbn", *arguments]
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, stdin=theirs, env={**HERE, **environment})
    os.close(theirs)
    said = b""
    try:
        while part := os.read(ours, 65536):
            said += part
    except OSError:  # Linux's way to say that the other end is closed
        pass
    os.close(ours)
    assert process.wait(60) == 0
    return said.decode("utf-8")


def test_a_terminal_gets_unicode_mathematics() -> None:
    shown = on_a_terminal("derive", "batchnorm", "--no-steps", TERM="xterm", PYTHONIOENCODING="utf-8")
    assert "\u03b3" in shown
    assert "\u2212" in shown


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"TERM": "xterm", "PYTHONIOENCODING": "ascii"}], ids=["dumb", "ASCII"])
def test_a_terminal_that_cannot_show_it_gets_ascii(environment: dict[str, str]) -> None:
    shown = on_a_terminal("derive", "batchnorm", "--no-steps", **environment)
    assert shown.isascii()
    assert DX in shown


def test_no_steps_leaves_out_the_steps_alone(derived: subprocess.CompletedProcess[str]) -> None:
    short = run("derive", "batchnorm", "--no-steps").stdout
    assert "(1)" not in short
    assert [line for line in short.splitlines() if line not in derived.stdout.splitlines()] == []
    assert DX in short


def test_what_is_printed_can_be_fed_back(derived: subprocess.CompletedProcess[str]) -> None:
    assert symbn.derive("batchnorm").gradients["x"].text == DX
    assert derived.stdout == run("derive", "batchnorm").stdout


def test_wrt_restricts_the_inputs() -> None:
    done = run("derive", "batchnorm", "--no-steps", "--wrt", "gamma", "--wrt", "beta", "--format", "json")
    assert set(json.loads(done.stdout)["gradients"]) == {"gamma", "beta"}


def test_json_has_the_documented_keys_sorted() -> None:
    done = run("derive", "batchnorm", "--format", "json")
    found = json.loads(done.stdout)
    assert list(found) == sorted(found)
    documented = {"schema", "layer", "axes", "definitions", "gradients", "steps", "residuals", "intermediates", "notes", "verified"}
    assert documented <= set(found)
    assert (found["schema"], found["layer"], found["axes"]) == (1, "batchnorm", ["N"])
    assert list(found["definitions"][0]) == ["expr", "indices", "latex", "name"]
    dx = found["gradients"]["x"]
    assert (dx["name"], dx["indices"], "dx[i] = " + dx["expr"]) == ("dx", ["i"], DX)
    assert list(dx) == ["expr", "indices", "latex", "name", "operations", "reductions"]
    assert list(found["steps"][0]) == ["equation", "label", "latex", "reason"]
    assert found["verified"]["ok"] is True


def test_json_without_steps_has_none() -> None:
    assert json.loads(run("derive", "batchnorm", "--format", "json", "--no-steps").stdout)["steps"] == []


def test_markdown_sets_formulas_in_math_fences() -> None:
    text = run("derive", "batchnorm", "--format", "markdown").stdout
    assert text.count("```math\n") >= 4
    assert text.count("```") % 2 == 0
    assert "verified: exact for N = " in text


def test_the_jacobian() -> None:
    done = run("derive", "batchnorm", "--mode", "jacobian", "--no-steps")
    assert done.returncode == 0, done.stderr
    assert "dy_dx[k, i] = " in done.stdout
    assert "verified: " in done.stdout


@pytest.mark.parametrize("form", ["text", "latex", "markdown", "json"])
def test_the_same_bytes_under_any_hash_seed(form: str) -> None:
    first, second = (run("derive", "batchnorm", "--format", form, PYTHONHASHSEED=seed).stdout for seed in ("1", "2"))
    assert first == second


def test_standard_input_is_a_layer() -> None:
    done = run("derive", "-", "--no-steps", stdin='def double(x: "N"):\n    y[i] = 2*x[i]\n    return y\n')
    assert done.returncode == 0, done.stderr
    assert "dx[i] = 2*dy[i]" in done.stdout


# Output files -----------------------------------------------------------------------------------------------------------------------


def test_o_writes_the_file_and_talks_on_stderr(tmp_path: Path, derived: subprocess.CompletedProcess[str]) -> None:
    done = run("derive", "batchnorm", "-o", "out.txt", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert (tmp_path / "out.txt").read_text(encoding="utf-8") == derived.stdout
    assert "wrote out.txt" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["out.txt"]


def test_o_dash_is_stdout(tmp_path: Path, derived: subprocess.CompletedProcess[str]) -> None:
    assert run("derive", "batchnorm", "-o", "-", cwd=tmp_path).stdout == derived.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["missing/out.txt", "file/out.txt", "."])
def test_a_place_that_cannot_be_written_is_one_message(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("derive", "batchnorm", "--no-steps", "-o", place, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: cannot write {place}: ")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_device_is_written_to_and_stays_a_device() -> None:
    done = run("derive", "batchnorm", "--no-steps", "-o", os.devnull)
    assert done.returncode == 0, done.stderr
    assert not Path(os.devnull).is_file()


# Bad input --------------------------------------------------------------------------------------------------------------------------

TYPO = 'def standardize(x: "N", *, eps=1e-5):\n    m = mean(x[j] for j in N)\n    z[i] = x[i] - mm\n    return z\n'


def assert_refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit 2, nothing on stdout, one message on stderr and no traceback."""
    assert (done.returncode, done.stdout) == (2, ""), done
    assert done.stderr.lower().startswith(("error: ", "usage: "))
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def test_an_unknown_layer_is_refused_with_a_suggestion() -> None:
    assert_refused(run("derive", "batchnrom"), "batchnrom", "batchnorm")


def test_an_error_names_the_place_and_shows_it(tmp_path: Path) -> None:
    (tmp_path / "typo.py").write_text(TYPO)
    done = run("derive", "typo.py", cwd=tmp_path)
    assert_refused(done, "typo.py:3:19: unknown name 'mm'", "did you mean 'm'?")
    line, caret = done.stderr.splitlines()[1:3]
    assert line[caret.index("^") :].startswith("mm")


@pytest.mark.parametrize(
    "arguments",
    [
        ["derive"],
        ["derive", "batchnorm", "--mode", "sideways"],
        ["derive", "batchnorm", "--order", "3"],
        ["derive", "batchnorm", "--wrt", "nobody"],
        ["derive", "batchnorm", "--save", "nobody"],
        ["derive", "batchnorm", "--format", "pdf"],
        ["derive", "missing.py"],
        ["derive", "."],
        ["derive", "batchnorm:other"],
        ["generate", "batchnrom"],
        ["generate", "batchnorm", "-t", "fortran"],
        ["verify", "batchnorm", "-t", "fortran"],
        ["nothing"],
        ["--nothing"],
    ],
    ids=" ".join,
)
def test_wrong_use_exits_2(arguments: list[str], tmp_path: Path) -> None:
    assert_refused(run(*arguments, cwd=tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "source",
    [
        b"\xff\xfe not text",
        b"",
        b"def f(:\n",
        b"x = 1\n",
        b'def f(x: "N"):\n    y[i] = x[i]\n',
        b'def f(x: "N"):\n    y = 9**9**9**9\n    return y\n',
        b'def f(x: "N"):\n    y[i] = ' + b"(" * 10_000 + b"x[i]" + b")" * 10_000 + b"\n    return y\n",
        b"#" * 10_000_000,
        b"def f(x):\n    y = x\0\n    return y\n",
    ],
    ids=["not UTF-8", "empty", "syntax", "no function", "no return", "tower of powers", "10,000 parentheses", "10 MB", "NUL"],
)
def test_a_hostile_layer_is_refused_at_once(source: bytes) -> None:
    start = time.monotonic()
    assert_refused(run("derive", "-", stdin=source))
    assert time.monotonic() - start < 20


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = f"set -o pipefail; {sys.executable} -m symbn derive batchnorm | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=300, check=False, env=HERE)
    assert (done.returncode, done.stderr, len(done.stdout.splitlines())) == (0, "", 1)


def test_an_interrupt_ends_without_a_traceback() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "symbn", "derive", "-"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=HERE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background job of a shell starts with interrupts ignored
    )  # fmt: skip
    time.sleep(2.0)  # it now waits for its standard input
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said


def test_an_encoding_that_cannot_show_a_character_is_no_error() -> None:
    layer = '"""Sch\u00f6lkopf."""\ndef double(x: "N"):\n    y[i] = 2*x[i]\n    return y\n'
    done = run("derive", "-", "--no-steps", stdin=layer, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")


# doctor -----------------------------------------------------------------------------------------------------------------------------


def test_doctor_names_what_was_found_and_what_is_skipped_without_it() -> None:
    done = run("doctor")
    assert done.returncode == 0, done.stderr
    tools = [line.split()[0] for line in done.stdout.splitlines()]
    assert {"Python", "SymPy", "NumPy", "Jinja", "PyTorch", "JAX", "TeX"} <= set(tools)


def test_doctor_without_any_compiler_still_answers(tmp_path: Path) -> None:
    done = run("doctor", PATH=str(tmp_path), CC="")
    assert done.returncode == 0, done.stderr
    assert "not found: " in done.stdout
