"""What is to be timed.

In: layers and options as given.  Out: tasks; LayerError for a shape that does not fit, TargetError for more threads than cores.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from symbn import catalogue
from symbn.calculus.derivation import Derivation
from symbn.codegen.lower import LOOPS
from symbn.codegen.passes import backward_program, forward_program
from symbn.codegen.work import Work, work_of
from symbn.errors import LayerError, TargetError
from symbn.language import layer_text, load_layer
from symbn.layer import Layer
from symbn.tools.bench.cases import ALL
from symbn.tools.bench.machine import cores
from symbn.tools.bench.setting import derivation_of
from symbn.tools.bench.task import Task

ELEMENTS = 2**22  # of the largest array, and
OPERATIONS = 2**29  # at most, where nobody says how large
MOST = 2**33  # elements that a pass may read and write where somebody says how large


@dataclass(frozen=True, slots=True)
class Wanted:
    """Options that hold for every layer; see Task."""

    mode: str = "vjp"
    order: int = 1
    wrt: tuple[str, ...] | None = None
    save: tuple[str, ...] | None = None
    directions: tuple[str, ...] = ("backward",)
    dtypes: tuple[str, ...] = ("float32",)
    threads: tuple[int, ...] = (1,)
    repeat: int = 15


def plan(specs: Sequence[str], shapes: Sequence[Mapping[str, int]], wanted: Wanted) -> tuple[Task, ...]:
    """A task for each layer, shape, direction, dtype and number of threads."""
    _check_threads(wanted.threads)
    tasks = []
    for spec in specs:
        layer = load_layer(spec)
        text = layer_text(layer)
        derivation = derivation_of(text, wanted.mode, wanted.order, wanted.wrt, wanted.save)
        for extents in [_checked(layer, shape, derivation) for shape in shapes] or [default_extents(derivation)]:
            for direction in wanted.directions:
                tasks += _each(Task(layer.name, text, _known(spec), extents, direction), wanted)
    return tuple(tasks)


def every(wanted: Wanted) -> tuple[Task, ...]:
    """The cases of the table, in each dtype and number of threads."""
    _check_threads(wanted.threads)
    tasks = []
    for case in ALL:
        text = layer_text(load_layer(case.layer))
        task = Task(case.layer, text, case.layer, case.extents, case.direction, "vjp", case.order, None, case.save)
        tasks += _each(task, wanted, options=False)
    return tuple(tasks)


def _each(task: Task, wanted: Wanted, *, options: bool = True) -> list[Task]:
    if options:
        task = replace(task, mode=wanted.mode, order=wanted.order, wrt=wanted.wrt, save=wanted.save)
    pairs = [(dtype, threads) for dtype in wanted.dtypes for threads in wanted.threads]
    return [replace(task, dtype=dtype, threads=threads, repeat=wanted.repeat) for dtype, threads in pairs]


def _known(spec: str) -> str:
    """The name in the catalogue; a file of the same name is another layer."""
    return spec if spec in catalogue.names() else ""


def _check_threads(threads: Iterable[int]) -> None:
    most = cores()
    for count in threads:
        if count > most:
            raise TargetError(f"--threads {count}: there are {most} cores", hint="more threads than cores only wait for each other")


def _checked(layer: Layer, shape: Mapping[str, int], derivation: Derivation) -> Mapping[str, int]:
    axes = derivation.layer.axes
    if set(shape) != set(axes):
        given = ",".join(f"{axis}={extent}" for axis, extent in shape.items())
        example = ",".join(f"{axis}={64 * 2**place}" for place, axis in enumerate(axes))
        hint = f"its axes are {', '.join(axes)}: --shape {example}" if axes else "it has no axes: leave --shape away"
        raise LayerError(f"--shape {given} does not fit '{layer.name}'", hint=hint)
    most = max(work.read + work.written for work in _works(derivation, shape))
    if most > MOST:
        raise LayerError(f"'{layer.name}' would read and write {most} elements at this shape", hint=f"at most {MOST} are timed")
    return {axis: shape[axis] for axis in axes}


def default_extents(derivation: Derivation) -> Mapping[str, int]:
    """Where nobody says how large: as the layer's first case, or each axis alike, a power of two."""
    layer = derivation.layer
    known = next((case.extents for case in ALL if case.layer == (derivation.first or derivation).layer.name), None)
    if known is not None and set(known) == set(layer.axes):
        return known
    rank = max(len(part.axes) for part in layer.parts)
    extent = 2 ** (ELEMENTS.bit_length() // max(rank, 1))
    while extent > 1:
        works = _works(derivation, dict.fromkeys(layer.axes, extent))
        if all(work.operations <= OPERATIONS and work.read + work.written <= 8 * ELEMENTS for work in works):
            break
        extent //= 2
    return dict.fromkeys(layer.axes, extent)


def _works(derivation: Derivation, extents: Mapping[str, int]) -> tuple[Work, Work]:
    """What the two passes have to do."""
    return work_of(forward_program(derivation, LOOPS), extents), work_of(backward_program(derivation, LOOPS), extents)
