"""Vendored kernels in projects that know nothing of Python: C and C++ programs, CMake and Meson, held against the oracle's numbers."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from c_header import Function, Parameter, functions
from compiling import WARNINGS

import symbn
from symbn.tools import vendor
from symbn.tools.verify_case import Case, draw_cases

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LAYERS = {"batchnorm": {"N": 37}, "layernorm": {"N": 5, "D": 13}}
CHECK = """
static int near(double found, double wanted, double allowed)
{
    const double apart = found < wanted ? wanted - found : found - wanted;

    return apart <= allowed;
}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project as the README has it, and a program that exits with 0 when every number is the oracle's."""
    place = tmp_path_factory.mktemp("project")
    vendor.add(LAYERS, "c", vendor.Options(prefix="acme_"), place / "src" / "kernels")
    vendor.add(LAYERS, "c", vendor.Options(prefix="acme_", single_header=True), place / "single")
    program = "\n".join(program_lines(place / "src" / "kernels"))
    (place / "src" / "main.c").write_text(program)
    (place / "src" / "main.cpp").write_text(program)
    macros = "".join(f"#define ACME_{name.upper()}_IMPLEMENTATION\n" for name in LAYERS)
    (place / "single" / "main.c").write_text(macros + program)
    (place / "single" / "twice.c").write_text("".join(f'#include "{name}.h"\n' * 2 for name in LAYERS) + "int unused;\n")
    return place


def program_lines(kernels: Path) -> Iterator[str]:
    yield from ("#include <stddef.h>", *(f'#include "{name}.h"' for name in LAYERS), CHECK)
    for name, extents in LAYERS.items():
        for suffix, dtype in (("f32", "float32"), ("f64", "float64")):
            derivation = symbn.derive(name, steps=False).derivation
            (case,) = draw_cases(derivation, dtype, [extents], seed=1)
            passes = [function for function in functions((kernels / f"{name}.h").read_text()) if function.name.endswith(suffix)]
            yield from both_passes(f"{name}_{suffix}", passes, case)
    calls = [f"{name}_{suffix}()" for name in LAYERS for suffix in ("f32", "f64")]
    yield from ("int main(void)", "{", f"    return {' | '.join(calls)};", "}", "")


def both_passes(title: str, passes: list[Function], case: Case) -> Iterator[str]:
    """Both passes on the case's inputs; what the first writes, the second reads. Returns 1 at the first wrong number."""
    real = passes[0].real
    written = [parameter for function in passes for parameter in function.named("output")]
    names = {parameter.name for parameter in written}
    given = {p.name: p for function in passes for p in function.parameters if p.kind in ("input", "scalar") and p.name not in names}
    yield from (f"static int {title}(void)", "{")
    for name in given:
        yield f"    static const {real} {name}_in[] = {{{', '.join(literal(value) for value in case.given[name].flat)}}};"
    for parameter in written:
        yield f"    static {real} {parameter.name}_out[{size(parameter, case)}];"
    for function in passes:
        if function.workspace:
            extents = ", ".join(argument(p, names, case) for p in function.parameters if p.kind == "extent")
            yield "    static double workspace_in[4096];"
            yield f"    if ({function.workspace}({extents}) > 4096) {{ return 1; }}"
        arguments = [argument(parameter, names, case) for parameter in function.parameters]
        yield f"    if ({function.name}({', '.join(arguments)}) != 0) {{ return 1; }}"
    for parameter in written:
        allowed = case.allowed(parameter.name)
        for at, (true, bound) in enumerate(zip(np.ravel(case.true[parameter.name]), np.ravel(allowed), strict=True)):
            yield f"    if (!near((double){parameter.name}_out[{at}], {literal(true)}, {literal(bound)})) {{ return 1; }}"
    yield from ("    return 0;", "}")


def argument(parameter: Parameter, written: set[str], case: Case) -> str:
    name = f"{parameter.name}_{'out' if parameter.name in written else 'in'}"
    return str(case.extents[parameter.name]) if parameter.kind == "extent" else f"(double){name}[0]" if parameter.kind == "scalar" else name


def size(parameter: Parameter, case: Case) -> int:
    return int(np.prod([case.extents[axis] for axis in parameter.axes], dtype=int))


def literal(value: Any) -> str:
    """Exact: no digit of a float is lost in 17."""
    return f"{float(value):.17e}f" if isinstance(value, np.float32) else f"{float(value):.17e}"


