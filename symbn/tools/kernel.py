"""A generated kernel as an object with a first and a second pass.

In: arrays.  Out: arrays. Everything is checked here, so that the code below may trust what it is given.
"""

from __future__ import annotations

import ctypes
from collections import namedtuple
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from inspect import Parameter, Signature
from typing import Any, NoReturn

import numpy as np

from symbn.codegen.program import CONSTANT, INPUT, Program
from symbn.codegen.storage import DTYPES, HALVES, Storage
from symbn.layer import Layer
from symbn.tools.arguments import array, check_overlap, extent, output, scalar, wanted_outputs
from symbn.tools.exchange import Array
from symbn.tools.halves import as_given, dtype_named, dtype_of, name_of

Values = Mapping[str, Any]
# Extents, inputs by name, outputs to fill by name.
Run = Callable[[Mapping[str, int], Values, Mapping[str, Array]], None]
ABSENT: Any = Parameter.empty


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass: what it takes, what it may overwrite, and how it is run."""

    program: Program
    overlays: frozenset[tuple[str, str]]
    run: Run

    def call(
        self, values: Values, extents: dict[str, int], storage: Storage, out: object, *, kept: tuple[str, ...] = ()
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """(checked arguments, results) by name. What is `kept` for later is not written over."""
        given = {}
        for argument in self.program.arguments:
            value = values[argument.name]
            dtype = dtype_of(storage, argument.axes)
            named = array(argument.name, value, argument.axes, extents, dtype) if argument.axes else scalar(argument.name, value, dtype)
            given[argument.name] = named
        wanted = wanted_outputs(out, tuple(part.name for part in self.program.outputs))
        results = {
            part.name: output(part.name, wanted[part.name], part.axes, extents, dtype_of(storage, part.axes))
            for part in self.program.outputs
        }
        if out is not None:
            overlays = frozenset((target, source) for target, source in self.overlays if source not in kept)
            check_overlap(results, {name: value for name, value in given.items() if isinstance(value, np.ndarray)}, overlays)
        self.run(extents, given, results)
        # What the caller gave comes back, also where it is another library's.
        made = {name: value if value.ndim else value[()] for name, value in results.items()}
        return given, {name: made[name] if wanted[name] is None else wanted[name] for name in made}


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
        self._forward_signature = _signature(self._forward.program, ())
        self._backward_signature = _signature(self._backward.program, ("saved",))

    def __repr__(self) -> str:
        return f"<{self.target} kernel of {self.layer.name}{self._forward_signature}, {name_of(self.dtype)}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a kernel holds code that this process has loaded and cannot be pickled or copied; "
            "build it again where it is needed: what was compiled is kept and only loaded there"
        )

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """The two passes under their names."""
        methods = self.__dict__.get("methods", ())
        if name not in methods:
            raise AttributeError(f"this kernel has {' and '.join(methods)}, not {name!r}")
        return self.first if name == methods[0] else self.second

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.methods]

    def first(self, *args: object, **kwargs: object) -> tuple[Any, ...]:
        """The layer's outputs, and after them what the second pass needs. ValueError for an array of the wrong shape or dtype."""
        out = kwargs.pop("out", None)
        bound = self._forward_signature.bind(*args, **kwargs)
        bound.apply_defaults()
        extents: dict[str, int] = {}
        given, results = self._forward.call(bound.arguments, extents, self.storage, out, kept=self._fields)
        results = as_given(results, bound.arguments) if self._half else results
        known = {**given, **results, **extents}
        saved = self._saved(*(known[name] for name in self._fields))
        return (*(results[name] for name in self.layer.outputs), saved)

    def second(self, *args: object, out: object = None, **kwargs: object) -> Any:
        """The results of the second pass as a named tuple. ValueError for an array of the wrong shape or dtype."""
        bound = self._backward_signature.bind(*args, **kwargs)
        saved = bound.arguments["saved"]
        if not isinstance(saved, tuple) or getattr(saved, "_fields", None) != self._fields:
            raise ValueError(f"saved is a {type(saved).__name__}, should be the {self._saved.__name__} that {self.methods[0]} returned")
        extents = {axis: extent(axis, getattr(saved, axis)) for axis in self._lost}
        values = {**saved._asdict(), **bound.arguments}  # type: ignore[attr-defined]
        for name, axes in self._known_shapes():
            values[name] = array(name, values[name], axes, extents, dtype_of(self.storage, axes))
        _, results = self._backward.call(values, extents, self.storage, out)
        results = as_given(results, values) if self._half else results
        return self._results(**results)

    def _known_shapes(self) -> list[tuple[str, tuple[str, ...]]]:
        """Saved arrays say the extents before anything the caller gives now."""
        return [(argument.name, argument.axes) for argument in self._backward.program.arguments if argument.role != INPUT and argument.axes]


def c_pass(function: Any, program: Program, workspace: Any, threads: Callable[[], AbstractContextManager[None]]) -> Run:
    """Calls a compiled function within `threads`; `workspace` tells the doubles to lend it, None when it takes none."""
    function.restype = ctypes.c_int

    def run(extents: Mapping[str, int], given: Values, results: Mapping[str, Array]) -> None:
        sizes = [ctypes.c_ssize_t(extents[axis]) for axis in program.axes]
        arguments = [_pointer(given[a.name]) if a.axes else ctypes.c_double(float(given[a.name])) for a in program.arguments]
        outputs = [_pointer(results[part.name]) for part in program.outputs]
        lent = np.empty(workspace(*sizes), np.float64) if workspace is not None else None
        with threads():
            code = function(*sizes, *arguments, *outputs, *([_pointer(lent)] if lent is not None else []))
        if code != 0:
            raise RuntimeError(f"{program.layer}_{program.direction} returned {code}")

    return run


def numpy_pass(function: Callable[..., Any], program: Program, record: Callable[..., Any] | None) -> Run:
    """Calls a generated Python function; `record` makes the `saved` of the second pass from names, None for the forward pass."""

    def run(extents: Mapping[str, int], given: Values, results: Mapping[str, Array]) -> None:
        inputs = [given[a.name] for a in program.arguments if a.role == INPUT]
        if record is None:
            constants = {a.name: given[a.name] for a in program.arguments if a.role == CONSTANT}
            function(*inputs, **constants, out=results)
        else:
            function(*inputs, record({**given, **extents}), out=results)

    return run


def _pointer(value: Array) -> ctypes.c_void_p:
    return ctypes.c_void_p(value.ctypes.data)


def _signature(program: Program, last: tuple[str, ...]) -> Signature:
    """Python's own signature, so that a wrong call is refused in Python's own words."""
    forward = not last
    inputs = [a for a in program.arguments if a.role == INPUT]
    parameters = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in (*(a.name for a in inputs), *last)]
    constants = [a for a in program.arguments if a.role == CONSTANT] if forward else []
    defaults = [ABSENT if a.default is None else float(a.default) for a in constants]
    keywords = [Parameter(a.name, Parameter.KEYWORD_ONLY, default=value) for a, value in zip(constants, defaults, strict=True)]
    return Signature([*parameters, *keywords])
