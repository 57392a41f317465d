"""One thing to be timed, and what was found.

In: nothing.  Out: records that pass between processes as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FORWARD, BACKWARD = "forward", "backward"
DIRECTIONS = (FORWARD, BACKWARD)
# The environment of the process that times. glibc maps and unmaps each large block, and each new page costs; "reuse" keeps pages, as a
# program does that keeps its arrays.
REGIMES: Mapping[str, Mapping[str, str]] = {
    "reuse": {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "68719476736"},
    "default": {},
}


@dataclass(frozen=True, slots=True)
class Task:
    """A pass of a layer at extents. `text` is the layer's source, `known` its name in the catalogue, "" for a layer of one's own.

    `direction` is "forward" for the first pass and "backward" for the second, whatever `mode` and `order` make of them.
    """

    layer: str
    text: str
    known: str
    extents: Mapping[str, int]
    direction: str = BACKWARD
    mode: str = "vjp"
    order: int = 1
    wrt: tuple[str, ...] | None = None
    save: tuple[str, ...] | None = None
    dtype: str = "float32"
    threads: int = 1
    repeat: int = 15

    @property
    def options(self) -> dict[str, Any]:
        """What to derive."""
        return {"mode": self.mode, "order": self.order, "wrt": self.wrt, "save": self.save}


@dataclass(frozen=True, slots=True)
class Timing:
    """A contender: quartiles in milliseconds; or `problem`, why it has none."""

    name: str
    median: float = 0.0
    lower: float = 0.0
    upper: float = 0.0
    runs: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What was timed in one task under one regime. `floor` is the faster of the two ways to store; bytes and operations are the least."""

    task: Task
    regime: str
    called: str
    read: int
    written: int
    operations: int
    floor: Timing
    timings: tuple[Timing, ...]
    problem: str = ""

    def timing(self, name: str) -> Timing | None:
        """The contender of this name where it was timed."""
        return next((timing for timing in self.timings if timing.name == name and not timing.problem), None)


@dataclass(frozen=True, slots=True)
class Bench:
    """All results, the machine in general words, what is not installed, by name with how to get it, and the command that was typed."""

    machine: Mapping[str, str]
    absent: Mapping[str, str]
    results: tuple[Result, ...] = field(default=())
    command: str = ""
