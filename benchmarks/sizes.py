"""How large each generated C file is, and how long compilers take for it.

    python benchmarks/sizes.py [NAME...] [--compiler gcc --compiler clang] [--repeat 3]

NAMEs are files of generated/c without their ending, all unless said. Object bytes are code, constants and the tables that choose among
instruction sets (text and data of `size`); seconds are the median of `--repeat` runs of `-std=c99 -O3 -fno-trapping-math -fopenmp -c`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

PLACE = Path(__file__).parents[1] / "generated" / "c"
FLAGS = ("-std=c99", "-O3", "-fno-trapping-math", "-fopenmp", "-c")


def compiled(compiler: str, source: Path, output: Path) -> float:
    """Seconds; CalledProcessError where the compiler refuses."""
    start = perf_counter()
    subprocess.run([compiler, *FLAGS, str(source), "-o", str(output)], check=True)
    return perf_counter() - start


def object_bytes(path: Path) -> int:
    """Text and data."""
    done = subprocess.run(["size", str(path)], capture_output=True, text=True, check=True)
    text, data, *_ = done.stdout.splitlines()[1].split()
    return int(text) + int(data)


def row(source: Path, compilers: list[str], repeat: int) -> list[str]:
    """The file's line of the table."""
    cells = [source.stem, str(source.stat().st_size)]
    with tempfile.TemporaryDirectory() as work:
        for compiler in compilers:
            output = Path(work) / f"{source.stem}.o"
            seconds = median(compiled(compiler, source, output) for _ in range(repeat))
            cells += [str(object_bytes(output)), f"{seconds:.2f}"]
    return cells


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--compiler", action="append")
    parser.add_argument("--repeat", type=int, default=3)
    asked = parser.parse_args()
    compilers = [name for name in asked.compiler or ("gcc", "clang") if shutil.which(name)]
    sources = [PLACE / f"{name}.c" for name in asked.names] or sorted(PLACE.glob("*.c"))
    print("| file | source bytes |", " | ".join(f"{name}: object bytes | seconds" for name in compilers), "|")
    print("|" + " --- |" * (2 + 2 * len(compilers)))
    for source in sources:
        print("|", " | ".join(row(source, compilers, asked.repeat)), "|", flush=True)


if __name__ == "__main__":
    main()
