"""The explanation through total derivatives.

In: a narrative.  Out: for each input the chain rule, the total derivative of each quantity on the way (as differentiated, with what is
known put in, simplified), the substitution, the split sum and the compact form.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from math import prod

from symbn.calculus.convert import to_poly
from symbn.calculus.cost import equal_trees
from symbn.calculus.jacobian import jacobian, numerator_letters, total_derivatives
from symbn.calculus.narrative import Line, Narrative, element, has_delta_under_sum, listed, vanishing_sums, watch
from symbn.calculus.problem import Problem, prepare
from symbn.calculus.relations import Relations, relate
from symbn.calculus.terms import Poly
from symbn.expr import (
    ZERO,
    Call,
    Delta,
    Expr,
    Index,
    Mul,
    Num,
    Pow,
    Read,
    Reduce,
    add,
    free_indices,
    mul,
    num,
    power,
    reads,
    rename_indices,
    transform,
)
from symbn.layer import Definition


def jacobian_route(narrative: Narrative) -> list[Line]:
    """The lines for all wanted inputs, one after the other."""
    lines: list[Line] = []
    for name in narrative.wanted:
        lines.extend(_Route(narrative, name).lines())
    return lines


class _Route:
    """The explanation of one input's gradient."""

    def __init__(self, narrative: Narrative, name: str) -> None:
        self.narrative = narrative
        self.name = name
        self.at = narrative.problem.letters[name]
        self.path = narrative.dependent(name)
        self.known: dict[str, Definition] = {}

    def lines(self) -> Iterator[Line]:
        """Everything, in reading order."""
        gradient = self.narrative.found.results[self.name]
        if not self.path:
            yield Line(replace(gradient, expr=ZERO), f"no output depends on {self.name}")
            return
        yield self._chain_rule(gradient)
        if self.at:
            yield self._itself()
        for name in self.path:
            yield from self._total(name)
        yield from self._together(gradient)

    def _chain_rule(self, gradient: Definition) -> Line:
        outputs = [name for name in self.narrative.layer.outputs if name in self.path]
        terms = [self._through(name, Read(f"d{name}_d{self.name}", self._above(name) + self.at)) for name in outputs]
        between = [name for name in self.path if name not in outputs]
        output = element(outputs[0], self._above(outputs[0]))
        every = f"every {output}" if self._above(outputs[0]) else output
        over = f"chain rule over all {', '.join(i.name for i in self._above(outputs[0]))}" if self._above(outputs[0]) else "chain rule"
        through = f" through {listed(between)}" if between else ""
        return Line(replace(gradient, expr=add(*terms)), f"{over}, since {every} depends on {element(self.name, self.at)}{through}")

    def _through(self, output: str, derivative: Expr) -> Expr:
        above = self._above(output)
        term = mul(Read(f"d{output}", above), derivative)
        return Reduce("sum", term, above) if above else term

    def _above(self, name: str) -> tuple[Index, ...]:
        return numerator_letters(self.narrative.problem, self.narrative.notation, name, self.name)

    def _itself(self) -> Line:
        above = self._above(self.name)
        delta = mul(*(Delta(k, i) for k, i in zip(above, self.at, strict=True)))
        same = f"{element(self.name, above)} and {element(self.name, self.at)} are one variable where the indices agree, else independent"
        return Line(Definition(f"d{self.name}_d{self.name}", above + self.at, delta), same)

    def _total(self, name: str) -> Iterator[Line]:
        """As differentiated; with what is known put in; simplified."""
        above = self._above(name)
        definition = self.narrative.layer.definition(name)
        expr = rename_indices(definition.expr, dict(zip(definition.indices, above, strict=True)))
        expr, helpers = self._with_helpers(expr)
        for helper in helpers:
            yield from self._helper(helper)
        by = self.narrative.by(self.name, self.at, [*self.path, *self.known])
        left = Definition(f"d{name}_d{self.name}", above + self.at, by.of(expr))
        yield Line(left, f"differentiate the definition of {name}{_rules_used(expr, helpers)}")
        put_in = replace(left, expr=self._put_in(left.expr))
        if put_in != left:
            yield Line(put_in, f"put in {listed(self._used(left.expr))}")
        relations, simple = self._simplified(name, above)
        if not equal_trees(simple.expr, put_in.expr):
            yield Line(simple, _why(put_in.expr, relations, self.narrative))
        self.known[name] = simple

    def _with_helpers(self, expr: Expr) -> tuple[Expr, list[Definition]]:
        """In a product of several factors that vary, a root or quotient gets a letter, so that it is differentiated on its own line."""
        if not isinstance(expr, Mul):
            return expr, []
        by = self.narrative.by(self.name, self.at)
        varying = [factor for factor in expr.factors if by.of(factor) != ZERO]
        helpers: list[Definition] = []
        factors = list(expr.factors)
        for factor in varying if len(varying) > 1 else []:
            if isinstance(factor, Pow | Call):
                helper = Definition(self._letter([h.name for h in helpers]), (), factor)
                indices = tuple(i for i in self._above(self.path[-1]) if i in free_indices(factor))
                helpers.append(replace(helper, indices=indices))
                factors[factors.index(factor)] = Read(helper.name, indices)
        return mul(*factors), helpers

    def _letter(self, taken: list[str]) -> str:
        names = {*self.narrative.layer.names, *taken, *self.known}
        return next(letter for letter in ("r", "s", "u", "w", *(f"r{n}" for n in range(99))) if letter not in names)

    def _helper(self, helper: Definition) -> Iterator[Line]:
        yield Line(helper, "a letter for what is differentiated next", is_helper=True)
        by = self.narrative.by(self.name, self.at, [*self.path, *self.known])
        left = Definition(f"d{helper.name}_d{self.name}", helper.indices + self.at, by.of(_plain_power(helper.expr)))
        yield Line(left, "power rule and chain rule")
        tree = self.narrative.show(to_poly(self._put_in(left.expr)), left.indices)
        if tree != left.expr:
            yield Line(replace(left, expr=tree), f"put in {listed(self._used(left.expr))}")
        self.known[helper.name] = replace(left, expr=tree)

    def _put_in(self, expr: Expr) -> Expr:
        """Known total derivatives in place of their names."""

        def change(node: Expr) -> Expr:
            if isinstance(node, Read) and node.name in titles:
                known = titles[node.name]
                return rename_indices(known.expr, dict(zip(known.indices, node.indices, strict=True)))
            return _numbers_first(node)

        titles = {known.name: known for known in self.known.values()}
        return transform(expr, change)

    def _used(self, expr: Expr) -> list[str]:
        titles = {known.name for known in self.known.values()}
        return [name for name in reads(expr) if name in titles]

    def _simplified(self, name: str, above: tuple[Index, ...]) -> tuple[Relations, Definition]:
        """The total derivative in terms of the names defined so far."""
        problem = _up_to(self.narrative.problem, name)
        relations = relate(problem, {})
        totals = total_derivatives(problem, self.name, relations.rules.reduce)
        return relations, jacobian(problem, self.narrative.notation, relations, name, self.name, totals[name])

    def _together(self, gradient: Definition) -> Iterator[Line]:
        outputs = [name for name in self.narrative.layer.outputs if name in self.path]
        whole = add(*(self._through(name, self._put_in(Read(self.known[name].name, self._above(name) + self.at))) for name in outputs))
        yield Line(replace(gradient, expr=whole), f"put in {listed(self.known[name].name for name in outputs)}")
        spread = _spread(self.narrative, to_poly(whole), gradient.indices)
        if not equal_trees(spread, whole) and not equal_trees(spread, gradient.expr):
            sift = "sift the delta, " if has_delta_under_sum(whole) else ""
            yield Line(replace(gradient, expr=spread), f"{sift}split the sum and take out what does not depend on its index")
        if not equal_trees(gradient.expr, whole):
            yield Line(gradient, "collect the common factors: the compact form")


