"""Which axis each position of an array and each index runs over, found from SymPy's limits, ranges and shapes.

In: facts, such as "position 0 of x is read at j" and "j runs over N".  Out: the axis of each position, or an error that names the conflict.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from symbn.errors import LayerError

# ("x", 0): position 0 of x. ("", 7): index number 7, one for each letter on a left side and each that a Sum binds.
Key = tuple[str, int]


@dataclass
class Axes:
    """Positions and indices in classes of equal axis. `names` maps an extent as SymPy calls it to the axis, `n` to `N`."""

    names: dict[str, str] = field(default_factory=dict)
    parent: dict[Key, Key] = field(default_factory=dict)
    known: dict[Key, tuple[str, str]] = field(default_factory=dict)

    def extent(self, raw: str) -> str:
        """The axis that an extent names; it starts with a capital."""
        axis = self.names.setdefault(raw, raw[:1].upper() + raw[1:])
        clash = next((other for other, name in self.names.items() if name == axis and other != raw), None)
        if clash is not None:
            raise LayerError(f"the extents '{clash}' and '{raw}' would both be the axis {axis}", hint="rename one of them")
        return axis

    def root(self, key: Key) -> Key:
        """The representative of a class."""
        while (above := self.parent.get(key, key)) != key:
            key = above
        return key

    def fix(self, key: Key, axis: str, why: str) -> None:
        """`key` runs over `axis`; `why` is for the message, such as `in the sum over j`."""
        root = self.root(key)
        before = self.known.setdefault(root, (axis, why))
        if before[0] != axis:
            message = f"{_shown(key)} runs over {before[0]} {before[1]} and over {axis} {why}"
            raise LayerError(message, hint="give the two axes one name, or use two letters")

    def join(self, left: Key, right: Key, why: str) -> None:
        """Both run over one axis."""
        one, other = self.root(left), self.root(right)
        if one == other:
            return
        if other in self.known:
            axis, reason = self.known.pop(other)
            self.parent[other] = one
            known = self.known.get(one)
            if known is not None and known[0] != axis:
                named = left if left[0] else right
                raise LayerError(f"{_shown(named)} runs over {known[0]} {known[1]} and over {axis} {reason or why}", hint="use two letters")
            self.known[one] = (axis, reason)
        self.parent[other] = one

    def of(self, name: str, rank: int) -> tuple[str, ...]:
        """The axes of an array. LayerError where nothing says which."""
        found = [self.known.get(self.root((name, place))) for place in range(rank)]
        for place, axis in enumerate(found):
            if axis is None:
                what = f"axis {place + 1} of '{name}'" if rank > 1 else f"the axis of '{name}'"
                raise LayerError(f"nothing says what {what} is", hint=_how(name, rank))
        return tuple(axis[0] for axis in found if axis is not None)


def _how(name: str, rank: int) -> str:
    letters = ["N", "C", "S", "T", "K", "D", "G", "H"][:rank]
    shape = ", ".join(letters) + ("," if rank == 1 else "")
    return f'write inputs={{"{name}": "{" ".join(letters)}"}}, or IndexedBase("{name}", shape=({shape}))'


def _shown(key: Key) -> str:
    return f"position {key[1] + 1} of '{key[0]}'" if key[0] else "an index"
