"""Generated C: accepted without a warning, clean under sanitizers, and what it does at the edges."""

from __future__ import annotations

import math
import platform
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from codegen_layers import NAMES, derivation
from compiling import WARNINGS, one_instruction_set

from symbn.codegen.generate import render, write
from symbn.codegen.lower import LOOPS
from symbn.codegen.passes import backward_program, forward_program
from symbn.codegen.program import Loops, Program
from symbn.codegen.schedule import schedule
from symbn.tools import compiler
from symbn.tools.build import build
from symbn.tools.kernel import Kernel

RNG = np.random.default_rng(3)
HAS_COMPILER = bool(tuple(compiler.available()))
needs_c = pytest.mark.skipif(not HAS_COMPILER, reason="no C compiler")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("c")
    for name in NAMES:
        write(render(derivation(name), "c"), place)
    return place


def refused(command: list[str], place: Path, sources: Path) -> str:
    """What a compiler says of all the files; "" when it is silent. What it says of C11 and C++ alone, it says without optimizing."""
    files = [sources / f"{name}.c" for name in NAMES]
    depth = ["-O1", "-c"] if "-std=c99" in command else ["-fsyntax-only"]
    command = [*command, *WARNINGS, *one_instruction_set(files), *depth, *map(str, files)]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode or done.stderr else ""


@pytest.mark.parametrize("standard", ["c99", "c11"])
@pytest.mark.parametrize("program", ["gcc", "clang"])
def test_a_c_compiler_is_silent(program: str, standard: str, sources: Path, tmp_path: Path) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"no {program}")
    assert refused([program, f"-std={standard}"], tmp_path, sources) == ""


@pytest.mark.parametrize("program", ["g++", "clang++"])
def test_a_cpp_compiler_is_silent(program: str, sources: Path, tmp_path: Path) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"no {program}")
    assert refused([program, "-x", "c++", "-std=c++17"], tmp_path, sources) == ""


def test_zig_is_silent(sources: Path, tmp_path: Path) -> None:
    found = [each for each in compiler.available() if each.name == "ziglang"]
    if not found:
        pytest.skip("no ziglang")
    for name in NAMES:  # given several files, it writes one
        command = [*found[0].command, "-std=c99", *WARNINGS, "-O2", "-c", str(sources / f"{name}.c"), "-o", f"{name}.o"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), name


