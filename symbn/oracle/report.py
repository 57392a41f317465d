"""What a verification says.

In: comparisons at concrete extents.  Out: a frozen record, and the one line that closes a derivation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from symbn.oracle.numbers import Leaf

SHOWN = 12  # elements of an array that a witness shows


@dataclass(frozen=True, slots=True)
class Failure:
    """One element that is wrong: `name[index]`, 1-based, is `found` and should be `expected`, for these extents and inputs."""

    name: str
    index: tuple[int, ...]
    found: Any
    expected: Any
    extents: Mapping[str, int]
    inputs: Mapping[str, Leaf]

    def __str__(self) -> str:
        where = f"[{', '.join(map(str, self.index))}]" if self.index else ""
        inputs = ", ".join(f"{name} = {shown(value)}" for name, value in self.inputs.items())
        at = "".join(f"{axis} = {extent}, " for axis, extent in self.extents.items())
        return f"{self.name}{where} is {number(self.found)}, should be {number(self.expected)} at {at}{inputs}"


@dataclass(frozen=True, slots=True)
class Verification:
    """How a derivation was held against its definitions.

    `checked` counts, for each result, the points at which it was equal. `extents` are those where all were, `kind` the arithmetic in which
    ("rational arithmetic", "exact square roots", "mpmath"). `skipped` are extents where the layer has no value. `ties` counts the points
    among them with ties or values at a kink. `floating_error` is max|found - true|/max|true| over all results at `floating_extents`.
    """

    ok: bool
    checked: Mapping[str, int]
    extents: tuple[Mapping[str, int], ...]
    skipped: tuple[Mapping[str, int], ...]
    kind: str
    claim: str
    ties: int = 0
    floating_error: float | None = None
    floating_extents: Mapping[str, int] | None = None
    floating_kind: str = "complex step"
    failure: Failure | None = None

    @property
    def line(self) -> str:
        """One line for a reader."""
        if self.failure is not None:
            return f"FAILED: {self.failure}"
        if not self.extents:
            return f"not verified: no point found where the layer is defined{_at(self.skipped)}"
        parts = [f"{self.claim}{_for(self.extents)} ({self.kind}){', ties included' if self.ties else ''}"]
        if self.floating_error is not None and self.floating_extents is not None:
            parts.append(f"{self.floating_error:.1e}{_at((self.floating_extents,))} ({self.floating_kind})")
        if self.skipped:
            parts.append(f"not defined{_at(self.skipped)}")
        return "verified: " + "; ".join(parts)


def number(value: Any) -> str:
    """A number as a reader takes it in: fractions in full, long ones and floats to 12 digits."""
    text = str(value)
    return text if len(text) <= 40 else f"{float(value):.12g}"


def shown(value: Leaf) -> str:
    """An array as nested brackets, cut after SHOWN elements."""
    if value.ndim == 0:
        return number(value.item())
    if value.size > SHOWN:
        return f"[{', '.join(number(element) for element in value.flat[:SHOWN])}, ...]"
    return f"[{', '.join(shown(part) if isinstance(part, type(value)) else number(part) for part in value)}]"


def _for(extents: tuple[Mapping[str, int], ...]) -> str:
    return f" for {_axes(extents)}" if extents[0] else ""


def _at(extents: tuple[Mapping[str, int], ...]) -> str:
    return f" at {_axes(extents)}" if extents and extents[0] else ""


def _axes(extents: tuple[Mapping[str, int], ...]) -> str:
    """`N = 1, 2, 3`, or `(N, C) = (1, 1), (2, 3)`."""
    axes = tuple(extents[0])
    if len(axes) == 1:
        return f"{axes[0]} = {', '.join(str(chosen[axes[0]]) for chosen in extents)}"

    tuples = (", ".join(str(chosen[axis]) for axis in axes) for chosen in extents)
    return f"({', '.join(axes)}) = {', '.join(f'({one})' for one in tuples)}"
