"""What `check` answers.

In: nothing.  Out: frozen records that print themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from symbn.oracle.witness import Witness

EQUAL, NOT_EQUAL, EQUAL_WHEN, UNDECIDED = "EQUAL", "NOT EQUAL", "EQUAL WHEN", "UNDECIDED"
# Of several equations together, the first status in this order that one of them has.
_WORST = (NOT_EQUAL, EQUAL_WHEN, UNDECIDED, EQUAL)
_EXIT = {EQUAL: 0, NOT_EQUAL: 1, EQUAL_WHEN: 1, UNDECIDED: 3}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one equation, or to several together, which are then its `parts`.

    `status` is EQUAL, NOT_EQUAL, EQUAL_WHEN or UNDECIDED; `condition` is what makes it true, as text that `assume` takes; `witness` the
    smallest point where the sides differ; `hints` what would make them equal; `reason` why it could not be decided; `assumptions` what
    the proof holds under; `checked` how the independent evaluation confirmed it.
    """

    status: str
    equation: str
    condition: str = ""
    witness: Witness | None = None
    hints: tuple[str, ...] = ()
    reason: str = ""
    assumptions: tuple[str, ...] = ()
    checked: str = ""
    parts: tuple[Verdict, ...] = ()

    @property
    def hint(self) -> str:
        """The first hint, or ""."""
        return self.hints[0] if self.hints else ""

    @property
    def exit_code(self) -> int:
        """0 equal, 1 not (or only under a condition), 3 undecided."""
        return _EXIT[self.status]

    @property
    def headline(self) -> str:
        """`EQUAL WHEN gamma = 1`."""
        return f"{self.status} {self.condition}" if self.status == EQUAL_WHEN else self.status

    @property
    def lines(self) -> tuple[str, ...]:
        """The headline with the equation, and below it what supports it."""
        if self.parts:
            return tuple(line for part in self.parts for line in part.lines)
        details = [
            ("assuming", ", ".join(self.assumptions)),
            ("checked", self.checked),
            ("witness", str(self.witness) if self.witness else ""),
            *(("hint", hint) for hint in self.hints),
            ("reason", self.reason),
        ]
        return (f"{self.headline}: {self.equation}", *(f"  {word}: {text}" for word, text in details if text))

    @property
    def data(self) -> Mapping[str, Any]:
        """Plain data for JSON."""
        if self.parts:
            return {"status": self.status, "parts": [part.data for part in self.parts]}
        return {
            "status": self.status,
            "equation": self.equation,
            "condition": self.condition,
            "witness": None if self.witness is None else _plain(self.witness),
            "hints": list(self.hints),
            "reason": self.reason,
            "assumptions": list(self.assumptions),
            "checked": self.checked,
        }

    def __str__(self) -> str:
        return "\n".join(self.lines)


def together(parts: tuple[Verdict, ...]) -> Verdict:
    """One verdict for several equations; a single one stands for itself."""
    if len(parts) == 1:
        return parts[0]
    status = next(status for status in _WORST if any(part.status == status for part in parts))
    condition = next((part.condition for part in parts if part.status == status), "")
    return Verdict(status, "; ".join(part.equation for part in parts), condition, parts=parts)


def _plain(witness: Witness) -> Mapping[str, Any]:
    return {
        "extents": dict(witness.extents),
        "indices": dict(witness.indices),
        "values": {name: _texts(value) for name, value in witness.values.items()},
        "left": str(witness.left),
        "right": str(witness.right),
    }


def _texts(value: Any) -> Any:
    """Numbers as text, arrays as nested lists."""
    return [_texts(inner) for inner in value] if getattr(value, "shape", ()) else str(value.item() if hasattr(value, "item") else value)
