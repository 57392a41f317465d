"""The derivation a reader follows.

In: a prepared layer and the form its search found.  Out: numbered equations, each with its reason, from the chain rule to the compact form.

Two routes, chosen by the shape of the layer: through total derivatives, one quantity after the other, where everything is a scalar or has
one index (`jacobian_route`); through adjoints, from the output back, for arrays (`adjoint_route`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symbn.calculus.adjoint_route import adjoint_route
from symbn.calculus.compact import Found
from symbn.calculus.derivation import Step
from symbn.calculus.jacobian_route import jacobian_route
from symbn.calculus.narrative import Line, Narrative, listed
from symbn.calculus.problem import Problem
from symbn.calculus.work import TooLong
from symbn.expr import reads
from symbn.language.latex import definition_latex, definition_latex_lines
from symbn.language.latex_names import LatexNames
from symbn.language.text import definition_text
from symbn.layer import Layer

# Beyond it, listing every total derivative tells a reader less than the adjoints do.
MOST_DEFINITIONS = 8


def explain(problem: Problem, wanted: Sequence[str], found: Found) -> tuple[Step, ...]:
    """The numbered steps for all wanted inputs."""
    narrative = Narrative(problem, tuple(wanted), found)
    lines = [*_introduced(problem), *_lines(narrative)]
    names = LatexNames.of(_with_helpers(problem.layer, lines))
    return tuple(_step(number, line, names) for number, line in enumerate(lines, 1))


def _lines(narrative: Narrative) -> list[Line]:
    """The lines of the first route that is not too long to write out."""
    for route in (jacobian_route, adjoint_route) if _is_flat(narrative) else (adjoint_route,):
        try:
            return route(narrative)
        except TooLong:
            continue
    return []


def _introduced(problem: Problem) -> list[Line]:
    """What has no name of the author's is named first, and then read by its name."""
    made = {definition.name for definition in problem.made}
    lines = []
    for definition in problem.layer.definitions:
        read = [name for name in reads(definition.expr) if name in made]
        if definition.name in made:
            lines.append(Line(definition, "a name for what the layer writes out", is_helper=True))
        elif read:
            lines.append(Line(definition, f"the definition of {definition.name}, by {listed(read)}"))
    return lines


def _with_helpers(layer: Layer, lines: Sequence[Line]) -> Layer:
    """The layer with the letters that the explanation introduced, so that their derivatives are typeset as such."""
    return replace(layer, definitions=(*layer.definitions, *(line.definition for line in lines if line.is_helper)))


def _is_flat(narrative: Narrative) -> bool:
    """Few definitions, no long products, at most one index each, nothing whose derivative needs a case distinction over a whole axis."""
    layer, letters = narrative.problem.layer, narrative.problem.letters
    if narrative.problem.kept or len(layer.definitions) > MOST_DEFINITIONS or any(len(indices) > 1 for indices in letters.values()):
        return False
    return all(narrative.by(narrative.wanted[0]).handles(d.expr) for d in layer.definitions)


def _step(number: int, line: Line, names: LatexNames) -> Step:
    definition = line.definition
    rows = definition_latex_lines(definition, names)
    return Step(str(number), definition_text(definition), definition_latex(definition, names), line.reason, definition, rows)
