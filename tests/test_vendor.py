"""`symbn vendor`: what is copied, what a check tells apart, and that nothing a person wrote is written over."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from symbn import catalogue
from symbn.cli import cli
from symbn.errors import DriftError, TargetError
from symbn.tools import vendor, vendor_check, vendor_text
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


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, which is also where commands run."""
    monkeypatch.chdir(tmp_path)
    return Path("kernels")


@pytest.fixture(scope="session")
def vendored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("vendored") / "kernels"
    vendor.add(["mse", "softmax"], "c", vendor.Options(dtypes=("f64",)), directory)
    return directory


@pytest.fixture
def two(place: Path, vendored: Path) -> Path:
    """A directory with two vendored layers."""
    shutil.copytree(vendored, place)
    return place


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


# What is written --------------------------------------------------------------------------------------------------------------------


def test_the_files_are_the_target_s_and_a_lock(two: Path) -> None:
    assert set(content(two)) == {"mse.c", "mse.h", "softmax.c", "softmax.h", "symbn.lock"}
    assert "symbn vendor mse -t c --dtype f64 --into DIR" in (two / "mse.h").read_text()
    assert "_f32" not in (two / "mse.c").read_text()
    assert checked(two) == (0, "", f"4 files as {two / 'symbn.lock'} says\n")


def test_the_same_command_gives_the_same_bytes(two: Path) -> None:
    before = content(two)
    assert "unchanged" in run("mse", "softmax", "-t", "c", "--dtype", "f64", "--into", str(two)).stderr
    assert content(two) == before
    again = Path("again")
    run("softmax", "-t", "c", "--dtype", "f64", "--into", str(again))
    run("mse", "-t", "c", "--dtype", "f64", "--into", str(again))
    assert content(again) == before, "the order of vendoring leaves no trace"


def test_the_lock_holds_no_time_user_or_absolute_path(place: Path) -> None:
    Path("mine.py").write_text(MINE)
    run(str(Path("mine.py").absolute()) + ":mine", "-t", "c", "--into", str(place))
    data = json.loads((place / "symbn.lock").read_text())
    assert data["files"]["mine.c"]["source"]["path"] == "../mine.py"
    assert str(Path.cwd()) not in (place / "symbn.lock").read_text() + (place / "mine.c").read_text()
    assert "symbn vendor mine.py:mine -t c --into DIR" in (place / "mine.c").read_text()


def test_a_folder_called_layers_is_not_the_catalogue(place: Path) -> None:
    Path("layers").mkdir()
    Path("layers/mse.py").write_text(MINE.replace("mine", "mse"))
    run("layers/mse.py:mse", "-t", "c", "--into", str(place))
    text = (place / "mse.h").read_text()
    assert "symbn vendor mse.py:mse -t c --into DIR" in text
    assert "symbn check mse --" not in text
    assert checked(place)[0] == 0


def test_help_shows_the_three_ways_to_call_it() -> None:
    shown = run("--help").stdout.splitlines()
    for line in ("symbn vendor LAYER... -t TARGET --into DIR", "symbn vendor --check DIR", "symbn vendor --update DIR"):
        assert f"  {line}" in shown


def test_the_command_in_a_file_makes_it_again(place: Path) -> None:
    Path("mine.py").write_text(MINE)
    Path("FILE").write_text("Mine.\n")
    options = ["--dtype", "f32", "--prefix", "a_", "--single-header", "--license-header", "FILE"]
    run("mine.py:other", "-t", "c", *options, "--into", str(place))
    line = next(line for line in (place / "other.h").read_text().splitlines() if "Reproduce: " in line)
    words = line.partition("Reproduce: symbn vendor ")[2].split()
    assert run(*words).exit_code == 0
    assert content(Path("DIR")) == content(place)


def test_derivatives_of_one_layer_stand_side_by_side(place: Path) -> None:
    for options in ([], ["--mode", "jvp"], ["--order", "2", "--single-header"], ["--wrt", "x", "--save", "w"]):
        assert run("linear", "-t", "c", *options, "--into", str(place)).exit_code == 0
    assert {path.name for path in place.glob("*.h")} == {"linear.h", "linear_jvp.h", "linear_double_backward.h", "linear_wrt_x_from_w.h"}
    assert "symbn vendor linear -t c --wrt x --save w --into DIR" in (place / "linear_wrt_x_from_w.c").read_text()
    assert checked(place)[0] == 0


