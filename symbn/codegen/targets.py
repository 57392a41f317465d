"""The targets: what each makes, from which templates, under which names.

In: nothing.  Out: one table. Reading it imports neither Jinja nor SymPy, so that the command line can list it at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from symbn.errors import TargetError
from symbn.expr import FUNCTIONS

# No value has a word of C for its name, but its derivative may: `do` is the cotangent of `o`.
C_WORDS = ("do", "double", "default", "delete", "decltype", "dynamic_cast")


@dataclass(frozen=True, slots=True)
class File:
    """One file of a target: `name` with {stem} for the variant's (see variant.py), and the template it is made from."""

    name: str
    template: str


@dataclass(frozen=True, slots=True)
class Target:
    """A kind of output. `view` is where the function that makes its templates' view lives, as `module:function`.

    `typed` says that its files hold one function for each dtype, `prefixed` that their names take a prefix of the user's choice;
    `reserved` are names that its code needs for itself.
    """

    name: str
    summary: str
    view: str
    files: tuple[File, ...]
    typed: bool = False
    prefixed: bool = False
    reserved: frozenset[str] = frozenset()


TARGETS: Mapping[str, Target] = MappingProxyType(
    {
        "numpy": Target(
            "numpy",
            "a Python module that needs NumPy alone",
            "symbn.codegen.views.numpy:numpy_view",
            (File("{stem}.py", "numpy/module.py.j2"),),
            reserved=frozenset({"dtype", "extents", "saved", "out", "np", "math", "NamedTuple"}),
        ),
        "c": Target(
            "c",
            "C99, also valid C++, float32 and float64; bfloat16 and float16 on request",
            "symbn.codegen.views.c:c_view",
            (File("{stem}.h", "c/kernel.h.j2"), File("{stem}.c", "c/kernel.c.j2")),
            typed=True,
            prefixed=True,
            reserved=frozenset({"fabs", "pow", "workspace", "HUGE_VAL", "uint16_t", *FUNCTIONS, *C_WORDS}),
        ),
        "latex": Target(
            "latex",
            "a fragment for \\input, and a document around it",
            "symbn.codegen.views.latex:latex_view",
            (File("{stem}.tex", "latex/fragment.tex.j2"), File("{stem}-standalone.tex", "latex/standalone.tex.j2")),
        ),
    }
)


def target_named(name: str) -> Target:
    """The target. Raises TargetError, with those there are."""
    if name not in TARGETS:
        raise TargetError(f"unknown target {name!r}", hint=f"targets: {', '.join(TARGETS)}")
    return TARGETS[name]


def file_names(stem: str, target: str) -> tuple[str, ...]:
    """The files that a target consists of; `stem` is the layer's name where nothing but its backward pass is asked for."""
    return tuple(file.name.format(stem=stem) for file in target_named(target).files)
