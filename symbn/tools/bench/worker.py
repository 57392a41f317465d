"""The process that times: tasks come in as lines of JSON, results go out as lines of JSON.

In: standard input, and the allocator's regime in the environment.  Out: standard output. What libraries print goes to standard error.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from math import prod
from typing import Any

import numpy as np

from symbn.codegen.program import Argument, Output
from symbn.codegen.work import work_of
from symbn.errors import SymbnError
from symbn.tools.bench.contenders import own
from symbn.tools.bench.floor import aligned, floors
from symbn.tools.bench.measure import side_by_side
from symbn.tools.bench.peers import peers
from symbn.tools.bench.setting import Contender, Setting, allowed, kernel_of, setting_of, wrong
from symbn.tools.bench.task import Result, Task, Timing
from symbn.tools.exchange import Array
from symbn.tools.kernel import Kernel

LONGEST = 160  # characters of a problem


def main() -> None:
    """Serves tasks until there are no more."""
    regime = sys.argv[1]
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for line in sys.stdin:
        task = task_of(json.loads(line))
        answers.write(json.dumps(asdict(timed(task, regime))) + "\n")
        answers.flush()


def task_of(data: Mapping[str, Any]) -> Task:
    """A task as JSON gives it back, with its tuples."""
    tuples = {name: None if data[name] is None else tuple(data[name]) for name in ("wrt", "save")}
    return Task(**{**data, **tuples})


def timed(task: Task, regime: str) -> Result:
    """The result; where the layer's own kernels cannot be made, one that says why."""
    try:
        return _timed(task, regime)
    except SymbnError as error:
        return Result(task, regime, task.direction, 0, 0, 0, Timing("floor"), (), str(error))
    except MemoryError:
        return Result(task, regime, task.direction, 0, 0, 0, Timing("floor"), (), "not enough memory")


def _timed(task: Task, regime: str) -> Result:
    setting = setting_of(task)
    kernel = kernel_of(task, "c", task.dtype)
    program = kernel.passes[setting.second].program
    work, tolerance = work_of(program, task.extents), allowed(program, task)
    ready: dict[str, Contender] = {}
    problems: dict[str, Timing] = {}
    makers = {**own(setting), **peers(setting)}
    for name, make in makers.items():
        found = _prepared(make, setting, tolerance)
        if isinstance(found, Contender):
            ready[name] = found
        else:
            problems[name] = Timing(name, problem=found)
    lowest = floors(*_traffic(setting), task.threads)
    calls: dict[str, Callable[[], Any]] = {f"floor, {kind}": call for kind, call in lowest.items()}
    for call in calls.values():
        call()
    with np.errstate(all="ignore"):
        timings = side_by_side({**calls, **{name: contender.call for name, contender in ready.items()}}, task.repeat)
    floor = min((timings[name] for name in calls), key=lambda timing: timing.median)
    rows = tuple(timings[name] if name in ready else problems[name] for name in makers)
    called = kernel.methods[setting.second]
    read, written = _bytes(kernel, program.arguments, task), _bytes(kernel, program.outputs, task)
    return Result(task, regime, called, read, written, work.operations, floor, rows)


def _prepared(make: Callable[[Setting], Contender], setting: Setting, tolerance: float) -> Contender | str:
    """A contender that has run once and found what it should; or why not. A library that fails is no reason to stop."""
    try:
        with np.errstate(all="ignore"):
            contender = make(setting)
            found = contender.results(contender.call())
        said = wrong(found, setting, tolerance)
    except Exception as error:
        return _shortened(f"{type(error).__name__}: {error}")
    return f"wrong: {said}" if said else contender


def _shortened(text: str) -> str:
    """The first line, without paths of this machine."""
    first = re.sub(r"(?<![\w.])/[\w./@+-]+", "...", next((line for line in text.splitlines() if line.strip()), ""))
    return first if len(first) <= LONGEST else f"{first[: LONGEST - 3]}..."


def _traffic(setting: Setting) -> tuple[list[Array], list[Array]]:
    """The arrays that the pass reads, and arrays as large as those it writes."""
    kernel = kernel_of(setting.task, "c", setting.task.dtype)
    program, values = kernel.passes[setting.second].program, dict(setting.values)
    if setting.second:
        *_, saved = kernel.first(*setting.inputs.values(), **setting.constants)
        values |= saved._asdict()
    reads = [values[argument.name] for argument in program.arguments if argument.axes]
    return reads, [aligned(_bytes(kernel, [part], setting.task)) for part in program.outputs]


def _bytes(kernel: Kernel, parts: Iterable[Argument | Output], task: Task) -> int:
    """What the arrays hold."""
    return sum(prod(task.extents[axis] for axis in part.axes) * kernel.storage.bytes(part.axes) for part in parts)


if __name__ == "__main__":
    main()
