"""The verification itself is verified: right formulas pass with no tolerance, each mutant fails with a witness."""

from dataclasses import dataclass, replace

import pytest

from symbn.language import parse_definition, parse_layer
from symbn.layer import Definition, Input, Layer
from symbn.oracle import verify_derivation
from symbn.oracle.verify import large_extents, small_extents


@dataclass(frozen=True)
class Formula:
    of: str
    definition: Definition


@dataclass(frozen=True)
class Derived:
    layer: Layer
    gradients: dict
    seeds: tuple = ()
    mode: str = "vjp"
    order: int = 1
    intermediates: tuple = ()


def derived(text, formulas, *, seeds=None, shared=(), **options):
    """A derivation by hand: `formulas` are {what it belongs to: "name[i] = ..."}."""
    layer = parse_layer(text)
    if seeds is None:
        seeds = tuple(Input(f"d{name}", layer.axes_of(name)) for name in layer.outputs)
    names = {seed.name: seed.axes for seed in seeds}
    intermediates = []
    for line in shared:
        intermediates.append(parse_definition(line, layer, names))
        names[intermediates[-1].name] = intermediates[-1].axes
    gradients = {of: Formula(of, parse_definition(line, layer, names)) for of, line in formulas.items()}
    return Derived(layer, gradients, seeds, intermediates=tuple(intermediates), **options)


BATCHNORM = """
def batchnorm(x: "N", gamma, beta, *, eps=1e-5):
    assert eps > 0
    mu = mean(x[j] for j in N)
    sigma2 = mean((x[j] - mu) ** 2 for j in N)
    xhat[i] = (x[i] - mu) / sqrt(sigma2 + eps)
    y[i] = gamma * xhat[i] + beta
    return y
"""
BATCHNORM_BACKWARD = {
    "x": "dx[i] = gamma/sqrt(sigma2 + eps)*(dy[i] - mean(dy[k] for k in N) - xhat[i]*mean(dy[k]*xhat[k] for k in N))",
    "gamma": "dgamma = sum(dy[k]*xhat[k] for k in N)",
    "beta": "dbeta = sum(dy[k] for k in N)",
}
LAYERNORM = """
def layernorm(x: "N C", gamma: "C", beta: "C", *, eps=1e-5):
    assert eps > 0
    mu[n] = mean(x[n, c] for c in C)
    sigma2[n] = mean((x[n, c] - mu[n]) ** 2 for c in C)
    rstd[n] = rsqrt(sigma2[n] + eps)
    xhat[n, c] = (x[n, c] - mu[n]) * rstd[n]
    y[n, c] = gamma[c] * xhat[n, c] + beta[c]
    return y
"""
LAYERNORM_BACKWARD = {
    "x": "dx[n, c] = rstd[n]*(g[n, c] - mean(g[n, k] for k in C) - xhat[n, c]*mean(g[n, k]*xhat[n, k] for k in C))",
    "gamma": "dgamma[c] = sum(dy[n, c]*xhat[n, c] for n in N)",
    "beta": "dbeta[c] = sum(dy[n, c] for n in N)",
}
BATCHNORM2D = """
def batchnorm2d(x: "N C S", gamma: "C", beta: "C", *, eps=1e-5):
    assert eps > 0
    mu[c] = mean(x[n, c, s] for n in N for s in S)
    sigma2[c] = mean((x[n, c, s] - mu[c]) ** 2 for n in N for s in S)
    xhat[n, c, s] = (x[n, c, s] - mu[c]) / sqrt(sigma2[c] + eps)
    y[n, c, s] = gamma[c] * xhat[n, c, s] + beta[c]
    return y
"""
BATCHNORM2D_BACKWARD = {
    "x": "dx[n, c, s] = gamma[c]/sqrt(sigma2[c] + eps)*(dy[n, c, s] - mean(dy[k, c, l] for k in N for l in S)"
    " - xhat[n, c, s]*mean(dy[k, c, l]*xhat[k, c, l] for k in N for l in S))",
    "gamma": "dgamma[c] = sum(dy[n, c, s]*xhat[n, c, s] for n in N for s in S)",
    "beta": "dbeta[c] = sum(dy[n, c, s] for n in N for s in S)",
}
SOFTMAX = """
def softmax(x: "N C"):
    m[n] = max(x[n, c] for c in C)
    e[n, c] = exp(x[n, c] - m[n])
    y[n, c] = e[n, c] / sum(e[n, k] for k in C)
    return y
"""
CUBE = 'def cube(x: "N", a):\n    y[i] = a * x[i] ** 3\n    return y\n'