def test_a_prefix_of_the_user_s_choice_is_everywhere(place: Path) -> None:
    run("layernorm", "-t", "c", "--prefix", "acme_ml_", "--into", str(place))
    for text in ((place / "layernorm.h").read_text(), (place / "layernorm.c").read_text()):
        code = text.partition("*/")[2]
        assert "symbn" not in code.lower()
        assert "acme_ml_layernorm_backward_f32(" in code
    assert "#ifndef ACME_ML_LAYERNORM_H" in (place / "layernorm.h").read_text()


@pytest.mark.parametrize("prefix", ["1a", "a-b", "_a", "a__b", "a b", "a;", "é_", "x" * 65])
def test_a_prefix_that_is_no_name_is_refused(place: Path, prefix: str) -> None:
    with pytest.raises(TargetError, match="cannot start a function's name"):
        vendor.add(["mse"], "c", vendor.Options(prefix=prefix), place)
    assert not place.exists()


def test_the_empty_prefix_leaves_the_layer_s_name(place: Path) -> None:
    run("mse", "-t", "c", "--prefix", "", "--into", str(place))
    assert "int mse_forward_f32(" in (place / "mse.h").read_text()
    assert checked(place)[0] == 0


def test_a_module_has_no_prefix_and_no_header(place: Path) -> None:
    with pytest.raises(TargetError, match="has no prefix"):
        vendor.add(["mse"], "numpy", vendor.Options(prefix="a_"), place)
    with pytest.raises(TargetError, match="no single header"):
        vendor.add(["mse"], "numpy", vendor.Options(single_header=True), place)
    with pytest.raises(TargetError, match="unknown target 'rust'"):
        vendor.add(["mse"], "rust", vendor.Options(), place)
    assert run("mse", "-t", "numpy", "--into", str(place)).exit_code == 0
    assert set(content(place)) == {"mse.py", "symbn.lock"}


def test_a_single_header_replaces_both_files(two: Path) -> None:
    done = run("mse", "-t", "c", "--single-header", "--into", str(two))
    assert f"removed {two / 'mse.c'}" in done.stderr
    assert set(content(two)) == {"mse.h", "softmax.c", "softmax.h", "symbn.lock"}
    text = (two / "mse.h").read_text()
    assert "#define SYMBN_MSE_IMPLEMENTATION" in text
    assert '#include "' not in text
    assert checked(two)[0] == 0


@pytest.mark.parametrize(
    "given",
    ["Copyright (c) Acme.\nAll yours.\n", "/*\n * Copyright (c) Acme.\n * All yours.\n */\n", "// Copyright (c) Acme.\r\n// All yours.",
     "# Copyright (c) Acme.\n# All yours.\n"],
)  # fmt: skip
def test_a_license_header_comes_first_and_alone(place: Path, given: str) -> None:
    Path("LICENSE-HEADER").write_text(given)
    for target in ("c", "numpy"):
        assert run("mse", "-t", target, "--license-header", "LICENSE-HEADER", "--into", str(place)).exit_code == 0
    assert (place / "mse.c").read_text().startswith("/*\n * Copyright (c) Acme.\n * All yours.\n */\n\n/*\n * Code generated by symbn ")
    assert (place / "mse.py").read_text().startswith("# Copyright (c) Acme.\n# All yours.\n\n# Code generated by symbn ")
    assert b"MIT-0" not in b"".join(value for name, value in content(place).items() if name != "symbn.lock")
    Path("LICENSE-HEADER").unlink()
    assert checked(place)[0] == 0, "the lock holds the text"


