"""Results as a table that reads well as text and as Markdown.

In: a Bench.  Out: text, or data for JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from symbn.codegen.storage import SHORT
from symbn.tools.bench.contenders import NUMPY, PUBLISHED, C
from symbn.tools.bench.onednn import ONEDNN
from symbn.tools.bench.peers import EAGER, INDUCTOR, XLA
from symbn.tools.bench.task import Bench, Result, Task, Timing

LIBRARIES = (EAGER, INDUCTOR, XLA, ONEDNN)
COLUMNS = (C, NUMPY, PUBLISHED, *LIBRARIES)
SCHEMA = 1
SAID_ALONE = ("processor", "cores", "last-level cache", "system", "compiler")
NOTE = """milliseconds: medians of interleaved runs, and half the distance between their quartiles where it is more than a tenth
floor: each input read once and each output written once, in the same run; floor/C: the share of that speed which C reaches
C/best: the time of C beside that of the fastest library, below 1 where C is faster
reuse: freed memory is kept; default: glibc gives large blocks back, and libraries that return new arrays wait for the pages of new ones"""


def table(bench: Bench) -> str:
    """The machine, a row for each result, what went wrong, and what is not installed."""
    shown = [name for name in COLUMNS if any(row.name == name for result in bench.results for row in result.timings)]
    rivals = [name for name in LIBRARIES if name in shown]
    ratios = [f"floor/{C}", *(f"{C}/{name}" for name in rivals), *([f"{C}/best"] if rivals else [])]
    head = ["pass", "shape", "memory", "floor", *shown, *ratios]
    rows = [_row(result, shown) for result in bench.results if not result.problem]
    parts = [", ".join(value if name in SAID_ALONE else f"{name} {value}" for name, value in _words(bench))]
    if rows:
        parts += [_aligned([head, *rows]), NOTE]
    parts += ["\n".join(lines) for lines in (_problems(bench), _absent(bench)) if lines]
    return "\n\n".join(parts)


def _words(bench: Bench) -> list[tuple[str, str]]:
    named = {"cores": " cores", "last-level cache": " last-level cache"}
    return [(name, f"{value}{named.get(name, '')}") for name, value in bench.machine.items()]


def title(task: Task, called: str) -> str:
    """`layernorm backward, f64, 2 threads`."""
    kept = f" keeping {', '.join(task.save)}" if task.save is not None else ""
    wrt = f" by {', '.join(task.wrt)}" if task.wrt else ""
    threads = f"{task.threads} thread{'' if task.threads == 1 else 's'}"
    return f"{task.layer} {called.replace('_', ' ')}{wrt}{kept}, {SHORT[task.dtype]}, {threads}"


def _row(result: Result, shown: Sequence[str]) -> list[str]:
    ours = result.timing(C)
    cells = [title(result.task, result.called), shape(result.task), result.regime, _time(result.floor)]
    cells += [_time(result.timing(name)) for name in shown]
    cells.append(_number(result.floor.median / ours.median) if ours else "")
    rivals = [name for name in LIBRARIES if name in shown]
    for name in rivals:
        theirs = result.timing(name)
        cells.append(_number(ours.median / theirs.median) if ours and theirs else "")
    if rivals:
        best = _best(result)
        cells.append(f"{_number(ours.median / best.median)}, {best.name}" if ours and best else "")
    return cells


def _best(result: Result) -> Timing | None:
    """The fastest of the libraries."""
    timed = [timing for name in LIBRARIES if (timing := result.timing(name)) is not None]
    return min(timed, key=lambda timing: timing.median, default=None)


def shape(task: Task) -> str:
    """`N=4096, D=1024`."""
    return ", ".join(f"{axis}={extent}" for axis, extent in task.extents.items())


def _time(timing: Timing | None) -> str:
    if timing is None:
        return ""
    spread = (timing.upper - timing.lower) / 2
    return _number(timing.median) + (f" ±{_number(spread)}" if spread > timing.median / 10 else "")


def _number(value: float) -> str:
    """Two or three digits that count."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows]
    return "\n".join((lines[0], "| " + " | ".join("-" * width for width in widths) + " |", *lines[1:]))


def _problems(bench: Bench) -> list[str]:
    found = []
    for result in bench.results:
        name = f"{title(result.task, result.called)}, {shape(result.task)}, {result.regime}"
        said = [(row.name, row.problem) for row in result.timings if row.problem]
        found += [f"not timed: {name}: {result.problem}"] if result.problem else [f"not timed: {who}: {name}: {why}" for who, why in said]
    return found


def _absent(bench: Bench) -> list[str]:
    return [f"not installed: {', '.join(f'{name} ({how})' for name, how in bench.absent.items())}"] if bench.absent else []


def data(bench: Bench) -> dict[str, Any]:
    """For JSON: no times of day, hosts or paths."""
    return {
        "schema": SCHEMA,
        "command": bench.command,
        "machine": dict(bench.machine),
        "absent": dict(bench.absent),
        "results": [_data(result) for result in bench.results],
    }


def _data(result: Result) -> dict[str, Any]:
    task = {name: value for name, value in asdict(result.task).items() if name not in ("text", "known")}
    ours, best = result.timing(C), _best(result)
    rows = [{**_timing(row), "fraction_of_floor": _ratio(result.floor, row), "c_ratio": _ratio(ours, row)} for row in result.timings]
    return {
        **task,
        "extents": dict(result.task.extents),
        "pass": result.called,
        "regime": result.regime,
        "bytes_read": result.read,
        "bytes_written": result.written,
        "operations": result.operations,
        "floor": _timing(result.floor),
        "contenders": rows,
        "best_peer": best.name if best else None,
        "best_peer_ratio": _ratio(ours, best),
        "problem": result.problem,
    }


def _timing(timing: Timing) -> dict[str, Any]:
    if timing.problem or not timing.runs:
        return {"name": timing.name, "problem": timing.problem}
    found = {"median_ms": timing.median, "lower_quartile_ms": timing.lower, "upper_quartile_ms": timing.upper}
    return {"name": timing.name, **{name: float(f"{value:.4g}") for name, value in found.items()}, "runs": timing.runs, "problem": ""}


def _ratio(over: Timing | None, under: Timing | None) -> float | None:
    return float(f"{over.median / under.median:.3g}") if over and under and under.runs else None
