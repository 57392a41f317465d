"""`verify` passes what is right and fails every mutant."""

from __future__ import annotations

import dataclasses

import pytest
from codegen_layers import DIFFERENTIATED, TEXTS, derivation, written

from symbn.tools import compiler
from symbn.tools.kernel import Kernel
from symbn.tools.verify import default_shapes, verify

pytestmark = pytest.mark.skipif(not tuple(compiler.available()), reason="no C compiler")


@pytest.mark.parametrize("name", DIFFERENTIATED)
def test_every_kernel_is_within_its_rounding_bound(name: str) -> None:
    rows = verify(derivation(name))
    assert {(row.target, row.dtype) for row in rows} == {(t, d) for t in ("numpy", "c") for d in ("float32", "float64")}
    results = {gradient.definition.name for gradient in derivation(name).gradients.values()}
    assert results | set(derivation(name).layer.outputs) <= {row.quantity for row in rows}
    assert [row.line for row in rows if not row.ok] == []


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


def test_shapes_start_at_one_and_are_unequal() -> None:
    shapes = default_shapes(derivation("features"))
    assert {"N": 1, "C": 1} in shapes
    assert all(shape["N"] != shape["C"] for shape in shapes[1:])
    assert default_shapes(derivation("pair")) == ({},)