def test_batchnorm_is_verified_exactly():
    found = verify_derivation(derived(BATCHNORM, BATCHNORM_BACKWARD))
    assert found.ok
    assert found.line.startswith("verified: exact for N = 1, 2, 3, 5 (rational arithmetic); ")
    assert found.line.endswith(" at N = 64 (complex step)")
    assert found.floating_error < 1e-14
    assert found.checked == {"x": 9, "gamma": 9, "beta": 9}


def test_layernorm_with_a_shared_value_is_verified_with_square_roots():
    found = verify_derivation(derived(LAYERNORM, LAYERNORM_BACKWARD, shared=["g[n, c] = gamma[c]*dy[n, c]"]))
    assert found.line.startswith("verified: exact for (N, C) = (1, 1), (1, 2), (3, 1), (2, 3) (exact square roots); ")


def test_batchnorm2d_is_verified_exactly():
    found = verify_derivation(derived(BATCHNORM2D, BATCHNORM2D_BACKWARD))
    assert found.line.startswith("verified: exact for (N, C, S) = (1, 1, 1), (1, 2, 3), (3, 1, 2), (2, 3, 1) (exact square roots); ")


def test_softmax_is_verified_to_45_digits_ties_included():
    found = verify_derivation(derived(SOFTMAX, {"x": "dx[n, c] = y[n, c]*(dy[n, c] - sum(dy[n, k]*y[n, k] for k in C))"}))
    assert found.line.startswith("verified: to 45 digits for (N, C) = (1, 1), (1, 2), (3, 1), (2, 3) (mpmath), ties included; ")
    assert found.ties > 2


def test_the_same_seed_gives_the_same_line():
    once, again = (verify_derivation(derived(BATCHNORM, BATCHNORM_BACKWARD), seed=7) for _ in range(2))
    assert once.line == again.line


@pytest.mark.parametrize(
    ("result", "right", "wrong"),
    [
        ("x", " - mean(dy[k] for k in N)", ""),
        ("x", " - xhat[i]", " + xhat[i]"),
        ("x", "mean(dy[k] for k in N)", "sum(dy[k] for k in N)/(N + 1)"),
        ("x", "mean(dy[k] for k in N)", "sum(dy[k] for k in N)"),
        ("x", "mean(dy[k]*xhat[k] for k in N)", "sum(dy[k]*xhat[k] for k in N)/(N - 1)"),
        ("x", "gamma/sqrt(sigma2 + eps)", "gamma/(sigma2 + eps)"),
        ("x", "sqrt(sigma2 + eps)", "sqrt(sigma2)"),
        ("x", "gamma/sqrt", "1/sqrt"),
        ("x", "- xhat[i]*mean(dy[k]*xhat[k] for k in N)", "- mean(dy[k]*xhat[k]*xhat[k] for k in N)"),
        ("x", "dy[k]*xhat[k]", "dy[i]*xhat[k]"),
        ("gamma", "xhat[k]", "x[k]"),
        ("gamma", "sum", "mean"),
        ("beta", "dy[k]", "dy[k]*gamma"),
    ],
)
def test_every_mutant_of_batchnorm_fails_with_a_witness(result, right, wrong):
    mutant = {**BATCHNORM_BACKWARD, result: BATCHNORM_BACKWARD[result].replace(right, wrong)}
    assert mutant != BATCHNORM_BACKWARD
    found = verify_derivation(derived(BATCHNORM, mutant))
    assert not found.ok
    assert found.failure.name == f"d{result}"
    assert found.failure.extents["N"] <= 3
    assert found.failure.inputs["eps"] > 0
    assert found.line.startswith(f"FAILED: d{result}")


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("mean(g[n, k] for k in C)", "mean(g[k, c] for k in N)"), ("xhat[n, k]", "xhat[n, c]"), ("rstd[n]*(", "rstd[n]**2*(")],
)
def test_every_mutant_of_layernorm_fails(right, wrong):
    mutant = {**LAYERNORM_BACKWARD, "x": LAYERNORM_BACKWARD["x"].replace(right, wrong)}
    assert not verify_derivation(derived(LAYERNORM, mutant, shared=["g[n, c] = gamma[c]*dy[n, c]"])).ok


