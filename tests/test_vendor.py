"""`symbn vendor`: what is copied, and that nothing a person wrote is written over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from vendoring import MINE, checked, content, edit, run

from symbn import catalogue
from symbn.errors import DriftError, TargetError
from symbn.tools import vendor, vendor_text

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
