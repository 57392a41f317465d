"""Arrays of bfloat16 and IEEE half in generated C: exact conversions, and the same arithmetic as float's."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from c_driver import driver
from compiling import WARNINGS, one_instruction_set

from symbn.api import derive
from symbn.calculus.derivation import Derivation
from symbn.codegen.generate import render, write
from symbn.codegen.storage import HALVES, Storage
from symbn.tools import compiler
from symbn.tools.library import load

needs_c = pytest.mark.skipif(not tuple(compiler.available()), reason="no C compiler")
# bits of the fraction, largest exponent
FORMATS = {"bf16": (7, 127), "f16": (10, 15)}
EVERY = np.arange(65536, dtype=np.uint16)
ARRAYS = """
void widened(const uint16_t *from, float *to, ptrdiff_t count)
{{
    for (ptrdiff_t at = 0; at < count; ++at) {{ to[at] = symbn_softmax_from_{0}(from[at]); }}
}}
void narrowed(const float *from, uint16_t *to, ptrdiff_t count)
{{
    for (ptrdiff_t at = 0; at < count; ++at) {{ to[at] = symbn_softmax_to_{0}(from[at]); }}
}}
"""


@cache
def derivation(layer: str) -> Derivation:
    return derive(layer, steps=False).derivation


@pytest.fixture(scope="module", params=HALVES)
def converted(request: pytest.FixtureRequest) -> tuple[str, Any, Any]:
    """The dtype, and its conversions as functions of arrays, from a generated file."""
    dtype = request.param
    files = render(derivation("softmax"), "c", dtypes=(dtype,))
    library = load({**files, "softmax.c": files["softmax.c"] + ARRAYS.format(dtype)})

    def conversion(name: str, given: Any, made: Any) -> Any:
        def convert(values: Any) -> Any:
            values, found = np.ascontiguousarray(values, given), np.empty(len(values), made)
            pointers = [ctypes.c_void_p(array.ctypes.data) for array in (values, found)]
            library[name](*pointers, ctypes.c_ssize_t(len(values)))
            return found

        return convert

    return dtype, conversion("widened", np.uint16, np.float32), conversion("narrowed", np.float32, np.uint16)


def value_of(bits: Any, dtype: str) -> Any:
    """What the bits mean, by the definition of the format."""
    fraction, most = FORMATS[dtype]
    exponent = (bits.astype(np.int64) >> fraction) & (2 * most + 1)
    part = (bits.astype(np.int64) & ((1 << fraction) - 1)).astype(np.longdouble)
    size = np.where(exponent == 0, part, part + 2**fraction) * np.exp2(np.maximum(exponent, 1) - most - fraction, dtype=np.longdouble)
    size = np.where(exponent == 2 * most + 1, np.where(part == 0, np.inf, np.nan), size)
    return np.where(bits >> 15, -size, size)


@needs_c
def test_every_value_is_what_the_format_says(converted: Any) -> None:
    dtype, widened, _ = converted
    found, true = widened(EVERY), value_of(EVERY, dtype)
    with np.errstate(invalid="ignore"):  # signaling NaN
        assert np.array_equal(found.astype(np.longdouble), true, equal_nan=True)
    assert np.array_equal(np.signbit(found), EVERY >= 0x8000)


@needs_c
def test_every_value_survives_the_way_to_float_and_back(converted: Any) -> None:
    dtype, widened, narrowed = converted
    back, nan = narrowed(widened(EVERY)), np.isnan(value_of(EVERY, dtype))
    assert np.array_equal(back[~nan], EVERY[~nan])
    quiet = EVERY[nan] | np.uint16(1 << (FORMATS[dtype][0] - 1))
    assert np.array_equal(back[nan], quiet)  # a signaling NaN becomes a quiet one


@needs_c
def test_a_float_goes_to_the_nearest_and_of_two_to_the_even(converted: Any) -> None:
    dtype, widened, narrowed = converted
    fraction, most = FORMATS[dtype]
    finite = np.arange((2 * most + 1) << fraction, dtype=np.uint16)  # from 0 to the largest; then infinity, as if it were the next number
    values = [*value_of(finite, dtype), np.exp2(np.longdouble(most + 1))]
    middle = np.array([(low + high) / 2 for low, high in pairwise(values)], np.longdouble).astype(np.float32)
    even = finite + (finite & 1)
    for sign, bit in ((1, 0), (-1, 0x8000)):
        for given, true in ((middle, even), (np.nextafter(middle, 0), finite), (np.nextafter(middle, np.inf), finite + 1)):
            assert np.array_equal(narrowed(np.float32(sign) * given), true.astype(np.uint16) | bit)
    assert narrowed(np.array([np.inf, -np.inf], np.float32)).tolist() == [len(finite), len(finite) | 0x8000]
    assert all(np.isnan(widened(narrowed(np.array([np.nan, -np.nan], np.float32)))))


def test_parameters_and_statistics_are_float() -> None:
    storage = Storage("bf16", (("N", "C", "S"), ("C",)))
    assert [storage.is_half(axes) for axes in (("N", "C", "S"), ("C",), ("N", "C"), (), ("N", "K"))] == [True, False, False, False, True]
    assert not Storage("f32", (("N",),)).is_half(("N",))
    assert [Storage("f16", (("N",), ("N", "N"))).is_half(axes) for axes in (("N",), ("N", "N"))] == [False, True]


LAYERS = ("batchnorm", "batchnorm1d", "batchnorm2d", "layernorm", "linear", "cross_entropy", "weight_norm")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("halves")
    for name in LAYERS:
        write(render(derivation(name), "c", dtypes=HALVES), place)
    return place


@pytest.mark.parametrize(
    "dialect", ["gcc -std=c99", "gcc -std=c11", "clang -std=c99", "g++ -x c++ -std=c++17", "clang++ -x c++ -std=c++17"]
)
def test_compilers_are_silent(dialect: str, sources: Path, tmp_path: Path) -> None:
    program, *options = dialect.split()
    if shutil.which(program) is None:
        pytest.skip(f"no {program}")
    files = [sources / f"{name}.c" for name in LAYERS]
    depth = ["-O1", "-c"] if "-std=c99" in options else ["-fsyntax-only"]
    command = [*options, *WARNINGS, *one_instruction_set(files), *depth, *map(str, files)]
    done = subprocess.run([program, *command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_header_says_how_to_make_it_again_and_what_an_element_is() -> None:
    text = render(derivation("batchnorm1d"), "c", dtypes=("f32", "bf16"))["batchnorm1d.h"]
    assert "Reproduce: symbn generate batchnorm1d -t c --dtype f32 --dtype bf16\n" in text
    assert "#include <stdint.h>" in text
    assert "bf16: a uint16_t holds a bfloat16" in text
    assert "symbn_batchnorm1d_backward_bf16(\n    ptrdiff_t N, ptrdiff_t C, const uint16_t *dy, const float *gamma" in text
    usual = render(derivation("batchnorm1d"), "c")["batchnorm1d.h"]
    assert "uint16_t" not in usual
    assert "stdint" not in usual


@pytest.fixture(scope="module")
def driven(tmp_path_factory: pytest.TempPathFactory, sources: Path) -> Path:
    """The driver of every kernel in `sources`, and these in one unit, whose streams begin at sizes that the driver has."""
    place, headers = tmp_path_factory.mktemp("driver"), sorted(sources.glob("*.h"))
    streams = [f"#define SYMBN_{path.stem.upper()}_STREAM 256" for path in headers]
    (place / "kernels.c").write_text("\n".join([*streams, *(f'#include "{path.stem}.c"' for path in headers), ""]))
    (place / "driver.c").write_text(driver(headers))
    return place


@pytest.mark.parametrize(
    ("kernel_flags", "driver_flags"),
    [("-O1", ""), ("-O0 -fsanitize=address,undefined -fno-sanitize-recover=all", "-DMALLOC"), ("-O1 -fopenmp", "-DTHREADS -fopenmp")],
    ids=["guard pages", "sanitizers", "threads"],
)
def test_no_kernel_does_what_it_should_not(kernel_flags: str, driver_flags: str, driven: Path, sources: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc")
    common = ["gcc", "-std=c99", "-g1", "-DHALVES", f"-I{sources}", *one_instruction_set(sources.glob("*.c"))]
    for flags, files in ((kernel_flags, "-c kernels.c"), (driver_flags, "-c driver.c"), (kernel_flags, "driver.o kernels.o -o driver -lm")):
        command = [*common, *flags.split(), *files.split()]
        subprocess.run(command, cwd=driven, check=True)
    done = subprocess.run([str(driven / "driver")], capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")