def test_a_witness_reads_as_one_line():
    line = verify_derivation(derived(CUBE, {"x": "dx[i] = 2*a*x[i]**2*dy[i]", "a": "da = sum(x[i]**3*dy[i] for i in N)"})).line
    assert line.startswith("FAILED: dx[1] is ")
    assert ", should be " in line
    assert " at N = 1, x = [" in line
    assert "\n" not in line


def test_a_result_of_the_wrong_shape_fails():
    found = verify_derivation(derived(BATCHNORM, {**BATCHNORM_BACKWARD, "gamma": "dgamma[i] = dy[i]"}))
    assert not found.ok
    assert "of shape" in found.line


def test_a_formula_without_a_value_fails_where_the_truth_has_one():
    formulas = {"x": "dx[i] = 3*a*x[i]**2*dy[i]*(N - 1)/(N - 1)", "a": "da = sum(x[i]**3*dy[i] for i in N)"}
    found = verify_derivation(derived(CUBE, formulas))
    assert not found.ok
    assert "dx[1] is undefined" in found.line


def test_extents_without_a_value_are_skipped_and_said():
    text = BATCHNORM.replace("mean((x[j] - mu) ** 2 for j in N)", "sum((x[j] - mu) ** 2 for j in N)/(N - 1)")
    formula = BATCHNORM_BACKWARD["x"].replace("mean(dy[k]*xhat[k] for k in N)", "sum(dy[k]*xhat[k] for k in N)/(N - 1)")
    found = verify_derivation(derived(text, {**BATCHNORM_BACKWARD, "x": formula}))
    assert found.ok
    assert found.line.startswith("verified: exact for N = 2, 3, 5 (rational arithmetic); ")
    assert found.line.endswith("; not defined at N = 1")


def test_a_layer_without_any_value_is_not_verified():
    text = 'def f(x: "N"):\n    y[i] = sqrt(-1 - x[i]**2)\n    return y\n'
    found = verify_derivation(derived(text, {"x": "dx[i] = -x[i]/y[i]*dy[i]"}))
    assert not found.ok
    assert found.line.startswith("not verified: ")


RECTIFIER = 'def f(x: "N", b):\n    y[i] = relu(x[i] - b)\n    z = max(abs(x[j]) for j in N)\n    return y, z\n'
RECTIFIER_BACKWARD = {
    "x": "dx[i] = where(x[i] > b, dy[i], 0) + dz*where(abs(x[i]) == z, sign(x[i]), 0)/sum(where(abs(x[k]) == z, 1, 0) for k in N)",
    "b": "db = -sum(where(x[k] > b, dy[k], 0) for k in N)",
}


def test_kinks_follow_the_conventions_at_ties():
    found = verify_derivation(derived(RECTIFIER, RECTIFIER_BACKWARD))
    assert found.ok
    assert found.ties > 2


@pytest.mark.parametrize(
    ("result", "right", "wrong"),
    [("x", "x[i] > b", "x[i] >= b"), ("b", "x[k] > b", "x[k] >= b"), ("x", "/sum(where(abs(x[k]) == z, 1, 0) for k in N)", "")],
)
def test_another_convention_at_a_tie_fails(result, right, wrong):
    mutant = {**RECTIFIER_BACKWARD, result: RECTIFIER_BACKWARD[result].replace(right, wrong)}
    assert not verify_derivation(derived(RECTIFIER, mutant)).ok


