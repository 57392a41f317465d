"""A Program to loops.

In: a Program.  Out: Loops. `plan` says which loop makes what; here each element is read, computed and stored once within its loop, as far
out as its letters and what it needs allow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from symbn.codegen.fuse import fused
from symbn.codegen.naming import Names
from symbn.codegen.needs import Needs, needs_of
from symbn.codegen.plan import Job, Loop, Part, Plan, Reduction, Write, plan
from symbn.codegen.program import Accumulate, Assign, Buffer, Finish, Load, Loops, Program, Start, Statement, Store, Sweep, Total
from symbn.expr import Expr, Index, Read, free_indices, fresh_index, rename_indices

Element = tuple[str, tuple[Index, ...]]


@dataclass(slots=True)
class _Scope:
    """The body of one loop, being filled; `index` is the loop's letter, None outside of all loops."""

    index: Index | None
    body: list[Statement] = field(default_factory=list)
    known: dict[Element, str] = field(default_factory=dict)


def schedule(program: Program) -> Loops:
    """The loop nests of a program."""
    made = plan(program)
    writer = _Writer(program, needs_of(program), made)
    for part in made.parts:
        writer.part(part)
    return fused(Loops(tuple(writer.buffers.values()), tuple(writer.scopes[0].body)), writer.names)


