"""Which loop computes what.

In: a Program.  Out: a tree of parts: loops over kept axes, sweeps that take several totals at once, and stores. Every total is computed
once. A value joins a loop that already makes what it reads, at the same letter; where the letters differ, what it reads was complete
before, in working memory.

This is the place where a kernel becomes fast or slow; it knows axes and letters, and no layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from symbn.codegen.needs import Needed, Needs, needs_of
from symbn.codegen.program import Pointwise, Program, Total, Value
from symbn.expr import Index, fresh_index


@dataclass(frozen=True, slots=True)
class Job:
    """A total, or an output that is none, still to be placed. `letters` are the loop letters given to its own indices so far."""

    value: Value
    letters: dict[Index, Index]
    needs: tuple[Needed, ...]

    @property
    def remaining(self) -> tuple[Index, ...]:
        """The indices that have no loop yet."""
        return tuple(index for index in self.value.indices if index not in self.letters)


@dataclass(slots=True)
class Loop:
    """A loop over a kept axis; `own` is which index of each job it runs over, `folds` are complete after it."""

    index: Index
    jobs: list[Job]
    own: dict[str, Index]
    parts: list[Part] = field(default_factory=list)
    folds: list[Fold] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Fold:
    """A total over a loop's own letter, `bound`: each turn of the loop adds to it what the turn has made."""

    job: Job
    total: Total
    bound: Index


@dataclass(slots=True)
class Reduction:
    """One nest of sweeps that takes several totals over the same axes."""

    axes: tuple[str, ...]
    jobs: list[Job]


@dataclass(slots=True)
class Write:
    """An output that is no total, at the innermost place."""

    job: Job


Part = Loop | Reduction | Write


@dataclass(slots=True)
class Plan:
    """The parts in order, and for each total that is kept in working memory the indices it is kept over."""

    parts: list[Part]
    kept: dict[str, tuple[Index, ...]]


def plan(program: Program) -> Plan:
    """The loops of a program."""
    needs = needs_of(program)
    taken = {*program.axes, *(part.name for part in (*program.arguments, *program.values, *program.outputs))}
    made = Plan([], {})
    made.parts = _place(_jobs(program, needs), made.kept, frozenset(taken))
    return made


def _jobs(program: Program, needs: Needs) -> list[Job]:
    outputs = {output.name for output in program.outputs}
    wanted = [value for value in program.values if isinstance(value, Total) or value.name in outputs]
    return [Job(value, {}, needs.of(value.expr)) for value in wanted]


def _place(jobs: Sequence[Job], kept: dict[str, tuple[Index, ...]], taken: frozenset[str]) -> list[Part]:
    """Parts for the jobs, in an order that respects what they need; `taken` are names that no loop's letter may have."""
    parts: list[Part] = []
    home: dict[str, int] = {}
    by_name = {job.value.name: job for job in jobs}
    for job in jobs:
        here = [(name, indices) for name, indices in job.needs if name in home]
        floor = max((home[name] for name, _ in here), default=-1)
        near = [need for need in here if home[need[0]] == floor]
        position = _folded(job, parts, floor, near, by_name)
        if position is None:
            position = _join(job, parts, floor, near, by_name)
        if position is None:
            parts.append(_open(job, taken))
            position = len(parts) - 1
        home[job.value.name] = position
        for name, _ in here:
            if home[name] != position and by_name[name].remaining:
                kept.setdefault(name, by_name[name].remaining)
    parts = _beside(_ordered(parts, home))
    for part in parts:
        if isinstance(part, Loop):
            inner = [replace(job, letters={**job.letters, part.own[job.value.name]: part.index}) for job in part.jobs]
            part.parts = _place(inner, kept, taken | {part.index.name})
            _keep_for_folds(part, inner, kept)
    return parts


def _keep_for_folds(loop: Loop, inner: Sequence[Job], kept: dict[str, tuple[Index, ...]]) -> None:
    """What a fold reads of a turn is a scalar of that turn, or an array that the turn has to keep."""
    made = {job.value.name: job for job in inner}
    for fold in loop.folds:
        for name, _ in fold.job.needs:
            if name in made and made[name].remaining:
                kept.setdefault(name, made[name].remaining)


