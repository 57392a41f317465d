"""Templates, files, and what differs between the two."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from codegen_layers import NAMES, derivation
from jinja2 import nodes

from symbn.codegen import emit
from symbn.codegen.generate import compare, diff, render, write
from symbn.codegen.targets import TARGETS, file_names
from symbn.codegen.views.header import NOTICE, ascii_text, reproduce
from symbn.errors import TargetError

ROOT = Path(__file__).parents[1]
TEMPLATES = [file.template for target in TARGETS.values() for file in target.files]


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_has_one_variable_and_no_logic(template: str) -> None:
    places = emit.template_places()
    tree = emit.environment(template, places).parse((places[0] / template).read_text())
    allowed = {
        nodes.Template, nodes.Output, nodes.TemplateData, nodes.For, nodes.If, nodes.Name, nodes.Getattr, nodes.CondExpr, nodes.Const,
    }  # fmt: skip
    for node in walk(tree):
        assert type(node) in allowed, f"{template}:{node.lineno}: {type(node).__name__}"
        if isinstance(node, (nodes.If, nodes.CondExpr)):
            assert isinstance(node.test, (nodes.Getattr, nodes.Name)), f"{template}:{node.lineno}: a condition is one flag"
        if isinstance(node, nodes.For):
            assert isinstance(node.iter, nodes.Getattr)
            assert not node.recursive
            assert node.test is None
    free = {node.name for node in walk(tree) if isinstance(node, nodes.Name) and node.ctx == "load"}
    bound = {node.name for node in walk(tree) if isinstance(node, nodes.Name) and node.ctx == "store"}
    assert free - bound <= {"view", "loop"}


def walk(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    for child in node.iter_child_nodes():
        yield from walk(child)


@pytest.mark.parametrize("target", TARGETS)
def test_a_view_is_frozen_and_made_of_strings(target: str) -> None:
    from importlib import import_module

    module, _, function = TARGETS[target].view.partition(":")
    options = {"dtypes": ("f32", "f64")} if TARGETS[target].typed else {}
    check_view(getattr(import_module(module), function)(derivation("features"), **options))


def check_view(value: object) -> None:
    if dataclasses.is_dataclass(value):
        assert value.__dataclass_params__.frozen  # type: ignore[union-attr]
        for field in dataclasses.fields(value):
            check_view(getattr(value, field.name))
    elif isinstance(value, tuple):
        for part in value:
            check_view(part)
    else:
        assert isinstance(value, (str, bool))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", NAMES)
def test_every_file_opens_with_its_notice_license_and_command(name: str, target: str) -> None:
    for text in render(derivation(name), target).values():
        head = text[:500]
        assert NOTICE in head
        assert "SPDX-License-Identifier: MIT-0" in head
        assert f"symbn generate {name} -t {target}" in head
        assert text.isascii()
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
        assert all(line == line.rstrip() for line in text.splitlines())
        assert "Cost" in text
        assert f"def {name}(" in text


def test_the_same_bytes_under_every_hash_seed() -> None:
    script = (
        "import hashlib, codegen_layers as layers; from symbn.codegen.generate import render\n"
        "text = ''.join(v for n in layers.NAMES for t in ('c', 'numpy', 'latex') for v in render(layers.derivation(n), t).values())\n"
        "print(hashlib.sha256(text.encode()).hexdigest())"
    )
    found = set()
    for seed in ("0", "1", "4242"):
        path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path}
        found.add(subprocess.run([sys.executable, "-c", script], env=environment, check=True, capture_output=True, text=True).stdout)
    assert len(found) == 1


def test_no_path_reaches_a_file() -> None:
    layer = dataclasses.replace(derivation("soft").layer, file="/home/someone/secret/mine.py")
    made = dataclasses.replace(derivation("soft"), layer=layer)
    for target in TARGETS:
        for text in render(made, target).values():
            assert "someone" not in text
            assert f"symbn generate mine.py:soft -t {target}" in text


def test_a_layer_of_the_catalogue_is_named_without_its_file() -> None:
    layer = dataclasses.replace(derivation("soft").layer, file="/usr/lib/symbn/layers/soft.py")
    assert reproduce(dataclasses.replace(derivation("soft"), layer=layer), "c") == "symbn generate soft -t c"


@pytest.mark.parametrize("text", ["caf\u00e9 \u4e2d", "*/ int x; /*", '"""\n\\', "%$#&{}_^~\\end{document}", "?\u003f/\n"])
def test_an_author_s_words_do_no_harm(text: str, tmp_path: Path) -> None:
    made = dataclasses.replace(derivation("soft"), layer=dataclasses.replace(derivation("soft").layer, doc=text))
    module = render(made, "numpy")["soft.py"]
    compile(module, "soft.py", "exec")
    source = render(made, "c")["soft.c"]
    comment, _, code = source.partition("*/")
    assert code.lstrip().startswith('#include "soft.h"')
    assert "/*" not in comment[2:]
    assert ascii_text(text).isascii()


