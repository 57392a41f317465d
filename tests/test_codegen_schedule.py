"""From values to loops: every total once, fused where that is sound, in memory order."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from codegen_layers import NAMES, TEXTS, derivation, written

from symbn.codegen.aliasing import overlays
from symbn.codegen.fuse import unfused
from symbn.codegen.lower import LOOPS
from symbn.codegen.passes import backward_program, forward_program
from symbn.codegen.program import Accumulate, Assign, Joined, Load, Loops, Program, Start, Statement, Store, Sweep, Total
from symbn.codegen.schedule import schedule
from symbn.codegen.walk import everything
from symbn.expr import Delta, reads, walk


def passes(name: str) -> list[tuple[Program, Loops]]:
    programs = (forward_program(derivation(name), LOOPS), backward_program(derivation(name), LOOPS))
    return [(program, schedule(program)) for program in programs]


def outline(body: Sequence[Statement], depth: int = 0) -> list[str]:
    """Loops, totals and stores, one a line."""
    lines = []
    for statement in body:
        match statement:
            case Sweep(index, inner):
                lines += [f"{'  ' * depth}for {index.name} in {index.axis}", *outline(inner, depth + 1)]
            case Accumulate(name, _, _):
                lines.append(f"{'  ' * depth}add to {name}")
            case Store(array, _, _):
                lines.append(f"{'  ' * depth}store {array}")
            case Joined(columns, rows):
                lines += [f"{'  ' * depth}a few rows at a time", *outline((columns, rows), depth + 1)]
    return lines


def test_sums_over_the_same_elements_share_a_sweep_inside_the_kept_axis() -> None:
    _, (_, loops) = passes("features")
    assert outline(loops.body) == [
        "for c in C",
        "  for k in N",
        "    add to sum_dy_c",
        "    add to sum_dy_xhat_c",
        "  store dgamma",
        "  store dbeta",
        "  for i in N",
        "    store dx",
    ]


def test_a_row_s_sweeps_stand_in_one_loop_over_rows() -> None:
    _, (_, loops) = passes("rows")
    assert outline(loops.body) == [
        "a few rows at a time",
        "  for c in C",
        "    for k in N",
        "      add to dgamma_c",
        "      add to dbeta_c",
        "    store dgamma",
        "    store dbeta",
        "  for n in N",
        "    for k in C",
        "      add to mean_gamma_dy_n",
        "      add to mean_gamma_dy_xhat_n",
        "    for c in C",
        "      store dx",
    ]


def test_the_innermost_loop_runs_over_the_last_axis() -> None:
    (_, forward), (_, backward) = passes("planes")
    for loops in (forward, backward):
        for line, after in zip(outline(loops.body), [*outline(loops.body)[1:], ""], strict=True):
            if after.strip().startswith(("add", "store dx", "store y")) and line.strip().startswith("for"):
                assert line.endswith("in S")


def test_common_layers_need_no_working_memory() -> None:
    for name in ("features", "planes", "soft", "affine", "pair", "shrink"):
        assert all(not loops.buffers for _, loops in passes(name)), name


def test_joined_loops_keep_sums_of_their_own_for_each_part_of_the_rows() -> None:
    (_, forward), (_, backward) = passes("rows")
    assert not forward.buffers
    assert [(buffer.name, buffer.axes, buffer.parts) for buffer in backward.buffers] == [
        ("dgamma_c_parts", ("C",), True),
        ("dbeta_c_parts", ("C",), True),
    ]


def test_a_value_needed_in_another_order_is_kept_for_as_long_as_its_loop_only() -> None:
    (_, forward), (_, backward) = passes("scores")
    assert [buffer.axes for buffer in forward.buffers] == [("T",)]
    assert {buffer.axes for buffer in backward.buffers} == {("T", "T"), ("T",)}


def test_a_total_of_what_a_loop_makes_is_added_up_in_that_loop() -> None:
    formulas = "dx[n, c] = dy[n, c]*sum(sum(dy[k, j]*x[k, j] for j in C)**2 for k in N)"
    program = backward_program(written(TEXTS["soft"][0], formulas), LOOPS)
    loops = schedule(program)
    assert not loops.buffers
    assert outline(loops.body) == [
        "for k in N",
        "  for j in C",
        "    add to sum_dy_x_k",
        "  add to sum_square_sum_dy_x",
        "for n in N",
        "  for c in C",
        "    store dx",
    ]
    assert overlays(program, loops) == (("dx", "dy"), ("dx", "x"))


@pytest.mark.parametrize("name", NAMES)
def test_every_total_is_computed_once(name: str) -> None:
    for program, loops in passes(name):
        started = [statement.total.name for statement in everything(loops.body) if isinstance(statement, Start)]
        assert sorted(started) == sorted(value.name for value in program.values if isinstance(value, Total))


@pytest.mark.parametrize("name", NAMES)
def test_every_output_is_stored_once(name: str) -> None:
    for program, loops in passes(name):
        stored = [statement.array for statement in everything(loops.body) if isinstance(statement, Store)]
        kept = [buffer.name for buffer in loops.buffers if not buffer.parts]
        assert sorted(stored) == sorted([*(output.name for output in program.outputs), *kept])


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_known_where_it_is_read(name: str) -> None:
    for program, loops in passes(name):
        scalars = {argument.name for argument in program.arguments if not argument.axes}
        check_scope(unfused(loops.body), scalars, set())


def check_scope(body: Sequence[Statement], names: set[str], letters: set[str]) -> None:
    names = set(names)
    for statement in body:
        match statement:
            case Sweep(index, inner):
                assert index.name not in letters | names, "a loop hides a name"
                check_scope(inner, names, letters | {index.name})
            case Load(_, _, indices) | Store(_, indices, _):
                assert {index.name for index in indices} <= letters
        match statement:
            case Assign(_, expr) | Accumulate(_, _, expr) | Store(_, _, expr):
                assert set(reads(expr)) <= names
                assert all({node.left.name, node.right.name} <= letters for node in walk(expr) if isinstance(node, Delta))
        if isinstance(statement, (Load, Assign, Start)):
            assert statement.name not in names, "a name is given twice"
            names.add(statement.name)


def test_a_gradient_may_overwrite_the_cotangent_where_that_is_sound() -> None:
    found = {name: overlays(*passes(name)[1]) for name in NAMES}
    assert ("dx", "dy") in found["features"]
    assert ("dx", "dy") in found["rows"]
    assert ("dx", "dy") in found["soft"]


def test_an_overlay_is_refused_where_an_element_is_read_after_it_was_written() -> None:
    # Every row of dq needs every row of k; dp[i, j] reads p[j, i].
    assert ("dq", "q") not in overlays(*passes("scores")[1])
    assert ("dq", "k") not in overlays(*passes("scores")[1])
    assert ("dp", "p") not in overlays(*passes("odd")[1])
