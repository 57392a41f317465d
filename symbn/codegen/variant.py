"""What the files and functions of a derivation are called.

In: a layer's name and what is asked of it, or a Derivation.  Out: a Variant, whose names differ wherever the functions do: the files of
any two of them can be linked into one program.

| asked | file | first pass | second pass |
| --- | --- | --- | --- |
| nothing | `norm` | `norm_forward` | `norm_backward` |
| mode jvp | `norm_jvp` | `norm_jvp_forward` | `norm_jvp` |
| mode jacobian | `norm_jacobian` | `norm_jacobian_forward` | `norm_jacobian` |
| order 2 | `norm_double_backward` | `norm_backward_saving` | `norm_double_backward` |
| save y | `norm_from_y` | `norm_from_y_forward` | `norm_from_y_backward` |
| wrt x | `norm_wrt_x` | `norm_wrt_x_forward` | `norm_wrt_x_backward` |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from symbn.errors import LayerError, UnsupportedError
from symbn.layer import Layer

if TYPE_CHECKING:
    from symbn.calculus.derivation import Derivation

# What the two passes are called, by mode and order.
PASSES = {
    ("vjp", 1): ("forward", "backward"),
    ("jvp", 1): ("jvp_forward", "jvp"),
    ("jacobian", 1): ("jacobian_forward", "jacobian"),
    ("vjp", 2): ("backward_saving", "double_backward"),
}


@dataclass(frozen=True, slots=True)
class Variant:
    """A layer's name and what is asked of it. `wrt` is None for all inputs, `save` for a free choice."""

    layer: str
    mode: str = "vjp"
    order: int = 1
    wrt: tuple[str, ...] | None = None
    save: tuple[str, ...] | None = None

    @property
    def passes(self) -> tuple[str, str]:
        """What the two passes are called. Raises UnsupportedError for a mode that has no kernel."""
        try:
            return PASSES[self.mode, self.order]
        except KeyError:
            raise UnsupportedError(f"no code is generated for mode {self.mode!r} of order {self.order}") from None

    @property
    def base(self) -> str:
        """What the functions' names start with."""
        wrt = "" if self.wrt is None else f"_wrt_{'_'.join(self.wrt)}"
        save = "" if self.save is None else f"_from_{'_'.join(self.save) or 'nothing'}"
        return f"{self.layer}{wrt}{save}"

    @property
    def stem(self) -> str:
        """What the files are called, and the names that the functions share."""
        second = self.passes[1]
        return self.base if second == "backward" else f"{self.base}_{second}"

    @property
    def options(self) -> tuple[str, ...]:
        """How to ask for it at the command line."""
        return (
            *(word for name in self.wrt or () for word in ("--wrt", name)),
            *(("--mode", self.mode) if self.mode != "vjp" else ()),
            *(("--order", str(self.order)) if self.order != 1 else ()),
            *(("--save", ",".join(self.save)) if self.save is not None else ()),
        )


def variant_of(derivation: Derivation) -> Variant:
    """The variant that a derivation is, also where a target has renamed the layer's values (see reserved.py)."""
    first = derivation.first or derivation
    every = len(first.wrt) == len(first.layer.inputs)
    return Variant(first.layer.name, derivation.mode, derivation.order, None if every else first.wrt, derivation.save)


def variant_named(
    layer: Layer, *, mode: str = "vjp", order: int = 1, wrt: Sequence[str] | None = None, save: Sequence[str] | None = None
) -> Variant:
    """The variant that would be derived, with names in the layer's order. Raises LayerError for a name that the layer lacks."""
    unknown = next((name for name in (*(wrt or ()), *(save or ())) if name not in layer.names), None)
    if unknown is not None:
        raise LayerError(f"'{unknown}' is no value of '{layer.name}'", hint=f"its values are {', '.join(layer.names)}")
    some = None if wrt is None else tuple(part.name for part in layer.inputs if part.name in wrt)
    kept = None if save is None else tuple(name for name in layer.names if name in save)
    return Variant(layer.name, mode, order, None if some is None or len(some) == len(layer.inputs) else some, kept)