def built(place: Path, *command: str) -> str:
    """What a command says; it must succeed."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"no {command[0]}")
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def ran(program: Path) -> None:
    done = subprocess.run([str(program)], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), "a number that the oracle does not have"


C = [(program, standard) for program in ("gcc", "clang") for standard in ("c99", "c11")]


@pytest.mark.parametrize(("program", "standard"), C)
def test_a_c_program_gets_the_oracle_s_numbers(project: Path, tmp_path: Path, program: str, standard: str) -> None:
    sources = ["src/main.c", *(f"src/kernels/{name}.c" for name in LAYERS)]
    said = built(project, program, f"-std={standard}", *WARNINGS, "-O2", "-Isrc/kernels", *sources, "-o", str(tmp_path / "main"), "-lm")
    assert said == ""
    ran(tmp_path / "main")


@pytest.mark.parametrize(("program", "source"), [("gcc", "main.c"), ("g++", "main.cpp")])
def test_the_programs_are_clean_under_sanitizers(project: Path, tmp_path: Path, program: str, source: str) -> None:
    sanitize = ["-g1", "-O0", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    sources = [f"src/{source}", *(f"src/kernels/{name}.c" for name in LAYERS)]
    built(project, program, *sanitize, "-Isrc/kernels", *sources, "-o", str(tmp_path / "main"), "-lm")
    ran(tmp_path / "main")


def test_the_program_finds_a_wrong_kernel(project: Path, tmp_path: Path) -> None:
    sources = ["src/main.c", *(f"src/kernels/{name}.c" for name in LAYERS)]
    built(project, "gcc", "-std=c99", "-O1", "-Dsqrt=fabs", "-Isrc/kernels", *sources, "-o", str(tmp_path / "main"), "-lm")
    assert subprocess.run([str(tmp_path / "main")], check=False).returncode == 1


@pytest.mark.parametrize(("program", "compiler"), [("g++", "gcc"), ("clang++", "clang")])
def test_a_cpp_program_links_what_a_c_compiler_made(project: Path, tmp_path: Path, program: str, compiler: str) -> None:
    objects = []
    for name in LAYERS:
        built(project, compiler, "-std=c99", "-O1", "-c", f"src/kernels/{name}.c", "-o", str(tmp_path / f"{name}.o"))
        objects.append(str(tmp_path / f"{name}.o"))
    flags = ["-std=c++17", *WARNINGS, "-Isrc/kernels"]
    assert built(project, program, *flags, "src/main.cpp", *objects, "-o", str(tmp_path / "main"), "-lm") == ""
    ran(tmp_path / "main")


@pytest.mark.parametrize("program", ["g++", "clang++"])
def test_the_kernels_are_also_cpp(project: Path, tmp_path: Path, program: str) -> None:
    sources = ["src/main.cpp", *(f"src/kernels/{name}.c" for name in LAYERS)]
    flags = ["-x", "c++", "-std=c++17", *WARNINGS, "-O1", "-Isrc/kernels"]
    assert built(project, program, *flags, *sources, "-o", str(tmp_path / "main"), "-lm") == ""
    ran(tmp_path / "main")


@pytest.mark.parametrize("flags", [["gcc", "-std=c99"], ["gcc", "-std=c11"], ["g++", "-x", "c++", "-std=c++17"], ["clang", "-std=c99"]])
def test_single_headers_hold_all(project: Path, tmp_path: Path, flags: list[str]) -> None:
    sources = ["single/main.c", "single/twice.c"]
    said = built(project, *flags, *WARNINGS, "-O1", "-Isingle", *sources, "-o", str(tmp_path / "main"), "-lm")
    assert said == ""
    ran(tmp_path / "main")


def test_no_allocation_no_printing_no_globals(project: Path, tmp_path: Path) -> None:
    built(project, "gcc", "-std=c99", "-O1", "-Isrc/kernels", "-c", "src/kernels/layernorm.c", "-o", str(tmp_path / "kernel.o"))
    kinds = [line.split()[-2:] for line in built(tmp_path, "nm", "kernel.o").splitlines()]
    # Which instructions the processor has is the compiler's own to know.
    allowed = {"sqrt", "memcpy", "memset", "_GLOBAL_OFFSET_TABLE_", "__cpu_model", "__cpu_features2", "__cpu_indicator_init"}
    assert {symbol for kind, symbol in kinds if kind == "U"} <= allowed
    assert not [symbol for kind, symbol in kinds if kind in "BbDdCGgSs"], "a variable"
    passes = {f"acme_layernorm_{direction}_{suffix}" for direction in ("forward", "backward") for suffix in ("f32", "f64")}
    assert {symbol for kind, symbol in kinds if kind == "T"} == passes | {"acme_layernorm_backward_workspace"}


def test_the_c_is_a_few_kilobytes_and_needs_no_library_but_m(project: Path, tmp_path: Path) -> None:
    built(project, "gcc", "-std=c99", "-O1", "-shared", "-fPIC", "src/kernels/layernorm.c", "-o", str(tmp_path / "kernel.so"), "-lm")
    needed = re.findall(r"NEEDED\s+(\S+)", built(tmp_path, "objdump", "-p", "kernel.so"))
    assert set(needed) <= {"libm.so.6", "libc.so.6"}


def snippet(name: str) -> str:
    """A file that the README shows."""
    found = re.search(rf"^```\w+ file={re.escape(name)}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
    assert found, f"the README shows no {name}"
    return found[1]


def test_the_c_in_the_docs_is_c(project: Path, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "vendoring.md").read_text(encoding="utf-8")
    first, second = re.findall(r"^```c\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    (tmp_path / "first.c").write_text(first)
    built(project, "gcc", "-std=c99", *WARNINGS, "-Isrc/kernels", "-c", str(tmp_path / "first.c"), "-o", str(tmp_path / "first.o"))
    (tmp_path / "second.c").write_text(second.replace("SYMBN_", "ACME_"))
    built(project, "gcc", "-std=c99", *WARNINGS, "-Isingle", "-c", str(tmp_path / "second.c"), "-o", str(tmp_path / "second.o"))
    assert "T acme_batchnorm_backward_f32" in built(tmp_path, "nm", "second.o")


def test_the_readme_s_cmake_project_builds(project: Path, tmp_path: Path) -> None:
    if shutil.which("ninja") is None:
        pytest.skip("no ninja")
    (project / "CMakeLists.txt").write_text(snippet("CMakeLists.txt"))
    built(project, "cmake", "-G", "Ninja", "-S", ".", "-B", str(tmp_path / "build"), "-DCMAKE_BUILD_TYPE=Release")
    built(project, "cmake", "--build", str(tmp_path / "build"))
    ran(tmp_path / "build" / "app")


def test_the_readme_s_meson_project_builds(project: Path, tmp_path: Path) -> None:
    if shutil.which("ninja") is None:
        pytest.skip("no ninja")
    (project / "meson.build").write_text(snippet("meson.build"))
    built(project, "meson", "setup", str(tmp_path / "build"))
    built(project, "ninja", "-C", str(tmp_path / "build"))
    ran(tmp_path / "build" / "app")
