"""Every committed C kernel between guard pages and under sanitizers, called in every way its header allows and in some it forbids."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from c_driver import driver
from compiling import one_instruction_set

GENERATED = Path(__file__).parents[1] / "generated" / "c"
HEADERS = sorted(GENERATED.glob("*.h"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The driver, and every kernel in one unit, whose blocks and streams begin at sizes that the driver has."""
    folder = tmp_path_factory.mktemp("driver")
    sources = [path.with_suffix(".c") for path in HEADERS]
    sizes = [name for path in sources for name in re.findall(r"^#ifndef (\w+_STREAM)$", path.read_text(), re.MULTILINE)]
    lines = [*(f"#define {name} 256" for name in sizes), *(f'#include "{path.name}"' for path in sources)]
    (folder / "kernels.c").write_text("\n".join([*lines, ""]))
    (folder / "driver.c").write_text(driver(HEADERS))
    return folder


def made(place: Path, compiler: str, *arguments: str) -> None:
    """Runs a compiler; what it lacks is a reason to skip."""
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler}")
    command = [compiler, "-std=c99", "-g1", f"-I{GENERATED}", *one_instruction_set(path.with_suffix(".c") for path in HEADERS), *arguments]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    if done.returncode and any(word in done.stderr for word in ("cannot find", "omp.h")):
        pytest.skip(f"{compiler} lacks a library of {' '.join(arguments)}")
    assert done.returncode == 0, done.stderr


def built(place: Path, compiler: str, *flags: str, driver_flags: tuple[str, ...] = ()) -> Path:
    """A program of the driver and the kernels; the flags are for the kernels, which are compiled once for each set of them."""
    title = "".join(character for character in "".join((compiler, *flags)) if character.isalnum())
    if not (place / f"{title}.o").exists():
        made(place, compiler, *flags, "-c", "kernels.c", "-o", f"{title}.o")
    made(place, compiler, *driver_flags, "-c", "driver.c", "-o", "driver.o")
    made(place, compiler, *flags, "driver.o", f"{title}.o", "-o", "driver", "-lm")
    return place / "driver"


