"""Results as a roofline: arithmetic per byte against arithmetic per second, under the roof that memory makes.

In: a Bench.  Out: an SVG, drawn by matplotlib; TargetError without it. The roof is the best bandwidth that a floor of this run had at
each number of threads.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from io import StringIO
from typing import Any

from symbn.errors import TargetError
from symbn.tools.bench.table import COLUMNS, shape, title
from symbn.tools.bench.task import Bench, Result

MARKS = dict(zip(COLUMNS, "os^DvPX", strict=True))
COLORS = dict(zip(COLUMNS, ("#0072b2", "#56b4e9", "#999999", "#d55e00", "#e69f00", "#009e73", "#cc79a7"), strict=True))
FOUND = 40  # results whose names fit below the picture


def check_available() -> None:
    """TargetError unless matplotlib is there, before anything is timed."""
    if importlib.util.find_spec("matplotlib") is None:
        raise TargetError("--svg needs matplotlib, which is not installed", hint="pip install 'symbn[bench]'")


def roofline(bench: Bench) -> str:
    """The picture. Each result is a column of points, one for each contender; a list below it says where which column stands."""
    check_available()
    import matplotlib
    from matplotlib.figure import Figure

    results = [result for result in bench.results if not result.problem and result.operations and result.timings]
    if not results:
        raise TargetError("nothing was timed that has any arithmetic: there is no picture to draw")
    with matplotlib.rc_context({"svg.hashsalt": "symbn", "svg.fonttype": "path", "font.size": 9}):
        figure = Figure(figsize=(10, 6 + min(len(results), FOUND) / 8), layout="constrained")
        axes = figure.add_subplot(xscale="log", yscale="log")
        _roofs(axes, results)
        _points(axes, results)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter("{x:g}")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.set_xlabel("operations for each byte that must be moved")
        axes.set_ylabel("billions of operations a second")
        axes.grid(visible=True, which="both", alpha=0.2)
        figure.legend(loc="outside right upper")
        _names(figure, results)
        text = StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()


def intensity(result: Result) -> float:
    """Operations for each byte."""
    return result.operations / (result.read + result.written)


def _roofs(axes: Any, results: Sequence[Result]) -> None:
    spread = [intensity(result) for result in results]
    ends = [min(spread) / 2, max(spread) * 2]
    for threads in sorted({result.task.threads for result in results}):
        same = [result for result in results if result.task.threads == threads]
        bandwidth = max((result.read + result.written) / result.floor.median / 1e6 for result in same)
        label = f"floor, {threads} thread{'' if threads == 1 else 's'}: {bandwidth:.0f} GB/s"
        axes.plot(ends, [end * bandwidth for end in ends], "-" if threads > 1 else "--", color="#444444", label=label)


def _points(axes: Any, results: Sequence[Result]) -> None:
    """Filled where freed memory is kept, open where it is given back; each name stands once in the legend."""
    for name in COLUMNS:
        timed = [(result, timing) for result in results if (timing := result.timing(name)) is not None]
        for regime in dict.fromkeys(result.regime for result, _ in timed):
            across = [intensity(result) for result, _ in timed if result.regime == regime]
            up = [result.operations / timing.median / 1e6 for result, timing in timed if result.regime == regime]
            label = name if regime == timed[0][0].regime else None
            fill = "full" if regime == "reuse" else "none"
            axes.plot(across, up, MARKS[name], color=COLORS[name], markersize=5, fillstyle=fill, label=label)


def _names(figure: Any, results: Sequence[Result]) -> None:
    ordered = sorted(results, key=intensity)
    lines = [f"{intensity(r):.2f}: {title(r.task, r.called)}, {shape(r.task)}, {r.regime}" for r in ordered]
    more = [f"and {len(lines) - FOUND} more"] if len(lines) > FOUND else []
    figure.supxlabel("\n".join((*lines[:FOUND], *more)), fontsize=7, ha="left", x=0.02)
