"""Exact square roots: field axioms, canonical forms, signs."""

from fractions import Fraction
from math import isclose, isqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbn.oracle.roots import MAX_ROOTS, Surd, TooManyRootsError, Tower, sign

SMALL = st.fractions(min_value=-4, max_value=4, max_denominator=5)


def field():
    """A tower with sqrt(2), sqrt(3) and sqrt(1 + sqrt(2))."""
    tower = Tower()
    two, three = tower.sqrt(Fraction(2)), tower.sqrt(Fraction(3))
    return tower, two, three, tower.sqrt(1 + two)


@st.composite
def elements(draw):
    """Three elements of one field with three roots, one of them nested."""
    _, two, three, nested = field()
    basis = (Fraction(1), two, three, two * three, nested, nested * two)
    return tuple(sum((draw(SMALL) * b for b in basis), Fraction(0)) for _ in range(3))


@settings(max_examples=40, deadline=None)
@given(elements())
def test_addition_and_multiplication_make_a_field(abc):
    a, b, c = abc
    assert a + b == b + a
    assert a * b == b * a
    assert (a + b) + c == a + (b + c)
    assert (a * b) * c == a * (b * c)
    assert a * (b + c) == a * b + a * c
    assert a - a == 0
    assert a == 0 or a * (1 / a) == 1
    assert b == 0 or (a / b) * b == a


@settings(max_examples=40, deadline=None)
@given(elements())
def test_order_agrees_with_floating_point(abc):
    a, b, _ = abc
    difference = float(a - b)
    assert abs(difference) < 1e-9 or (a < b) == (difference < 0)
    assert (a <= b) == (not a > b)
    assert (a >= b) == (not a < b)


@settings(max_examples=40, deadline=None)
@given(elements())
def test_a_square_has_its_root(abc):
    tower, *_ = field()
    a = abc[0]
    rebuilt = moved(a, tower.roots)
    root = tower.sqrt(rebuilt * rebuilt)
    assert root in (rebuilt, -rebuilt)
    assert sign(root) >= 0
    assert len(tower.roots) == 3


def moved(number, roots):
    """The same element over other roots."""
    if isinstance(number, Fraction):
        return number
    root = roots[number.root.level - 1]
    return moved(number.rational, roots) + moved(number.coefficient, roots) * Surd(Fraction(0), Fraction(1), root)


def test_square_of_sqrt2_plus_sqrt3():
    tower = Tower()
    a = tower.sqrt(Fraction(2)) + tower.sqrt(Fraction(3))
    assert a * a == 5 + 2 * tower.sqrt(Fraction(6))
    assert len(tower.roots) == 2
    assert tower.sqrt(5 + 2 * tower.sqrt(Fraction(6))) == a


@pytest.mark.parametrize(("number", "root"), [(Fraction(9, 4), Fraction(3, 2)), (Fraction(0), Fraction(0))])
def test_rational_squares_stay_rational(number, root):
    assert Tower().sqrt(number) == root


def test_equal_roots_are_found_again():
    tower = Tower()
    two = tower.sqrt(Fraction(2))
    assert tower.sqrt(Fraction(8)) == 2 * two
    assert tower.sqrt(Fraction(1, 2)) == two / 2
    assert tower.sqrt(3 - 2 * two) == two - 1
    assert len(tower.roots) == 1


def test_negative_numbers_have_no_root():
    tower = Tower()
    assert tower.sqrt(Fraction(-1)) is None
    assert tower.sqrt(1 - tower.sqrt(Fraction(2))) is None


def test_sign_is_decided_exactly_where_floating_point_is_not():
    tower = Tower()
    below = Fraction(isqrt(2 * 10**80), 10**40)
    difference = tower.sqrt(Fraction(2)) - below
    assert float(below) == 2**0.5
    assert sign(difference) == 1
    assert sign(difference - Fraction(1, 10**40)) == -1


def test_nested_root_has_the_right_value():
    tower = Tower()
    assert isclose(float(tower.sqrt(2 + tower.sqrt(Fraction(2)))), (2 + 2**0.5) ** 0.5, rel_tol=1e-15)


def test_a_full_tower_says_so():
    tower = Tower()
    primes = (2, 3, 5, 7, 11, 13, 17, 19)
    for prime in primes[:MAX_ROOTS]:
        tower.sqrt(Fraction(prime))
    assert tower.sqrt(Fraction(6 * 25)) == 5 * tower.sqrt(Fraction(2)) * tower.sqrt(Fraction(3))
    with pytest.raises(TooManyRootsError):
        tower.sqrt(Fraction(primes[MAX_ROOTS]))


def test_a_surd_reads_like_arithmetic():
    assert str(1 + Tower().sqrt(Fraction(2)) * 3) == "1 + 3*sqrt(2)"