CUBE_SECOND = {
    "x": "grad_x[i] = dy[i]*(6*a*x[i]*ddx[i] + 3*x[i]**2*dda)",
    "a": "grad_a = sum(dy[i]*3*x[i]**2*ddx[i] for i in N)",
    "dy": "grad_dy[i] = 3*a*x[i]**2*ddx[i] + dda*x[i]**3",
}
CUBE_SEEDS = (Input("dy", ("N",)), Input("ddx", ("N",)), Input("dda"))


def test_second_order_is_verified_by_duals_of_duals():
    found = verify_derivation(derived(CUBE, CUBE_SECOND, order=2, seeds=CUBE_SEEDS))
    assert found.ok
    assert "rational arithmetic" in found.line
    assert found.floating_error < 1e-14


@pytest.mark.parametrize(("result", "right", "wrong"), [("x", "6*a", "3*a"), ("a", "*3", "*6"), ("dy", " + dda*x[i]**3", "")])
def test_second_order_mutants_fail(result, right, wrong):
    mutant = {**CUBE_SECOND, result: CUBE_SECOND[result].replace(right, wrong)}
    found = verify_derivation(derived(CUBE, mutant, order=2, seeds=CUBE_SEEDS))
    assert found.failure.name == f"grad_{result}"


def test_second_order_by_some_inputs_alone():
    seeds = (Input("dy", ("N",)), Input("ddx", ("N",)))
    formulas = {"x": "grad_x[i] = dy[i]*6*a*x[i]*ddx[i]", "a": CUBE_SECOND["a"], "dy": "grad_dy[i] = 3*a*x[i]**2*ddx[i]"}
    assert verify_derivation(derived(CUBE, formulas, order=2, seeds=seeds)).ok


def backward_of_cube(slope):
    """The backward pass of CUBE as a layer, with dx = slope, and its second order in CUBE_SECOND's terms."""
    layer = parse_layer(CUBE)
    cotangent = Input("dy", ("N",))
    lines = (f"dx[i] = {slope}*dy[i]", "da = sum(x[i]**3*dy[i] for i in N)")
    gradients = tuple(parse_definition(line, layer, {"dy": ("N",)}) for line in lines)
    backward = replace(layer, inputs=(cotangent, *layer.inputs), definitions=(*layer.definitions, *gradients), outputs=("dx", "da"))
    return replace(derived(CUBE, CUBE_SECOND, order=2, seeds=CUBE_SEEDS), layer=backward, seeds=CUBE_SEEDS[1:])


def test_second_order_of_a_backward_pass_written_as_a_layer():
    found = verify_derivation(backward_of_cube("3*a*x[i]**2"))
    assert found.ok
    assert found.checked == {"x": 9, "a": 9, "dy": 9}


def test_the_truth_of_second_order_rests_on_no_first_order_formula():
    assert verify_derivation(backward_of_cube("2*a*x[i]**2")).ok
    wrong = backward_of_cube("2*a*x[i]**2")
    formula = parse_definition("grad_dy[i] = 2*a*x[i]**2*ddx[i] + dda*x[i]**3", wrong.layer, {"ddx": ("N",), "dda": ()})
    assert not verify_derivation(replace(wrong, gradients={**wrong.gradients, "dy": Formula("dy", formula)})).ok


def test_forward_mode():
    seeds = (Input("x_dot", ("N",)), Input("a_dot"))
    right = derived(CUBE, {"y": "y_dot[i] = 3*a*x[i]**2*x_dot[i] + a_dot*x[i]**3"}, mode="jvp", seeds=seeds)
    assert verify_derivation(right).ok
    wrong = derived(CUBE, {"y": "y_dot[i] = 3*a*x[i]**2*x_dot[i]"}, mode="jvp", seeds=seeds)
    assert verify_derivation(wrong).failure.name == "y_dot"
    by_x = derived(CUBE, {"y": "y_dot[i] = 3*a*x[i]**2*x_dot[i]"}, mode="jvp", seeds=seeds[:1])
    assert verify_derivation(by_x).ok


