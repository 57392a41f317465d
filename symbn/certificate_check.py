#!/usr/bin/env python3
"""Verifies certificates of symbn by plain polynomial arithmetic. Standard library only; imports nothing of symbn.

    python certificate_check.py FILE...

A certificate says: in the generators g0, g1, ... both sides of an equation are fractions of polynomials, and

    factor * (left.numerator * right.denominator - right.numerator * left.denominator) = sum(multiplier * relation).

Each relation only defines a generator by earlier ones, `g**power * denominator - numerator`, or says that g is 0 or 1, `g**2 - g`; so the
relations cannot contradict each other, and the sides are equal wherever no denominator is 0. What the generators mean stands beside them.
Exit status: 0 all verified, 1 one is wrong, 2 a file cannot be read.
"""

import json
import sys
from fractions import Fraction
from math import prod
from pathlib import Path
from random import Random
from typing import Any

Polynomial = dict[tuple[int, ...], Fraction]


class WrongError(Exception):
    """The certificate does not prove what it says."""


def polynomial(terms: Any, generators: int) -> Polynomial:
    """[[coefficient, [[generator, exponent], ...]], ...] as {exponents: coefficient}."""
    result: Polynomial = {}
    for coefficient, powers in terms:
        exponents = [0] * generators
        for place, exponent in powers:
            if not (type(place) is type(exponent) is int and 0 <= place < generators and 0 < exponent <= 10_000):
                raise WrongError("a term has an impossible power")
            exponents[place] += exponent
        if not isinstance(coefficient, str) or not set(coefficient) <= set("-/0123456789"):
            raise WrongError("a coefficient is no fraction")
        result[tuple(exponents)] = result.get(tuple(exponents), Fraction(0)) + Fraction(coefficient)
    return {key: value for key, value in result.items() if value}


def add(left: Polynomial, right: Polynomial, sign: int = 1) -> Polynomial:
    """left + sign*right."""
    return {key: value for key in left | right if (value := left.get(key, Fraction(0)) + sign * right.get(key, 0))}


def multiply(left: Polynomial, right: Polynomial) -> Polynomial:
    """left*right."""
    result: Polynomial = {}
    for first, a in left.items():
        for second, b in right.items():
            key = tuple(map(int.__add__, first, second))
            result[key] = result.get(key, Fraction(0)) + a * b
    return {key: value for key, value in result.items() if value}


def denominator(terms: Any, generators: int) -> Polynomial:
    """A product of generators with coefficient 1, which are not 0 where the equation is defined."""
    if list((poly := polynomial(terms, generators)).values()) != [1]:
        raise WrongError("a denominator or the factor is not a product of generators")
    return poly


def check_denominators(relations: Any, generators: int, below: list[Polynomial], factor: Polynomial) -> None:
    """The factor comes from denominators, and random values are found at which none of these is 0: else nothing is said."""
    below = [*below, *(polynomial(one["denominator"], generators) for one in relations if one["kind"] == "root")]
    places = {place for poly in below for key in poly for place, exponent in enumerate(key) if exponent}
    random, values = Random(0), [Fraction(0)] * generators
    def at(terms: Any) -> Fraction:
        return sum((Fraction(c) * prod(values[g] ** e for g, e in powers) for c, powers in terms), Fraction(0))

    for _ in range(0 if any(e and g not in places for key in factor for g, e in enumerate(key)) else 100):
        values[:] = [Fraction(random.randint(1, 10**6)) for _ in values]
        for one in sorted(relations, key=lambda one: int(one["generator"])):
            if one["kind"] == "idempotent":
                values[one["generator"]] = Fraction(random.randint(0, 1))
            elif one["power"] == 1 or not at(one["numerator"]):
                values[one["generator"]] = at(one["numerator"]) / (at(one["denominator"]) or 1)
        if all(values[place] for place in places):
            return
    raise WrongError("the factor is no product of denominators, or these are always 0")


def relation(data: Any, generators: int, defined: set[int]) -> Polynomial:
    """The polynomial that a relation says is 0."""
    place = data["generator"]
    if type(place) is not int or place in defined or not 0 <= place < generators:
        raise WrongError(f"generator {place} is defined twice, or is not there")
    defined.add(place)
    one = tuple(int(other == place) for other in range(generators))
    if data["kind"] == "idempotent":
        return {tuple(2 * e for e in one): Fraction(1), one: Fraction(-1)}
    if data["kind"] != "root" or type(data["power"]) is not int or data["power"] < 1:
        raise WrongError("an unknown relation")
    above, below = polynomial(data["numerator"], generators), denominator(data["denominator"], generators)
    if any(key[later] for key in (*above, *below) for later in range(place, generators)):
        raise WrongError(f"generator {place} is not defined by earlier ones")
    return add(multiply({tuple(data["power"] * e for e in one): Fraction(1)}, below), above, -1)


def side(data: Any, generators: int) -> tuple[Polynomial, Polynomial]:
    """Numerator and denominator."""
    above, below = polynomial(data["numerator"], generators), denominator(data["denominator"], generators)
    if not above and any(any(key) for key in below):
        raise WrongError("a side is 0 over something")
    return above, below


def check(certificate: Any) -> None:
    """Raises WrongError unless the identity of every case holds."""
    if certificate["schema"] != 1 or not certificate["cases"]:
        raise WrongError("an unknown schema, or nothing to prove")
    for case in certificate["cases"]:
        generators = len(case["generators"])
        (left, below_left), (right, below_right) = side(case["left"], generators), side(case["right"], generators)
        factor = denominator(case["factor"], generators)
        gap = multiply(factor, add(multiply(left, below_right), multiply(right, below_left), -1))
        defined: set[int] = set()
        for data, multiplier in zip(case["relations"], case["multipliers"], strict=True):
            gap = add(gap, multiply(polynomial(multiplier, generators), relation(data, generators, defined)), -1)
        if gap:
            raise WrongError("the multipliers do not reduce the difference to 0")
        check_denominators(case["relations"], generators, [below_left, below_right], factor)


def main(paths: list[str]) -> int:
    """Prints a line for each certificate; the exit status."""
    status = 0 if paths else 2
    for path in paths:
        try:
            found = json.loads(Path(path).read_text(encoding="utf-8"))
            for certificate in (found or [{}]) if isinstance(found, list) else [found]:
                check(certificate)
                print(f"{path}: proved: {certificate['equation']}")
        except WrongError as error:
            print(f"{path}: WRONG: {error}")
            status = status or 1
        except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError) as error:
            print(f"{path}: cannot be read as a certificate: {type(error).__name__}: {error}", file=sys.stderr)
            status = 2
    if not paths:
        print(__doc__.split("\n\n")[1].strip(), file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
