"""Names of results: which exist for a layer, and which meaning wins."""

from __future__ import annotations

from dataclasses import replace

import pytest

import symbn
from symbn.layer import Input
from symbn.vocabulary import vocabulary

BATCHNORM = vocabulary(symbn.load("batchnorm"))


def test_every_name_of_batchnorm_has_its_axes_and_meaning() -> None:
    assert (BATCHNORM["dy"].kind, BATCHNORM["dy"].given, BATCHNORM["dy"].axes) == ("cotangent", True, ("N",))
    assert (BATCHNORM["dx"].kind, BATCHNORM["dx"].by, BATCHNORM["dx"].axes) == ("gradient", "x", ("N",))
    assert (BATCHNORM["dsigma2"].kind, BATCHNORM["dsigma2"].by, BATCHNORM["dsigma2"].axes) == ("gradient", "sigma2", ())
    derivative = BATCHNORM["dxhat_dmu"]
    assert (derivative.kind, derivative.of, derivative.by, derivative.axes) == ("derivative", "xhat", "mu", ("N",))
    assert BATCHNORM["x_dot"].given
    assert not BATCHNORM["xhat_dot"].given
    assert BATCHNORM["ddgamma"].given
    assert BATCHNORM["grad_gamma"].kind == BATCHNORM["grad_dy"].kind == "second gradient"


def test_the_numerators_axes_come_first() -> None:
    names = vocabulary(symbn.load("batchnorm1d"))
    assert names["dy_dx"].axes == ("N", "C", "N", "C")
    assert names["dmu_dx"].axes == ("C", "N", "C")
    assert names["dy_dgamma"].axes == ("N", "C", "C")


def test_nothing_is_a_derivative_by_a_constant_or_by_a_later_definition() -> None:
    assert not {"deps", "dy_deps", "eps_dot", "dmu_dxhat", "dmu_dmu"} & set(BATCHNORM)


def test_an_intermediate_value_that_is_returned_has_a_given_cotangent() -> None:
    layer = symbn.loads('def f(x: "N"):\n    m = mean(x[j] for j in N)\n    y[i] = x[i] - m\n    return m, y\n')
    assert vocabulary(layer)["dm"].given
    assert vocabulary(layer)["dy"].given


def test_the_layers_own_meaning_of_a_name_wins() -> None:
    square = symbn.loads('def f(x: "N"):\n    y[i] = x[i]**2\n    z[i] = 2*x[i]*y[i]\n    return z\n')
    backward = replace(square, inputs=(*square.inputs, Input("dy", ("N",))))
    names = vocabulary(backward)
    assert "dy" not in names
    assert names["dz"].given
    assert (names["ddy"].kind, names["ddy"].by) == ("gradient", "dy")


@pytest.mark.parametrize("name", ["batchnorm", "rmsnorm", "softmax"])
@pytest.mark.parametrize(("mode", "order"), [("vjp", 1), ("vjp", 2), ("jvp", 1), ("jacobian", 1)])
def test_derive_names_its_results_and_seeds_alike(name: str, mode: str, order: int) -> None:
    layer = symbn.load(name)
    names = vocabulary(layer)
    derivation = symbn.derive(layer, mode=mode, order=order).derivation
    for gradient in derivation.gradients.values():
        quantity = names[gradient.definition.name]
        assert (quantity.axes, quantity.given) == (gradient.definition.axes, False)
    for seed in derivation.seeds:
        assert (names[seed.name].axes, names[seed.name].given) == (seed.axes, True)