def ran(program: Path, **environment: str) -> None:
    done = subprocess.run([str(program)], env={**os.environ, **environment}, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")


def test_no_kernel_leaves_its_buffers(place: Path) -> None:
    ran(built(place, "gcc", "-O1", "-fopenmp"))


def test_address_and_undefined_behavior_sanitizers_are_silent(place: Path) -> None:
    sanitizers = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    ran(built(place, "gcc", "-O0", *sanitizers, driver_flags=("-DMALLOC",)))


def test_four_threads_compute_what_one_computes(place: Path) -> None:
    ran(built(place, "gcc", "-O1", "-fopenmp", driver_flags=("-DTHREADS", "-fopenmp")))


def test_the_thread_sanitizer_is_silent(place: Path) -> None:
    """Clang's alone: its OpenMP tells the sanitizer, through libarcher, what happens before what; GCC's does not."""
    program = built(place, "clang", "-O1", "-fopenmp", "-fsanitize=thread", driver_flags=("-DTHREADS", "-fopenmp"))
    ran(program, TSAN_OPTIONS="ignore_noninstrumented_modules=1")


# The driver itself: it finds each thing it looks for ----------------------------------------------------------------------------------

DEMO_HEADER = """/*
 * Shapes, row-major:
 *     x, y: (N,)
 *     total: scalar
 *
 * Aliasing: no two arrays may overlap, but an output may be exactly the memory of one input:
 *     forward: y may be x
 *
 */
#include <stddef.h>
int symbn_demo_forward_f32(ptrdiff_t N, const float *x, float *y, float *total, double *workspace);
ptrdiff_t symbn_demo_forward_workspace(ptrdiff_t N);
"""
DEMO = """
#include "demo.h"
#ifndef DEFECT
#define DEFECT 0
#endif
ptrdiff_t symbn_demo_forward_workspace(ptrdiff_t N) { return N - (DEFECT == 1); }
int symbn_demo_forward_f32(ptrdiff_t N, const float *x, float *y, float *total, double *workspace)
{
    static double kept = 1.0;
    const ptrdiff_t first = DEFECT == 2 ? -1 : 0, last = DEFECT == 3 ? N + 1 : N;
    if (DEFECT == 4 ? N == 0 : N < 1) { return DEFECT == 5 ? 2 : 1; }
    if (DEFECT != 6 && x == NULL) { return 2; }
    if (DEFECT == 7 && y != NULL) { y[0] = 0.0f; }
    if (workspace == NULL) { return 3; }
    double sum = DEFECT == 8 ? workspace[0] : 0.0;
    #pragma omp parallel for
    for (ptrdiff_t i = 0; i < N; ++i) { if (DEFECT == 15) { kept += 1.0; } }
    for (ptrdiff_t i = first; i < last; ++i) { workspace[DEFECT == 2 || DEFECT == 3 ? 0 : i] = (double)x[i]; sum += (double)x[i]; }
    if (DEFECT == 9) { *(float *)x = 0.0f; }
    if (DEFECT == 10 || total != NULL) { *total = (float)sum; }
    for (ptrdiff_t i = DEFECT == 11; y != NULL && i < N; ++i) { y[i] = (float)(DEFECT == 12 ? sum*(double)x[0] : workspace[i]*2.0); }
    if (DEFECT == 13 && y != NULL) { y[N] = 1.0f; }
    if (DEFECT == 14 && total != NULL) { *total = (float)(kept *= 1.5); }
    return 0;
}
"""
DEFECTS = {
    1: "too small a workspace",
    2: "reads before the first",
    3: "reads after the last",
    4: "takes a negative extent",
    5: "returns another code",
    6: "reads a NULL input",
    7: "writes before it has checked",
    8: "reads what it has not written",
    9: "writes an input",
    10: "writes a NULL output",
    11: "leaves an element out",
    12: "cannot bear the overlay its header allows",
    13: "writes after the last",
    14: "remembers something",
}
RACE = 15


@pytest.mark.parametrize("defect", [0, *DEFECTS], ids=lambda number: DEFECTS.get(number, "none"))
def test_the_driver_finds(defect: int, tmp_path: Path) -> None:
    done = demonstrated(tmp_path, defect, "gcc")
    assert (done.returncode != 0) == (defect != 0), done.stderr
    assert defect == 0 or done.stderr.startswith("symbn_demo_forward_f32("), done.stderr


@pytest.mark.parametrize("defect", [0, RACE])
def test_the_thread_sanitizer_finds_a_race_and_nothing_else(defect: int, tmp_path: Path) -> None:
    done = demonstrated(tmp_path, defect, "clang", "-DTHREADS", "-fopenmp", "-fsanitize=thread")
    assert ("data race" in done.stderr) == (defect == RACE), done.stderr


def demonstrated(place: Path, defect: int, compiler: str, *flags: str) -> subprocess.CompletedProcess[str]:
    """The driver of a kernel with this defect."""
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler}")
    (place / "demo.h").write_text(DEMO_HEADER)
    (place / "demo.c").write_text(DEMO)
    (place / "driver.c").write_text(driver([place / "demo.h"]))
    command = [compiler, "-std=c99", "-O0", f"-DDEFECT={defect}", *flags, "driver.c", "demo.c", "-o", "driver", "-lm"]
    made = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    if "omp.h" in made.stderr or "cannot find" in made.stderr:
        pytest.skip(f"{compiler} lacks a library of {' '.join(flags)}")
    environment = {**os.environ, "TSAN_OPTIONS": "ignore_noninstrumented_modules=1"}
    return subprocess.run([str(place / "driver")], env=environment, capture_output=True, text=True, check=False)