def test_a_name_in_a_license_keeps_its_letters(place: Path) -> None:
    Path("L").write_text("© Jürgen Müller, 東京\n", encoding="utf-8")
    run("mse", "-t", "c", "--license-header", "L", "--into", str(place))
    assert (place / "mse.h").read_text(encoding="utf-8").startswith("/*\n * © Jürgen Müller, 東京\n */")
    assert checked(place)[0] == 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (b"a */ int evil; /*", "cannot be a comment"),
        (b"/* a */ int evil; /* b */", "cannot be a comment"),
        (b"", "cannot be a comment"),
        (b"// a \\\n// b", "cannot be a comment"),
        (b"a \\", "cannot be a comment"),
        (b"\xff\xfe", "not UTF-8"),
        ("a\u202eb".encode(), r"U\+202E"),
        (b"a\x00b", r"U\+0000"),
        (b"a" * 70000, "too large"),
    ],
)
def test_a_license_cannot_leave_its_comment(tmp_path: Path, given: bytes, message: str) -> None:
    (tmp_path / "L").write_bytes(given)
    with pytest.raises(TargetError, match=message):
        vendor_text.license_text(tmp_path / "L")


def test_a_license_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="No such file"):
        vendor_text.license_text(tmp_path / "L")


def test_many_layers_can_be_vendored_side_by_side(place: Path) -> None:
    names = catalogue.names()[::3]
    vendor.add(names, "numpy", vendor.Options(), place)
    assert {path.stem for path in place.glob("*.py")} == set(names)
    assert vendor.examine(place).findings == ()


# What is refused --------------------------------------------------------------------------------------------------------------------


def test_a_file_that_is_not_ours_is_never_written_over(place: Path) -> None:
    place.mkdir()
    (place / "mse.c").write_text("precious\n")
    with pytest.raises(DriftError, match=r"mse\.c is there and not in symbn\.lock"):
        vendor.add(["softmax", "mse"], "c", vendor.Options(), place)
    assert content(place) == {"mse.c": b"precious\n"}, "nothing is written"


def test_a_hand_edit_stops_vendoring_the_layer_again(two: Path) -> None:
    edit(two / "mse.c", "return", "return ")
    before = content(two)
    with pytest.raises(DriftError, match="changed by hand"):
        vendor.add(["mse"], "c", vendor.Options(), two)
    with pytest.raises(DriftError, match="changed by hand"):
        vendor.add(["mse"], "c", vendor.Options(single_header=True), two)
    assert content(two) == before


def test_a_link_is_not_written_through(place: Path) -> None:
    place.mkdir()
    Path("elsewhere").write_text("precious\n")
    (place / "mse.c").symlink_to(Path("elsewhere").absolute())
    with pytest.raises(TargetError, match="not a regular file"):
        vendor.add(["mse"], "c", vendor.Options(), place)
    assert Path("elsewhere").read_text() == "precious\n"


def test_two_layers_of_one_name_are_refused(place: Path) -> None:
    Path("mse.py").write_text(MINE.replace("mine", "mse"))
    with pytest.raises(TargetError, match="two layers"):
        vendor.add(["mse", "mse.py:mse"], "c", vendor.Options(), place)


def test_a_file_in_place_of_the_directory_is_named(place: Path) -> None:
    place.write_text("")
    with pytest.raises(TargetError, match="is not a directory"):
        vendor.add(["mse"], "c", vendor.Options(), place)