def _folded(job: Job, parts: list[Part], floor: int, near: list[Needed], by_name: dict[str, Job]) -> int | None:
    """Puts a total into the loop that makes what it adds up, where it reads that at one bound letter; says where."""
    loop = parts[floor] if near else None
    if not isinstance(loop, Loop) or not isinstance(job.value, Total) or job.remaining:
        return None
    bound = _read_at(loop, near, by_name)
    if bound is None or bound not in job.value.bound:
        return None
    loop.folds.append(Fold(job, job.value, bound))
    return floor


def _read_at(loop: Loop, near: list[Needed], by_name: dict[str, Job]) -> Index | None:
    """The one letter at which a job reads what a loop makes; None when there are several, or the value is complete only after the loop."""
    if any(name not in loop.own for name, _ in near):
        return None
    letters = {indices[by_name[name].value.indices.index(loop.own[name])] for name, indices in near}
    return letters.pop() if len(letters) == 1 else None


def _open(job: Job, taken: frozenset[str]) -> Part:
    if job.remaining:
        own = job.remaining[0]
        return Loop(fresh_index(own.axis, set(taken), like=own.name), [job], {job.value.name: own})
    if isinstance(job.value, Total):
        return Reduction(_axes(job.value), [job])
    return Write(job)


def _join(job: Job, parts: list[Part], floor: int, near: list[Needed], by_name: dict[str, Job]) -> int | None:
    """The first part that the job can be done in; None when it needs one of its own. `near` is what it needs of the part at `floor`."""
    for position in range(max(floor, 0), len(parts)):
        part = parts[position]
        if isinstance(part, Loop) and job.remaining:
            own = _aligned(job, part, near if position == floor else [], by_name)
            if own is not None:
                part.jobs.append(job)
                part.own[job.value.name] = own
                return position
        if isinstance(part, Reduction) and position > floor and _takes(part, job):
            part.jobs.append(job)
            return position
    return None


def _aligned(job: Job, loop: Loop, near: list[Needed], by_name: dict[str, Job]) -> Index | None:
    """The index of the job that this loop can run over: the one at which it reads what the loop makes, else its outermost."""
    if not near:
        first = job.remaining[0]
        return first if first.axis == loop.index.axis else None
    own = _read_at(loop, near, by_name)
    return own if own in job.remaining else None


def _takes(reduction: Reduction, job: Job) -> bool:
    return isinstance(job.value, Total) and not job.remaining and _axes(job.value) == reduction.axes


def _axes(total: Total) -> tuple[str, ...]:
    return tuple(index.axis for index in total.bound)


def _ordered(parts: list[Part], home: dict[str, int]) -> list[Part]:
    """Parts that write whole arrays go last where they can: then what is read can be written over."""
    waits = {number: _waits(part, home) - {number} for number, part in enumerate(parts)}
    ordered: list[int] = []
    while len(ordered) < len(parts):
        ready = [number for number in range(len(parts)) if number not in ordered and waits[number] <= set(ordered)]
        ordered.append(min(ready, key=lambda number: (_written_axes(parts[number]), number)))
    return [parts[number] for number in ordered]


def _beside(parts: list[Part]) -> list[Part]:
    """Neighboring loops over one axis that only write become one: what both read is read once."""
    merged: list[Part] = []
    for part in parts:
        last = merged[-1] if merged else None
        if isinstance(last, Loop) and isinstance(part, Loop) and last.index.axis == part.index.axis and _only_write(last, part):
            last.jobs += part.jobs
            last.own |= part.own
        else:
            merged.append(part)
    return merged


def _only_write(*loops: Loop) -> bool:
    """Whether nothing in the loops is a sum; then none of them needs another."""
    return all(isinstance(job.value, Pointwise) for loop in loops for job in jobs_of(loop))


def _waits(part: Part, home: dict[str, int]) -> set[int]:
    return {home[name] for job in jobs_of(part) for name, _ in job.needs if name in home}


def jobs_of(part: Part) -> list[Job]:
    """The jobs of a part, those of inner loops included."""
    match part:
        case Write(job):
            return [job]
        case Loop(jobs=jobs, folds=folds):
            return [*jobs, *(fold.job for fold in folds)]
    return part.jobs


def _written_axes(part: Part) -> int:
    return max((len(job.value.indices) for job in jobs_of(part) if isinstance(job.value, Pointwise)), default=0)
