"""`verify` passes what is right and fails every mutant."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import subprocess
import sys
from typing import Any

import pytest
from click.testing import CliRunner, Result
from codegen_layers import DIFFERENTIATED, TEXTS, derivation, written

import symbn
from symbn.cli import cli
from symbn.errors import SymbnError
from symbn.expr import mul, num
from symbn.tools import compiler
from symbn.tools.kernel import Kernel
from symbn.tools.shapes import default_shapes
from symbn.tools.verify import verify

pytestmark = pytest.mark.skipif(not tuple(compiler.available()), reason="no C compiler")


@pytest.mark.parametrize("name", DIFFERENTIATED)
def test_every_kernel_is_within_its_rounding_bound(name: str) -> None:
    rows = verify(derivation(name))
    assert {(row.target, row.dtype) for row in rows} == {(t, d) for t in ("numpy", "c") for d in ("float32", "float64")}
    results = {gradient.definition.name for gradient in derivation(name).gradients.values()}
    assert results | set(derivation(name).layer.outputs) <= {row.quantity for row in rows}
    assert [row.line for row in rows if not row.ok] == []


@pytest.mark.parametrize("asked", [{}, {"mode": "jvp"}, {"order": 2}], ids=str)
def test_a_derivative_with_pi_in_it_is_computed(asked: dict[str, Any]) -> None:
    gelu = symbn.loads('def gelu(x: "N"):\n    y[i] = x[i]*(1 + erf(x[i]/sqrt(2)))/2\n    return y\n')
    assert [row.line for row in verify(symbn.derive(gelu, **asked, steps=False).derivation) if not row.ok] == []


MUTANTS = {
    "a dropped term": ("features", " - mean(dy[k, c] for k in N)", ""),
    "a flipped sign": ("features", "- xhat[i, c]", "+ xhat[i, c]"),
    "the variance for its root": ("rows", "/sqrt(sigma2[n] + eps)", "/(sigma2[n] + eps)"),
    "one sum too few": ("rows", "sum(dy[k, c]*xhat[k, c] for k in N)", "mean(dy[k, c]*xhat[k, c] for k in N)"),
    "another axis": ("scores", "sum(da[t, s]*q[t, d] for t in T)", "sum(da[s, t]*q[t, d] for t in T)"),
    "a missing square root": ("scores", "for r in T))/sqrt(D)", "for r in T))/D"),
    "N - 1 for N": ("shrink", "dy/N", "dy/(N - 1)"),
    "a factor of 1 + 1e-5": ("soft", "dx[n, c] = ", "dx[n, c] = 1.00001*"),
}


@pytest.mark.parametrize("mutant", MUTANTS)
@pytest.mark.parametrize("target", ["numpy", "c"])
def test_a_wrong_formula_is_found(mutant: str, target: str) -> None:
    name, right, wrong = MUTANTS[mutant]
    source, formulas = TEXTS[name]
    assert right in formulas
    rows = verify(written(source, formulas.replace(right, wrong, 1)), targets=(target,), dtypes=("float32",))
    assert not all(row.ok for row in rows)
    assert any("TOO LARGE" in row.line for row in rows)


def test_a_store_that_is_missing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Kernel.__init__

    def forgetful(self: Kernel, *args: object, **kwargs: object) -> None:
        whole(self, *args, **kwargs)  # type: ignore[arg-type]
        idle = dataclasses.replace(self.passes[1], run=lambda *_: None)
        self.passes = (self.passes[0], idle)
        self._backward = idle

    monkeypatch.setattr(Kernel, "__init__", forgetful)
    rows = verify(derivation("soft"), targets=("numpy",), dtypes=("float64",))
    assert [row.quantity for row in rows if not row.ok] == ["dx"]


@pytest.mark.parametrize("name", ["shrink", "features", "planes", "scores"])
def test_every_axis_takes_every_extent_beside_others(name: str) -> None:
    axes = derivation(name).layer.axes
    shapes = default_shapes(derivation(name))
    assert dict.fromkeys(axes, 1) in shapes
    for axis in axes:
        assert {1, 2, 3, 7, 64} <= {shape[axis] for shape in shapes}
        assert all(shape[axis] not in [shape[other] for other in axes if other != axis] for shape in shapes if shape[axis] in (7, 64))
    assert all(len(set(shape.values())) == len(axes) for shape in shapes if len(axes) < 4 and set(shape.values()) != {1})


def test_an_axis_is_shortened_where_the_oracle_could_not_bear_it() -> None:
    square = symbn.loads('def square(p: "N N"):\n    q[i, j] = sum(p[i, k]*p[k, j] for k in N)\n    return q\n')
    for mode in ("vjp", "jacobian"):
        made = symbn.derive(square, mode=mode, steps=False).derivation
        extents = {shape["N"] for shape in default_shapes(made)}
        assert {1, 2, 3, 7} <= extents
        assert 16 <= max(extents) < 64


def test_a_layer_without_axes_has_one_shape() -> None:
    assert default_shapes(derivation("pair")) == ({},)


@pytest.mark.parametrize("mode", ["jvp", "jacobian"])
@pytest.mark.parametrize("name", ["batchnorm1d", "softmax", "linear", "cosine_similarity"])
def test_the_other_derivatives_are_within_their_rounding_bound(name: str, mode: str) -> None:
    rows = verify(symbn.derive(name, mode=mode, steps=False).derivation)
    assert {(row.target, row.dtype, row.computes) for row in rows} == {(t, d, mode) for t in ("numpy", "c") for d in ("float32", "float64")}
    assert [row.line for row in rows if not row.ok] == []


@pytest.mark.parametrize("name", ["l2norm", "softmax", "linear", "weight_norm"])
def test_the_second_order_is_within_its_rounding_bound(name: str) -> None:
    rows = verify(symbn.derive(name, order=2, steps=False).derivation)
    assert {row.computes for row in rows} == {"double_backward"}
    assert [row.line for row in rows if not row.ok] == []


@pytest.mark.parametrize(("mode", "order"), [("jvp", 1), ("jacobian", 1), ("vjp", 2)])
def test_a_wrong_formula_is_found_in_every_mode(mode: str, order: int) -> None:
    right = symbn.derive("softmax", mode=mode, order=order, steps=False).derivation
    (key, gradient), *_ = right.gradients.items()
    wrong = dataclasses.replace(gradient.definition, expr=mul(num(2), gradient.definition.expr))
    made = dataclasses.replace(right, gradients={**right.gradients, key: dataclasses.replace(gradient, definition=wrong)})
    rows = verify(made, targets=("numpy",), dtypes=("float64",))
    assert [row.quantity for row in rows if not row.ok] == [wrong.name]


# The command ------------------------------------------------------------------------------------------------------------------------


def command(*arguments: str) -> Result:
    """`symbn verify`, in this process."""
    return CliRunner().invoke(cli, ["verify", *arguments])


def test_the_command_covers_every_mode_target_and_type() -> None:
    done = command("l2norm")
    assert done.exit_code == 0, done.output
    found = {tuple(line.split()[:4]) for line in done.stdout.splitlines()}
    computes = ("backward", "jvp", "jacobian", "double_backward")
    assert found == {("l2norm", what, t, d) for what in computes for t in ("numpy", "c") for d in ("float32", "float64")}
    assert done.stderr == f"{len(done.stdout.splitlines())} results, each within its rounding bound\n"


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--mode", "jvp"], {("softmax", "jvp")}),
        (["--order", "2"], {("softmax", "double_backward")}),
        (["--mode", "vjp", "--order", "1"], {("softmax", "backward")}),
        (["--save", "y"], {("softmax_from_y", "backward")}),
    ],
)
def test_options_narrow_what_is_verified(arguments: list[str], names: set[tuple[str, str]]) -> None:
    done = command("softmax", "-t", "numpy", "--dtype", "f32", *arguments)
    assert done.exit_code == 0, done.output
    assert {tuple(line.split()[:2]) for line in done.stdout.splitlines()} == names
    assert {tuple(line.split()[2:4]) for line in done.stdout.splitlines()} == {("numpy", "float32")}


@pytest.mark.parametrize("arguments", [["--mode", "jvp", "--order", "2"], ["--save", "m"], ["--save", "y", "--order", "2"], ["--wrt", "z"]])
def test_an_impossible_choice_is_refused(arguments: list[str]) -> None:
    assert isinstance(command("softmax", *arguments).exception, SymbnError)


def test_what_cannot_be_run_is_said_and_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symbn.tools.verify.draw_cases", lambda *_: iter(()))
    done = command("mse", "-t", "numpy", "--mode", "jvp")
    assert done.exit_code == 3
    assert "not verified: mse jvp: no point found" in done.stderr


def test_a_terminal_sees_how_far_it_is() -> None:
    ours, theirs = os.openpty()
    arguments = [sys.executable, "-m", "symbn", "verify", "mse", "-t", "numpy"]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=theirs, env={**os.environ, "TERM": "xterm"})
    os.close(theirs)
    said = b""
    with contextlib.suppress(OSError):  # Linux's way to say that the other end is closed
        while part := os.read(ours, 65536):
            said += part
    os.close(ours)
    rows = process.communicate(timeout=60)[0].decode()
    assert process.returncode == 0
    assert "100%" in said.decode("utf-8", "replace")
    assert "mse jvp" in said.decode("utf-8", "replace")
    assert all(line.startswith("mse  ") for line in rows.splitlines())
