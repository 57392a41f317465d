"""A generated kernel as an object with a first and a second pass.

In: arrays.  Out: arrays. Everything is checked here, so that the code below may trust what it is given.
"""

from __future__ import annotations

import ctypes
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter, Signature
from operator import itemgetter
from typing import Any, NoReturn

import numpy as np

from symbn.codegen.program import CONSTANT, INPUT, Argument, Output, Program
from symbn.codegen.storage import DTYPES, HALVES, Storage
from symbn.layer import Layer
from symbn.tools.arguments import apart, array, check_overlap, extent, output, scalar, wanted_outputs
from symbn.tools.exchange import Array, address
from symbn.tools.halves import as_given, dtype_named, dtype_of, name_of

Values = Mapping[str, Any]
Kinds = Mapping[str, tuple[tuple[str, ...], np.dtype[Any]]]  # axes and type of arguments or results by name
# Extents, inputs by name, outputs to fill by name; and all these in one, an array as where it begins.
Run = Callable[[Mapping[str, int], Values, Mapping[str, Array], Values], None]
ABSENT: Any = Parameter.empty


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass: what it takes, what it may overwrite, and how it is run."""

    program: Program
    overlays: frozenset[tuple[str, str]]
    run: Run

    def call(
        self, arguments: Kinds, outputs: Kinds, values: Values, extents: dict[str, int], out: object, kept: Sequence[str]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """(checked arguments, results) by name. `arguments` are the program's, in the order in which they tell extents; so are `outputs`.

        What is `kept` for later is not written over.
        """
        given: dict[str, Any] = {}
        frame: dict[str, Any] = {}
        starts: list[int] = []
        ends: list[int] = []
        for name, (axes, dtype) in arguments.items():
            if axes:
                given[name] = found = array(name, values[name], axes, extents, dtype)
                frame[name] = start = address(found)
                starts.append(start)
                ends.append(start + found.nbytes)
            else:
                given[name] = frame[name] = scalar(name, values[name], dtype)
        results: dict[str, Array] = {}
        made: dict[str, Any] = {}
        scalars: list[str] = []  # of ours: they come back as such, not as arrays
        theirs = wanted_outputs(out, outputs)
        for name, (axes, dtype) in outputs.items():
            wanted = theirs.get(name)
            results[name] = found = output(name, wanted, axes, extents, dtype)
            # What the caller gave comes back, also where it is another library's.
            made[name] = found if wanted is None else wanted
            if wanted is None and not axes:
                scalars.append(name)
            frame[name] = start = address(found)
            starts.append(start)
            ends.append(start + found.nbytes)
        if theirs and not apart(starts, ends):
            read = {name: given[name] for name, (axes, _) in arguments.items() if axes}
            check_overlap(results, read, {pair for pair in self.overlays if pair[1] not in kept})
        frame.update(extents)
        self.run(extents, given, results, frame)
        for name in scalars:
            made[name] = results[name][()]
        return given, made


class Kernel:
    """What `build` gives: two methods, of which the first makes the `saved` that the second takes.

    | built for | methods |
    | --- | --- |
    | mode vjp | `forward(x, ..., eps=...) -> (y, saved)`, `backward(dy, saved) -> (dx, ...)` |
    | mode jvp | `forward(x, ..., eps=...) -> (y, saved)`, `jvp(x_dot, ..., saved) -> (y_dot,)` |
    | mode jacobian | `forward(x, ..., eps=...) -> (y, saved)`, `jacobian(saved) -> (dy_dx, ...)` |
    | order 2 | `backward(dy, x, ..., eps=...) -> (dx, ..., saved)`, `double_backward(ddx, ..., saved) -> (grad_dy, grad_x, ...)` |

    `target` and `dtype` are as asked for, `storage` says which arrays have that dtype; `passes` are the two passes' programs and how they
    run, `methods` their names. Every method takes `out=`, a mapping from names to arrays to fill.
    """

    def __init__(
        self,
        layer: Layer,
        target: str,
        storage: Storage,
        passes: tuple[Pass, Pass],
        methods: tuple[str, str],
        saved: tuple[str, ...],
        lost: tuple[str, ...],
    ) -> None:
        self.layer, self.target, self.storage = layer, target, storage
        self.dtype = dtype_named(DTYPES[storage.dtype])
        self.passes, self.methods = passes, methods
        self._forward, self._backward = passes
        self._lost, self._half = lost, storage.dtype in HALVES
        camel = "".join(part[:1].upper() + part[1:] for part in layer.name.split("_"))
        self._fields = (*saved, *lost)
        self._saved: Any = namedtuple(f"{camel}Saved", self._fields)  # type: ignore[misc]
        self._results: Any = namedtuple(f"{camel}Results", [part.name for part in self._backward.program.outputs])  # type: ignore[misc]
        # Saved arrays say the extents before anything the caller gives now.
        later = sorted(self._backward.program.arguments, key=lambda part: part.role == INPUT)
        self._first = _kinds(storage, self._forward.program.arguments), _kinds(storage, self._forward.program.outputs)
        self._second = _kinds(storage, later), _kinds(storage, self._backward.program.outputs)
        self._forward_parameters = Parameters(self._forward.program, ())
        self._backward_parameters = Parameters(self._backward.program, ("saved",))
        # As attributes of this object, the methods are found at once.
        self.__dict__.update(zip(methods, (self.first, self.second), strict=True))

    def __repr__(self) -> str:
        return f"<{self.target} kernel of {self.layer.name}{self._forward_parameters.signature}, {name_of(self.dtype)}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a kernel holds code that this process has loaded and cannot be pickled or copied; "
            "build it again where it is needed: what was compiled is kept and only loaded there"
        )

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """What is no attribute; the two passes are, under their names."""
        raise AttributeError(f"this kernel has {' and '.join(self.__dict__.get('methods', ()))}, not {name!r}")

    def first(self, *args: object, out: object = None, **kwargs: object) -> tuple[Any, ...]:
        """The layer's outputs, and after them what the second pass needs. ValueError for an array of the wrong shape or dtype."""
        values = self._forward_parameters.bind(args, kwargs)
        extents: dict[str, int] = {}
        given, results = self._forward.call(*self._first, values, extents, out, self._fields)
        results = as_given(results, values) if self._half else results
        known = {**given, **results, **extents}
        saved = self._saved(*[known[name] for name in self._fields])
        return (*[results[name] for name in self.layer.outputs], saved)

    def second(self, *args: object, out: object = None, **kwargs: object) -> Any:
        """The results of the second pass as a named tuple. ValueError for an array of the wrong shape or dtype."""
        values = self._backward_parameters.bind(args, kwargs)
        saved = values.pop("saved")
        if not isinstance(saved, tuple) or getattr(saved, "_fields", None) != self._fields:
            raise ValueError(f"saved is a {type(saved).__name__}, should be the {self._saved.__name__} that {self.methods[0]} returned")
        extents = {axis: extent(axis, getattr(saved, axis)) for axis in self._lost}
        values.update(zip(self._fields, saved, strict=True))
        _, results = self._backward.call(*self._second, values, extents, out, ())
        results = as_given(results, values) if self._half else results
        return self._results(*results.values())


