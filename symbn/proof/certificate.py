"""A proof as data, for anyone to check.

In: a question that was proved.  Out: JSON-ready data that `symbn/certificate_check.py` verifies by plain polynomial arithmetic.

Both normal forms are fractions of polynomials in generators: extents, reads, exponentials, sums of one monomial each, and roots or
denominators, which a relation defines: `g**power * denominator = numerator` in earlier generators. The multipliers show that

    factor * (left.numerator * right.denominator - right.numerator * left.denominator) = sum(multiplier * relation).

`factor` is a product of generators that stand in denominators. A polynomial is a list of terms, a term a coefficient as text and a list of
[generator, exponent].
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from typing import Any

from sympy import QQ, ring

from symbn._version import __version__
from symbn.calculus.compact import Notation
from symbn.calculus.denominators import common_bodies, common_denominator
from symbn.calculus.derivation import Derivation
from symbn.calculus.sweeps import Reverse
from symbn.calculus.terms import Atom, Kind, Monomial, Poly, is_idempotent, of_atom
from symbn.calculus.work import limited
from symbn.errors import SymbnError, UnsupportedError
from symbn.expr import Compare
from symbn.language import expr_text, layer_text
from symbn.proof.derived import results_of
from symbn.proof.prover import Prover
from symbn.proof.question import Question

SCHEMA = 1
SHORT = 12  # hexadecimal digits of the short hash
# Steps (calculus/work.py) that the proof named in a generated file's header may take: a second at most.
HEADER = 30_000


def certificates(questions: Sequence[Question]) -> list[dict[str, Any]]:
    """The certificates of proved questions, in order."""
    provers: dict[tuple[int, tuple[Compare, ...]], Prover] = {}
    found = []
    for question in questions:
        key = (id(question.layer), question.assume)
        if key not in provers:
            provers[key] = Prover(question.layer, question.assume)
        found.append(_certificate(question, provers[key]))
    return found


def certificate_of(derivation: Derivation) -> str:
    """The short hash of the certificates of a derivation's results; "" for one that the prover does not settle."""
    try:
        with limited(HEADER):
            return short_hash(certificates(results_of(derivation)))
    except (SymbnError, RecursionError):
        return ""


def _certificate(question: Question, prover: Prover) -> dict[str, Any]:
    sweep = Reverse(prover.meanings.problem, tuple(part.name for part in question.layer.inputs))
    show = Notation(sweep).builder(factor=False).build

    def meaning(atom: Atom) -> str:
        return expr_text(show(of_atom(atom), atom.free))

    cases = [_Case(left, right, meaning).data() for left, right in prover.sides(question.equation.left, question.equation.right)]
    if not cases:
        raise UnsupportedError(f"not proved: {question.equation.text}")
    return {
        "schema": SCHEMA,
        "symbn": __version__,
        "layer": layer_text(question.layer),
        "equation": question.equation.text,
        "assumptions": [expr_text(claim) for claim in (*question.layer.assumptions, *question.assume)],
        "cases": cases,
    }


def certificate_text(parts: Sequence[dict[str, Any]]) -> str:
    """One certificate, or a list of them, as JSON with sorted keys."""
    return json.dumps(parts[0] if len(parts) == 1 else list(parts), indent=1, sort_keys=True) + "\n"


def short_hash(parts: Sequence[dict[str, Any]]) -> str:
    """The first digits of the SHA-256 of the certificates' text."""
    return hashlib.sha256(certificate_text(parts).encode()).hexdigest()[:SHORT]


