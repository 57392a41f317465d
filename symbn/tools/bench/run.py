"""Tasks to results: each regime and number of threads has a process of its own.

In: tasks.  Out: results as they come. A library that brings its process down costs its own task alone: the rest goes on in a fresh process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from threading import Timer
from typing import IO, Any

import symbn
from symbn.tools.bench.task import REGIMES, Result, Task, Timing
from symbn.tools.bench.worker import task_of

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
PLACE = str(Path(symbn.__file__).parents[1])
KILLED = -9  # by SIGKILL, which not every system has a name for
PATIENCE = 600  # seconds for one task, to compile included; then its process is ended


def run(tasks: Sequence[Task], regimes: Iterable[str]) -> Iterator[Result]:
    """One result for each task and regime."""
    for regime in regimes:
        for threads, group in groupby(sorted(tasks, key=lambda task: task.threads), key=lambda task: task.threads):
            yield from _in_processes(list(group), regime, threads)


def _in_processes(tasks: Sequence[Task], regime: str, threads: int) -> Iterator[Result]:
    waiting = list(tasks)
    while waiting:
        with _process(regime, threads) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            while waiting:
                answer = _asked(process, process.stdin, process.stdout, waiting[0])
                if not answer:
                    break
                yield result_of(json.loads(answer))
                waiting.pop(0)
            with suppress(BrokenPipeError):
                process.stdin.close()
            status = process.wait(PATIENCE)
        if waiting:
            lost = waiting.pop(0)
            yield Result(lost, regime, lost.direction, 0, 0, 0, Timing("floor"), (), _end(status))


def _end(status: int) -> str:
    """How a process ended, in words."""
    if status == KILLED:
        return f"its process was ended: it ran for more than {PATIENCE} s, or the memory was full"
    return f"its process ended with status {status}"


def _asked(process: subprocess.Popen[str], requests: IO[str], answers: IO[str], task: Task) -> str:
    """The answer to one task; "" when the process has gone."""
    end = Timer(PATIENCE, process.kill)
    end.start()
    try:
        requests.write(json.dumps(asdict(task)) + "\n")
        requests.flush()
        return answers.readline()
    except BrokenPipeError:
        return ""
    finally:
        end.cancel()


def _process(regime: str, threads: int) -> subprocess.Popen[str]:
    """A process that may use `threads` cores alone: some libraries know no other limit."""
    environment = {name: value for name, value in os.environ.items() if name not in REGIMES["reuse"]}
    environment |= {**REGIMES[regime], **dict.fromkeys(THREADS, str(threads))}
    # The working directory is not searched for modules; where symbn is, it is found.
    environment["PYTHONPATH"] = os.pathsep.join([PLACE, *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-P", "-c", "from symbn.tools.bench.worker import main; main()", regime]
    process = subprocess.Popen(
        command, env=environment, text=True, encoding="utf-8", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    if hasattr(os, "sched_setaffinity"):
        with suppress(OSError):
            os.sched_setaffinity(process.pid, sorted(os.sched_getaffinity(0))[:threads])
    return process


def result_of(data: Mapping[str, Any]) -> Result:
    """A result as JSON gives it back."""
    rows = tuple(Timing(**row) for row in data["timings"])
    return Result(**{**data, "task": task_of(data["task"]), "floor": Timing(**data["floor"]), "timings": rows})
