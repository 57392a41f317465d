"""The normal form that decides equality for every extent.

In: polynomials over inputs, constants and given cotangents (see `meaning`).  Out: equal polynomials in which every function is written by
few (exp, log, sin, cos, erf, conditions), every denominator and radicand is split into irreducible factors, and exp and log are split as
far as signs allow. `denominators.is_zero` then decides.

Each rewriting is an identity wherever both sides are defined. What is known to be nonnegative is passed in; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from sympy import factorint

from symbn.calculus.denominators import common_denominator
from symbn.calculus.factors import Factors, factors_of
from symbn.calculus.identities import settled
from symbn.calculus.powers import FACTOR_LIMIT, LARGEST_EXPANDED_POWER, is_positive, number_power, power
from symbn.calculus.rewrite import unify
from symbn.calculus.sums import extremum, open_sum, rename, sum_over
from symbn.calculus.terms import ONE, ZERO, Atom, Kind, Monomial, Number, Poly, constant, func, of_atom, temporary


class Canonical:
    """Normal forms under known signs: `nonnegative` are patterns, atoms whose free indices stand for any others."""

    def __init__(self, nonnegative: Sequence[Atom] = ()) -> None:
        self.nonnegative = list(nonnegative)
        self._known: dict[tuple[Atom, Number], Poly] = {}
        self._sign: dict[Atom, bool] = {}

    def learn(self, poly: Poly) -> None:
        """Notes that a value is never negative: where all its factors but one are above 0, that one is not below it.

        Of a**2*b nothing follows for b, which may be negative where a is 0.
        """
        value = self.value(poly)
        if not value:
            return
        found = factors_of(common_denominator(value))
        odd = [atom for atom, exponent in found.powers if exponent % 2 == 1 and not self.is_nonnegative(atom)]
        rest = [atom for atom, exponent in found.powers if atom not in odd and exponent > 0]
        if found.number > 0 and len(odd) == 1 and all(map(_is_above_zero, rest)):
            self.nonnegative.append(odd[0])
            self._known.clear()
            self._sign.clear()

    def value(self, poly: Poly) -> Poly:
        """The normal form up to common denominators."""
        total: dict[Monomial, Number] = {}
        for monomial, coefficient in poly.sorted_terms():
            term = constant(coefficient)
            for atom, exponent in monomial:
                term = term * self._power_of_atom(atom, exponent)
            for made, number in term.terms.items():
                total[made] = total.get(made, 0) + number
        return settled(Poly(total))

    def lowest(self, poly: Poly) -> Poly:
        """The normal form in lowest terms, for what stands inside a function."""
        value = self.value(poly)
        if not any(atom.kind is Kind.BASE for atom in value.atoms()):
            return value
        total = ZERO
        for part in _by_residue(common_denominator(value)):
            total = total + self._product(factors_of(part), 1)
        return total

    def _power_of_atom(self, atom: Atom, exponent: Number) -> Poly:
        key = (atom, exponent)
        if key not in self._known:
            self._known[key] = self._computed(atom, exponent)
        return self._known[key]

    def _computed(self, atom: Atom, exponent: Number) -> Poly:
        match atom.kind:
            case Kind.FUNC:
                name, args = atom.parts
                return self.power(self._function(name, tuple(self.lowest(arg) for arg in args)), exponent)
            case Kind.BASE:
                return self.power(self.value(atom.parts[0]), exponent)
            case Kind.SUM:
                fresh, body = open_sum(atom)
                return self.power(sum_over(fresh, self.value(body)), exponent)
            case Kind.REDUCE:
                kind, bound, body = atom.parts
                fresh = tuple(temporary(index.axis) for index in bound)
                opened = rename(body, dict(zip(bound, fresh, strict=True)))
                return self.power(extremum(kind, fresh, self.lowest(opened)), exponent)
        return self.power(of_atom(atom), exponent)

    def power(self, poly: Poly, exponent: Number) -> Poly:
        """poly ** exponent, split over the irreducible factors of poly as far as their signs allow."""
        if isinstance(exponent, int) and (0 <= exponent <= LARGEST_EXPANDED_POWER or not poly):
            return power(poly, exponent)
        if not poly:
            return power(poly, exponent)
        parts = _by_residue(common_denominator(poly))
        if len(parts) == 1:
            return self._product(factors_of(parts[0]), exponent)
        whole = ZERO
        for part in parts:
            whole = whole + self._product(factors_of(part), 1)
        return self._product(factors_of(whole), exponent)

    def _product(self, found: Factors, exponent: Number) -> Poly:
        """The product of all factors to a power."""
        if isinstance(exponent, int):
            result = constant(Fraction(found.number) ** exponent)
            for atom, inner in found.powers:
                result = result * _raise(atom, inner * exponent)
            return result
        return self._root(found, exponent)

    def _root(self, found: Factors, exponent: Number) -> Poly:
        """A fractional power: nonnegative factors come out, even powers as absolute values; the rest stays under one root."""
        result = number_power(abs(found.number), exponent)
        rest = constant(1 if found.number > 0 else -1)
        for atom, inner in found.powers:
            if self.is_nonnegative(atom) or Fraction(inner).denominator > 1:
                result = result * _raise(atom, inner * exponent)
            elif inner % 2 == 0 and Fraction(inner * exponent).denominator == 1:
                result = result * _raise(atom, inner * exponent) * (self._sign_of(atom) if inner * exponent % 2 else ONE)
            else:
                rest = rest * _raise(atom, inner)
        if rest == ONE:
            return result
        return result * self._one_root(rest, exponent)

    def _one_root(self, rest: Poly, exponent: Number) -> Poly:
        single = rest.single()
        if single is not None and single[1] == 1 and len(single[0]) == 1 and abs(single[0][0][1]) == 1:
            atom, inner = single[0][0]
            return of_atom(atom, inner * exponent)
        return of_atom(Atom(Kind.BASE, rest), exponent)

    def _sign_of(self, atom: Atom) -> Poly:
        """1 where the factor is not negative, else -1."""
        return ONE - self._below_zero(_raise(atom, 1)).scale(2)

    def is_nonnegative(self, atom: Atom) -> bool:
        """Whether the factor is known to be >= 0 for all values of its indices."""
        if atom not in self._sign:
            self._sign[atom] = self._found_nonnegative(atom)
        return self._sign[atom]

    def _found_nonnegative(self, atom: Atom) -> bool:
        if is_positive(atom) or any(True for known in self.nonnegative for _ in unify(known, atom, {})):
            return True
        match atom.kind:
            case Kind.SUM:
                return self._monomial_nonnegative(atom.parts[1])
            case Kind.BASE:
                return all(c > 0 and self._monomial_nonnegative(m) for m, c in atom.parts[0].terms.items())
            case Kind.REDUCE:
                return all(c > 0 and self._monomial_nonnegative(m) for m, c in atom.parts[2].terms.items())
        return atom.kind is Kind.FUNC and str(atom.parts[0]).startswith("is")

    def _monomial_nonnegative(self, monomial: Monomial) -> bool:
        return all(Fraction(e).denominator > 1 or e % 2 == 0 or self.is_nonnegative(a) for a, e in monomial)

    # Functions, by few of them. The arguments are in normal form.

    def _function(self, name: str, args: tuple[Poly, ...]) -> Poly:
        rule = _RULES.get(name)
        return rule(self, *args) if rule else func(name, *args)

    def _exp(self, argument: Poly) -> Poly:
        """exp(a + c*b) = exp(a)*exp(b)**c, and exp(c*log(u)) = u**c."""
        result = ONE
        for monomial, coefficient in argument.sorted_terms():
            if len(monomial) == 1 and monomial[0][1] == 1 and _is(monomial[0][0], "log"):
                result = result * self.power(monomial[0][0].parts[1][0], coefficient)
            else:
                result = result * of_atom(Atom(Kind.FUNC, "exp", (Poly({monomial: 1}),)), coefficient)
        return result

    def _log(self, argument: Poly) -> Poly:
        """The logarithm of a product, split where the factors' signs are known."""
        found = factors_of(common_denominator(argument))
        result, rest = ZERO, constant(found.number)
        for atom, exponent in found.powers:
            if _is(atom, "exp"):
                result = result + atom.parts[1][0].scale(exponent)
            elif self.is_nonnegative(atom):
                result = result + func("log", _raise(atom, 1)).scale(exponent)
            else:
                rest = rest * _raise(atom, exponent)
        number = rest.as_number()
        if number is not None and number > 0:
            return result + _log_of_number(Fraction(number))
        return result + func("log", rest)

    def _sigmoid(self, argument: Poly) -> Poly:
        return self.power(ONE + self._exp(-argument), -1)

    def _tanh(self, argument: Poly) -> Poly:
        square = self._exp(argument.scale(2))
        return (square - ONE) * self.power(square + ONE, -1)

    def _pow(self, base: Poly, exponent: Poly) -> Poly:
        """A power by data has a positive base; one by an extent may have any."""
        if any(atom.kind is not Kind.EXTENT for atom in exponent.atoms()):
            return self._exp(self.lowest(exponent * self._log(base)))
        if not base or not all(isinstance(c, int) and all(e > 0 for _, e in m) for m, c in exponent.terms.items()):
            return func("pow", base, exponent)
        found = factors_of(common_denominator(base))
        parts = [(of_atom(atom) if exponent == 1 else _raise(atom, exponent)) for atom, exponent in found.powers]
        result = ONE
        for part in (constant(found.number), *parts):
            result = result * self._whole_power(part, exponent)
        return result

    def _whole_power(self, base: Poly, exponent: Poly) -> Poly:
        """base**(a*N + b) = (base**N)**a * base**b, for whole a and b."""
        if base == ONE:
            return ONE
        single = base.single()
        if single is not None and single[1] > 0 and all(is_positive(atom) for atom, _ in single[0]):
            return self._exp(self.lowest(exponent * self._log(base)))
        result = ONE
        for monomial, times in exponent.sorted_terms():
            result = result * (of_atom(Atom(Kind.FUNC, "pow", (base, Poly({monomial: 1}))), times) if monomial else self.power(base, times))
        return result

    def _abs(self, argument: Poly) -> Poly:
        return argument * (ONE - self._below_zero(argument).scale(2))

    def _signum(self, argument: Poly) -> Poly:
        return ONE - self._below_zero(argument).scale(2) - self._is_zero(argument)

    def _maximum(self, left: Poly, right: Poly) -> Poly:
        return left + (right - left) * self._below_zero(left - right)

    def _minimum(self, left: Poly, right: Poly) -> Poly:
        return left + (right - left) * self._below_zero(right - left)

    def _below_zero(self, argument: Poly) -> Poly:
        """[u < 0], with u free of positive factors and its first term positive."""
        number, core = self._oriented(argument)
        if (value := core.as_number()) is not None:
            return ONE if number * value < 0 else ZERO
        if number > 0 and core.single() is not None and self._monomial_nonnegative(next(iter(core.terms))):
            return ZERO
        below = func("is<", core)
        return below if number > 0 else ONE - below - self._is_zero(core)

    def _is_zero(self, argument: Poly) -> Poly:
        _, core = self._oriented(argument)
        value = core.as_number()
        return func("is==", core) if value is None else constant(int(value == 0))

    def _oriented(self, argument: Poly) -> tuple[Number, Poly]:
        """A sign and what is left of the argument without factors that are positive wherever it is defined."""
        if not argument:
            return 1, ZERO
        found = factors_of(common_denominator(argument))
        core = ONE
        for atom, exponent in found.powers:
            if is_positive(atom) or (exponent < 0 and (Fraction(exponent).denominator > 1 or exponent % 2 == 0)):
                continue
            core = core * _raise(atom, 1 if exponent % 2 == 1 else 2)
        return (1 if found.number > 0 else -1), core


