"""A derivation to functions that run.

In: a Derivation, a target, a dtype.  Out: a Kernel.
"""

from __future__ import annotations

import ctypes
import importlib.util
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from symbn.calculus.derivation import Derivation
from symbn.codegen.aliasing import overlays
from symbn.codegen.generate import render
from symbn.codegen.lower import LOOPS
from symbn.codegen.passes import backward_program, forward_program, lost_axes, saved_names
from symbn.codegen.program import Program
from symbn.codegen.reserved import without
from symbn.codegen.schedule import schedule
from symbn.codegen.storage import HALVES, SHORT, Storage, storage_of
from symbn.codegen.targets import TARGETS
from symbn.codegen.variant import variant_of
from symbn.codegen.views.numpy_body import numpy_bodies
from symbn.errors import TargetError
from symbn.tools.compiler import Compiler
from symbn.tools.halves import dtype_of
from symbn.tools.kernel import Kernel, Pass, c_pass, numpy_pass
from symbn.tools.library import load
from symbn.tools.threads import limited

BUILDS = ("c", "numpy")
# The methods of a kernel that run its two passes, by what the second is.
METHODS = {
    "backward": ("forward", "backward"),
    "jvp": ("forward", "jvp"),
    "jacobian": ("forward", "jacobian"),
    "double_backward": ("backward", "double_backward"),
}


def build(
    derivation: Derivation, *, target: str = "c", dtype: str = "float32", threads: int | None = None, compiler: Compiler | None = None
) -> Kernel:
    """Generates, compiles where the target needs it, and loads. TargetError for an unknown target or dtype, or without a compiler.

    `threads` is how many the kernel may use, None for as many as OpenMP gives.
    """
    if target not in BUILDS:
        raise TargetError(f"{target!r} cannot be built", hint=f"targets to build: {', '.join(BUILDS)}")
    if dtype not in SHORT:
        raise TargetError(f"unknown dtype {dtype!r}", hint=f"dtypes: {', '.join(SHORT)}")
    if target == "numpy" and SHORT[dtype] in HALVES:
        raise TargetError(f"NumPy does not compute in {dtype}", hint="use target='c', or dtype='float32' and .astype(np.float32)")
    if threads is not None and threads < 1:
        raise ValueError(f"threads is {threads}, should be at least 1")
    names, derivation = METHODS[variant_of(derivation).passes[1]], without(derivation, TARGETS[target].reserved)
    programs = (forward_program(derivation, LOOPS), backward_program(derivation, LOOPS))
    storage = storage_of(derivation.layer, SHORT[dtype])
    passes = _c(derivation, programs, SHORT[dtype], compiler, threads) if target == "c" else _numpy(derivation, programs, storage)
    return Kernel(derivation.layer, target, storage, passes, names, saved_names(derivation), lost_axes(programs[1]))


def _c(
    derivation: Derivation, programs: tuple[Program, Program], suffix: str, compiler: Compiler | None, threads: int | None
) -> tuple[Pass, Pass]:
    library = load(render(derivation, "c", dtypes=(suffix,), proved=False), compiler)
    first, second = (_c_pass(library, program, suffix, threads) for program in programs)
    return first, second


def _c_pass(library: ctypes.CDLL, program: Program, suffix: str, threads: int | None) -> Pass:
    loops = schedule(program)
    name = f"symbn_{program.layer}_{program.direction}"
    workspace = library[f"{name}_workspace"] if loops.buffers else None
    function = library[f"{name}_{suffix}"]
    run = c_pass(function, program, workspace, limited(function, library, threads))
    return Pass(program, frozenset(overlays(program, loops)), run)


def _numpy(derivation: Derivation, programs: tuple[Program, Program], storage: Storage) -> tuple[Pass, Pass]:
    forward, backward = programs
    module = load_module(render(derivation, "numpy", proved=False))
    fields = (*saved_names(derivation), *lost_axes(backward))
    saved = next(value for name, value in vars(module).items() if name.endswith("Saved"))

    def record(known: Mapping[str, Any]) -> Any:
        return saved(*(known[name] for name in fields), *(() if backward.arguments else (dtype_of(storage, ()),)))

    allowed = [frozenset(body.overlays) for body in numpy_bodies(derivation)]
    functions = [getattr(module, f"{program.layer}_{program.direction}") for program in programs]
    return (
        Pass(forward, allowed[0], numpy_pass(functions[0], forward, None)),
        Pass(backward, allowed[1], numpy_pass(functions[1], backward, record)),
    )


def load_module(files: Mapping[str, str]) -> ModuleType:
    """Imports the one Python module among `files`, from a temporary file."""
    (name, text), *_ = ((name, text) for name, text in files.items() if name.endswith(".py"))
    with tempfile.TemporaryDirectory(prefix="symbn-") as place:
        path = Path(place) / name
        path.write_text(text, encoding="ascii")
        spec = importlib.util.spec_from_file_location(f"symbn_generated_{Path(name).stem}", path)
        if spec is None or spec.loader is None:
            raise TargetError(f"cannot import {name}")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module
