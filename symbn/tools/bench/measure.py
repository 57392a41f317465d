"""Timing side by side.

In: functions by name.  Out: quartiles of what each took.

Machines drift by a factor of two with their neighbors, so that only what is timed together compares: in each round every function runs
once, and the rounds begin with another one each time. What is quick runs several times in a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import quantiles
from time import perf_counter, sleep
from typing import Any

from symbn.tools.bench.task import Timing

LEAST = 0.002  # seconds that one measurement should take
BUDGET = 8.0  # seconds that one function may take in all rounds; slower ones run in fewer rounds, but in FEWEST
FEWEST = 3
MOST_IN_A_ROW = 1000
PAUSE = 0.003  # seconds until the threads of the one before have stopped spinning: libraries have pools of their own


def side_by_side(calls: Mapping[str, Callable[[], Any]], repeat: int) -> dict[str, Timing]:
    """Timings by name. The calls have been run before, but once more for their length."""
    lengths = {name: _seconds(call, 1) for name, call in calls.items()}
    row = {name: max(1, min(MOST_IN_A_ROW, round(LEAST / max(length, 1e-7)))) for name, length in lengths.items()}
    rounds = {name: max(min(FEWEST, repeat), min(repeat, int(BUDGET / max(length, 1e-7)))) for name, length in lengths.items()}
    found: dict[str, list[float]] = {name: [] for name in calls}
    names = list(calls)
    for number in range(repeat):
        turn = number % max(len(names), 1)
        for name in names[turn:] + names[:turn]:
            if len(found[name]) < rounds[name]:
                found[name].append(_seconds(calls[name], row[name]))
    return {name: timing(name, seconds) for name, seconds in found.items()}


def timing(name: str, seconds: list[float]) -> Timing:
    """The quartiles, in milliseconds."""
    lower, median, upper = quantiles(seconds, n=4, method="inclusive") if len(seconds) > 1 else seconds * 3
    return Timing(name, median * 1e3, lower * 1e3, upper * 1e3, len(seconds))


def _seconds(call: Callable[[], Any], times: int) -> float:
    """How long one call takes. What it returns is dropped after the clock has stopped."""
    sleep(PAUSE)
    kept = None
    start = perf_counter()
    for _ in range(times):
        kept = call()
    taken = perf_counter() - start
    del kept
    return taken / times