class _Case:
    """One pair of normal forms whose difference is 0."""

    def __init__(self, left: Poly, right: Poly, show: Any) -> None:
        self.show = show
        if common_denominator(left - right):
            left, right = common_bodies((left, right))
        self.sides = left, right
        self.atoms = _closure(self.sides)
        self.scale = {atom: self._scale(atom) for atom in self.atoms}
        self.ring, *self.generators = ring([f"g{place}" for place in range(len(self.atoms))], QQ)
        self.place = {atom: place for place, atom in enumerate(self.atoms)}

    def _scale(self, atom: Atom) -> int:
        """Which root of the atom is the generator: the one of which all its powers are whole powers."""
        polys = [*self.sides, *(a.parts[0] for a in self.atoms if a.kind is Kind.BASE)]
        return lcm(*(Fraction(e).denominator for poly in polys for m in poly.terms for a, e in m if a is atom), 1)

    def data(self) -> dict[str, Any]:
        """The case as plain data."""
        (left, below_left), (right, below_right) = map(self._fraction, self.sides)
        gap = left * below_right - right * below_left
        factor, multipliers = self._reduced(gap)
        used = [(relation, multiplier) for relation, multiplier in multipliers if multiplier]
        return {
            "generators": [self._meaning(atom) for atom in self.atoms],
            "left": {"numerator": self._plain(left), "denominator": self._plain(below_left)},
            "right": {"numerator": self._plain(right), "denominator": self._plain(below_right)},
            "relations": [relation for relation, _ in used],
            "multipliers": [self._plain(multiplier) for _, multiplier in used],
            "factor": self._plain(factor if used else self.ring(1)),
        }

    def _meaning(self, atom: Atom) -> str:
        text, scale = self.show(atom), self.scale[atom]
        return text if scale == 1 else f"({text})**(1/{scale})"

    def _fraction(self, poly: Poly) -> tuple[Any, Any]:
        """Numerator and denominator in the generators; the denominator is a product of generators."""
        lowest: dict[Atom, int] = {}
        for monomial in poly.terms:
            for atom, exponent in monomial:
                lowest[atom] = min(lowest.get(atom, 0), int(exponent * self.scale[atom]))
        below = self._monomial(tuple((atom, Fraction(-low, self.scale[atom])) for atom, low in lowest.items() if low))
        above = self.ring(0)
        for monomial, number in poly.terms.items():
            exponents = dict(monomial)
            shifted = tuple((a, exponents.get(a, 0) - Fraction(low, self.scale[a])) for a, low in lowest.items())
            rest = tuple((a, e) for a, e in monomial if a not in lowest)
            above += self._monomial((*shifted, *rest)) * QQ(*Fraction(number).as_integer_ratio())
        return above, below

    def _monomial(self, monomial: Monomial) -> Any:
        result = self.ring(1)
        for atom, exponent in monomial:
            result *= self.generators[self.place[atom]] ** int(exponent * self.scale[atom])
        return result

    def _reduced(self, gap: Any) -> tuple[Any, list[tuple[dict[str, Any], Any]]]:
        """The factor, and each relation with its multiplier; relations of later generators come first, since they speak of earlier ones."""
        factor: Any = self.ring(1)
        found: list[tuple[dict[str, Any], Any]] = []
        for atom in reversed(self.atoms):
            relation = self._relation(atom)
            if relation is None:
                continue
            data, power, above, below = relation
            place, generator = self.place[atom], self.generators[self.place[atom]]
            multiplier = self.ring(0)
            while (degree := max((exponents[place] for exponents in gap.itermonoms()), default=0)) >= power:
                lead = self.ring.from_dict({_without(m, place): c for m, c in gap.iterterms() if m[place] == degree})
                step = lead * generator ** (degree - power)
                gap = gap * below - step * (generator**power * below - above)
                multiplier, factor = multiplier * below + step, factor * below
                found = [(other, previous * below) for other, previous in found]
            found.append((data, multiplier))
        if gap:
            raise UnsupportedError("the normal forms are not the same")
        return factor, found

    def _relation(self, atom: Atom) -> tuple[dict[str, Any], int, Any, Any] | None:
        """The relation as data, the power, and numerator and denominator of what the generator's power is."""
        if is_idempotent(atom):
            return {"kind": "idempotent", "generator": self.place[atom]}, 2, self.generators[self.place[atom]], self.ring(1)
        if atom.kind is Kind.BASE:
            above, below = self._fraction(common_denominator(atom.parts[0]))
        elif atom.kind is Kind.PRIME and self.scale[atom] > 1:
            above, below = self.ring(atom.parts[0]), self.ring(1)
        else:
            return None
        data = {
            "kind": "root",
            "generator": self.place[atom],
            "power": self.scale[atom],
            "numerator": self._plain(above),
            "denominator": self._plain(below),
        }
        return data, self.scale[atom], above, below

    def _plain(self, poly: Any) -> list[list[Any]]:
        terms = sorted(poly.iterterms(), reverse=True)
        return [[str(Fraction(int(c.numerator), int(c.denominator))), [[g, int(e)] for g, e in enumerate(m) if e]] for m, c in terms]


def _without(monomial: tuple[int, ...], place: int) -> tuple[int, ...]:
    return (*monomial[:place], 0, *monomial[place + 1 :])


def _closure(polys: Sequence[Poly]) -> list[Atom]:
    """The atoms of the polynomials and of their radicands; each radicand's atoms stand before it."""
    order: dict[Atom, None] = {}

    def visit(atom: Atom) -> None:
        if atom in order:
            return
        if atom.kind is Kind.BASE:
            for inner in common_denominator(atom.parts[0]).atoms():
                visit(inner)
        order.setdefault(atom)

    for poly in polys:
        for atom in poly.atoms():
            visit(atom)
    return list(order)
