"""What a number of an array is in memory, and what it is computed in.

In: a dtype by its short name, a layer.  Out: a Storage. Reading the tables imports nothing.

bfloat16 and IEEE half are types to keep numbers in: they are computed in float. An array whose axes are only some of another array's is
small beside it: a parameter, a statistic, a loss. It has float at no cost, as in PyTorch's autocast and in oneDNN, for a variance of 8
bits would spoil every element that is computed from it. So it is the shapes in the layer's signature that decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symbn.layer import Layer

# What a user asks for, and what NumPy calls it.
DTYPES: Mapping[str, str] = MappingProxyType({"f32": "float32", "f64": "float64", "bf16": "bfloat16", "f16": "float16"})
# What is generated unless a user asks for something else.
USUAL = ("f32", "f64")
HALVES = ("bf16", "f16")
SHORT: Mapping[str, str] = MappingProxyType({long: short for short, long in DTYPES.items()})


@dataclass(frozen=True, slots=True)
class Storage:
    """The element type `dtype`, a short name, for a layer whose signature has arrays of these `shapes`."""

    dtype: str
    shapes: tuple[tuple[str, ...], ...]

    @property
    def real(self) -> str:
        """The type of C in which elements are computed."""
        return "double" if self.dtype == "f64" else "float"

    def is_half(self, axes: tuple[str, ...]) -> bool:
        """Whether an array over these axes has 16 bits an element."""
        small = any(len(axes) < len(shape) and set(axes) <= set(shape) for shape in self.shapes)
        return self.dtype in HALVES and bool(axes) and not small

    def ctype(self, axes: tuple[str, ...]) -> str:
        """The type of C for an element of an array over these axes."""
        return "uint16_t" if self.is_half(axes) else self.real

    def bytes(self, axes: tuple[str, ...]) -> int:
        """The size of such an element."""
        return {"uint16_t": 2, "float": 4, "double": 8}[self.ctype(axes)]


def storage_of(layer: Layer, dtype: str) -> Storage:
    """How the layer's arrays are stored, and those of all its derivatives."""
    shapes = (*(part.axes for part in layer.inputs), *(part.axes for part in layer.constants), *map(layer.axes_of, layer.outputs))
    return Storage(dtype, tuple(dict.fromkeys(shapes)))