@pytest.mark.skipif(platform.system() != "Linux" or platform.machine() != "x86_64", reason="not Linux on x86-64")
@pytest.mark.parametrize("program", ["gcc", "clang"])
def test_each_loop_is_there_for_several_instruction_sets_unless_it_is_turned_off(program: str, sources: Path, tmp_path: Path) -> None:
    if shutil.which(program) is None or shutil.which("nm") is None:
        pytest.skip(f"no {program}, or no nm")
    for flags, several in (("", True), ("-DSYMBN_FEATURES_CLONES=", False), ("-mavx2", False)):
        command = [program, "-std=c99", "-O1", *flags.split(), "-c", str(sources / "features.c")]
        subprocess.run(command, cwd=tmp_path, check=True)
        names = subprocess.run(["nm", "features.o"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        assert ("avx512f" in names or "x86_64_v4" in names) == several, flags


@needs_c
def test_no_allocation_no_printing_no_globals(sources: Path, tmp_path: Path) -> None:
    if shutil.which("nm") is None:
        pytest.skip("no nm")
    command = [*compiler.find().command, "-std=c99", "-O1", "-c", *(str(sources / f"{name}.c") for name in NAMES)]
    subprocess.run(command, cwd=tmp_path, check=True)
    for name in NAMES:
        text = subprocess.run(["nm", f"{name}.o"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        kinds = [line.split()[-2:] for line in text.splitlines()]
        functions = {"exp", "sqrt", "log", "log1p", "expm1", "tanh", "erf", "sin", "cos", "pow"}
        known = {*functions, *(f"{name}f" for name in functions), "memcpy", "memset", "_GLOBAL_OFFSET_TABLE_", "__stack_chk_fail"}
        known |= {"__cpu_indicator_init", "__cpu_features2", "__cpu_model"}  # the compiler's own, by which a loop is chosen
        assert {symbol for kind, symbol in kinds if kind == "U"} <= known
        assert not [symbol for kind, symbol in kinds if kind in "BbDdCGgSs"], "a variable"
        assert all(symbol.startswith(f"symbn_{name}_") for kind, symbol in kinds if kind == "T")


def test_sanitizers_are_silent(sources: Path, tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc")
    calls = [
        line for name in NAMES for program, loops in passes(name) for suffix in ("f32", "f64") for line in driver(program, loops, suffix)
    ]
    text = "\n".join(
        [
            "#include <stdio.h>",
            "#include <stdlib.h>",
            *(f'#include "{sources / name}.c"' for name in NAMES),
            "#define MAKE(type, name, count) type *name = (type *)malloc(sizeof(type)*(size_t)(count)); \\",
            "    for (ptrdiff_t at = 0; at < (count); ++at) name[at] = (type)(0.25 + 0.5*(double)(at % 7));",
            '#define EXPECT(code, call) if ((call) != (code)) { printf("%s\\n", #call); return 1; }',
            "int main(void) {",
            *calls,
            "    return 0;",
            "}",
        ]
    )
    (tmp_path / "driver.c").write_text(text)
    flags = ["-std=c99", "-O0", "-g1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    made = subprocess.run(["gcc", *flags, "driver.c", "-o", "driver", "-lm"], cwd=tmp_path, capture_output=True, text=True, check=False)
    if made.returncode and "asan" in made.stderr:
        pytest.skip("no libasan")
    assert made.returncode == 0, made.stderr
    done = subprocess.run(["./driver"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def passes(name: str) -> list[tuple[Program, Loops]]:
    programs = (forward_program(derivation(name), LOOPS), backward_program(derivation(name), LOOPS))
    return [(program, schedule(program)) for program in programs]


def driver(program: Program, loops: Loops, suffix: str) -> Iterator[str]:
    """Calls with odd extents and with 1: all outputs, none, each alone; then with each extent 0 and each input NULL."""
    real = "float" if suffix == "f32" else "double"
    function = f"symbn_{program.layer}_{program.direction}"
    inputs = [argument.name if argument.axes else "0.5" for argument in program.arguments]
    outputs = [output.name for output in program.outputs]
    lent = ["lent"] if loops.buffers else []
    for extents in ([3, 5, 2, 7][: len(program.axes)], [1] * len(program.axes)):
        sizes = dict(zip(program.axes, map(str, extents), strict=True))

        def call(sizes: list[str], inputs: list[str], outputs: list[str], lent: list[str]) -> str:
            return f"{function}_{suffix}({', '.join([*sizes, *inputs, *outputs, *lent])})"

        yield "    {"
        for part in (*(a for a in program.arguments if a.axes), *program.outputs):
            yield f"        MAKE({real}, {part.name}, {'*'.join(sizes[axis] for axis in part.axes) or '1'})"
        if lent:
            yield f"        MAKE(double, lent, {function}_workspace({', '.join(sizes.values())}))"
        values = list(sizes.values())
        null = ["NULL"] * len(outputs)
        for some in (outputs, null, *([*null[:at], name, *null[at + 1 :]] for at, name in enumerate(outputs))):
            yield f"        EXPECT(0, {call(values, inputs, some, lent)})"
        for at in range(len(values)):
            yield f"        EXPECT(1, {call([*values[:at], '0', *values[at + 1 :]], inputs, outputs, lent)})"
        for at, argument in enumerate(program.arguments):
            if argument.axes:
                yield f"        EXPECT(2, {call(values, [*inputs[:at], 'NULL', *inputs[at + 1 :]], outputs, lent)})"
        if lent:
            yield f"        EXPECT(3, {call(values, inputs, outputs, ['NULL'])})"
        for part in (*(a.name for a in program.arguments if a.axes), *outputs, *lent):
            yield f"        free({part});"
        yield "    }"


def kernel(name: str, dtype: str = "float64", target: str = "c") -> Kernel:
    return build(derivation(name), target=target, dtype=dtype)


def arguments(name: str, dtype: str, extents: dict[str, int]) -> tuple[list[Any], dict[str, Any], list[Any]]:
    """Inputs, constants and cotangents of a layer."""
    made = derivation(name)

    def draw(axes: tuple[str, ...], low: float) -> Any:
        return RNG.uniform(low, 2, [extents[axis] for axis in axes]).astype(dtype) if axes else 0.5

    inputs = [draw(part.axes, -0.9) for part in made.layer.inputs]
    return inputs, {part.name: draw(part.axes, 0.5) for part in made.layer.constants}, [draw(seed.axes, -0.9) for seed in made.seeds]


def extents_of(name: str) -> dict[str, int]:
    return dict(zip(derivation(name).layer.axes, (7, 5, 3, 4), strict=False))


@needs_c
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_c_and_numpy_agree(name: str, dtype: str) -> None:
    inputs, constants, seeds = arguments(name, dtype, extents_of(name))
    found = []
    for target in ("c", "numpy"):
        *outputs, saved = kernel(name, dtype, target).forward(*inputs, **constants)
        found.append([*outputs, *kernel(name, dtype, target).backward(*seeds, saved)])
    for ours, other in zip(*found, strict=True):
        assert np.allclose(ours, other, rtol=1e3 * np.finfo(dtype).eps, atol=1e3 * np.finfo(dtype).eps)


@needs_c
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["features", "rows", "planes", "soft", "affine", "shrink", "odd"])
def test_nan_and_infinity_go_where_numpy_lets_them_go(name: str, dtype: str, value: float) -> None:
    inputs, constants, seeds = arguments(name, dtype, extents_of(name))
    inputs[0].flat[1] = value
    found = []
    with np.errstate(all="ignore"):
        for target in ("c", "numpy"):
            *outputs, saved = kernel(name, dtype, target).forward(*inputs, **constants)
            found.append([*outputs, *kernel(name, dtype, target).backward(*seeds, saved)])
    for ours, other in zip(*found, strict=True):
        assert np.array_equal(np.isnan(ours), np.isnan(other))
        assert np.array_equal(np.isposinf(ours), np.isposinf(other))
        assert np.array_equal(np.isneginf(ours), np.isneginf(other))


@needs_c
@pytest.mark.parametrize("name", NAMES)
def test_an_output_may_be_the_memory_of_the_input_that_the_header_names(name: str) -> None:
    inputs, constants, seeds = arguments(name, "float64", extents_of(name))
    made = kernel(name)
    *_, saved = made.forward(*inputs, **constants)
    expected = made.backward(*seeds, saved)
    second = made.passes[1]
    values = {**saved._asdict(), **dict(zip((seed.name for seed in derivation(name).seeds), seeds, strict=True))}
    for output, source in second.overlays:
        copies = {key: value.copy() if isinstance(value, np.ndarray) else value for key, value in values.items()}
        fields = {key: copies[key] for key in saved._fields}
        found = made.backward(*(copies[seed.name] for seed in derivation(name).seeds), type(saved)(**fields), out={output: copies[source]})
        assert getattr(found, output) is copies[source]
        for ours, other in zip(found, expected, strict=True):
            assert np.array_equal(ours, other), (output, source)


@needs_c
def test_float64_sums_lose_no_more_than_16_additions_do() -> None:
    x = np.concatenate([RNG.standard_normal(1000) * 10.0 ** RNG.integers(-3, 12, 1000) for _ in range(20)])
    x = RNG.permutation(np.concatenate([x, -x, RNG.standard_normal(999)]))
    y, _ = kernel("shrink").forward(x)
    # A term goes through at most 16 additions before they carry what they lose; the mean is divided and rounded.
    assert abs(y * len(x) - math.fsum(x)) <= 18 * 2.0**-53 * math.fsum(abs(x))


@needs_c
def test_float64_means_lose_nothing_as_terms_cancel() -> None:
    """What is subtracted from elements carries what it loses from the first term on."""
    x = np.concatenate([RNG.standard_normal(1000) * 10.0 ** RNG.integers(-3, 12, 1000) for _ in range(20)])
    x = RNG.permutation(np.concatenate([x, -x, RNG.standard_normal(999)]))[:, None]
    _, saved = kernel("features").forward(x, np.ones(1), np.zeros(1))
    deviation = math.sqrt(saved.sigma2[0] + 1e-5)
    mean = math.fsum(x[:, 0]) / len(x)
    assert np.all(np.abs(saved.xhat[:, 0] * deviation + mean - x[:, 0]) <= 1e-15 * np.abs(x[:, 0]) + 1e-9 * abs(mean))


@needs_c
def test_float32_sums_lose_nothing_as_the_extent_grows() -> None:
    # A term goes through at most 16 additions in float: a chunk of 512 elements is 32 lanes wide.
    y, _ = kernel("shrink", "float32").forward(np.full(2**22 + 1, 0.1, np.float32))
    assert abs(y / np.float64(np.float32(0.1)) - 1) < 16 * 2.0**-24


@needs_c
@pytest.mark.parametrize(("dtype", "mean", "bound"), [("float32", 1e3, 1e-6), ("float32", 1e6, 1e-6), ("float64", 1e6, 1e-12)])
def test_the_variance_survives_a_large_mean(dtype: str, mean: float, bound: float) -> None:
    x = (mean + RNG.standard_normal((20001, 1))).astype(dtype)
    x[0] = mean * 1.5
    _, saved = kernel("features", dtype).forward(x, np.ones(1, dtype), np.zeros(1, dtype))
    exact = np.var(x.astype(np.longdouble))
    assert abs(saved.sigma2[0] / exact - 1) < bound


@needs_c
def test_an_infinite_term_makes_an_infinite_sum() -> None:
    assert kernel("shrink").forward(np.array([1.0, np.inf, 2.0]))[0] == np.inf
    assert np.isnan(kernel("shrink").forward(np.array([-np.inf, np.inf, 2.0]))[0])


@needs_c
def test_the_library_works_from_cpp(sources: Path, tmp_path: Path) -> None:
    if shutil.which("g++") is None:
        pytest.skip("no g++")
    (tmp_path / "main.cpp").write_text(
        '#include "shrink.h"\n'
        "int main() { const double x[3] = {1, 2, 6}; double y = 0; return symbn_shrink_forward_f64(3, x, &y) == 0 && y == 3 ? 0 : 1; }\n"
    )
    command = compiler.find().command
    subprocess.run([*command, "-std=c99", "-c", str(sources / "shrink.c"), "-o", "shrink.o"], cwd=tmp_path, check=True)
    subprocess.run(["g++", f"-I{sources}", "main.cpp", "shrink.o", "-o", "main", "-lm"], cwd=tmp_path, check=True)
    assert subprocess.run([str(tmp_path / "main")], cwd=tmp_path, check=False).returncode == 0
