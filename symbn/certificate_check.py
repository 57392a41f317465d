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
from pathlib import Path
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
            if not (isinstance(place, int) and isinstance(exponent, int) and 0 <= place < generators and exponent > 0):
                raise WrongError("a term has an impossible power")
            exponents[place] += exponent
        key = tuple(exponents)
        result[key] = result.get(key, Fraction(0)) + Fraction(coefficient)
    return {key: value for key, value in result.items() if value}


def add(left: Polynomial, right: Polynomial, sign: int = 1) -> Polynomial:
    """left + sign*right."""
    result = dict(left)
    for key, value in right.items():
        result[key] = result.get(key, Fraction(0)) + sign * value
    return {key: value for key, value in result.items() if value}


def multiply(left: Polynomial, right: Polynomial) -> Polynomial:
    """left*right."""
    result: Polynomial = {}
    for first, a in left.items():
        for second, b in right.items():
            key = tuple(map(int.__add__, first, second))
            result[key] = result.get(key, Fraction(0)) + a * b
    return {key: value for key, value in result.items() if value}


def product_of_generators(poly: Polynomial, what: str) -> Polynomial:
    """A denominator has to be a product of generators with coefficient 1, which are not 0 where the equation is defined."""
    if list(poly.values()) != [1]:
        raise WrongError(f"{what} is not a product of generators")
    return poly


def relation(data: Any, generators: int, defined: set[int]) -> Polynomial:
    """The polynomial that a relation says is 0."""
    place = data["generator"]
    if place in defined or not 0 <= place < generators:
        raise WrongError(f"generator {place} is defined twice, or is not there")
    defined.add(place)
    one = tuple(int(other == place) for other in range(generators))
    if data["kind"] == "idempotent":
        return {tuple(2 * e for e in one): Fraction(1), one: Fraction(-1)}
    if data["kind"] != "root" or data["power"] < 1:
        raise WrongError("an unknown relation")
    above, below = polynomial(data["numerator"], generators), polynomial(data["denominator"], generators)
    product_of_generators(below, "a relation's denominator")
    if any(key[later] for key in (*above, *below) for later in range(place, generators)):
        raise WrongError(f"generator {place} is not defined by earlier ones")
    return add(multiply({tuple(data["power"] * e for e in one): Fraction(1)}, below), above, -1)


def side(data: Any, generators: int) -> tuple[Polynomial, Polynomial]:
    """Numerator and denominator."""
    below = product_of_generators(polynomial(data["denominator"], generators), "a side's denominator")
    above = polynomial(data["numerator"], generators)
    if not above and any(any(key) for key in below):
        raise WrongError("a side is 0 over something")
    return above, below


def check_case(case: Any) -> None:
    """Raises WrongError unless the case's identity holds."""
    generators = len(case["generators"])
    (left, below_left), (right, below_right) = side(case["left"], generators), side(case["right"], generators)
    factor = product_of_generators(polynomial(case["factor"], generators), "the factor")
    gap = add(multiply(left, below_right), multiply(right, below_left), -1)
    defined: set[int] = set()
    total: Polynomial = {}
    if len(case["relations"]) != len(case["multipliers"]):
        raise WrongError("there is not one multiplier for each relation")
    for data, multiplier in zip(case["relations"], case["multipliers"], strict=True):
        total = add(total, multiply(polynomial(multiplier, generators), relation(data, generators, defined)))
    if add(multiply(factor, gap), total, -1):
        raise WrongError("the multipliers do not reduce the difference to 0")


def check(certificate: Any) -> None:
    """Raises WrongError unless every case of the certificate is proved."""
    if certificate["schema"] != 1:
        raise WrongError("an unknown schema")
    if not certificate["cases"]:
        raise WrongError("there is nothing to prove")
    for case in certificate["cases"]:
        check_case(case)


def main(paths: list[str]) -> int:
    """Prints a line for each certificate; the exit status."""
    status = 0 if paths else 2
    for path in paths:
        try:
            found = json.loads(Path(path).read_text(encoding="utf-8"))
            for certificate in found if isinstance(found, list) else [found]:
                check(certificate)
                print(f"{path}: proved: {certificate['equation']}")
        except WrongError as error:
            print(f"{path}: WRONG: {error}")
            status = status or 1
        except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            print(f"{path}: cannot be read as a certificate: {type(error).__name__}: {error}", file=sys.stderr)
            status = 2
    if not paths:
        print(__doc__.split("\n\n")[1].strip(), file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
