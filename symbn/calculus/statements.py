"""One layer, stated in several ways, and the best form found in any of them.

In: a layer and a direction.  Out: the shortest derivative found, with the sweep that gave it.

A search works on polynomials, so what it finds depends on how the definitions become such: multiplied out, where sums cancel against
each other; or with products of sums kept as they stand, where multiplying out would repeat each factor many times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from symbn.calculus.compact import Found, Search
from symbn.calculus.problem import Problem, assume_parameters_nonzero, prepare
from symbn.calculus.sweeps import Sweep
from symbn.calculus.undefined import refuse_divisions_by_zero
from symbn.errors import UnsupportedError
from symbn.layer import Layer


class Outcome(NamedTuple):
    """The sweep over the statement that served best, the form found, and whether a search was cut short."""

    sweep: Sweep
    found: Found
    cut: bool


def best_form(layer: Layer, direction: Callable[[Problem], Sweep], save: Sequence[str] | None = None) -> Outcome:
    """The first of the cheapest.

    Raises LayerError where the layer has no value anywhere, UnsupportedError where no statement of it leads to a form.
    """
    best: Outcome | None = None
    failure: UnsupportedError | None = None
    for problem in _statements(layer):
        sweep = direction(problem if save is None else assume_parameters_nonzero(problem))
        try:
            found, cut = Search(sweep, save).run()
        except UnsupportedError as error:
            failure = failure or error
            continue
        if best is None or found.price < best.found.price:
            best = Outcome(sweep, found, cut)
    if best is None:
        assert failure is not None
        raise failure
    return best


def _statements(layer: Layer) -> Iterator[Problem]:
    plain = prepare(layer)
    refuse_divisions_by_zero(plain)
    yield plain
    kept = prepare(layer, keep=True)
    if kept.polys != plain.polys:
        yield kept
