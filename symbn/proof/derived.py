"""A derivation's own results as questions.

In: a derivation, or a layer to derive.  Out: a question for each result; the values that results share come along.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from symbn.calculus.derivation import Derivation
from symbn.calculus.engine import derive
from symbn.expr import Expr, Read, rename_indices, transform
from symbn.language import Equation, definition_text, parse_assumption
from symbn.layer import Definition, Layer
from symbn.proof.question import Question, extra_names
from symbn.vocabulary import vocabulary


def derived(layer: Layer, *, assume: Iterable[str] = (), **asked: Any) -> tuple[Question, ...]:
    """What the engine finds, as questions to the prover; `asked` are `derive`'s mode, order, wrt and save."""
    given = tuple(parse_assumption(one, layer, extra_names(layer)) for one in assume)
    return tuple(Question(q.layer, q.equation, given) for q in results_of(derive(layer, steps=False, **asked)))


def results_of(derivation: Derivation) -> tuple[Question, ...]:
    """One question for each result, about the layer that was differentiated first.

    A value that results share is a question of its own where it is a derivative that the layer has a name for; others are put in.
    """
    layer = derivation.layer if derivation.first is None else derivation.first.layer
    named = vocabulary(layer)
    plain = [shared for shared in derivation.intermediates if shared.name not in named]
    results = [shared for shared in derivation.intermediates if shared.name in named]
    results += [gradient.definition for gradient in derivation.gradients.values()]
    found = []
    for definition in results:
        read = Read(definition.name, definition.indices)
        found.append(Question(layer, Equation(read, _written_out(definition.expr, plain), definition_text(definition))))
    return tuple(found)


def _written_out(expr: Expr, shared: Sequence[Definition]) -> Expr:
    """The expression with the values that results share put in, the last first."""
    for definition in reversed(shared):
        expr = transform(expr, partial(_put_in, definition))
    return expr


def _put_in(definition: Definition, node: Expr) -> Expr:
    if not isinstance(node, Read) or node.name != definition.name:
        return node
    return rename_indices(definition.expr, dict(zip(definition.indices, node.indices, strict=True)))