def test_one_dtype_gives_one_set_of_functions_and_says_so() -> None:
    text = render(derivation("soft"), "c", dtypes=["f64"])["soft.c"]
    assert "_f64(" in text
    assert "_f32(" not in text
    assert "symbn generate soft -t c --dtype f64" in text


@pytest.mark.parametrize(
    ("target", "dtypes", "message"),
    [("fortran", ("f32",), "unknown target"), ("c", ("f8",), "dtype"), ("c", (), "dtype")],
)
def test_an_unknown_target_or_dtype_is_refused(target: str, dtypes: tuple[str, ...], message: str) -> None:
    with pytest.raises(TargetError, match=message):
        render(derivation("soft"), target, dtypes=dtypes)


def test_a_user_s_template_comes_first_and_runs_in_a_sandbox(tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    template = tmp_path / "c" / "kernel.h.j2"
    template.write_text("/* mine: {{ view.guard }} */\n")
    files = render(derivation("soft"), "c", templates_dir=tmp_path)
    assert files["soft.h"] == "/* mine: SYMBN_SOFT_H */\n"
    assert "DO NOT EDIT" in files["soft.c"]
    template.write_text("{{ view.__class__.__mro__ }}")
    with pytest.raises(TargetError, match=r"kernel\.h\.j2"):
        render(derivation("soft"), "c", templates_dir=tmp_path)


@pytest.mark.parametrize("text", ["{{ view.nothing }}", "{% for %}", "{{ nothing }}", "{{ 1/0 }}"])
def test_a_wrong_template_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "kernel.c.j2").write_text(text)
    with pytest.raises(TargetError, match=r"template c/kernel\.c\.j2"):
        render(derivation("soft"), "c", templates_dir=tmp_path)


def test_templates_must_be_a_directory(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="not a directory"):
        render(derivation("soft"), "c", templates_dir=tmp_path / "none")


def test_files_are_written_once_and_compared(tmp_path: Path) -> None:
    files = render(derivation("soft"), "c")
    assert {path.name for path in write(files, tmp_path)} == set(files) == set(file_names("soft", "c"))
    assert write(files, tmp_path) == ()
    assert compare(files, tmp_path).ok
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(files), "no temporary file stays"


def test_stale_missing_and_stray_files_are_named_with_what_mends_them(tmp_path: Path) -> None:
    files = render(derivation("soft"), "c")
    write({**files, **render(derivation("rows"), "c")}, tmp_path)
    source = tmp_path / "soft.c"
    source.write_bytes(source.read_bytes().replace(b"0.0", b"0.1", 1))
    (tmp_path / "soft.h").unlink()
    (tmp_path / "notes.txt").write_text("mine")
    report = compare(files, tmp_path, mend="symbn generate soft -t c")
    assert (report.stale, report.missing, report.stray) == (("soft.c",), ("soft.h",), ("rows.c", "rows.h"))
    assert not report.ok
    assert any("symbn generate soft -t c" in line for line in report.lines)
    assert any(line.startswith("stale") and line.endswith("soft.c") for line in report.lines)
    changes = diff(files, tmp_path)
    assert "+++ soft.c (generated)" in changes
    assert changes.count("\n-") >= 1


def test_a_stray_is_not_looked_for_when_only_some_layers_are_compared(tmp_path: Path) -> None:
    write(render(derivation("rows"), "c"), tmp_path)
    files = render(derivation("soft"), "c")
    write(files, tmp_path)
    assert compare(files, tmp_path, strays=False).ok


def test_a_directory_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(TargetError, match="cannot write"):
        write(render(derivation("soft"), "c"), blocked / "inside")


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write({"a.c": "old\n"}, tmp_path)
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(TargetError, match="No space left"):
        write({"a.c": "new\n"}, tmp_path)
    assert (tmp_path / "a.c").read_text() == "old\n"
    assert [path.name for path in tmp_path.iterdir()] == ["a.c"]
