"""Equations decided by computing both sides: true ones agree, false ones come with the smallest witness."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest

import symbn
from symbn.errors import EquationError
from symbn.language.equations import parse_assumption, parse_equation
from symbn.layer import Layer
from symbn.oracle import IdentityReport, check_identity
from symbn.oracle.field import PRIMES, Field, NoRootError
from symbn.oracle.residues import same_in_field
from symbn.vocabulary import vocabulary

BATCHNORM = "dx[i] = gamma/sqrt(sigma2 + eps)*(dy[i] - mean(dy[k] for k in N) - xhat[i]*mean(dy[k]*xhat[k] for k in N))"
ONE, ZERO = Fraction(1), Fraction(0)


def axes_of(layer: Layer) -> dict[str, tuple[str, ...]]:
    return {name: quantity.axes for name, quantity in vocabulary(layer).items()}


def decide(layer: str | Layer, text: str, *, assume: tuple[str, ...] = (), **options) -> IdentityReport:
    layer = symbn.load(layer) if isinstance(layer, str) else layer
    names = axes_of(layer) | dict(options.get("seeds", {}))
    equation = parse_equation(text, layer, names)
    claims = tuple(parse_assumption(claim, layer, names) for claim in assume)
    return check_identity(layer, equation.left, equation.right, assume=claims, **options)


TRUE = [
    ("batchnorm", BATCHNORM),
    ("batchnorm", "dsigma2 = -gamma/2/(sigma2 + eps)*sum(dy[i]*xhat[i] for i in N)"),
    ("batchnorm", "dmu = -gamma/sqrt(sigma2 + eps)*sum(dy[i] for i in N)"),
    ("batchnorm", "dsigma2_dmu = 0"),
    ("batchnorm", "dsigma2_dx[i] = 2*(x[i] - mu)/N"),
    ("batchnorm", "dxhat_dsigma2[i] = -xhat[i]/2/(sigma2 + eps)"),
    ("batchnorm", "dx[i] = sum(dy[k]*dy_dx[k, i] for k in N)"),
    ("batchnorm", "y_dot[k] = sum(dy_dx[k, i]*x_dot[i] for i in N) + gamma_dot*xhat[k] + beta_dot"),
    ("batchnorm", "grad_dy[k] = sum(dy_dx[k, i]*ddx[i] for i in N) + ddgamma*xhat[k] + ddbeta"),
    ("batchnorm", "grad_gamma = sum(ddx[i]*dx[i] for i in N)/gamma"),
    ("batchnorm", "mean(xhat[j] for j in N) = 0"),
    ("batchnorm1d", "dgamma[c] = sum(dy[i, c]*xhat[i, c] for i in N)"),
    ("layernorm", "dxhat[n, d] = gamma[d]*dy[n, d]"),
    ("softmax", "dx[n, k] = y[n, k]*(dy[n, k] - sum(y[n, j]*dy[n, j] for j in K))"),
    ("softmax", "de_dx[n, k, i, j] = e[n, k]*delta(n, i)*(delta(k, j) - dm_dx[n, i, j])"),
    ("cross_entropy", "dx[n, k] = dloss*(p[n, k] - t[n, k])/N"),
    ("cosine_similarity", "norm_u[n]*norm_v[n] = sqrt((sum(u[n, j]**2 for j in D) + eps)*(sum(v[n, j]**2 for j in D) + eps))"),
    ("weight_norm", "sqrt(sum(4*v[o, j]**2 for j in I)) = 2*norm[o]"),
]


@pytest.mark.parametrize(("layer", "equation"), TRUE, ids=[f"{layer}: {text[:30]}" for layer, text in TRUE])
def test_what_is_true_agrees_and_has_no_witness(layer: str, equation: str) -> None:
    report = decide(layer, equation)
    assert report.agree, report.witness
    assert report.witness is None
    assert report.points >= 12


@pytest.mark.parametrize(
    "mutant",
    [
        BATCHNORM.replace(" - xhat[i]*mean(dy[k]*xhat[k] for k in N)", ""),
        BATCHNORM.replace(" - mean(dy[k] for k in N)", ""),
        BATCHNORM.replace("mean(dy[k] for", "1/(N - 1)*sum(dy[k] for"),
        BATCHNORM.replace("- xhat", "+ xhat"),
        BATCHNORM.replace("dx[i] = ", "dx[i] = -"),
        BATCHNORM.replace("gamma/sqrt(sigma2 + eps)", "gamma/(sqrt(sigma2) + eps)"),
        BATCHNORM.replace("gamma/sqrt(sigma2 + eps)", "gamma*sqrt(sigma2 + eps)"),
        BATCHNORM.replace("xhat[k] for", "xhat[i] for"),
        BATCHNORM.replace("- mean(dy", "- sum(dy"),
        BATCHNORM.replace("gamma/", ""),
    ],
)
def test_every_mutant_of_batchnorms_gradient_is_found(mutant: str) -> None:
    report = decide("batchnorm", mutant)
    assert not report.agree
    assert report.witness is not None
    assert report.witness.extents["N"] <= 2
    assert report.witness.left != report.witness.right


def test_a_witness_can_be_redone_by_hand() -> None:
    report = decide("batchnorm", BATCHNORM.replace(" - xhat[i]*mean(dy[k]*xhat[k] for k in N)", ""))
    witness = report.witness
    assert witness is not None
    x, dy, gamma = ([Fraction(value) for value in witness.values[name].flat] for name in ("x", "dy", "gamma"))
    eps, i = witness.values["eps"].item(), witness.indices["i"] - 1
    mu = sum(x) / len(x)
    square = sum((value - mu) ** 2 for value in x) / len(x) + eps
    root = next(Fraction(root) for root in range(1, 9) if root * root == square)
    assert witness.right == gamma[0] / root * (dy[i] - sum(dy) / len(dy))
    assert witness.left == witness.right - gamma[0] / root * (x[i] - mu) / root * sum(
        d * (value - mu) / root for d, value in zip(dy, x, strict=True)
    ) / len(x)
    assert "beta" not in witness.values


def test_the_witness_has_the_smallest_extents() -> None:
    assert decide("batchnorm", "xhat[i]**2 = sigma2/(sigma2 + eps)").witness.extents == {"N": 3}
    assert decide("batchnorm", "xhat[i] = 0").witness.extents == {"N": 2}
    assert decide("batchnorm", "y[i] = gamma").witness.extents == {"N": 1}


def test_the_same_seed_gives_the_same_witness() -> None:
    mutant = BATCHNORM.replace("- xhat", "+ xhat")
    assert str(decide("batchnorm", mutant).witness) == str(decide("batchnorm", mutant).witness)


def test_a_transcendental_witness_shows_decimals() -> None:
    witness = decide("softmax", "dx[n, k] = y[n, k]*(1 - y[n, k])*dy[n, k]").witness
    assert (witness.extents, witness.left, witness.right) == ({"N": 1, "K": 2}, "-0.25", "0")


def test_a_witness_with_an_irrational_root_shows_digits() -> None:
    layer = symbn.loads('def f(x: "N"):\n    r = sqrt(sum(x[j]**2 for j in N) + 2)\n    return r\n')
    witness = decide(layer, "r = 1").witness
    assert witness.left == "1.4142135623730950488"


def test_fixed_parameters_and_extents() -> None:
    without_gamma = BATCHNORM.replace("gamma/sqrt", "1/sqrt")
    assert not decide("batchnorm", without_gamma).agree
    assert decide("batchnorm", without_gamma, fixed={"gamma": ONE}).agree
    assert not decide("batchnorm", without_gamma, fixed={"gamma": Fraction(2)}).agree
    assert not decide("batchnorm", "dx[i] = 0").agree
    assert decide("batchnorm", "dx[i] = 0", extents={"N": 1}).agree
    assert decide("layernorm", "y[n, d] = xhat[n, d]", fixed={"gamma": ONE, "beta": ZERO}).agree
    assert decide("batchnorm", "dx[i] = 0", fixed={"dy": ONE}).agree


def test_a_constant_may_be_fixed_at_the_edge_of_its_range() -> None:
    assert not decide("batchnorm", "sum(xhat[i]**2 for i in N) = N").agree
    assert decide("batchnorm", "sum(xhat[i]**2 for i in N) = N", fixed={"eps": ZERO}).agree


def test_assumptions_restrict_the_points() -> None:
    equation = "dx[i] = gamma/sqrt(sigma2 + eps)*(dy[i] - xhat[i]*mean(dy[k]*xhat[k] for k in N))"
    assert not decide("batchnorm", equation).agree
    assert decide("batchnorm", equation, assume=("sum(dy[k] for k in N) == 0",)).agree
    assert decide("batchnorm", "sigma2 = mean(x[j]**2 for j in N)", assume=("mu == 0",)).agree
    assert decide("batchnorm", "dx[i] = 0", assume=("N == 1",)).agree
    assert decide("cross_entropy", "sum(t[n, k] for k in K) = 1").agree


def test_where_nothing_could_be_compared_nothing_agrees() -> None:
    report = decide("batchnorm", "mu = mu", assume=("sigma2 < 0",))
    assert not report.agree
    assert (report.points, report.witness) == (0, None)
    assert report.skipped


def test_seeds_have_any_value() -> None:
    text = "sum(w[i]*(x[i] - mu) for i in N) = 0"
    assert not decide("batchnorm", text, seeds={"w": ("N",)}).agree
    assert decide("batchnorm", text, seeds={"w": ("N",)}, fixed={"w": ONE}).agree


def test_a_name_without_meaning_is_an_error() -> None:
    layer = symbn.load("batchnorm")
    equation = parse_equation("foo = mu", layer, {"foo": ()})
    with pytest.raises(EquationError, match="'foo' is no name"):
        check_identity(layer, equation.left, equation.right)


def test_ties_count_where_there_are_kinks() -> None:
    relu = symbn.loads('def f(x: "N"):\n    y[i] = relu(x[i])\n    return y\n')
    assert decide(relu, "dx[i] = where(x[i] > 0, dy[i], 0)").agree
    report = decide(relu, "dx[i] = where(x[i] >= 0, dy[i], 0)")
    assert not report.agree
    assert report.witness.values["x"].item() == 0


def test_rational_layers_are_compared_modulo_primes_too() -> None:
    for name, text in TRUE[:13]:
        assert ("two primes of 61 bits" in decide(name, text).kinds) == (name != "softmax")


def test_primes_alone_tell_true_from_false() -> None:
    from symbn.oracle.claim import make_claim

    layer = symbn.load("layernorm")
    for text, same in (
        ("dxhat[n, d] = gamma[d]*dy[n, d]", True),
        ("dxhat[n, d] = dy[n, d]", False),
        ("dsigma2[n] = -sum(dxhat[n, d]*xhat[n, d] for d in D)/2/(sigma2[n] + eps)", True),
        ("dsigma2[n] = sum(dxhat[n, d]*xhat[n, d] for d in D)/2/(sigma2[n] + eps)", False),
    ):
        equation = parse_equation(text, layer, axes_of(layer))
        claim = make_claim(layer, equation.left, equation.right, seeds={}, derived=vocabulary(layer), assume=(), fixed={})
        for prime in PRIMES:
            assert same_in_field(claim, {"N": 2, "D": 3}, prime, Random(1)) is same


def test_roots_in_a_field_keep_their_products() -> None:
    field = Field(PRIMES[0], Random(0))
    first, second = field.draw(), field.draw()
    a, b = field.adopt(first), field.adopt(second)
    root = field.scalar("sqrt")
    assert root(a) == first
    assert root(a * b) == first * second
    assert root(a / b) == first / second
    assert root(field.residue(9) * a) == field.residue(3) * first
    with pytest.raises(NoRootError):
        [root(field.draw()) for _ in range(64)]


def test_both_moduli_are_primes_that_leave_3_modulo_4() -> None:
    for prime in PRIMES:
        assert prime % 4 == 3
        assert prime.bit_length() == 61
        assert all(pow(base, (prime - 1) // 2, prime) in (1, prime - 1) for base in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37))


def test_many_independent_roots_fall_back_on_digits() -> None:
    radicand = "abs(x[i, j])*(x[i, j]**2 + 7)*(x[i, j]**4 + x[i, j] + 11) + 2"
    layer = symbn.loads(f'def f(x: "N M"):\n    r[i, j] = sqrt({radicand})\n    z = sum(r[i, j] for i in N for j in M)\n    return z\n')
    report = decide(layer, "z**2 = z*sum(r[i, j] for i in N for j in M)", extents={"N": 3, "M": 3})
    assert report.agree
    assert "mpmath" in report.kinds
    assert decide(layer, "z = sum(x[i, j] for i in N for j in M)", extents={"N": 3, "M": 3}).witness is not None


def test_a_difference_beyond_the_range_of_floats_is_told() -> None:
    layer = symbn.loads("def f(x):\n    y = (x**60)**60\n    return y\n")
    report = decide(layer, "y = 2*(x**60)**60")
    assert not report.agree
    assert "E+" in report.largest_gap.upper()


def test_extents_that_ask_for_too_much_are_left_alone() -> None:
    report = decide("batchnorm", "dx[i] = 0", extents={"N": 10**6})
    assert not report.agree
    assert (report.points, report.witness) == (0, None)
    assert report.skipped == ("more than 256 elements at N = 1000000",)


def test_roots_tied_by_a_square_do_not_count_as_a_difference() -> None:
    """Modulo a prime the root of x**2*a has a sign of its own; the identity is true all the same, and its mutant is not."""
    layer = symbn.loads("def f(x, a):\n    assert x > 0\n    assert a > 0\n    y = sqrt(a)*x\n    return y\n")
    for seed in range(5):
        report = decide(layer, "sqrt(x**2*a) = y", seed=seed)
        assert report.agree, report.witness
    assert not decide(layer, "sqrt(x**2*a) = a*x").agree
    any_sign = symbn.loads("def f(x, a):\n    assert a > 0\n    y = sqrt(a)*x\n    return y\n")
    assert decide(any_sign, "sqrt(x**2*a) = y").witness.values["x"].item() < 0
