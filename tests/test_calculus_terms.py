"""Polynomials in atoms, their powers, and their common factors."""

from __future__ import annotations

from fractions import Fraction as F

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbn.calculus.powers import LARGEST_EXPANDED_POWER, number_power, power
from symbn.calculus.splitting import content, factor_list
from symbn.calculus.terms import ONE, ZERO, Atom, Kind, Poly, constant, delta, extent, func, of_atom, temporary, var
from symbn.errors import LayerError
from symbn.expr import Index

I, J = Index("i", "N"), Index("j", "N")  # noqa: E741
a, b, x = var("a"), var("b"), var("x", (I,))

monomials = st.tuples(st.integers(-3, 3), st.integers(0, 2), st.integers(-2, 2), st.integers(-2, 2))


@st.composite
def polys(draw):
    total = ZERO
    for number, first, second, third in draw(st.lists(monomials, max_size=4)):
        total = total + constant(number) * power(a, first) * power(x, second) * power(extent("N"), third)
    return total


few = settings(max_examples=40)


@few
@given(polys(), polys(), polys())
def test_polynomials_are_a_commutative_ring(p, q, r):
    assert p + q == q + p
    assert p * q == q * p
    assert (p + q) * r == p * r + q * r
    assert (p * q) * r == p * (q * r)
    assert p - p == ZERO
    assert p * ONE == p
    assert p * ZERO == ZERO


@few
@given(polys(), polys())
def test_equal_polynomials_have_equal_keys_and_hashes(p, q):
    assert (p == q) == (p.key == q.key)
    assert hash(p + q) == hash(q + p)


@few
@given(polys())
def test_content_times_rest_is_the_polynomial(p):
    if p:
        monomial, number, rest = content(p)
        assert rest * Poly({monomial: number}) == p
        assert number > 0


@few
@given(polys(), polys())
def test_factors_multiply_back(p, q):
    found = factor_list(p * q)
    if found is not None:
        product = ONE
        for factor, times in found:
            product = product * power(factor, times)
        assert product == p * q


@settings(max_examples=200)
@given(polys(), polys())
def test_a_product_of_brackets_is_found_to_be_one(p, q):
    brackets = [content(factor)[2] for factor in (p, q) if factor]
    product = brackets[0] * brackets[-1] if brackets else ZERO
    if len(brackets) == 2 and min(map(len, brackets)) > 1 and len(product) > 2:
        assert factor_list(product) is not None


def test_equal_atoms_are_one_object():
    assert Atom(Kind.VAR, "x", (I,)) is Atom(Kind.VAR, "x", (I,))
    assert Atom(Kind.VAR, "x", (I,)) is not Atom(Kind.VAR, "x", (J,))


def test_deltas_and_conditions_are_their_own_square():
    condition = func("is<", a - b)
    assert delta(I, J) * delta(J, I) == delta(I, J)
    assert condition * condition == condition
    assert delta(I, I) == ONE


def test_temporary_indices_are_never_the_same():
    assert len({temporary("N") for _ in range(50)}) == 50


@pytest.mark.parametrize(("exponent", "expected"), [(0, ONE), (1, a), (-1, of_atom(Atom(Kind.VAR, "a", ()), -1))])
def test_small_powers(exponent, expected):
    assert power(a, exponent) == expected


def test_a_whole_power_of_a_sum_is_expanded_up_to_a_limit():
    assert power(a + b, 2) == a * a + (a * b).scale(2) + b * b
    assert len(power(a + b, LARGEST_EXPANDED_POWER + 1)) == 1


def test_a_root_of_a_sum_is_one_factor_that_cancels():
    root = power(a + b, F(1, 2))
    assert root * power(a + b, F(-1, 2)) == ONE
    assert root * root * root == power(a + b, F(3, 2))


def test_a_root_of_a_square_is_no_bare_variable():
    assert power(a * a, F(1, 2)) != a
    assert power(a * a, F(1, 2)) * power(a * a, F(1, 2)) == a * a


def test_factors_known_to_be_positive_leave_a_root():
    assert power(extent("N") * a, F(1, 2)) == power(extent("N"), F(1, 2)) * power(a, F(1, 2))
    assert power(func("exp", a) * func("exp", a), F(1, 2)) == func("exp", a)
    assert power(a * b, F(1, 2)) != power(a, F(1, 2)) * power(b, F(1, 2))


@pytest.mark.parametrize(("value", "exponent"), [(8, F(1, 2)), (F(9, 4), F(1, 2)), (F(2, 27), F(-1, 3)), (12, F(3, 2)), (1, F(1, 5))])
def test_roots_of_numbers_multiply_back(value, exponent):
    product = ONE
    for _ in range(exponent.denominator):
        product = product * number_power(value, exponent)
    assert product.as_number() == F(value) ** exponent.numerator


def test_whole_roots_are_numbers():
    assert number_power(F(9, 4), F(1, 2)).as_number() == F(3, 2)


def test_a_power_of_zero():
    assert power(ZERO, 2) == ZERO
    with pytest.raises(LayerError, match="division by something identically zero"):
        power(a - a, -1)
