"""What limits a pass: its arithmetic, or memory, or neither.

    python benchmarks/limits.py [LAYER...] [--threads 2] [--repeat 9]

Without a LAYER, the cases of `symbn bench --all`. Where a processor gives no counters, as in most virtual machines, this tells what they
would. In one run, interleaved, it times

* the pass itself;
* *once*: every input read once and every output written once, by nothing but loads and stores (the floor of `symbn bench`);
* *streams*: the same for what the loops of the Program really take from memory. Each outermost loop takes what it touches once more, and a
  loop over columns whose rows do not fit the cache takes it once for each loop inside;
* *in cache*: what more elements add to a pass on few, which stay in the cache of one core, on one thread, one call after the other; scaled
  to all elements and threads.

A pass takes at least the longer of *streams* and *in cache*. It is said to be limited by that one where it is three quarters of the pass,
by both in turn where their sum is (a core computes while it waits for memory only as far as it looks ahead), and by neither (latency,
calls, threads that wait) otherwise.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import replace
from math import prod
from timeit import repeat
from typing import Any

import numpy as np

from symbn.codegen.program import Joined, Load, Statement, Store, Sweep
from symbn.codegen.schedule import schedule
from symbn.codegen.views.c_columns import is_columns
from symbn.codegen.walk import everything
from symbn.tools.bench import plan
from symbn.tools.bench.contenders import C, own
from symbn.tools.bench.floor import aligned, floors
from symbn.tools.bench.measure import side_by_side
from symbn.tools.bench.setting import Setting, kernel_of, setting_of
from symbn.tools.bench.table import shape, title
from symbn.tools.bench.task import Task, Timing

IN_CACHE = 384 * 1024  # bytes of all arrays together: they fit the second-level cache of one core
LAST_LEVEL = 12 * 2**20  # bytes that stay in the last cache from one loop over rows to the next
BLOCK = 2048  # columns that are taken at once
SHARE = 0.75
CALLS = 200  # in a row, where data stay in the cache
REAL = {"float32": "float", "float64": "double"}
Arrays = dict[str, tuple[str, ...]]


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("layers", nargs="*")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=9)
    asked = parser.parse_args()
    wanted = plan.Wanted(threads=(asked.threads,), repeat=asked.repeat)
    tasks = plan.plan(asked.layers, (), wanted) if asked.layers else plan.every(wanted)
    print("| pass | shape | streams | pass, ms | once | streams, ms | in cache | limited by |\n|" + " --- |" * 8)
    for task in tasks:
        print("|", " | ".join(row(task)), "|", flush=True)


def row(task: Task) -> list[str]:
    """The case's line."""
    setting = setting_of(task)
    some, few = (setting_of(replace(task, extents=fewer(task, room), threads=1)) for room in (IN_CACHE, IN_CACHE // 4))
    program = kernel_of(task, "c", task.dtype).passes[setting.second].program
    took = taken(task, schedule(program).body)
    both = [(arrays(setting, reads), arrays(setting, writes)) for reads, writes in took]
    once = [({a.name: a.axes for a in program.arguments if a.axes}, {o.name: o.axes for o in program.outputs})]
    least = [(arrays(setting, reads), arrays(setting, writes)) for reads, writes in once]
    calls: dict[str, Callable[[], Any]] = {"pass": own(setting)[C](setting).call}
    for kind in ("plain", "streaming"):
        calls[f"streams, {kind}"] = in_turn([floors(*pair, task.threads)[kind] for pair in both])
        calls[f"once, {kind}"] = in_turn([floors(*pair, task.threads)[kind] for pair in least])
    found = side_by_side(calls, task.repeat)
    whole, streams, floor = found["pass"].median, faster(found, "streams"), faster(found, "once")
    further = elements(some.task.extents) - elements(few.task.extents)
    inside = (warm(some) - warm(few)) * elements(task.extents) / further / task.threads
    moved = sum(size(axes, task) for reads, writes in took for axes in (*reads.values(), *writes.values()))
    largest = max(size(axes, task) for axes in (*once[0][0].values(), *once[0][1].values()))
    cells = [f"{moved / largest:.1f}", *(f"{value:.3g}" for value in (whole, floor, streams, inside))]
    called = kernel_of(task, "c", task.dtype).methods[setting.second]
    return [title(task, called), shape(task), *cells, verdict(whole, streams, inside)]


def warm(setting: Setting) -> float:
    """Milliseconds of a call whose arrays are in the cache already: the best of several rows of calls."""
    call = own(setting)[C](setting).call
    return min(repeat(call, number=CALLS, repeat=5)) / CALLS * 1e3


def verdict(whole: float, streams: float, inside: float) -> str:
    """The longer bound, or both, or neither; and how much of the pass it explains."""
    name, bound = max(("memory", streams), ("arithmetic", inside), key=lambda pair: pair[1])
    if bound < SHARE * whole:
        both = streams + inside >= SHARE * whole
        name, bound = ("both in turn", streams + inside) if both else (f"neither, nearest {name}", bound)
    return f"{name}, {100 * bound / whole:.0f}%"


def taken(task: Task, body: tuple[Statement, ...]) -> list[tuple[Arrays, Arrays]]:
    """What each loop takes from memory and gives back: (read, written), axes by name."""
    loops: list[tuple[Statement, ...]] = []
    for statement in body:
        if isinstance(statement, Joined):
            loops.append((statement.columns, statement.rows))
        elif isinstance(statement, Sweep):
            inner = [one for one in statement.body if isinstance(one, Sweep)]
            apart = is_columns(statement, REAL[task.dtype]) and not fits(task, statement)
            loops += [(one,) for one in inner] if apart else [(statement,)]
    return [touched(loop) for loop in loops]


def touched(loop: tuple[Statement, ...]) -> tuple[Arrays, Arrays]:
    """The arrays that a loop reads and writes, without working memory, which is small."""
    inside = list(everything(loop))
    reads = {one.array: tuple(index.axis for index in one.indices) for one in inside if isinstance(one, Load)}
    writes = {one.array: tuple(index.axis for index in one.indices) for one in inside if isinstance(one, Store)}
    return reads, writes


def fits(task: Task, columns: Sweep) -> bool:
    """Whether a block of columns of all arrays stays in the cache between the loops over rows."""
    reads, writes = touched((columns,))
    tall = [axes for axes in {**reads, **writes}.values() if len(axes) > 1]
    rows = max((prod(task.extents[axis] for axis in axes if axis != columns.index.axis) for axes in tall), default=1)
    return rows * len(tall) * np.dtype(task.dtype).itemsize * min(BLOCK, task.extents[columns.index.axis]) <= LAST_LEVEL


def arrays(setting: Setting, wanted: Arrays) -> list[Any]:
    """Memory of their sizes, its pages touched."""
    return [aligned(size(axes, setting.task) * np.dtype(setting.task.dtype).itemsize) for axes in wanted.values() if axes]


def in_turn(calls: list[Callable[[], int]]) -> Callable[[], int]:
    """One after the other."""
    return lambda: sum(call() for call in calls)


def faster(found: Mapping[str, Timing], name: str) -> float:
    """Milliseconds with the better kind of store."""
    return min(found[f"{name}, {kind}"].median for kind in ("plain", "streaming"))


def fewer(task: Task, room: int) -> Mapping[str, int]:
    """Extents whose arrays have room in so many bytes: the first axis halved, then the next, so that rows keep their length."""
    extents = dict(task.extents)
    for axis in extents:
        while extents[axis] > 1 and elements(extents) * 3 * np.dtype(task.dtype).itemsize > room:
            extents[axis] //= 2
    return extents


def elements(extents: Mapping[str, int]) -> int:
    """All of the axes together."""
    return prod(extents.values())


def size(axes: tuple[str, ...], task: Task) -> int:
    """Elements of an array over the axes."""
    return prod(task.extents[axis] for axis in axes)


if __name__ == "__main__":
    main()
