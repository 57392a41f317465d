"""One layer, stated in several ways, and the best form found in any of them.

In: a layer and a direction.  Out: the shortest derivative found, with the sweep that gave it.

A search works on polynomials, so what it finds depends on how the definitions become such: multiplied out, where sums cancel against
each other; or with products of sums kept as they stand, where multiplying out would repeat each factor many times. Where the form found
reads what stands in parts of the layer that the author has not named, a third statement names these: the names stay where they save work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from symbn.calculus.compact import Found, Search
from symbn.calculus.problem import Problem, assume_parameters_nonzero, prepare
from symbn.calculus.sweeps import Sweep
from symbn.calculus.undefined import refuse_divisions_by_zero
from symbn.calculus.unnamed import name_the_unnamed
from symbn.errors import UnsupportedError
from symbn.expr import Read, Reduce, reads, walk
from symbn.layer import Definition, Layer


class Outcome(NamedTuple):
    """The sweep over the statement that served best, the form found, and whether a search was cut short."""

    sweep: Sweep
    found: Found
    cut: bool


def best_form(layer: Layer, direction: Callable[[Problem], Sweep], save: Sequence[str] | None = None) -> Outcome:
    """The first of the cheapest.

    Raises LayerError where the layer has no value anywhere, UnsupportedError where no statement of it leads to a form.
    """
    plain = prepare(layer)
    refuse_divisions_by_zero(plain)
    best, failure = None, None
    for problem in (plain, *_with_products(layer, plain)):
        try:
            best = _better(best, _outcome(problem, direction, save))
        except UnsupportedError as error:
            failure = failure or error
    if best is None:
        assert failure is not None
        raise failure
    return _with_names(best, layer, direction, save)


def _outcome(problem: Problem, direction: Callable[[Problem], Sweep], save: Sequence[str] | None) -> Outcome:
    sweep = direction(problem if save is None else assume_parameters_nonzero(problem))
    return Outcome(sweep, *Search(sweep, save).run())


def _better(best: Outcome | None, other: Outcome) -> Outcome:
    return other if best is None or other.found.price < best.found.price else best


def _with_products(layer: Layer, plain: Problem) -> Iterator[Problem]:
    kept = prepare(layer, keep=True)
    if kept.polys != plain.polys:
        yield kept


def _with_names(best: Outcome, layer: Layer, direction: Callable[[Problem], Sweep], save: Sequence[str] | None) -> Outcome:
    """The form over names of our own, where that is less work."""
    named, made = name_the_unnamed(layer)
    if named == layer or not _may_shorten(made, best.found, layer):
        return best
    try:
        other = _outcome(replace(prepare(named), made=made), direction, save)
    except UnsupportedError:
        return best
    return other if _work(other.found) < _work(best.found) else best


def _may_shorten(made: Sequence[Definition], found: Found, layer: Layer) -> bool:
    """Whether the results sum what the forward pass has summed, or read what a large array of `made` is computed from."""
    nodes = [node for definition in (*found.intermediates, *found.results.values()) for node in walk(definition.expr)]
    if any(isinstance(node, Reduce) and set(reads(node)) <= set(layer.names) for node in nodes):
        return True
    rank = max(len(layer.axes_of(name)) for name in layer.names)
    large = [definition for definition in made if len(definition.axes) == rank and not isinstance(definition.expr, Reduce)]
    known = {name for definition in large for name in reads(definition.expr)} & set(layer.names)
    return any(isinstance(node, Read) and node.name in known for node in nodes)


def _work(found: Found) -> tuple[int, ...]:
    """Less missing, then fewer loops, sums, operations: between forms that differ in length alone the author's own names are worth more."""
    return len(found.missing), *found.cost[:4]