_RULES: dict[str, Callable[..., Poly]] = {
    "exp": Canonical._exp,
    "log": Canonical._log,
    "sigmoid": Canonical._sigmoid,
    "tanh": Canonical._tanh,
    "pow": Canonical._pow,
    "abs": Canonical._abs,
    "sign": Canonical._signum,
    "maximum": Canonical._maximum,
    "minimum": Canonical._minimum,
    "is<": Canonical._below_zero,
    "is==": Canonical._is_zero,
    "stop_gradient": lambda self, argument: argument,  # the value is the argument's; derivatives have been taken
    "sin": lambda self, argument: _odd("sin", argument),
    "erf": lambda self, argument: _odd("erf", argument),
    "cos": lambda self, argument: func("cos", _positive(argument)[1]),
}


def _is_above_zero(atom: Atom) -> bool:
    """Whether the factor is above 0 wherever it is defined, by its kind or as a sum of such."""
    if atom.kind is Kind.SUM:
        return all(_is_above_zero(inner) for inner, _ in atom.parts[1])
    if atom.kind in (Kind.BASE, Kind.REDUCE):
        return all(number > 0 and all(_is_above_zero(inner) for inner, _ in m) for m, number in atom.parts[-1].terms.items())
    return is_positive(atom)


def _is(atom: Atom, name: str) -> bool:
    return atom.kind is Kind.FUNC and bool(atom.parts[0] == name)