def _spread(narrative: Narrative, poly: Poly, scope: tuple[Index, ...]) -> Expr:
    """Every term on its own, none collected."""
    terms = sorted(poly.sorted_terms(), key=lambda term: len(term[0]))
    return add(*(narrative.show(Poly({monomial: coefficient}), scope) for monomial, coefficient in terms))


def _up_to(problem: Problem, name: str) -> Problem:
    """The layer with its definitions up to a name, which is what a reader has seen by then."""
    layer = problem.layer
    place = next(n for n, d in enumerate(layer.definitions) if d.name == name)
    prefix = prepare(replace(layer, definitions=layer.definitions[: place + 1], outputs=(name,)))
    return replace(prefix, letters=problem.letters)


def _why(before: Expr, relations: Relations, narrative: Narrative) -> str:
    """The reasons for a simplification: deltas sifted, sums that vanish, definitions used."""
    reasons = ["sift the delta"] if has_delta_under_sum(before) else []
    reasons += vanishing_sums(before, relations.rules, narrative.builder)
    if not reasons:
        rules = watch(relations.rules)
        changed = rules.reduce(to_poly(before)) != to_poly(before)
        reasons = [f"by the definition of {listed(rules.fired)}"] if changed and any(rules.fired) else ["collect terms"]
    return "; ".join(reasons)


def _rules_used(expr: Expr, helpers: list[Definition]) -> str:
    if helpers:
        return " by the product rule"
    return " term by term" if isinstance(expr, Reduce) else ""


def _numbers_first(node: Expr) -> Expr:
    """a*(-1)*b as -a*b."""
    if not isinstance(node, Mul):
        return node
    flat = mul(*node.factors)
    factors = flat.factors if isinstance(flat, Mul) else (flat,)
    number = prod((f.value for f in factors if isinstance(f, Num)), start=Fraction(1))
    return mul(num(number), *(f for f in factors if not isinstance(f, Num)))


def _plain_power(expr: Expr) -> Expr:
    """1/sqrt(u) as u**(-1/2), which the power rule differentiates in one go."""
    match expr:
        case Call("rsqrt", (arg,)):
            return power(arg, Fraction(-1, 2))
        case Call("sqrt", (arg,)):
            return power(arg, Fraction(1, 2))
        case Pow(Call("sqrt", (arg,)), Num(exponent)):
            return power(arg, exponent / 2)
    return expr