def _kinds(storage: Storage, parts: Iterable[Argument | Output]) -> Kinds:
    return {part.name: (part.axes, dtype_of(storage, part.axes)) for part in parts}


def c_pass(function: Any, program: Program, workspace: Any, call: Callable[..., int]) -> Run:
    """Calls a compiled function through `call`; `workspace` tells the doubles to lend it, None when it takes none."""
    axes, outputs = program.axes, [part.name for part in program.outputs]
    kinds = [ctypes.c_void_p if part.axes else ctypes.c_double for part in program.arguments]
    function.argtypes = [*[ctypes.c_ssize_t] * len(axes), *kinds, *[ctypes.c_void_p] * (len(outputs) + (workspace is not None))]
    if workspace is not None:
        workspace.argtypes, workspace.restype = [ctypes.c_ssize_t] * len(axes), ctypes.c_ssize_t
    names = [*axes, *[part.name for part in program.arguments], *outputs]
    in_order = itemgetter(*names)

    def run(extents: Mapping[str, int], given: Values, results: Mapping[str, Array], frame: Values) -> None:
        values = in_order(frame)
        if workspace is None:
            code = call(*values)
        else:
            lent = np.empty(workspace(*values[: len(axes)]), np.float64)
            code = call(*values, address(lent))
        if code != 0:
            raise RuntimeError(f"{program.layer}_{program.direction} returned {code}")

    return run


def numpy_pass(function: Callable[..., Any], program: Program, record: Callable[..., Any] | None) -> Run:
    """Calls a generated Python function; `record` makes the `saved` of the second pass from names, None for the forward pass."""

    def run(extents: Mapping[str, int], given: Values, results: Mapping[str, Array], _: Values) -> None:
        inputs = [given[a.name] for a in program.arguments if a.role == INPUT]
        if record is None:
            constants = {a.name: given[a.name] for a in program.arguments if a.role == CONSTANT}
            function(*inputs, **constants, out=results)
        else:
            function(*inputs, record({**given, **extents}), out=results)

    return run


class Parameters:
    """What a pass takes, as Python's own signature, so that a wrong call is refused in Python's own words."""

    def __init__(self, program: Program, last: tuple[str, ...]) -> None:
        inputs = [a for a in program.arguments if a.role == INPUT]
        self.names = (*(a.name for a in inputs), *last)
        constants = [] if last else [a for a in program.arguments if a.role == CONSTANT]
        self.defaults = {a.name: float(a.default) for a in constants if a.default is not None}
        keywords = [Parameter(a.name, Parameter.KEYWORD_ONLY, default=self.defaults.get(a.name, ABSENT)) for a in constants]
        self.signature = Signature([*(Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in self.names), *keywords])
        self._all = {*self.names, *(a.name for a in constants)}

    def bind(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> dict[str, Any]:
        """Values by name; what Signature.bind says, where it is quick to see that it would say so."""
        if not kwargs and len(args) == len(self._all):
            return dict(zip(self.names, args, strict=True))
        names = self.names[: len(args)]
        values = {**self.defaults, **kwargs, **dict(zip(names, args, strict=False))}
        if len(names) == len(args) and kwargs.keys().isdisjoint(names) and values.keys() == self._all:
            return values
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return bound.arguments