def _positive(argument: Poly) -> tuple[int, Poly]:
    """A sign, and the argument with its first term positive."""
    negative = bool(argument) and argument.sorted_terms()[0][1] < 0
    return (-1, -argument) if negative else (1, argument)


def _odd(name: str, argument: Poly) -> Poly:
    sign, inside = _positive(argument)
    return func(name, inside).scale(sign)


def _log_of_number(value: Fraction) -> Poly:
    """log(12/5) = 2*log(2) + log(3) - log(5)."""
    result = ZERO
    for number, sign in ((value.numerator, 1), (value.denominator, -1)):
        for prime, times in factorint(number, limit=FACTOR_LIMIT).items():
            result = result + func("log", constant(int(prime))).scale(int(times) * sign)
    return result


def _raise(atom: Atom, exponent: Number) -> Poly:
    """A factor to a power: a radicand to a whole positive power is multiplied out."""
    exponent = int(exponent) if Fraction(exponent).denominator == 1 else Fraction(exponent)
    if exponent == 0:
        return ONE
    if atom.kind is Kind.BASE and isinstance(exponent, int) and exponent > 0:
        return power(atom.parts[0], exponent)
    return of_atom(atom, exponent)


def _by_residue(poly: Poly) -> list[Poly]:
    """The polynomial split by the fractional parts of the radicands' exponents: no two parts share a term."""
    groups: dict[Monomial, dict[Monomial, Number]] = {}
    for monomial, coefficient in poly.sorted_terms():
        residue = tuple((a, Fraction(e) % 1) for a, e in monomial if a.kind is Kind.BASE and Fraction(e) % 1)
        groups.setdefault(residue, {})[monomial] = coefficient
    return [Poly(terms) for terms in groups.values()]
