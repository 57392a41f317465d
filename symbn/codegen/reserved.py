"""Names that a target needs for itself.

In: a Derivation and the target's own names.  Out: the same Derivation, where a layer's name that is one of them has a trailing `_`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from symbn.calculus.derivation import Derivation, Gradient
from symbn.expr import Expr, Read, transform
from symbn.layer import Definition, Layer


def without(derivation: Derivation, reserved: frozenset[str]) -> Derivation:
    """The derivation without reserved names."""
    names = (*derivation.layer.names, *(seed.name for seed in derivation.seeds), *(definition.name for definition in derivation.formulas))
    renamed = {name: _free(name, names) for name in names if name in reserved}
    return _renamed(derivation, renamed) if renamed else derivation


def _free(name: str, names: tuple[str, ...]) -> str:
    while name in names:
        name += "_"
    return name


def _renamed(derivation: Derivation, names: Mapping[str, str]) -> Derivation:
    gradients = {of: _gradient(gradient, names) for of, gradient in derivation.gradients.items()}
    return replace(
        derivation,
        layer=_layer(derivation.layer, names),
        seeds=tuple(replace(seed, name=names.get(seed.name, seed.name)) for seed in derivation.seeds),
        intermediates=tuple(_definition(definition, names) for definition in derivation.intermediates),
        gradients=MappingProxyType(gradients),
        residuals=tuple(names.get(name, name) for name in derivation.residuals),
    )


def _layer(layer: Layer, names: Mapping[str, str]) -> Layer:
    return replace(
        layer,
        inputs=tuple(replace(part, name=names.get(part.name, part.name)) for part in layer.inputs),
        constants=tuple(replace(part, name=names.get(part.name, part.name)) for part in layer.constants),
        definitions=tuple(_definition(definition, names) for definition in layer.definitions),
        outputs=tuple(names.get(name, name) for name in layer.outputs),
        assumptions=(),
    )


def _gradient(gradient: Gradient, names: Mapping[str, str]) -> Gradient:
    return replace(gradient, definition=_definition(gradient.definition, names))


def _definition(definition: Definition, names: Mapping[str, str]) -> Definition:
    def change(expr: Expr) -> Expr:
        return Read(names[expr.name], expr.indices) if isinstance(expr, Read) and expr.name in names else expr

    return replace(definition, name=names.get(definition.name, definition.name), expr=transform(definition.expr, change))
