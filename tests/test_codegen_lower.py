"""From formulas to named values: what is shared, what leaves a loop, and what things are called."""

from __future__ import annotations

import pytest
from codegen_layers import BATCH, NAMES, derivation, written

from symbn.codegen.lower import ARRAYS, LOOPS, Style
from symbn.codegen.naming import Names
from symbn.codegen.passes import backward_program, forward_program, lost_axes, saved_names
from symbn.codegen.program import Pointwise, Program, Total
from symbn.errors import UnsupportedError
from symbn.expr import Reduce, reads, walk


def backward(name: str, style: Style = LOOPS) -> Program:
    return backward_program(derivation(name), style)


def names(program: Program) -> list[str]:
    return [value.name for value in program.values]


def totals(program: Program) -> list[str]:
    return [value.name for value in program.values if isinstance(value, Total)]


def test_a_mean_and_a_sum_of_the_same_terms_are_summed_once() -> None:
    assert totals(backward("features")) == ["sum_dy", "sum_dy_xhat"]


def test_a_reduction_that_is_a_definition_keeps_the_author_s_name() -> None:
    assert totals(forward_program(derivation("features"), LOOPS)) == ["mu", "sigma2"]


def test_what_does_not_depend_on_the_element_is_computed_outside_of_the_element_s_loop() -> None:
    found = {value.name: value for value in backward("features").values}
    assert [index.axis for index in found["dx_scale"].indices] == ["C"]
    assert "rsqrt_sigma2_plus_eps" in names(forward_program(derivation("features"), LOOPS))


def test_a_difference_that_two_definitions_take_is_taken_once() -> None:
    program = forward_program(derivation("features"), ARRAYS)
    assert names(program) == ["mu", "x_minus_mu", "sigma2", "xhat", "y"]


def test_factors_without_the_bound_letter_come_out_of_a_sum() -> None:
    formulas = "dx[i, c] = sum(gamma[c]*dy[k, c] for k in N)\ndgamma[c] = 0*gamma[c]\ndbeta[c] = sum(dy[k, c] for k in N)"
    assert totals(backward_program(written(BATCH, formulas), LOOPS)) == ["sum_dy"]


def test_nested_sums_become_one() -> None:
    formulas = "dx[i, c] = sum(sum(dy[k, j] for k in N) for j in C)\ndgamma[c] = 0*gamma[c]\ndbeta[c] = 0*gamma[c]"
    (total,) = [value for value in backward_program(written(BATCH, formulas), LOOPS).values if isinstance(value, Total)]
    assert [index.axis for index in total.bound] == ["N", "C"]


@pytest.mark.parametrize("style", [ARRAYS, LOOPS], ids=["arrays", "loops"])
@pytest.mark.parametrize("name", NAMES)
def test_every_value_reads_only_what_comes_before_it(name: str, style: Style) -> None:
    for program in (forward_program(derivation(name), style), backward_program(derivation(name), style)):
        known = {argument.name for argument in program.arguments}
        for value in program.values:
            assert set(reads(value.expr)) <= known, value
            assert not any(isinstance(node, Reduce) for node in walk(value.expr))
            assert value.name not in known
            known.add(value.name)
        assert {output.name for output in program.outputs} <= known


@pytest.mark.parametrize("name", NAMES)
def test_every_value_is_read_or_written(name: str) -> None:
    program = backward(name)
    used = {name for value in program.values for name in reads(value.expr)} | {output.name for output in program.outputs}
    assert {value.name for value in program.values} <= used


def test_no_name_is_a_number() -> None:
    for name in NAMES:
        for value in backward(name).values:
            assert not value.name.startswith(("_", "tmp", "t0"))
            assert not value.name[:1].isdigit()


def test_the_forward_pass_saves_exactly_what_the_backward_pass_reads() -> None:
    assert saved_names(derivation("features")) == ("gamma", "eps", "sigma2", "xhat")
    assert saved_names(derivation("soft")) == ("y",)
    saved = [output.name for output in forward_program(derivation("features"), LOOPS).outputs if output.saved]
    assert saved == ["sigma2", "xhat"]


def test_an_extent_that_no_array_tells_is_saved_too() -> None:
    assert lost_axes(backward("shrink")) == ("N",)
    assert lost_axes(backward("features")) == ()


def test_a_definition_that_nothing_needs_is_not_computed() -> None:
    program = backward_program(written(BATCH, "dx[i, c] = dy[i, c]\ndgamma[c] = gamma[c]\ndbeta[c] = gamma[c]"), LOOPS)
    assert names(program) == ["dx", "dgamma", "dbeta"]
    assert all(isinstance(value, Pointwise) for value in program.values)


def test_names_are_given_once() -> None:
    given = Names(("mu",))
    assert [given.fresh("mu"), given.fresh("mu"), given.fresh("sum_dy")] == ["mu_2", "mu_3", "sum_dy"]


def test_a_mode_without_a_kernel_is_refused() -> None:
    from dataclasses import replace

    with pytest.raises(UnsupportedError, match="order 3"):
        backward_program(replace(derivation("soft"), order=3), LOOPS)
