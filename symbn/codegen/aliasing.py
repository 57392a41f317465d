"""Which output may be the same memory as which input.

In: Loops.  Out: whether writing an output over an input leaves every later read as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from symbn.codegen.fuse import unfused
from symbn.codegen.program import Load, Loops, Output, Program, Statement, Store, Sweep
from symbn.expr import Index


def overlays(program: Program, loops: Loops) -> tuple[tuple[str, str], ...]:
    """Every (output, input) such that both have the same axes and may share their memory."""
    pairs = [(output, argument) for output in program.outputs for argument in program.arguments if _alike(output, argument.axes)]
    return tuple((output.name, argument.name) for output, argument in pairs if _sound(unfused(loops.body), output.name, argument.name))


def _alike(output: Output, axes: tuple[str, ...]) -> bool:
    return bool(axes) and output.axes == axes


def _sound(body: Sequence[Statement], output: str, source: str) -> bool:
    """No element of `source` is read after the one of `output` in its place was written."""
    writers = [number for number, statement in enumerate(body) if any(True for _ in _stores((statement,), output))]
    if not writers:
        return True
    number = writers[0]
    if len(writers) > 1 or any(True for _ in _loads(body[number + 1 :], source)):
        return False
    statement = body[number]
    if not isinstance(statement, Sweep):
        return True
    places = [_places(store.indices, statement.index) for store in _stores((statement,), output)]
    apart = all(_places(load.indices, statement.index) == places[0] for load in _loads((statement,), source))
    return len(places) == 1 and bool(places[0]) and apart and _sound(statement.body, output, source)


def _places(indices: tuple[Index, ...], letter: Index) -> list[int]:
    return [place for place, index in enumerate(indices) if index == letter]


def _walk(body: Iterable[Statement]) -> Iterator[Statement]:
    for statement in body:
        yield statement
        if isinstance(statement, Sweep):
            yield from _walk(statement.body)


def _stores(body: Iterable[Statement], array: str) -> Iterator[Store]:
    return (s for s in _walk(body) if isinstance(s, Store) and s.array == array)


def _loads(body: Iterable[Statement], array: str) -> Iterator[Load]:
    return (s for s in _walk(body) if isinstance(s, Load) and s.array == array)