def test_jacobian():
    right = derived(CUBE, {"y/x": "dy_dx[k, i] = 3*a*x[k]**2*delta(k, i)", "y/a": "dy_da[k] = x[k]**3"}, mode="jacobian", seeds=())
    assert verify_derivation(right).ok
    text = 'def f(x: "N", w: "N N"):\n    y[m] = sum(w[m, n]*x[n] for n in N)\n    return y\n'
    assert verify_derivation(derived(text, {"y/x": "dy_dx[k, i] = w[k, i]"}, mode="jacobian", seeds=())).ok
    assert not verify_derivation(derived(text, {"y/x": "dy_dx[k, i] = w[i, k]"}, mode="jacobian", seeds=())).ok


def test_some_inputs_alone():
    assert verify_derivation(derived(BATCHNORM, {"beta": BATCHNORM_BACKWARD["beta"]})).checked == {"beta": 9}


def test_a_layer_of_scalars():
    found = verify_derivation(derived("def f(x):\n    y = x**2\n    return y\n", {"x": "dx = 2*x*dy"}))
    assert found.ok
    assert found.line == "verified: exact (rational arithmetic)"


def test_a_gradient_that_vanishes_has_no_relative_error():
    text = BATCHNORM.replace("(x[i] - mu)", "(x[i] + beta - mu - beta)")
    found = verify_derivation(derived(text, {**BATCHNORM_BACKWARD, "gamma": "dgamma = sum(dy[k]*xhat[k] for k in N)"}))
    assert found.ok
    text = 'def f(x: "N", b):\n    y[i] = x[i]/3 + b/7 - mean(x[j]/3 + b/7 for j in N)\n    return y\n'
    found = verify_derivation(derived(text, {"b": "db = 0"}))
    assert found.ok


def test_more_roots_than_the_tower_takes_fall_back_on_digits():
    text = 'def f(x: "N"):\n    assert x[i] > 0\n    y[i] = sqrt(x[i])*sqrt(x[i] + 1)*sqrt(x[i] + 2)\n    return y\n'
    formula = "dx[i] = dy[i]*y[i]/2*(1/x[i] + 1/(x[i] + 1) + 1/(x[i] + 2))"
    assert "to 45 digits" in verify_derivation(derived(text, {"x": formula})).line


def test_assumed_equations_hold_at_every_point():
    text = """
def entropy(x: "N K", *, t: "N K"):
    assert t[n, k] >= 0
    assert sum(t[n, k] for k in K) == 1
    z[n] = log(sum(exp(x[n, k]) for k in K))
    y = mean(sum(t[n, k]*(z[n] - x[n, k]) for k in K) for n in N)
    return y
"""
    right = "dx[n, k] = dy*(exp(x[n, k] - z[n]) - t[n, k])/N"
    assert verify_derivation(derived(text, {"x": right})).ok
    free = "\n".join(line for line in text.splitlines() if "== 1" not in line)
    assert not verify_derivation(derived(free, {"x": right})).ok


def test_unknown_modes_are_refused():
    with pytest.raises(Exception, match="no truth for mode"):
        verify_derivation(replace(derived(CUBE, {"x": "dx[i] = dy[i]"}), mode="hessian"))


def test_extents_mix_one_with_longer_axes():
    assert small_extents(["N"]) == [{"N": 1}, {"N": 2}, {"N": 3}, {"N": 5}]
    for axes in ("NC", "NCS", "TESD", "ABCDEF"):
        chosen = small_extents(axes)
        assert len({tuple(one[axis] for one in chosen) for axis in axes}) == len(axes)
        for axis in axes:
            assert {one[axis] for one in chosen} == {1, 2, 3}
        assert len(set(large_extents(axes).values())) > 1
