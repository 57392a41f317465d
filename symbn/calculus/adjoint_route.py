"""The explanation through adjoints.

In: a narrative.  Out: from the outputs back, the adjoint of each quantity: the chain rule through everything that reads it, then what the
definitions make of it; and the compact gradients.
"""

from __future__ import annotations

from collections.abc import Iterator

from symbn.calculus.adjoint import pullback
from symbn.calculus.compact import shortest
from symbn.calculus.cost import equal_trees
from symbn.calculus.narrative import Line, Narrative, element, listed, watch
from symbn.calculus.problem import active_reads
from symbn.calculus.sums import rename
from symbn.calculus.terms import ZERO, Poly, var
from symbn.layer import Definition


def adjoint_route(narrative: Narrative) -> list[Line]:
    """The lines for all quantities, from the last to the first."""
    return [line for name in _order(narrative) for line in _lines(narrative, name)]


def _order(narrative: Narrative) -> list[str]:
    """Definitions from the last to the first that carry an adjoint, then the wanted inputs."""
    layer = narrative.layer
    passing = [d.name for d in reversed(layer.definitions) if d.name in narrative.found.swept.values and d.name not in layer.outputs]
    reads = active_reads(layer, narrative.wanted)
    return [*(name for name in passing if reads[name]), *narrative.wanted]


def _lines(narrative: Narrative, name: str) -> Iterator[Line]:
    indices = narrative.problem.letters[name]
    readers = _readers(narrative, name)
    raw = _chain_rule(narrative, name, readers)
    left = Definition(f"d{name}", indices, narrative.show(raw, indices))
    through = listed(element(reader.name, reader.indices) for reader in readers)
    verb = "reads" if len(readers) == 1 else "read"
    yield Line(left, f"chain rule: {through} {verb} {element(name, indices)}" if readers else f"no output depends on {name}")
    final = _final(narrative, name)
    if not equal_trees(final.expr, left.expr):
        yield Line(final, _why(narrative, name, raw))


def _readers(narrative: Narrative, name: str) -> list[Definition]:
    """Definitions with an adjoint that read the name."""
    reads = active_reads(narrative.layer, narrative.wanted)
    return [d for d in narrative.layer.definitions if name in reads[d.name] and narrative.found.swept.values.get(d.name)]


def _chain_rule(narrative: Narrative, name: str, readers: list[Definition]) -> Poly:
    """Adjoints by name times partial derivatives, deltas sifted, nothing else."""
    problem = narrative.problem
    total = ZERO
    for reader in readers:
        fresh, partial = problem.partial(reader, name)
        share = pullback(var(f"d{reader.name}", reader.indices), reader.indices, partial)
        total = total + rename(share, dict(zip(fresh, problem.letters[name], strict=True)))
    return total


def _final(narrative: Narrative, name: str) -> Definition:
    """The adjoint in its compact form."""
    found, indices = narrative.found, narrative.problem.letters[name]
    named = {d.name: d for d in (*found.intermediates, *found.results.values())}
    if f"d{name}" in named:
        return named[f"d{name}"]
    tree = shortest(narrative.builder, found.swept.values.get(name, ZERO), indices, found.relations)
    return Definition(f"d{name}", indices, tree)


def _why(narrative: Narrative, name: str, raw: Poly) -> str:
    """Which adjoints were put in, and which definitions were used."""
    found = narrative.found
    kept = {other for other, _ in found.swept.named} | set(narrative.layer.outputs)
    put_in = [f"d{d.name}" for d in _readers(narrative, name) if d.name not in kept]
    rules = watch(found.relations.rules)
    rules.reduce(raw)
    used = [source for source in rules.fired if source]
    reasons = [f"put in {listed(put_in)}"] if put_in else []
    if not found.swept.values.get(name, ZERO):
        reasons.append(f"everything cancels: no output depends on {name}")
    if used:
        reasons.append(f"use the definition{'s' if len(used) > 1 else ''} of {listed(used)}")
    return "; ".join(reasons) or "collect the common factors"
