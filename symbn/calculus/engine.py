"""The door to the calculus: a layer in, its derivative out.

In: a Layer and what is asked of it.  Out: a `Derivation`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symbn.calculus.backward_layer import backward_layer
from symbn.calculus.cost import cost_of
from symbn.calculus.derivation import Derivation, Gradient, Step
from symbn.calculus.invariants import invariants
from symbn.calculus.jacobian import jacobians
from symbn.calculus.problem import Problem
from symbn.calculus.saved import everything
from symbn.calculus.statements import Outcome, best_form
from symbn.calculus.steps import explain
from symbn.calculus.sweeps import Forward, Reverse
from symbn.errors import LayerError, SymbnError
from symbn.expr import Num, Pow, Read, reads, walk
from symbn.layer import Definition, Input, Layer

MODES = ("vjp", "jvp", "jacobian")
ORDERS = (1, 2)


def derive(
    layer: Layer,
    *,
    wrt: Sequence[str] | None = None,
    mode: str = "vjp",
    order: int = 1,
    save: Sequence[str] | None = None,
    steps: bool = True,
) -> Derivation:
    """The derivative of `layer` by the inputs `wrt` (all when None), in the author's names.

    `mode` is one of MODES. Order 2, for vjp, is the backward pass of the backward pass. With `save`, the backward pass reads no forward
    values but these (see `saved`). `steps=False` skips the explanation. Raises LayerError for an unknown input or an impossible request,
    UnsupportedError for a function without a derivative rule.
    """
    wanted = _wanted(layer, wrt)
    if mode not in MODES:
        raise SymbnError(f"unknown mode '{mode}'", hint=f"one of {', '.join(MODES)}")
    if order not in ORDERS or (order == 2 and mode != "vjp"):
        raise SymbnError(f"order {order} is not available for mode '{mode}'", hint="order 2 goes with mode vjp")
    if save is not None and (mode != "vjp" or order != 1):
        raise SymbnError("save goes with mode vjp and order 1")
    if order == 2:
        return _second_order(layer, wanted)
    if mode == "jvp":
        forward = best_form(layer, lambda problem: Forward(problem, wanted))
        return _derivation(layer, mode, 1, wanted, forward, ())
    outcome = best_form(layer, lambda problem: Reverse(problem, wanted), save)
    problem, found = outcome.sweep.problem, outcome.found
    if found.missing:
        raise _impossible(layer, save or (), found.missing)
    if mode == "jacobian":
        return _jacobian(layer, wanted, outcome)
    derivation = _derivation(layer, mode, 1, wanted, outcome, explain(problem, wanted, found) if steps else ())
    kept = None if save is None else tuple(name for name in layer.names if name in save)
    return replace(derivation, invariants=invariants(problem, found), save=kept)


def _impossible(layer: Layer, save: Sequence[str], missing: tuple[str, ...]) -> LayerError:
    names, given = ", ".join(missing), f"{', '.join(save)} alone" if save else "nothing"
    return LayerError(
        f"the backward pass of '{layer.name}' cannot be computed from {given}: it also needs {names}",
        hint=f"no definition of the layer gives {names} back from what is saved; save {','.join((*save, *missing))}",
    )


def _wanted(layer: Layer, wrt: Sequence[str] | None) -> tuple[str, ...]:
    names = tuple(part.name for part in layer.inputs)
    for name in wrt or ():
        if name not in names:
            kind = "a constant" if name in {c.name for c in layer.constants} else "not an input"
            raise LayerError(f"'{name}' is {kind} of '{layer.name}'", hint=f"its inputs are {', '.join(names)}")
    if not names:
        raise LayerError(f"'{layer.name}' has no input to differentiate by")
    return tuple(name for name in names if wrt is None or name in wrt)


def _second_order(layer: Layer, wanted: tuple[str, ...]) -> Derivation:
    first = derive(layer, wrt=wanted, steps=False)
    again = backward_layer(first)
    inputs = tuple(part.name for part in again.inputs)
    outcome = best_form(again, lambda problem: Reverse(problem, inputs, prefix="grad_"))
    return replace(_derivation(again, "vjp", 2, inputs, outcome, ()), first=first)


def _jacobian(layer: Layer, wanted: tuple[str, ...], outcome: Outcome) -> Derivation:
    problem = outcome.sweep.problem
    results = jacobians(problem, wanted, outcome.found)
    gradients = {of: _gradient(of, definition) for of, definition in results.items()}
    again = everything(problem).recomputed(name for definition in results.values() for name in reads(definition.expr))
    residuals = _residuals(layer, [*again, *results.values()], ())
    return Derivation(layer, "jacobian", 1, wanted, (), again, gradients, (), residuals, _notes(outcome.cut))


def _derivation(layer: Layer, mode: str, order: int, wanted: tuple[str, ...], outcome: Outcome, steps: tuple[Step, ...]) -> Derivation:
    sweep, found, cut = outcome
    formulas = [*found.intermediates, *found.results.values()]
    gradients = {name: _gradient(name, definition) for name, definition in found.results.items()}
    residuals = _residuals(layer, formulas, sweep.seeds)
    notes = (*_notes(cut), *_divisions(sweep.problem, formulas))
    return Derivation(layer, mode, order, wanted, sweep.seeds, found.intermediates, gradients, steps, residuals, notes)


def _gradient(of: str, definition: Definition) -> Gradient:
    cost = cost_of([definition.expr])
    return Gradient(of, definition, cost.reductions, cost.operations)


def _residuals(layer: Layer, definitions: Sequence[Definition], seeds: Sequence[Input]) -> tuple[str, ...]:
    """Forward values that the results read, in the author's order."""
    found = {name for d in definitions for name in reads(d.expr)} - {seed.name for seed in seeds} - {d.name for d in definitions}
    return tuple(name for name in layer.names if name in found)


def _divisions(problem: Problem, definitions: Sequence[Definition]) -> tuple[str, ...]:
    """A note for every parameter that the results divide by although the layer does not."""
    divisors = {
        node.base.name
        for d in definitions
        for node in walk(d.expr)
        if isinstance(node, Pow) and isinstance(node.base, Read) and isinstance(node.exponent, Num) and node.exponent.value < 0
    }
    return tuple(f"divides by {name}, which must not be 0" for name in problem.layer.names if name in divisors & set(problem.assumed))


def _notes(cut: bool) -> tuple[str, ...]:
    return ("the search for a shorter form stopped at its budget; this is the best form found",) if cut else ()