class _Writer:
    def __init__(self, program: Program, needs: Needs, made: Plan) -> None:
        self.needs = needs
        self.kept = made.kept
        self.arguments = {argument.name: argument for argument in program.arguments}
        self.outputs = {output.name for output in program.outputs}
        self.taken = {*program.axes, *(part.name for part in (*program.arguments, *program.values, *program.outputs))}
        self.names = Names((*program.axes, *self.arguments, *self.outputs, *_loop_letters(made.parts)))
        self.locals: dict[Element, str] = {}
        self.buffers = {name: self._buffer(name, indices) for name, indices in made.kept.items()}
        self.buffer_depth: dict[str, int] = {}
        self.scopes = [_Scope(None)]

    def _buffer(self, name: str, indices: tuple[Index, ...]) -> Buffer:
        return Buffer(self.names.fresh(f"kept_{name}"), tuple(index.axis for index in indices))

    def part(self, part: Part) -> None:
        """Writes one part at the end of the innermost scope."""
        match part:
            case Loop():
                self._loop(part)
            case Reduction():
                self._reduction(part)
            case Write(job):
                read = Read(job.value.name, _under(job.value.indices, job.letters))
                self._body.append(Store(job.value.name, read.indices, self._fetched(read)[0], job.value.source))

    @property
    def _body(self) -> list[Statement]:
        return self.scopes[-1].body

    def _loop(self, loop: Loop) -> None:
        depth = len(self.scopes) - 1
        for job in loop.jobs:
            if self.kept.get(job.value.name) == job.remaining:
                self.buffer_depth[job.value.name] = depth
        started = [self._start(fold.job, fold.total) for fold in loop.folds]
        self.scopes.append(_Scope(loop.index))
        for part in loop.parts:
            self.part(part)
        for fold, name in zip(loop.folds, started, strict=True):
            rest = tuple(index for index in fold.total.bound if index != fold.bound)
            self._add([(fold.job, fold.total, name)], rest, {fold.bound: loop.index})
        self._close()
        for fold, name in zip(loop.folds, started, strict=True):
            self._finish(fold.job, fold.total, name)

    def _close(self) -> None:
        scope = self.scopes.pop()
        assert scope.index is not None
        self._body.append(Sweep(scope.index, tuple(scope.body)))

    def _reduction(self, reduction: Reduction) -> None:
        totals = [(job, job.value) for job in reduction.jobs if isinstance(job.value, Total)]
        started = [(job, total, self._start(job, total)) for job, total in totals]
        self._add(started, totals[0][1].bound, {})
        for job, total, name in started:
            self._finish(job, total, name)

    def _add(self, started: list[tuple[Job, Total, str]], swept: tuple[Index, ...], given: dict[Index, Index]) -> None:
        """Sweeps over the letters `swept` that add to several totals; `given` are bound letters that a loop around runs over."""
        letters = self._bound_letters(swept)
        self.scopes += [_Scope(letter) for letter in letters]
        for job, total, name in started:
            own = [index for index in total.bound if index not in given]
            mapping = {**job.letters, **given, **dict(zip(own, letters, strict=True))}
            expr = self._scalar(rename_indices(total.expr, mapping))[0]
            self._body.append(Accumulate(name, total.kind, expr))
        for _ in letters:
            self._close()

    def _bound_letters(self, bound: tuple[Index, ...]) -> list[Index]:
        """Letters for sweeps that no loop around them has."""
        taken = self.taken | {scope.index.name for scope in self.scopes if scope.index is not None}
        letters = []
        for index in bound:
            letters.append(fresh_index(index.axis, taken, like=index.name))
            taken.add(letters[-1].name)
        return letters

    def _start(self, job: Job, total: Total) -> str:
        name = self._local((total.name, _under(total.indices, job.letters)))
        self._body.append(Start(name, total))
        return name

    def _finish(self, job: Job, total: Total, name: str) -> None:
        indices = _under(total.indices, job.letters)
        self._body.append(Finish(name, total.kind, tuple(index.axis for index in total.bound)))
        self.scopes[-1].known[total.name, indices] = name
        if total.name in self.kept:
            kept = _under(self.kept[total.name], job.letters)
            self._body.append(Store(self.buffers[total.name].name, kept, Read(name)))
        if total.name in self.outputs:
            self._body.append(Store(total.name, indices, Read(name), total.source))

    def _scalar(self, expr: Expr) -> tuple[Expr, int]:
        """The expression over local scalars, and how deep the deepest of them is."""
        if isinstance(expr, Read):
            return self._fetched(expr)
        if not expr.children:
            return expr, self._depth_of_letters(free_indices(expr))
        parts = [self._scalar(child) for child in expr.children]
        return expr.rebuild(tuple(part for part, _ in parts)), max(depth for _, depth in parts)

    def _fetched(self, read: Read) -> tuple[Expr, int]:
        """A local scalar that holds the element, made in the outermost scope that can."""
        element = (read.name, read.indices)
        for depth, scope in reversed(list(enumerate(self.scopes))):
            if element in scope.known:
                return Read(scope.known[element]), depth
        argument = self.arguments.get(read.name)
        if argument is not None and not argument.axes:
            return Read(read.name), 0
        if argument is not None:
            return self._loaded(element, read.name, read.indices, self._depth_of_letters(read.indices))
        if read.name in self.needs.pointwise:
            return self._computed(element)
        total = self.needs.totals[read.name]
        letters = dict(zip(total.indices, read.indices, strict=True))
        indices = _under(self.kept[read.name], letters)
        depth = max(self.buffer_depth[read.name], self._depth_of_letters(indices))
        return self._loaded(element, self.buffers[read.name].name, indices, depth)

    def _loaded(self, element: Element, array: str, indices: tuple[Index, ...], depth: int) -> tuple[Expr, int]:
        name = self._local(element)
        self.scopes[depth].body.append(Load(name, array, indices))
        self.scopes[depth].known[element] = name
        return Read(name), depth

    def _computed(self, element: Element) -> tuple[Expr, int]:
        value = self.needs.pointwise[element[0]]
        body = rename_indices(value.expr, dict(zip(value.indices, element[1], strict=True)))
        expr, depth = self._scalar(body)
        if isinstance(expr, Read):
            self.scopes[depth].known[element] = expr.name
            return expr, depth
        name = self._local(element)
        self.scopes[depth].body.append(Assign(name, expr, value.source))
        self.scopes[depth].known[element] = name
        return Read(name), depth

    def _depth_of_letters(self, letters: tuple[Index, ...]) -> int:
        depths = {scope.index: depth for depth, scope in enumerate(self.scopes)}
        return max((depths[letter] for letter in letters), default=0)

    def _local(self, element: Element) -> str:
        """A name for the element: `xhat_ic`."""
        if element not in self.locals:
            name, indices = element
            letters = "".join(index.name for index in indices)
            suffix = letters or ("value" if name in self.outputs else "")
            self.locals[element] = self.names.fresh(f"{name}_{suffix}".rstrip("_"))
        return self.locals[element]


def _under(indices: tuple[Index, ...], letters: Mapping[Index, Index]) -> tuple[Index, ...]:
    return tuple(letters[index] for index in indices)


def _loop_letters(parts: list[Part]) -> list[str]:
    """The letters of all loops, so that no local takes one."""
    found = []
    for part in parts:
        match part:
            case Loop(index, parts=inner, folds=folds):
                found += [index.name, *_loop_letters(inner), *(bound.name for fold in folds for bound in fold.total.bound)]
            case Reduction(jobs=jobs):
                found += [index.name for job in jobs if isinstance(job.value, Total) for index in job.value.bound]
    return found