@pytest.mark.parametrize(
    "arguments",
    [[], ["mse"], ["mse", "-t", "c"], ["-t", "c", "--into", "k"], ["--check", "k", "--update", "k"], ["--check", "k", "-t", "c"],
     ["--check", "k", "mse"], ["--force"]],
)  # fmt: skip
def test_a_wrong_command_line_is_explained(place: Path, arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert "Usage: " in done.stderr


# What a check tells apart -----------------------------------------------------------------------------------------------------------


def test_one_changed_byte_is_a_hand_edit(two: Path) -> None:
    edit(two / "mse.c", "0.0", "0.5")
    status, shown, said = checked(two)
    assert status == 1
    assert said.splitlines() == [
        f"edited: {two / 'mse.c'} (by hand, after symbn 0.1.0 wrote it)",
        f"mend, and lose what was changed by hand: symbn vendor --update {two} --force",
    ]
    changed = [line for line in shown.splitlines() if line[0] in "+-" and not line.startswith(("+++", "---"))]
    assert len(changed) == 2
    assert "0.5" in changed[0]


def test_a_missing_file_is_named_and_made_again(two: Path) -> None:
    before = content(two)
    (two / "mse.h").unlink()
    assert checked(two)[0] == 1
    assert f"missing: {two / 'mse.h'}\nmend: symbn vendor --update {two}\n" in checked(two)[2]
    assert run("--update", str(two)).exit_code == 0
    assert content(two) == before


def test_a_stray_file_is_named_and_left_alone(two: Path) -> None:
    stray = (ROOT / "generated" / "c" / "l2norm.h").read_bytes()
    (two / "l2norm.h").write_bytes(b"/* a license */\n" * 200 + stray)
    (two / "ours.c").write_text("/* not generated */\n")
    status, _, said = checked(two)
    assert status == 1
    assert said.splitlines() == [
        f"stray: {two / 'l2norm.h'} (made by symbn, and not in the lock)",
        f"remove: rm {two / 'l2norm.h'}",
    ]
    assert run("--update", str(two)).exit_code == 0
    assert (two / "l2norm.h").exists()


def test_a_source_that_changed_makes_its_files_stale(place: Path) -> None:
    Path("mine.py").write_text(MINE)
    run("mine.py:mine", "-t", "c", "--into", str(place))
    edit(Path("mine.py"), "def other", "# a comment\ndef other")
    assert checked(place)[0] == 0, "what does not change the files is no drift"
    edit(Path("mine.py"), "mean(x[i]", "sum(2*x[i]")
    status, shown, said = checked(place)
    assert status == 1
    assert f"stale: {place / 'mine.c'} (its source has changed: ../mine.py)" in said
    assert "+ * " in shown
    assert run("--update", str(place)).exit_code == 0
    assert checked(place)[0] == 0


def test_a_source_that_has_gone_is_no_drift(place: Path) -> None:
    Path("mine.py").write_text(MINE)
    run("mine.py:mine", "-t", "numpy", "--into", str(place))
    Path("mine.py").unlink()
    assert checked(place)[0] == 0
    (place / "mine.py").unlink()
    assert run("--update", str(place)).exit_code == 0
    assert checked(place)[0] == 0


def test_standard_input_is_kept_in_the_lock(place: Path) -> None:
    text = MINE.partition("def other")[0]
    done = CliRunner().invoke(cli, ["vendor", "-", "-t", "c", "--into", str(place)], input=text)
    assert done.exit_code == 0, done.stderr
    assert checked(place)[0] == 0


def test_another_version_of_symbn_is_told_from_an_edit(two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as older:
        for module in ("symbn.tools.vendor", "symbn.tools.vendor_check"):
            older.setattr(f"{module}.__version__", "0.0.9")
        older.setattr("symbn.codegen.views.header.NOTICE", "Code generated by symbn 0.0.9. DO NOT EDIT.")
        status, _, said = checked(two)
        assert status == 1
        assert f"newer: {two / 'mse.c'} (made by symbn 0.1.0, this is 0.0.9)" in said
        assert "mend: pip install 'symbn>=0.1.0'" in said
        before = content(two)
        assert run("--update", str(two)).exit_code == 1
        assert content(two) == before, "an older symbn takes nothing back"
        run("--update", str(two), "--force")
        assert checked(two)[0] == 0
    status, _, said = checked(two)
    assert status == 1
    assert "(made by symbn 0.0.9, this is 0.1.0)" in said
    assert "pip install" not in said


def test_what_only_a_newer_symbn_can_make_is_newer(two: Path) -> None:
    reseal(two, lambda entry: replace(entry, symbn="9.0", recipe=replace(entry.recipe, target="rust")))
    status, _, said = checked(two)
    assert status == 1
    assert said.count("newer: ") == 4
    reseal(two, lambda entry: replace(entry, symbn="0.1.0"))
    with pytest.raises(TargetError, match="unknown target 'rust'"):
        vendor.examine(two)


def test_a_template_that_changed_is_named(two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = vendor_text.template_texts
    monkeypatch.setattr(vendor_text, "template_texts", lambda name: {key: text + "." for key, text in real(name).items()})
    finished = vendor_text._finished
    monkeypatch.setattr(vendor_text, "_finished", lambda name, text, recipe: finished(name, text, recipe) + "\n")
    assert f"stale: {two / 'mse.c'} (its template has changed)" in checked(two)[2]
    monkeypatch.setattr(vendor_text, "template_texts", real)
    assert f"stale: {two / 'mse.c'} (symbn's generator has changed)" in checked(two)[2]


def test_windows_line_endings_are_no_drift(two: Path) -> None:
    for path in two.iterdir():
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert checked(two)[0] == 0
    edit(two / "mse.c", "0.0", "0.5")
    assert "edited" in checked(two)[2]


# Locks ------------------------------------------------------------------------------------------------------------------------------


def test_a_lock_that_was_changed_by_hand_is_known(two: Path) -> None:
    edit(two / "symbn.lock", '"symbn": "0.1.0"', '"symbn": "0.1.1"')
    status, _, said = checked(two)
    assert status == 1
    assert said.splitlines() == [f"lock: {two / 'symbn.lock'} (changed by hand)", f"mend: symbn vendor --update {two}"]
    with pytest.raises(DriftError, match="changed by hand"):
        vendor.add(["l2norm"], "c", vendor.Options(), two)
    assert run("--update", str(two)).exit_code == 0
    assert checked(two)[0] == 0


def test_a_forged_hash_does_not_pass_an_edit_off_as_ours(two: Path) -> None:
    old = vendor_text.digest((two / "mse.c").read_bytes())
    edit(two / "mse.c", "0.0", "0.5")
    edit(two / "symbn.lock", old, vendor_text.digest((two / "mse.c").read_bytes()))
    precious = (two / "mse.c").read_bytes()
    for _ in range(2):
        assert f"edited: {two / 'mse.c'}" in checked(two)[2]
        assert run("--update", str(two)).exit_code == 1
        assert (two / "mse.c").read_bytes() == precious
    assert run("--update", str(two), "--force").exit_code == 0
    assert checked(two)[0] == 0


def test_a_file_that_is_right_beside_a_lock_that_is_old_is_no_edit(two: Path) -> None:
    """As after a merge, or an interruption between the files and the lock."""
    reseal(two, lambda entry: replace(entry, sha256="0" * 64))
    status, shown, said = checked(two)
    assert (status, shown) == (1, "")
    assert said.count("lock: ") == 4
    assert run("--update", str(two)).exit_code == 0
    assert checked(two)[0] == 0


def test_an_entry_that_was_dropped_with_its_files_is_dropped(two: Path) -> None:
    data = json.loads((two / "symbn.lock").read_text())
    for name in ("mse.c", "mse.h"):
        del data["files"][name]
        (two / name).unlink()
    (two / "symbn.lock").write_text(json.dumps(data))
    assert run("--update", str(two)).exit_code == 0
    assert checked(two)[0] == 0
    assert set(content(two)) == {"softmax.c", "softmax.h", "symbn.lock"}


def test_no_lock_is_bad_input(place: Path) -> None:
    place.mkdir()
    for command in (vendor.examine, vendor.update):
        with pytest.raises(TargetError, match=r"there is no kernels.symbn\.lock"):
            command(place)


def broken(change: Callable[[Any], None]) -> Callable[[Path], None]:
    def apply(place: Path) -> None:
        data = json.loads((place / "symbn.lock").read_text())
        change(data)
        (place / "symbn.lock").write_text(json.dumps(data))

    return apply


def hostile(**changes: Any) -> Callable[[Path], None]:
    return broken(lambda data: data["files"]["mse.c"].update(changes))


@pytest.mark.parametrize(
    "change",
    [
        lambda place: (place / "symbn.lock").write_text(""),
        lambda place: (place / "symbn.lock").write_text("<<<<<<< ours\n"),
        lambda place: (place / "symbn.lock").write_text("[" * 100000),
        lambda place: (place / "symbn.lock").write_bytes(b"\xff"),
        lambda place: (place / "symbn.lock").write_text("[]"),
        lambda place: (place / "symbn.lock").write_text("{}"),
        lambda place: (place / "symbn.lock").write_text('{"schema": 1, "texts": [], "files": {}}'),
        broken(lambda data: data.pop("sha256")),
        broken(lambda data: data["files"].update({"../evil.c": data["files"]["mse.c"]})),
        broken(lambda data: data["files"].update({"/tmp/evil.c": data["files"]["mse.c"]})),
        broken(lambda data: data["texts"].update(dict.fromkeys(data["texts"], "def f(): pass"))),
        broken(lambda data: data["texts"].clear()),
        hostile(layer=7),
        hostile(source={"catalogue": False, "path": "../../secret", "sha256": ""}),
        hostile(options=None),
        hostile(templates=[]),
        hostile(sha256=None),
    ],
)
def test_a_lock_that_cannot_be_read_is_bad_input(two: Path, change: Callable[[Path], None]) -> None:
    change(two)
    before = content(two)
    for option in ("--check", "--update"):
        done = run(option, str(two))
        assert isinstance(done.exception, DriftError), done.output
        assert "restore it from version control" in str(done.exception)
    assert content(two) == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (broken(lambda data: data["texts"].clear()), r"there is no text under [0-9a-f]{12}\.\.\., which a file was made from"),
        (broken(lambda data: data["files"].update({"mse.c": 5})), "5 is not of type dict"),
        (broken(lambda data: data.pop("sha256")), "there is no 'sha256' in it"),
        (hostile(sha256=None), "None is not of type str"),
    ],
)
def test_what_is_wrong_with_a_lock_is_said(two: Path, change: Callable[[Path], None], words: str) -> None:
    change(two)
    assert re.search(words, str(run("--check", str(two)).exception))


def test_a_lock_of_a_newer_schema_asks_for_a_newer_symbn(two: Path) -> None:
    broken(lambda data: data.update(schema=2))(two)
    with pytest.raises(DriftError, match="newer symbn"):
        vendor.examine(two)


# Whole, or as it was ------------------------------------------------------------------------------------------------------------------


def test_an_interruption_leaves_whole_files_and_a_way_back(two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = content(two)
    written = vendor.replace_file

    def stop(path: Path, text: bytes) -> None:
        if path.name == "softmax.c":
            raise KeyboardInterrupt
        written(path, text)

    with monkeypatch.context() as patch:
        patch.setattr(vendor, "replace_file", stop)
        with pytest.raises(KeyboardInterrupt):
            vendor.add(["mse", "softmax"], "c", vendor.Options(prefix="new_"), two)
    after = content(two)
    assert set(after) == set(before)
    assert after["softmax.c"] == before["softmax.c"]
    assert vendor.examine(two).findings, "new files beside the old lock"
    vendor.add(["mse", "softmax"], "c", vendor.Options(prefix="new_"), two)
    assert vendor.examine(two).findings == (), "the same command again goes on"


def test_a_full_disk_is_one_clear_error(two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, text: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(vendor, "replace_file", full)
    with pytest.raises(TargetError, match=r"cannot write .*: No space left"):
        vendor.add(["l2norm"], "c", vendor.Options(), two)


def test_versions_are_numbers() -> None:
    ordered = ["", "0.0.9", "0.1", "0.1.0", "0.9.1", "0.10", "1.0rc1", "2"]
    keys = [vendor_check.version_key(version) for version in ordered]
    assert keys == sorted(keys)


# The hook ---------------------------------------------------------------------------------------------------------------------------


def test_the_pre_commit_hook_is_the_check(two: Path) -> None:
    text = (ROOT / ".pre-commit-hooks.yaml").read_text()
    entry = next(line.partition("entry: ")[2] for line in text.splitlines() if line.startswith("  entry: "))
    program, *words = entry.split()
    assert (program, "pass_filenames: false" in text) == ("python", True)
    done = subprocess.run(
        [sys.executable, *words, str(two)], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, f"4 files as {two / 'symbn.lock'} says\n")
