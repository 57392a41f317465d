"""The names of results: which derivatives a layer has, what they are called, and what each means.

In: a layer.  Out: a `Quantity` for each name that an equation may use beside the layer's own.

The loss is `sum(dy*y)` over all outputs y, with the cotangents dy held fixed. A total derivative goes through all definitions: where it is
by a definition, that value is moved, and everything defined after it follows. A derived array's axes are the numerator's, then the
denominator's.

| name | kind | meaning |
| --- | --- | --- |
| `dy`, y an output | cotangent | given |
| `dx`, x an input | gradient | of the loss by x |
| `dmu`, mu a definition that is not an output | gradient | of the loss by mu |
| `dy_dx` | derivative | of a definition y by an input or an earlier definition x |
| `x_dot`, x an input | tangent | given |
| `y_dot`, y a definition | pushforward | the derivative of y along all tangents together |
| `ddx`, x an input | second cotangent | given, of dx |
| `grad_x`, x an input | second gradient | of `sum(ddx*dx)` over all inputs, by x |
| `grad_dy`, y an output | second gradient | of the same, by dy |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from symbn.layer import Layer

GIVEN = ("cotangent", "tangent", "second cotangent")


@dataclass(frozen=True, slots=True)
class Quantity:
    """One name: its axes, its kind (see the module's table), what it is a derivative of, and by what.

    `of` is "" where it is the loss, or `sum(ddx*dx)`; `by` is "" for a pushforward. A given quantity names what it belongs to in `of`.
    """

    name: str
    axes: tuple[str, ...]
    kind: str
    of: str = ""
    by: str = ""

    @property
    def given(self) -> bool:
        """Whether it may have any value; otherwise the layer and the given ones fix it."""
        return self.kind in GIVEN


def vocabulary(layer: Layer) -> Mapping[str, Quantity]:
    """Every quantity by its name. A name that the layer uses for a value of its own has that meaning alone and is left out."""
    found: dict[str, Quantity] = {}
    for quantity in _quantities(layer):
        if quantity.name not in layer.names:
            found.setdefault(quantity.name, quantity)
    return found


def _quantities(layer: Layer) -> Iterator[Quantity]:
    """Outputs and inputs before definitions: the first meaning of a name counts."""
    for name in layer.outputs:
        yield Quantity(f"d{name}", layer.axes_of(name), "cotangent", of=name)
    for part in layer.inputs:
        yield Quantity(f"d{part.name}", part.axes, "gradient", by=part.name)
        yield Quantity(f"{part.name}_dot", part.axes, "tangent", of=part.name)
        yield Quantity(f"dd{part.name}", part.axes, "second cotangent", of=f"d{part.name}")
        yield Quantity(f"grad_{part.name}", part.axes, "second gradient", by=part.name)
    for name in layer.outputs:
        yield Quantity(f"grad_d{name}", layer.axes_of(name), "second gradient", by=f"d{name}")
    for definition in layer.definitions:
        yield Quantity(f"{definition.name}_dot", definition.axes, "pushforward", of=definition.name)
        if definition.name not in layer.outputs:
            yield Quantity(f"d{definition.name}", definition.axes, "gradient", by=definition.name)
    yield from _total_derivatives(layer)


def _total_derivatives(layer: Layer) -> Iterator[Quantity]:
    before = {part.name: part.axes for part in layer.inputs}
    for definition in layer.definitions:
        for name, axes in before.items():
            yield Quantity(f"d{definition.name}_d{name}", definition.axes + axes, "derivative", of=definition.name, by=name)
        before[definition.name] = definition.axes
